package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/types"
)

// TestSlotsCounted: the hook hears once per message and day, of accepted
// attestations only, with the counters as they are afterwards.
func TestSlotsCounted(t *testing.T) {
	f := newFixture(t)
	f.register(2)
	f.register(3)
	const last = startSlot + 143 // of the day
	f.slot(last + 2)
	bad := f.good(2, last+1)
	bad.Signature[0] ^= 1
	down := f.attest(agentKey(2), 2, last, types.Attestation{Down: []byte{0b10}})

	f.mustSubmit(
		f.group(last-1, f.good(1, last-1)),
		f.group(last+1, f.good(1, last+1), bad),
		f.group(last, f.good(1, last), down),
	)

	require.Equal(t, []countedDay{
		{startSlot / 144, []types.CountedHost{
			{HostID: 1, FirstGPU: 0, Counts: []uint8{1, 1}},
			{HostID: 1, FirstGPU: 0, Counts: []uint8{2, 2}},
			{HostID: 2, FirstGPU: 2, Counts: []uint8{1, 0, 1}},
		}},
		{startSlot/144 + 1, []types.CountedHost{{HostID: 1, FirstGPU: 0, Counts: []uint8{1, 1}}}},
	}, f.hooks.counted)
	up, err := f.k.SlotsUp(f.ctx, startSlot/144, 0)
	require.NoError(t, err)
	require.Equal(t, types.Counts{2, 2, 1, 0, 1}, up)

	f.hooks.counted, f.hooks.err = nil, errRefused
	f.failsWithoutTrace(errRefused, func() error { _, err := f.submit(f.group(last+1, f.good(2, last+1))); return err })
	f.hooks.err = nil
	f.sound()
}

func TestEquivocationIsTold(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	f.slot(startSlot + 1)
	_, err := f.msg.SubmitEquivocation(f.ctx, contradiction(t, agentKey(1), agentKey(1), startSlot))
	require.NoError(t, err)
	require.Equal(t, [][2]uint64{{1, startSlot}}, f.hooks.proven)
	require.Equal(t, "equivocation/1/2880000", f.staking.slashes[0].FaultID)
}

// attestAll has the first n hosts attest the slot, in its last possible message.
func (f *fixture) attestAll(slot uint64, n int) {
	f.t.Helper()
	f.slot(slot + 1)
	var atts []types.Attestation
	for id := range uint64(n) {
		atts = append(atts, f.good(id+1, slot))
	}
	f.mustSubmit(f.group(slot, atts...))
}

func TestNetworkFault(t *testing.T) {
	f := newFixture(t)
	for range 30 {
		f.register(1)
	}
	fault := func(slot uint64) bool {
		t.Helper()
		is, err := f.k.NetworkFault(f.ctx, slot)
		require.NoError(t, err)
		return is
	}
	f.attestAll(startSlot, 30)
	require.False(t, fault(startSlot), "the first slot has none before it")
	f.attestAll(startSlot+1, 27)
	require.False(t, fault(startSlot+1), "exactly 10 % are missing")
	f.attestAll(startSlot+2, 26)
	require.True(t, fault(startSlot+2), "more than 10 % are missing")
	f.attestAll(startSlot+144, 26)
	require.True(t, fault(startSlot+144), "30 attested 144 slots before")
	require.True(t, fault(startSlot+3), "nobody attested")
	f.attestAll(startSlot+145, 26)
	require.False(t, fault(startSlot+145), "the 30 were 145 slots before, and the most since are 27")
	f.sound()

	_, err := f.k.NetworkFault(f.ctx, startSlot+146)
	require.ErrorIs(t, err, types.ErrSlotOpen)
	_, err = f.k.NetworkFault(f.ctx, startSlot-1)
	require.ErrorIs(t, err, types.ErrSlotPruned)
}

// TestFewHostsNeverFail: under network_fault_min_hosts each answers for itself.
func TestFewHostsNeverFail(t *testing.T) {
	f := newFixture(t)
	for range 20 {
		f.register(1)
	}
	f.attestAll(startSlot, 19)
	f.attestAll(startSlot+1, 1)
	is, err := f.k.NetworkFault(f.ctx, startSlot+1)
	require.NoError(t, err)
	require.False(t, is, "19 hosts")
	f.attestAll(startSlot+2, 20)
	f.attestAll(startSlot+3, 1)
	is, err = f.k.NetworkFault(f.ctx, startSlot+3)
	require.NoError(t, err)
	require.True(t, is, "20 hosts")
}

// TestHostCountsArePruned: counts stay one day longer than the bitmaps, so that the
// oldest slot that is kept has the day before it.
func TestHostCountsArePruned(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	for day := range uint64(8) {
		f.attestAll(startSlot+day*144, 1)
	}
	for range 5 {
		f.endBlock()
	}
	gs := f.state()
	floorDay := gs.Anchors[0].Slot / 144
	require.Greater(t, floorDay, uint64(startSlot/144+1))
	require.Equal(t, floorDay-1, gs.AttestedHosts[0].Day)
	f.sound()
}

func TestTrustTier(t *testing.T) {
	for name, tc := range map[string]struct {
		proofs types.Proofs
		want   uint32
	}{
		"nothing":                  {want: 0},
		"everything but compute":   {proofs: types.Proofs{Witnessed: true, Bonded: true, Devices: true}, want: 0},
		"compute":                  {proofs: types.Proofs{Compute: true}, want: 1},
		"witnessed, not bonded":    {proofs: types.Proofs{Compute: true, Witnessed: true, Devices: true}, want: 1},
		"bonded, not witnessed":    {proofs: types.Proofs{Compute: true, Bonded: true, Devices: true}, want: 1},
		"witnessed and bonded":     {proofs: types.Proofs{Compute: true, Witnessed: true, Bonded: true}, want: 2},
		"with its devices as well": {proofs: types.Proofs{Compute: true, Witnessed: true, Bonded: true, Devices: true}, want: 3},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.want, tc.proofs.Tier()) })
	}
}

func TestClassWeight(t *testing.T) {
	f := newFixture(t)
	for class, want := range map[string]uint64{"nvidia-h100-80gb-sxm": 10_000_000, "": 0, "nothing": 0} {
		weight, err := f.k.ClassWeight(f.ctx, class)
		require.NoError(t, err)
		require.Equal(t, want, weight, class)
	}
}

// TestClassChangesAtDayStart: the time-lock ends within a day, the change waits for
// the next one.
func TestClassChangesAtDayStart(t *testing.T) {
	for name, tc := range map[string]struct{ now, want time.Time }{
		"at the start of a day":      {start, start.Add(14 * 24 * time.Hour)},
		"one second after the start": {start.Add(time.Second), start.Add(15 * 24 * time.Hour)},
		"a part of a second after":   {start.Add(1), start.Add(15 * 24 * time.Hour)},
		"one second before the end":  {start.Add(24*time.Hour - time.Second), start.Add(15 * 24 * time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.at(tc.now)
			at, err := f.setClass(h100Class())
			require.NoError(t, err)
			require.Equal(t, tc.want, at)
		})
	}
}
