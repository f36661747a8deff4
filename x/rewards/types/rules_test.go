package types_test

import (
	"encoding/json"
	"os"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/rewards/types"
)

// vectorGPU is a GPU of testutil/golden/rewards.json.
type vectorGPU struct {
	Class          string `json:"class"`
	ClassWeightPPM uint64 `json:"class_weight_ppm"`
	VRAMGiB        uint64 `json:"vram_gib"`
	UpMbps         uint64 `json:"up_mbps"`
	DownMbps       uint64 `json:"down_mbps"`
	Slots          uint32 `json:"slots"`
	Stake          uint64 `json:"stake"`
	Requirement    uint64 `json:"requirement"`
	Passed         uint64 `json:"passed"`
	Missed         uint64 `json:"missed"`
	Wrong          bool   `json:"wrong"`
	RentedSeconds  uint64 `json:"rented_seconds"`
	Weight         uint64 `json:"weight"`
	UptimePPM      uint64 `json:"uptime_ppm"`
	Reward         uint64 `json:"reward"`
}

type vectorDay struct {
	Pool  uint64      `json:"pool"`
	GPUs  []vectorGPU `json:"gpus"`
	Paid  uint64      `json:"paid"`
	Carry uint64      `json:"carry"`
}

const slotsPerDay, daySeconds = 144, 86_400

func (g vectorGPU) factors(r types.Rules) types.Factors {
	ratio := r.StakeRatio(math.NewIntFromUint64(g.Stake), math.NewIntFromUint64(g.Requirement))
	return types.Factors{
		Class:       g.ClassWeightPPM,
		Connection:  r.ConnectionFactor(g.UpMbps, g.DownMbps, g.VRAMGiB),
		Stake:       types.StakeFactor(ratio),
		Performance: types.PerformanceFactor(g.Passed, g.Missed, g.Wrong),
		Bonus:       r.BonusFactor(g.RentedSeconds, daySeconds),
	}
}

// TestVectors runs every day of the vectors: weight, uptime and reward of each GPU
// to the last ugrafi, what the day paid and what it left.
func TestVectors(t *testing.T) {
	bz, err := os.ReadFile("../../../testutil/golden/rewards.json")
	require.NoError(t, err)
	var file struct {
		Days []vectorDay `json:"days"`
	}
	require.NoError(t, json.Unmarshal(bz, &file))
	require.NotEmpty(t, file.Days)
	rules := types.DefaultRules()
	for i, day := range file.Days {
		histogram := make([]uint64, slotsPerDay+1)
		for j, g := range day.GPUs {
			require.Equal(t, g.Weight, g.factors(rules).Weight(), "day %d, GPU %d: weight", i, j)
			require.Equal(t, g.UptimePPM, rules.UptimeFactor(g.Slots, slotsPerDay), "day %d, GPU %d: uptime", i, j)
			histogram[g.Slots] += g.Weight
		}
		pool := math.NewIntFromUint64(day.Pool)
		rho := types.Rho(pool, rules.WeightedUptime(histogram, slotsPerDay))
		paid := math.ZeroInt()
		for j, g := range day.GPUs {
			reward := types.Reward(g.Weight, g.UptimePPM, rho)
			require.Equal(t, g.Reward, reward.Uint64(), "day %d, GPU %d: reward", i, j)
			paid = paid.Add(reward)
		}
		require.Equal(t, day.Paid, paid.Uint64(), "day %d", i)
		require.Equal(t, day.Carry, pool.Sub(paid).Uint64(), "day %d", i)
	}
}

