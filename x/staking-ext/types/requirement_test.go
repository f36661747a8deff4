package types_test

import (
	"math/big"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

func TestGPURequirement(t *testing.T) {
	const grafi = 1_000_000
	tests := map[string]struct {
		minStake int64
		weight   uint64
		price    int64
		want     int64
	}{
		"unknown class":           {200 * grafi, 0, 0, 200 * grafi},
		"weight one":              {200 * grafi, 1_000_000, 0, 200 * grafi},
		"RTX 3090":                {200 * grafi, 1_750_000, 0, 350 * grafi},
		"H100":                    {200 * grafi, 10_000_000, 0, 2_000 * grafi},
		"H100 at 5 GRAFI":         {200 * grafi, 10_000_000, 5 * grafi, 2_000 * grafi},
		"H100 at 20 GRAFI":        {200 * grafi, 10_000_000, 20 * grafi, 3_360 * grafi},
		"price just under":        {168, 1_000_000, 1, 168},
		"price just over":         {168, 1_000_000, 2, 336},
		"half a ugrafi is left":   {1, 1_500_000, 0, 1},
		"rounded down":            {3, 1_999_999, 0, 5},
		"weight under one is one": {7, 999_999, 0, 7},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := types.DefaultParams()
			p.MinStakePerGpu = math.NewInt(tc.minStake)
			require.Equal(t, math.NewInt(tc.want).String(), p.GPURequirement(tc.weight, math.NewInt(tc.price)).String())
		})
	}
}

// TestGPURequirementLaw compares with exact fractions, at any size.
func TestGPURequirementLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := types.DefaultParams()
		p.MinStakePerGpu = drawAmount(rt, "min stake", 1)
		p.RequirementHours = rapid.Uint32Range(1, types.MaxRequirementHours).Draw(rt, "hours")
		weight := rapid.Uint64().Draw(rt, "weight")
		price := drawAmount(rt, "price", 0)
		require.NoError(rt, p.Validate())
		require.NoError(rt, types.ValidatePrice(price))

		got := new(big.Rat).SetInt(p.GPURequirement(weight, price).BigInt())

		factor := big.NewRat(1, 1)
		if w := new(big.Rat).SetFrac(new(big.Int).SetUint64(weight), big.NewInt(types.PPM)); w.Cmp(factor) > 0 {
			factor = w
		}
		exact := factor.Mul(factor, new(big.Rat).SetInt(p.MinStakePerGpu.BigInt()))
		byPrice := new(big.Rat).SetInt(price.MulRaw(int64(p.RequirementHours)).BigInt())
		if byPrice.Cmp(exact) > 0 {
			exact = byPrice
		}
		if short := new(big.Rat).Sub(exact, got); short.Sign() < 0 || short.Cmp(big.NewRat(1, 1)) >= 0 {
			rt.Fatalf("got %s for exactly %s", got, exact)
		}
	})
}

// drawAmount draws an amount up to MaxAmount.
func drawAmount(rt *rapid.T, name string, lowest int64) math.Int {
	high, low := rapid.Uint64Range(0, 52_000).Draw(rt, name+" high"), rapid.Uint64().Draw(rt, name+" low")
	amount := math.NewIntFromUint64(high).Mul(math.NewIntFromUint64(1 << 63)).MulRaw(2).Add(math.NewIntFromUint64(low))
	return math.MaxInt(amount, math.NewInt(lowest))
}
