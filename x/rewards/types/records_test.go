package types_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// TestSplitEmissionLosesNothing, and the remainder is the contributors'.
func TestSplitEmissionLosesNothing(t *testing.T) {
	rules := types.DefaultRules()
	datacenter, contributor := rules.SplitEmission(math.NewInt(101))
	require.Equal(t, []int64{65, 36}, []int64{datacenter.Int64(), contributor.Int64()})
	rapid.Check(t, func(rt *rapid.T) {
		rules.DatacenterSharePpm = rapid.Uint64Range(0, types.PPM).Draw(rt, "share")
		amount := math.NewIntFromUint64(rapid.Uint64Range(0, 1<<60).Draw(rt, "amount"))
		datacenter, contributor := rules.SplitEmission(amount)
		if !datacenter.Add(contributor).Equal(amount) || datacenter.IsNegative() || contributor.IsNegative() {
			rt.Fatalf("%s + %s of %s", datacenter, contributor, amount)
		}
	})
}

// TestRentedPart: seconds that weren't billed and fees are divided so that no rounding
// adds to the bonus.
func TestRentedPart(t *testing.T) {
	for name, tc := range map[string]struct {
		length, seconds, missed uint64
		fees                    int64
		gpus                    int
		want                    uint64
		wantFees                int64
	}{
		"all of it":            {100, 100, 0, 1_000, 1, 100, 1_000},
		"half, two GPUs":       {100, 50, 0, 1_001, 2, 50, 250},
		"missed is rounded up": {3, 1, 1, 0, 1, 0, 0},
		"all was missed":       {100, 50, 100, 10, 1, 0, 5},
		"more than all":        {100, 200, 300, 10, 1, 0, 10},
		"no length":            {0, 5, 0, 10, 1, 0, 0},
		"no GPU":               {100, 50, 0, 10, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			part := types.RentedPart(tc.length, tc.seconds, tc.missed, math.NewInt(tc.fees), tc.gpus)
			require.Equal(t, tc.want, part.Seconds)
			require.Equal(t, tc.wantFees, part.Fees.Int64())
		})
	}
}

// TestPackedRecords: what was written is read, its neighbours are as they were.
func TestPackedRecords(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var weights types.Weights
		var factors types.PackedFactors
		wantWeights, wantFactors, wantInputs := map[uint64]types.Weight{}, map[uint64]types.Factors{}, map[uint64]types.Inputs{}
		for range rapid.IntRange(1, 30).Draw(rt, "writes") {
			at := rapid.Uint64Range(0, 40).Draw(rt, "position")
			w := types.Weight{Struck: true}
			if rapid.Bool().Draw(rt, "kind") {
				w = types.Weight{Kind: stakingext.OPERATOR_KIND_DATACENTER, PPM: rapid.Uint64Range(0, 1<<56-1).Draw(rt, "weight")}
			}
			f := types.Factors{
				Class:       rapid.Uint64Range(0, 1<<48-1).Draw(rt, "H"),
				Connection:  rapid.Uint64Range(0, 1<<24-1).Draw(rt, "C"),
				Performance: rapid.Uint64Range(0, 1<<24-1).Draw(rt, "P"),
			}
			in := types.Inputs{
				TrustTier: rapid.Uint32Range(0, 3).Draw(rt, "tier"), MedianAge: rapid.Uint64Range(0, 255).Draw(rt, "age"),
				UpMbps: rapid.Uint64Range(0, 1<<24-1).Draw(rt, "up"), DownMbps: rapid.Uint64Range(0, 1<<24-1).Draw(rt, "down"),
				MemoryGiB: rapid.Uint64Range(0, 1<<16-1).Draw(rt, "memory"), Challenged: rapid.Bool().Draw(rt, "challenged"),
				Passed: rapid.Uint64Range(0, 1<<16-1).Draw(rt, "passed"), Missed: rapid.Uint64Range(0, 1<<16-1).Draw(rt, "missed"),
				Wrong: rapid.Bool().Draw(rt, "wrong"),
			}
			weights, factors = weights.Set(at, w), factors.Set(at, f, in)
			wantWeights[at], wantFactors[at], wantInputs[at] = w, f, in
		}
		for at := range uint64(50) {
			f, in := factors.Get(at)
			if weights.Get(at) != wantWeights[at] || f != wantFactors[at] || in != wantInputs[at] {
				rt.Fatalf("%d: %+v %+v %+v, want %+v %+v %+v", at, weights.Get(at), f, in, wantWeights[at], wantFactors[at], wantInputs[at])
			}
		}
	})
}

// TestRulesRanges: each bound of each rule, and the steps.
func TestRulesRanges(t *testing.T) {
	require.NoError(t, types.DefaultParams().Validate())
	for name, change := range map[string]func(*types.Params){
		"no pool":           func(p *types.Params) { p.Rules.DailyPool = math.Int{} },
		"negative pool":     func(p *types.Params) { p.Rules.DailyPool = math.NewInt(-1) },
		"share over one":    func(p *types.Params) { p.Rules.DatacenterSharePpm = types.PPM + 1 },
		"no cap at all":     func(p *types.Params) { p.Rules.OperatorCapPpm = 0 },
		"cap over one":      func(p *types.Params) { p.Rules.OperatorCapPpm = types.PPM + 1 },
		"no steps":          func(p *types.Params) { p.Rules.Connection = nil },
		"steps fall":        func(p *types.Params) { p.Rules.Uptime[2].FactorPpm = 1 },
		"steps twice":       func(p *types.Params) { p.Rules.Uptime[2].FromPpm = p.Rules.Uptime[1].FromPpm },
		"uptime over a day": func(p *types.Params) { p.Rules.Uptime[3].FromPpm = types.PPM + 1 },
		"huge factor":       func(p *types.Params) { p.Rules.Uptime[3].FactorPpm = 2*types.PPM + 1 },
		"no connection":     func(p *types.Params) { p.Rules.MinMbps = 0 },
		"min over max":      func(p *types.Params) { p.Rules.MinMbps = p.Rules.MaxMbps + 1 },
		"stake under 1":     func(p *types.Params) { p.Rules.MaxStakeRatioPpm = types.PPM - 1 },
		"bonus over one":    func(p *types.Params) { p.Rules.RentedBonusPpm = types.PPM + 1 },
		"P over one":        func(p *types.Params) { p.Rules.UnchallengedPerformancePpm = types.PPM + 1 },
		"no such tier":      func(p *types.Params) { p.Rules.MinTrustTier = 4 },
		"no day to claim":   func(p *types.Params) { p.ClaimDays = 0 },
		"negative window":   func(p *types.Params) { p.EvidenceWindow = -1 },
		"liquid over one":   func(p *types.Params) { p.LiquidPpm = types.PPM + 1 },
		"endless release":   func(p *types.Params) { p.ReleaseTime = 0 },
	} {
		p := types.DefaultParams()
		change(&p)
		require.ErrorIs(t, p.Validate(), types.ErrInvalidParams, name)
	}
}