func TestConnectionFactor(t *testing.T) {
	r := types.DefaultRules()
	for name, tc := range map[string]struct{ up, down, gib, want uint64 }{
		"nothing":                             {0, 10_000, 24, 0},
		"just under half of 100":              {49, 10_000, 24, 0},
		"half of 100":                         {50, 10_000, 24, 700_000},
		"just under it":                       {99, 99, 24, 700_000},
		"it":                                  {100, 100, 24, 900_000},
		"just under twice":                    {199, 500, 24, 900_000},
		"twice":                               {200, 500, 24, 1_000_000},
		"just under four times":               {399, 500, 24, 1_000_000},
		"four times":                          {500, 400, 24, 1_100_000},
		"208 for 80 GiB: half":                {104, 104, 80, 700_000},
		"208 for 80 GiB: under half":          {103, 103, 80, 0},
		"124.8 for 48 GiB: 62 is under half":  {62, 62, 48, 0},
		"124.8 for 48 GiB: 63 is over half":   {63, 63, 48, 700_000},
		"124.8 for 48 GiB: 124 is not enough": {124, 124, 48, 700_000},
		"never more than 500":                 {2_000, 2_000, 100_000, 1_100_000},
		"largest numbers":                     {1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 1_100_000},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, r.ConnectionFactor(tc.up, tc.down, tc.gib))
		})
	}
}

func TestStakeFactor(t *testing.T) {
	r := types.DefaultRules()
	for name, tc := range map[string]struct {
		stake, requirement int64
		ratio, want        uint64
	}{
		"exactly the requirement": {200, 200, 1_000_000, 1_000_000},
		"one unit less":           {199_999_999, 200_000_000, 999_999, 0},
		"one unit more":           {200_000_001, 200_000_000, 1_000_000, 1_000_000},
		"twice":                   {400, 200, 2_000_000, 1_207_106},
		"four times":              {800, 200, 4_000_000, 1_500_000},
		"just under four times":   {799_999_999, 200_000_000, 3_999_999, 1_499_999},
		"five times":              {1_000, 200, 4_000_000, 1_500_000},
		"no requirement":          {1_000, 0, 0, 0},
		"no stake":                {0, 200, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ratio := r.StakeRatio(math.NewInt(tc.stake), math.NewInt(tc.requirement))
			require.Equal(t, tc.ratio, ratio)
			require.Equal(t, tc.want, types.StakeFactor(ratio))
		})
	}
}

func TestPerformanceFactor(t *testing.T) {
	for name, tc := range map[string]struct {
		passed, missed uint64
		wrong          bool
		want           uint64
	}{
		"all passed":         {24, 0, false, 1_000_000},
		"one of three":       {1, 2, false, 333_333},
		"never challenged":   {0, 0, false, 0},
		"all missed":         {0, 3, false, 0},
		"one wrong answer":   {24, 0, true, 0},
		"the largest number": {1<<64 - 1, 0, false, 1_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, types.PerformanceFactor(tc.passed, tc.missed, tc.wrong))
		})
	}
}

func TestBonusFactor(t *testing.T) {
	r := types.DefaultRules()
	for seconds, want := range map[uint64]uint64{0: 1_000_000, 1: 1_000_002, 43_200: 1_125_000, 86_399: 1_249_997, 86_400: 1_250_000, 90_000: 1_250_000, 1<<64 - 1: 1_250_000} {
		require.Equal(t, want, r.BonusFactor(seconds, daySeconds), seconds)
	}
	require.Equal(t, uint64(1_000_000), r.BonusFactor(5, 0))
}

func TestUptimeFactor(t *testing.T) {
	r := types.DefaultRules()
	for n, want := range map[uint32]uint64{
		0: 0, 122: 0, // 847,222: under 85 %
		123: 516_664, // 854,166
		136: 877_776, // 944,444
		137: 903_470, // 951,388
		142: 990_277, // 986,111
		143: 1_015_275, 144: 1_050_000, 145: 1_050_000, 1<<32 - 1: 1_050_000,
	} {
		require.Equal(t, want, r.UptimeFactor(n, slotsPerDay), n)
	}
	for n, want := range map[uint32]uint64{84: 0, 85: 500_000, 95: 900_000, 99: 1_000_000, 100: 1_050_000} {
		require.Equal(t, want, r.UptimeFactor(n, 100), "corner at %d %%", n)
	}
	require.Zero(t, r.UptimeFactor(0, 0))
}

