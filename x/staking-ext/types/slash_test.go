package types_test

import (
	"strings"
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

		delegated, leaving, num, den, fromDelegated, owed int64
	}{
		"own stake alone":             {own: 100, entries: nil, fraction: 330_000, fromOwn: 33, fromEntries: []int64{}},
		"own stake covers":            {own: 100, entries: []int64{50}, fraction: 500_000, fromOwn: 75, fromEntries: []int64{0}},
		"own stake covers exactly":    {own: 75, entries: []int64{75}, fraction: 500_000, fromOwn: 75, fromEntries: []int64{0}},
		"the first entry helps":       {own: 10, entries: []int64{60, 30}, fraction: 500_000, fromOwn: 10, fromEntries: []int64{40, 0}},
		"the second entry helps":      {own: 0, entries: []int64{10, 90}, fraction: 500_000, fromOwn: 0, fromEntries: []int64{10, 40}},
		"everything":                  {own: 1, entries: []int64{2, 3}, fraction: types.PPM, fromOwn: 1, fromEntries: []int64{2, 3}},
		"one PPM of less than 10^6":   {own: 999_998, entries: []int64{1}, fraction: 1, fromOwn: 0, fromEntries: []int64{0}},
		"one PPM of 10^6":             {own: 999_998, entries: []int64{2}, fraction: 1, fromOwn: 1, fromEntries: []int64{0}},
		"nothing is there to be lost": {own: 0, entries: nil, fraction: types.PPM, fromOwn: 0, fromEntries: []int64{}},
		// Of 1,000 in all, the tier pays what the operator's own 200 don't cover.
		"the tier helps": {
			own: 150, entries: []int64{50}, delegated: 600, leaving: 200, fraction: 500_000,
			fromOwn: 150, fromEntries: []int64{50}, num: 300, den: 800, fromDelegated: 225, owed: 75,
		},
		"the tier's remainder stays with it": {
			own: 0, delegated: 10, leaving: 7, fraction: 300_000,
			fromEntries: []int64{}, num: 5, den: 17, fromDelegated: 2, owed: 2,
		},
		"the tier loses all": {
			own: 1, delegated: 10, leaving: 7, fraction: types.PPM,
			fromOwn: 1, fromEntries: []int64{}, num: 17, den: 17, fromDelegated: 10, owed: 7,
		},
		"nobody bonded, all of it leaves": {
			leaving: 70, fraction: 100_000, fromEntries: []int64{}, num: 7, den: 70, owed: 7,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			entries := make([]math.Int, len(tc.entries))
			for i, e := range tc.entries {
				entries[i] = math.NewInt(e)
			}
			risk := types.AtRisk{Own: math.NewInt(tc.own), Entries: entries, Delegated: math.NewInt(tc.delegated), Leaving: math.NewInt(tc.leaving)}
			take := types.TakeSlash(types.Fraction(risk.Total(), tc.fraction), risk)
			got := make([]int64, len(take.Entries))
			for i, e := range take.Entries {
				got[i] = e.Int64()
			}
			require.Equal(t, tc.fromOwn, take.Own.Int64())
			require.Equal(t, tc.fromEntries, got)
			require.Equal(t, []int64{tc.num, max(tc.den, 1)}, []int64{take.RateNum.Int64(), take.RateDen.Int64()})
			require.Equal(t, []int64{tc.fromDelegated, tc.owed}, []int64{take.Delegated.Int64(), take.Owed.Int64()})
		})
	}
}

func TestTakeSlashLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		risk := types.AtRisk{
			Own: drawAmount(rt, "own", 0), Delegated: drawAmount(rt, "delegated", 0), Leaving: drawAmount(rt, "leaving", 0),
			Entries: make([]math.Int, rapid.IntRange(0, 7).Draw(rt, "entries")),
		}
		for i := range risk.Entries {
			risk.Entries[i] = drawAmount(rt, "entry", 1)
		}
		asked := drawAmount(rt, "asked", 0)

		take := types.TakeSlash(asked, risk)

		taken, full := take.Own, take.Own.Equal(risk.Own)
		if take.Own.IsNegative() || take.Own.GT(risk.Own) {
			rt.Fatalf("%s of own stake %s", take.Own, risk.Own)
		}
		for i, part := range take.Entries {
			if part.IsNegative() || part.GT(risk.Entries[i]) {
				rt.Fatalf("%s of entry %s", part, risk.Entries[i])
			}
			if part.IsPositive() && !full {
				rt.Fatalf("entry %d pays before the sources ahead of it are empty", i)
			}
			taken, full = taken.Add(part), full && part.Equal(risk.Entries[i])
		}
		ownTier := risk.Total().Sub(risk.Delegated).Sub(risk.Leaving)
		if !taken.Equal(math.MinInt(asked, ownTier)) {
			rt.Fatalf("took %s of the operator's %s, asked %s", taken, ownTier, asked)
		}
		if take.RateNum.IsPositive() && !full {
			rt.Fatal("stakers pay before the operator's own money is gone")
		}
		// The tier pays the rest pro rata: each part within one unit of its share.
		rest := math.MinInt(asked.Sub(taken), risk.Delegated.Add(risk.Leaving))
		tier := take.Delegated.Add(take.Owed)
		if tier.GT(rest) || rest.Sub(tier).GT(math.NewInt(1)) {
			rt.Fatalf("tier pays %s of %s", tier, rest)
		}
		if take.Delegated.GT(risk.Delegated) || take.Owed.GT(risk.Leaving) || take.RateNum.GT(take.RateDen) {
			rt.Fatalf("tier %+v of %+v", take, risk)
		}
		if take.Delegated.Mul(take.RateDen).GT(risk.Delegated.Mul(take.RateNum)) {
			rt.Fatalf("delegated pays %s, over its share of %s", take.Delegated, rest)
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
		Fault: types.FAULT_EQUIVOCATION, FaultID: strings.Repeat("x", 128), FractionPPM: types.PPM, AllEscrow: true, CommittedAt: now,
		Victim: []byte("victim______________"), VictimLoss: math.ZeroInt(),
	}
	require.NoError(t, valid.Validate(now))
	for name, change := range map[string]func(*types.SlashRequest){
		"no fault":             func(r *types.SlashRequest) { r.Fault = 0 },
		"an unknown fault":     func(r *types.SlashRequest) { r.Fault = 99 },
		"nothing to take":      func(r *types.SlashRequest) { r.FractionPPM = 0 },
		"more than everything": func(r *types.SlashRequest) { r.FractionPPM = types.PPM + 1 },
		"no id":                func(r *types.SlashRequest) { r.FaultID = "" },
		"a long id":            func(r *types.SlashRequest) { r.FaultID += "x" },
		"amount and fraction":  func(r *types.SlashRequest) { r.Amount, r.AllEscrow = math.OneInt(), false },
		"amount of nothing":    func(r *types.SlashRequest) { r.Amount, r.FractionPPM, r.AllEscrow = math.ZeroInt(), 0, false },
		"a negative amount":    func(r *types.SlashRequest) { r.Amount, r.FractionPPM, r.AllEscrow = math.NewInt(-1), 0, false },
		"too large an amount": func(r *types.SlashRequest) {
			r.Amount, r.FractionPPM, r.AllEscrow = types.MaxAmount.AddRaw(1), 0, false
		},
		"amount and all escrow": func(r *types.SlashRequest) { r.Amount, r.FractionPPM = math.OneInt(), 0 },
		"a dispute not held":    func(r *types.SlashRequest) { r.Fault = types.FAULT_DISPUTE },
		"no time":               func(r *types.SlashRequest) { r.CommittedAt = time.Time{} },
		"a time to come":        func(r *types.SlashRequest) { r.CommittedAt = now.Add(1) },
		"no loss":               func(r *types.SlashRequest) { r.VictimLoss = math.Int{} },
		"a negative loss":       func(r *types.SlashRequest) { r.VictimLoss = math.NewInt(-1) },
	} {
		t.Run(name, func(t *testing.T) {
			r := valid
			change(&r)
			require.ErrorIs(t, r.Validate(now), types.ErrInvalidSlash)
		})
	}
}
