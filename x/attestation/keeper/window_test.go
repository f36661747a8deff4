package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/types"
)

// TestWindow: the last moment at which a slot is accepted is closing time + window,
// whatever the fraction of a second.
func TestWindow(t *testing.T) {
	closed := start.Add(600*time.Second + 300*time.Millisecond)
	for name, tc := range map[string]struct {
		now  time.Duration
		want bool
	}{
		"at once":             {0, true},
		"a second before":     {599 * time.Second, true},
		"at the boundary":     {600 * time.Second, true},
		"a nanosecond after":  {600*time.Second + 1, false},
		"a second after":      {601 * time.Second, false},
		"at the judging time": {601 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.register(1)
			f.at(closed)
			g := f.group(startSlot, f.good(1, startSlot))
			if tc.now > 0 {
				f.at(closed.Add(tc.now))
			}
			if !tc.want {
				f.failsWithoutTrace(types.ErrNothingAccepted, func() error {
					_, err := f.submit(g)
					require.ErrorContains(t, err, types.REJECT_REASON_TOO_LATE.String())
					return err
				})
				return
			}
			f.mustSubmit(g)
			at, exact, err := f.k.JudgedAt(f.ctx, startSlot)
			require.NoError(t, err)
			require.True(t, exact)
			require.Equal(t, closed.Add(601*time.Second), at)
			require.True(t, at.After(f.ctx.BlockTime()), "bits change only before the judging time")
		})
	}
}

func TestTooEarly(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	last := start.Add(599 * time.Second)
	f.at(last)
	require.Equal(t, uint64(startSlot-1), f.state().LastClosedSlot, "a second before its end the slot is open")
	at, exact, err := f.k.JudgedAt(f.ctx, startSlot)
	require.NoError(t, err)
	require.False(t, exact)
	require.Equal(t, start.Add(1201*time.Second), at, "the earliest it can be")
	f.at(last.Add(time.Second))
	require.Equal(t, uint64(startSlot), f.state().LastClosedSlot)
}

// TestBadSignatureIsNamedByItsIndex, also behind others that never reach the batch.
func TestBadSignatureIsNamedByItsIndex(t *testing.T) {
	f := newFixture(t)
	for range 3 {
		f.register(1)
	}
	f.slot(startSlot + 1)
	g := f.group(startSlot, types.Attestation{HostId: 99, Signature: make([]byte, 64)},
		f.good(1, startSlot), f.good(2, startSlot), f.good(3, startSlot))
	g.Attestations[2].Signature[1] ^= 1
	resp := f.mustSubmit(g)
	require.EqualValues(t, 2, resp.Accepted)
	require.Len(t, resp.Rejections, 2)
	require.EqualValues(t, 2, resp.Rejections[1].Index)
	require.EqualValues(t, 2, resp.Rejections[1].HostId)
	require.Equal(t, []types.SlotBitmap{{Slot: startSlot, Bits: []byte{0b1010}}}, f.state().Attested)
}