func TestDistributed(t *testing.T) {
	r := types.DefaultRules() // 20 % of a target of 1,000 PPM is 200 PPM, or 200,000,000 PPM²
	for name, tc := range map[string]struct{ u, target, want int64 }{
		"nobody":                    {0, 1_000, 0},
		"nobody, no target":         {0, 0, 0},
		"no target":                 {1, 0, 999},
		"exactly the floor":         {200_000_000, 1_000, 999},
		"just under the floor":      {199_999_999, 1_000, 998},
		"half of the floor":         {100_000_000, 1_000, 499},
		"a trace":                   {1, 1_000, 0},
		"far over the whole target": {10_000_000_000, 1_000, 999},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, r.Distributed(math.NewInt(999), math.NewInt(tc.u), uint64(tc.target)).Int64())
		})
	}
}

// TestRentedGain: 25 % of the weight at the best uptime and the last ρ.
func TestRentedGain(t *testing.T) {
	r := types.DefaultRules()
	f := types.Factors{Class: 10_000_000, Connection: 1_000_000, Stake: 1_000_000, Performance: 1_000_000, Bonus: 1_250_000}
	rho := types.Rho(math.NewInt(21_000), math.NewInt(21_000_000_000_000)) // 1 unit for 10^9 PPM²
	require.Equal(t, int64(2_624), r.RentedGain(f, rho).Int64())           // 2,500,000 × 1,050,000 / 10^9, floored twice
	f.Bonus = types.PPM
	require.Zero(t, r.RentedGain(f, rho).Int64())
}

// TestDayNeverPaysMoreThanItsPool, whatever the GPUs; what is left is less than one
// unit for each GPU.
func TestDayNeverPaysMoreThanItsPool(t *testing.T) {
	rules := types.DefaultRules()
	rapid.Check(t, func(rt *rapid.T) {
		pool := math.NewIntFromUint64(rapid.Uint64Range(0, 1<<60).Draw(rt, "pool"))
		histogram := make([]uint64, slotsPerDay+1)
		type gpu struct {
			weight uint64
			n      uint32
		}
		gpus := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) gpu {
			return gpu{rapid.Uint64Range(0, 1<<40).Draw(t, "weight"), rapid.Uint32Range(0, slotsPerDay).Draw(t, "n")}
		}), 0, 50).Draw(rt, "gpus")
		for _, g := range gpus {
			histogram[g.n] += g.weight
		}
		u := rules.WeightedUptime(histogram, slotsPerDay)
		rho := types.Rho(pool, u)
		paid := math.ZeroInt()
		for _, g := range gpus {
			paid = paid.Add(types.Reward(g.weight, rules.UptimeFactor(g.n, slotsPerDay), rho))
		}
		if paid.GT(pool) {
			rt.Fatalf("paid %s of %s", paid, pool)
		}
		// ρ loses under U/2^96 of a unit, each reward under one.
		if left := pool.Sub(paid); u.IsPositive() && left.GT(math.NewInt(int64(len(gpus)+1))) {
			rt.Fatalf("%s of %s left by %d GPUs", left, pool, len(gpus))
		}
	})
}

// TestWeightGrowsWithEachFactor: a better factor never makes less weight, and f never
// falls with n.
func TestWeightGrowsWithEachFactor(t *testing.T) {
	rules := types.DefaultRules()
	factor := rapid.Uint64Range(0, 2_000_000)
	rapid.Check(t, func(rt *rapid.T) {
		f := types.Factors{
			Class: rapid.Uint64Range(0, 10_000_000_000).Draw(rt, "H"), Connection: factor.Draw(rt, "C"),
			Stake: factor.Draw(rt, "S"), Performance: factor.Draw(rt, "P"), Bonus: factor.Draw(rt, "B"),
		}
		better := f
		switch rapid.IntRange(0, 4).Draw(rt, "which") {
		case 0:
			better.Class++
		case 1:
			better.Connection++
		case 2:
			better.Stake++
		case 3:
			better.Performance++
		default:
			better.Bonus++
		}
		if better.Weight() < f.Weight() {
			rt.Fatalf("%+v weighs %d, %+v %d", f, f.Weight(), better, better.Weight())
		}
		slots := rapid.Uint32Range(1, 255).Draw(rt, "slots")
		n := rapid.Uint32Range(0, slots-1).Draw(rt, "n")
		if rules.UptimeFactor(n, slots) > rules.UptimeFactor(n+1, slots) {
			rt.Fatalf("f falls from %d to %d of %d", n, n+1, slots)
		}
	})
}
