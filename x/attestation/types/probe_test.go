package types_test

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/attestation/types"
)

func probeBeacon(n int, hosts uint64) *types.ProbeBeacon {
	digest := sha256.Sum256(fmt.Appendf(nil, "beacon %d", n))
	return &types.ProbeBeacon{Slot: uint64(n), Beacon: digest[:], Hosts: hosts}
}

// TestProbersOf: whoever probes is an existing other host, each once, as many as
// there can be; targets and probers agree; a beacon says the same each time.
func TestProbersOf(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		hosts := rapid.Uint64Range(0, 60).Draw(rt, "hosts")
		p := types.DefaultProbeParams()
		p.ProbePpm = rapid.Uint64Range(0, types.PPM).Draw(rt, "ppm")
		p.Probers = rapid.Uint32Range(1, 16).Draw(rt, "probers")
		b := probeBeacon(rapid.Int().Draw(rt, "beacon"), hosts)
		targets := map[uint64][]uint64{}
		for target := range hosts + 2 {
			got := b.ProbersOf(target, p)
			require.Equal(rt, got, b.ProbersOf(target, p))
			if !b.Drawn(target, p) {
				require.Empty(rt, got)
				continue
			}
			require.Len(rt, got, int(min(uint64(p.Probers), hosts-1)))
			require.True(rt, slices.IsSorted(got))
			require.Len(rt, slices.Compact(slices.Clone(got)), len(got), "distinct")
			for _, id := range got {
				require.True(rt, 1 <= id && id <= hosts && id != target)
				targets[id] = append(targets[id], target)
			}
		}
		for id := range hosts + 2 {
			require.Equal(rt, targets[id], b.TargetsOf(id, p))
		}
		require.False(rt, b.Drawn(0, p) || b.Drawn(hosts+1, p), "no such hosts")
	})
}

// TestProbersAreUniform: over many slots every host probes and is probed as often as
// the params say, within five standard deviations.
func TestProbersAreUniform(t *testing.T) {
	const hosts, slots = 50, 6_000
	p := types.DefaultProbeParams()
	p.ProbePpm = 250_000
	probes, probed := make([]float64, hosts+1), make([]float64, hosts+1)
	for n := range slots {
		b := probeBeacon(n, hosts)
		for target := uint64(1); target <= hosts; target++ {
			for _, id := range b.ProbersOf(target, p) {
				probes[id]++
			}
			if b.Drawn(target, p) {
				probed[target]++
			}
		}
	}
	near := func(got, n, chance float64) {
		require.InDelta(t, n*chance, got, 5*math.Sqrt(n*chance*(1-chance)))
	}
	for id := 1; id <= hosts; id++ {
		near(probed[id], slots, 0.25)
		near(probes[id], slots*(hosts-1), 0.25*4/(hosts-1))
	}
}

func measure(prober uint64, operator string, up, down uint64) types.ProbeMeasure {
	return types.ProbeMeasure{Slot: 144 + prober, Prober: prober, Operator: operator, UpMbps: up, DownMbps: down}
}

func all(string) (bool, error) { return true, nil }

