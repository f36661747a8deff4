package types_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

func TestSplitSlash(t *testing.T) {
	tests := map[string]struct {
		taken, loss                       int64
		reported                          bool
		victim, reporter, insurance, burn int64
	}{
		"nothing":                       {0, 50, true, 0, 0, 0, 0},
		"reported, nobody injured":      {1_000, 0, true, 0, 100, 200, 700},
		"found by the chain":            {1_000, 0, false, 0, 0, 200, 800},
		"a small loss":                  {1_000, 50, true, 50, 100, 200, 650},
		"insurance gets what is left":   {1_000, 850, true, 850, 100, 50, 0},
		"reporter gets what is left":    {1_000, 960, true, 960, 40, 0, 0},
		"the victim takes all":          {1_000, 1_000, true, 1_000, 0, 0, 0},
		"a loss over everything":        {1_000, 1 << 60, true, 1_000, 0, 0, 0},
		"remainders are burned":         {19, 0, true, 0, 1, 3, 15},
		"too little for any share":      {4, 0, true, 0, 0, 0, 4},
		"one ugrafi for the victim":     {1, 1, true, 1, 0, 0, 0},
		"no reporter, insurance capped": {1_000, 900, false, 900, 0, 100, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			v, r, i, b := types.DefaultParams().SplitSlash(math.NewInt(tc.taken), math.NewInt(tc.loss), tc.reported)
			require.Equal(t, []int64{tc.victim, tc.reporter, tc.insurance, tc.burn},
				[]int64{v.Int64(), r.Int64(), i.Int64(), b.Int64()})
		})
	}
}

func TestSplitSlashConserves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := types.DefaultParams()
		p.ReporterSharePpm = rapid.Uint64Range(0, types.PPM).Draw(rt, "reporter")
		p.InsuranceSharePpm = rapid.Uint64Range(0, types.PPM-p.ReporterSharePpm).Draw(rt, "insurance")
		require.NoError(rt, p.Validate())
		taken, loss := drawAmount(rt, "taken", 0), drawAmount(rt, "loss", 0)
		reported := rapid.Bool().Draw(rt, "reported")

		v, r, i, b := p.SplitSlash(taken, loss, reported)

		if sum := v.Add(r).Add(i).Add(b); !sum.Equal(taken) {
			rt.Fatalf("%s + %s + %s + %s = %s of %s", v, r, i, b, sum, taken)
		}
		for _, part := range []math.Int{v, r, i, b} {
			if part.IsNegative() {
				rt.Fatalf("negative part in %s, %s, %s, %s", v, r, i, b)
			}
		}
		if v.GT(loss) || (!reported && r.IsPositive()) || (v.LT(loss) && v.LT(taken)) {
			rt.Fatalf("victim %s of %s, reporter %s with report %t", v, loss, r, reported)
		}
		if r.MulRaw(types.PPM).GT(taken.Mul(math.NewIntFromUint64(p.ReporterSharePpm))) {
			rt.Fatalf("reporter got %s of %s", r, taken)
		}
	})
}

func TestTakeSlash(t *testing.T) {
	tests := map[string]struct {
		own         int64
		entries     []int64
		fraction    uint64
		fromOwn     int64
		fromEntries []int64
	}{
		"own stake alone":             {100, nil, 330_000, 33, []int64{}},
		"own stake covers":            {100, []int64{50}, 500_000, 75, []int64{0}},
		"own stake covers exactly":    {75, []int64{75}, 500_000, 75, []int64{0}},
		"the first entry helps":       {10, []int64{60, 30}, 500_000, 10, []int64{40, 0}},
		"the second entry helps":      {0, []int64{10, 90}, 500_000, 0, []int64{10, 40}},
		"everything":                  {1, []int64{2, 3}, types.PPM, 1, []int64{2, 3}},
		"one PPM of less than 10^6":   {999_998, []int64{1}, 1, 0, []int64{0}},
		"one PPM of 10^6":             {999_998, []int64{2}, 1, 1, []int64{0}},
		"nothing is there to be lost": {0, nil, types.PPM, 0, []int64{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			entries := make([]math.Int, len(tc.entries))
			for i, e := range tc.entries {
				entries[i] = math.NewInt(e)
			}
			fromOwn, fromEntries := types.TakeSlash(math.NewInt(tc.own), entries, tc.fraction)
			got := make([]int64, len(fromEntries))
			for i, e := range fromEntries {
				got[i] = e.Int64()
			}
			require.Equal(t, tc.fromOwn, fromOwn.Int64())
			require.Equal(t, tc.fromEntries, got)
		})
	}
}

func TestTakeSlashLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		own := drawAmount(rt, "own", 0)
		entries := make([]math.Int, rapid.IntRange(0, 7).Draw(rt, "entries"))
		atRisk := own
		for i := range entries {
			entries[i] = drawAmount(rt, "entry", 1)
			atRisk = atRisk.Add(entries[i])
		}
		fraction := rapid.Uint64Range(1, types.PPM).Draw(rt, "fraction")

		fromOwn, fromEntries := types.TakeSlash(own, entries, fraction)

		taken, full := fromOwn, fromOwn.Equal(own)
		if fromOwn.IsNegative() || fromOwn.GT(own) {
			rt.Fatalf("%s of own stake %s", fromOwn, own)
		}
		for i, part := range fromEntries {
			if part.IsNegative() || part.GT(entries[i]) {
				rt.Fatalf("%s of entry %s", part, entries[i])
			}
			if part.IsPositive() && !full {
				rt.Fatalf("entry %d pays before the sources ahead of it are empty", i)
			}
			taken, full = taken.Add(part), full && part.Equal(entries[i])
		}
		want := atRisk.Mul(math.NewIntFromUint64(fraction)).QuoRaw(types.PPM)
		if !taken.Equal(want) {
			rt.Fatalf("took %s, want %s of %s", taken, want, atRisk)
		}
	})
}

func TestReaches(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	entry := types.UnbondingEntry{CreatedAt: began}
	require.True(t, entry.Reaches(began.Add(-1)), "the fault came first")
	require.False(t, entry.Reaches(began), "the entry began at the moment of the fault")
	require.False(t, entry.Reaches(began.Add(1)), "the entry began first")
}

func TestSlashRequestValidate(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	valid := types.SlashRequest{
		Fault: types.FAULT_EQUIVOCATION, FractionPPM: types.PPM, CommittedAt: now,
		Victim: []byte("victim______________"), VictimLoss: math.ZeroInt(),
	}
	require.NoError(t, valid.Validate(now))
	for name, change := range map[string]func(*types.SlashRequest){
		"no fault":             func(r *types.SlashRequest) { r.Fault = 0 },
		"an unknown fault":     func(r *types.SlashRequest) { r.Fault = 99 },
		"nothing to take":      func(r *types.SlashRequest) { r.FractionPPM = 0 },
		"more than everything": func(r *types.SlashRequest) { r.FractionPPM = types.PPM + 1 },
		"no time":              func(r *types.SlashRequest) { r.CommittedAt = time.Time{} },
		"a time to come":       func(r *types.SlashRequest) { r.CommittedAt = now.Add(1) },
		"no loss":              func(r *types.SlashRequest) { r.VictimLoss = math.Int{} },
		"a negative loss":      func(r *types.SlashRequest) { r.VictimLoss = math.NewInt(-1) },
	} {
		t.Run(name, func(t *testing.T) {
			r := valid
			change(&r)
			require.ErrorIs(t, r.Validate(now), types.ErrInvalidSlash)
		})
	}
}
