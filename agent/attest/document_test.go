package attest_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/agent/gpu/gputest"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

const slot = 1000

func observation(gpus int, seconds ...int) attest.Observation {
	c := newChain(gpus)
	c.params.SlotSeconds = 600
	o := attest.Observation{ChainID: chainID, Host: &c.host, GPUs: c.gpus, Params: c.params, Anchor: c.anchor(slot), Slot: slot}
	for _, s := range seconds {
		r := attest.Record{TakenAt: c.params.SlotStart(slot).Add(time.Duration(s) * time.Second)}
		for i := range gpus {
			r.Readings = append(r.Readings, gpu.Reading{UUID: gputest.UUID(i)})
		}
		o.Records = append(o.Records, r)
	}
	return o
}

func every(step, from, to int) []int {
	var out []int
	for s := from; s <= to; s += step {
		out = append(out, s)
	}
	return out
}

func TestWhatCountsAsObserved(t *testing.T) {
	tests := map[string]struct {
		seconds []int
		want    bool
	}{
		"a sample every 10 s":           {every(10, -10, 610), true},
		"a restart of 90 s":             {append(every(10, -10, 200), every(10, 290, 610)...), true},
		"a gap of 100 s":                {append(every(10, -10, 200), every(10, 300, 610)...), false},
		"started late":                  {every(10, 80, 610), true},
		"started too late":              {every(10, 100, 610), false},
		"stopped early":                 {every(10, -10, 520), true},
		"stopped too early":             {every(10, -10, 500), false},
		"a gap that ends in the slot":   {append([]int{-300}, every(10, 60, 610)...), true},
		"a gap that begins in the slot": {append(every(10, -10, 520), 900), true},
		"samples of other slots only":   {[]int{-10, 610}, false},
		"no sample":                     {nil, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := attest.BuildDocument(observation(1, tc.seconds...))
			if tc.want {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, attest.ErrNotObserved)
		})
	}
}

// TestDownHasOneEncoding: whatever is down, the chain takes the bitmap, and its bits
// are those of the GPUs that any sample of the slot shows down.
func TestDownHasOneEncoding(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(rt, "gpus")
		o := observation(n, every(60, -60, 660)...)
		want := map[int]bool{}
		for range rapid.IntRange(0, 6).Draw(rt, "faults") {
			g, at := rapid.IntRange(0, n-1).Draw(rt, "gpu"), rapid.IntRange(0, len(o.Records)-1).Draw(rt, "sample")
			o.Records[at].Readings[g].Flags = gpu.FlagLost
			inside := at >= 1 && at <= 10
			want[g] = want[g] || inside
		}
		doc, err := attest.BuildDocument(o)
		if err != nil {
			rt.Fatal(err)
		}
		if err := attestation.ValidateDown(doc.Down, uint32(n)); err != nil {
			rt.Fatal(err)
		}
		for g := range n {
			if got := attestation.Bitmap(doc.Down).Get(uint64(g)); got != want[g] {
				rt.Fatalf("GPU %d down %v, want %v", g, got, want[g])
			}
		}
	})
}

func TestMissingGPUIsDown(t *testing.T) {
	o := observation(2, every(60, -60, 660)...)
	for i := range o.Records {
		o.Records[i].Readings = o.Records[i].Readings[:1]
	}
	doc, err := attest.BuildDocument(o)
	require.NoError(t, err)
	require.Equal(t, []byte{0b10}, doc.Down)
}

func TestStoreReadsAroundASlot(t *testing.T) {
	s, err := attest.OpenStore(filepath.Join(t.TempDir(), "state.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	at := func(sec int) time.Time { return time.Unix(1_700_000_000+int64(sec), 0).UTC() }
	got := func(from, to int) (out []int) {
		rs, err := s.Around(at(from), at(to))
		require.NoError(t, err)
		for _, r := range rs {
			out = append(out, int(r.TakenAt.Sub(at(0)).Seconds()))
		}
		return out
	}
	require.Empty(t, got(0, 10))
	for _, sec := range []int{0, 10, 20, 30, 40} {
		require.NoError(t, s.PutRecord(attest.Record{TakenAt: at(sec)}))
	}
	require.Equal(t, []int{0, 10, 20, 30}, got(10, 30), "one before and one after")
	require.Equal(t, []int{0, 10}, got(-50, 5))
	require.Equal(t, []int{40}, got(100, 200), "the last one before")
	require.Equal(t, []int{0}, got(-9, -1))

	raw, err := s.Raw(at(10), at(30))
	require.NoError(t, err)
	require.Len(t, raw, 2)
	root, proof := attest.ProveSample(raw, 1)
	require.Equal(t, root, attest.DetailRoot(raw))
	require.NoError(t, proof.Verify(root, raw[1]))
	require.Error(t, proof.Verify(root, raw[0]))
	require.Nil(t, attest.DetailRoot(nil))
}