func TestMedians(t *testing.T) {
	p := types.DefaultProbeParams()
	for name, tc := range map[string]struct {
		measures []types.ProbeMeasure
		want     types.Connection
	}{
		"nothing":           {},
		"too few operators": {measures: []types.ProbeMeasure{measure(1, "a", 10, 10), measure(2, "b", 10, 10), measure(3, "b", 10, 10)}},
		"three": {
			[]types.ProbeMeasure{measure(1, "a", 100, 7), measure(2, "b", 300, 9), measure(3, "c", 200, 8)},
			types.Connection{Day: 1, UpMbps: 200, DownMbps: 8, Operators: 3},
		},
		"the lower of an even number": {
			[]types.ProbeMeasure{measure(1, "a", 1, 40), measure(2, "b", 2, 30), measure(3, "c", 3, 20), measure(4, "d", 4, 10)},
			types.Connection{Day: 1, UpMbps: 2, DownMbps: 20, Operators: 4},
		},
		"many hosts of an operator have one voice": {
			[]types.ProbeMeasure{
				measure(1, "a", 100, 100), measure(2, "b", 110, 110), measure(3, "c", 120, 120),
				measure(4, "liar", 90_000, 90_000), measure(5, "liar", 90_000, 90_000), measure(6, "liar", 90_000, 90_000),
				measure(7, "liar", 90_000, 90_000), measure(8, "liar", 90_000, 90_000),
			},
			types.Connection{Day: 1, UpMbps: 110, DownMbps: 110, Operators: 4},
		},
		"an operator's voice is its own median": {
			[]types.ProbeMeasure{
				measure(1, "a", 10, 10), measure(2, "a", 10, 10), measure(3, "a", 9_000, 9_000),
				measure(4, "b", 20, 20), measure(5, "c", 30, 30),
			},
			types.Connection{Day: 1, UpMbps: 20, DownMbps: 20, Operators: 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := (&types.HostConnection{HostId: 9, Day: 1, Measures: tc.measures}).Medians(p, all)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

// TestLiarsUnderHalf: while less than half of the operators that measured lie, the
// medians lie between two honest measures, whatever the liars say, however many
// hosts they say it from.
func TestLiarsUnderHalf(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		honest := rapid.IntRange(3, 8).Draw(rt, "honest")
		liars := rapid.IntRange(0, honest-1).Draw(rt, "liars")
		rate := rapid.Uint64Range(0, types.MaxMbps)
		low, high := uint64(types.MaxMbps), uint64(0)
		var measures []types.ProbeMeasure
		for i := range honest {
			up := rate.Draw(rt, "up")
			low, high = min(low, up), max(high, up)
			measures = append(measures, measure(uint64(i), fmt.Sprint("honest", i), up, up))
		}
		for i := range liars {
			for n := range rapid.IntRange(1, 5).Draw(rt, "hosts") {
				lie := rate.Draw(rt, "lie")
				measures = append(measures, measure(uint64(100*(i+1)+n), fmt.Sprint("liar", i), lie, lie))
			}
		}
		got, err := (&types.HostConnection{Day: 1, Measures: rapid.Permutation(measures).Draw(rt, "order")}).Medians(types.DefaultProbeParams(), all)
		require.NoError(rt, err)
		require.True(rt, low <= got.UpMbps && got.UpMbps <= high && got.DownMbps == got.UpMbps, "%d to %d, got %v", low, high, got)
	})
}

func TestStrays(t *testing.T) {
	c := types.Connection{Day: 1, UpMbps: 100, DownMbps: 200}
	for m, want := range map[[2]uint64]bool{
		{100, 200}: false, {150, 300}: false, {50, 100}: false,
		{151, 200}: true, {49, 200}: true, {100, 301}: true, {100, 99}: true,
	} {
		got := measure(1, "a", m[0], m[1])
		require.Equal(t, want, got.Strays(c, 500_000), m)
	}
	none := measure(1, "a", 1, 0)
	require.True(t, none.Strays(types.Connection{Day: 1}, 500_000), "anything is far from nothing")
}

func TestScore(t *testing.T) {
	p := types.DefaultProbeParams() // min_score 8, more than half strayed
	for s, want := range map[types.ProberScore]bool{
		{}: true, {Strayed: 7}: true, {Strayed: 8}: false, {Agreed: 4, Strayed: 4}: true, {Agreed: 4, Strayed: 5}: false, {Agreed: 500}: true,
	} {
		require.Equal(t, want, s.Counts(p), s)
	}
	s := types.ProberScore{Operator: "a", Agreed: types.MaxScore - 1}
	s.Add(true)
	require.Equal(t, types.ProberScore{Operator: "a", Agreed: (types.MaxScore - 1) / 2}, s)
	// Who was honest for years and lies now is out after so many receipts.
	lies := 0
	for s = (types.ProberScore{Agreed: types.MaxScore - 1}); s.Counts(p); lies++ {
		s.Add(true)
	}
	require.LessOrEqual(t, lies, types.MaxScore)
}

func TestProbeDoc(t *testing.T) {
	p := types.DefaultProbeParams()
	good := types.ProbeDoc{
		ChainId: "grafi-test", Slot: 7, Prober: 1, Target: 2, UpBytes: 1 << 20, UpUs: 83_886, DownBytes: 1 << 40, DownUs: 1,
		RttUs: 900, Exporter: make([]byte, 32),
	}
	require.NoError(t, good.Validate("grafi-test", p))
	require.Equal(t, types.ProbeMeasure{Slot: 7, Prober: 1, Operator: "a", UpMbps: 100, DownMbps: types.MaxMbps, RttUs: 900}, good.Measure("a"))
	for name, change := range map[string]func(*types.ProbeDoc){
		"another chain":    func(d *types.ProbeDoc) { d.ChainId = "other" },
		"itself":           func(d *types.ProbeDoc) { d.Target = 1 },
		"short exporter":   func(d *types.ProbeDoc) { d.Exporter = d.Exporter[1:] },
		"few bytes up":     func(d *types.ProbeDoc) { d.UpBytes-- },
		"few bytes down":   func(d *types.ProbeDoc) { d.DownBytes = 1<<20 - 1 },
		"too many bytes":   func(d *types.ProbeDoc) { d.DownBytes++ },
		"no time up":       func(d *types.ProbeDoc) { d.UpUs = 0 },
		"no time down":     func(d *types.ProbeDoc) { d.DownUs = 0 },
		"a year of a time": func(d *types.ProbeDoc) { d.DownUs = 1<<40 + 1 },
	} {
		t.Run(name, func(t *testing.T) {
			d := good
			change(&d)
			require.ErrorIs(t, d.Validate("grafi-test", p), types.ErrInvalidReceipt)
		})
	}
}

func TestProbeEndpoint(t *testing.T) {
	for endpoint, ok := range map[string]bool{
		"": true, "gpu1.example.com:9444": true, "203.0.113.7:1": true, "[2001:db8::7]:65535": true,
		"gpu1.example.com": false, ":9444": false, "gpu1.example.com:": false, "gpu1.example.com:0": false,
		"gpu1.example.com:65536": false, "https://gpu1.example.com:9444": false, "gpu1:9444/x": false, "gpu1:+944": false,
	} {
		err := types.ValidateProbeEndpoint(endpoint)
		if ok {
			require.NoError(t, err, endpoint)
		} else {
			require.ErrorIs(t, err, types.ErrInvalidEndpoint, endpoint)
		}
	}
}
