package types_test

import (
	"math/big"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/rewards/types"
)

func TestDivideEarnings(t *testing.T) {
	for name, tc := range map[string]struct {
		amount, own, counted int64
		commission           uint64
		stakers              int64
	}{
		"no stakers":                 {amount: 1_000_000, own: 100, counted: 0, commission: 50_000, stakers: 0},
		"nothing staked":             {amount: 1_000_000, own: 0, counted: 0, stakers: 0},
		"half and 5 % commission":    {amount: 1_000_000, own: 100, counted: 100, commission: 50_000, stakers: 475_000},
		"three times own":            {amount: 1_000_000, own: 100, counted: 300, commission: 100_000, stakers: 675_000},
		"all is commission":          {amount: 1_000_000, own: 100, counted: 300, commission: 1_000_000, stakers: 0},
		"gross rounds down":          {amount: 10, own: 2, counted: 1, stakers: 3},
		"commission rounds down":     {amount: 10, own: 2, counted: 1, commission: 500_000, stakers: 2},
		"one unit is the operator's": {amount: 1, own: 1, counted: 3, stakers: 0},
	} {
		t.Run(name, func(t *testing.T) {
			operator, stakers := types.DivideEarnings(math.NewInt(tc.amount), math.NewInt(tc.own), math.NewInt(tc.counted), tc.commission)

			require.Equal(t, tc.stakers, stakers.Int64())
			require.Equal(t, tc.amount-tc.stakers, operator.Int64())
		})
	}
}

func TestDivideEarningsOfLargeAmounts(t *testing.T) {
	huge := math.NewIntFromBigInt(new(big.Int).Lsh(big.NewInt(1), 255))
	operator, stakers := types.DivideEarnings(huge, huge.QuoRaw(2), huge.QuoRaw(2), 500_000)

	require.Equal(t, huge.QuoRaw(4).String(), stakers.String())
	require.Equal(t, huge.Sub(stakers).String(), operator.String())
}

// TestAccrueLosesNothing: whatever is accrued is either earned by a staker or
// still in the pool, to the last 2^-96 of a unit.
func TestAccrueLosesNothing(t *testing.T) {
	scale := new(big.Int).Lsh(big.NewInt(1), types.ShareScaleBits)
	rapid.Check(t, func(rt *rapid.T) {
		perShare, remainder := math.ZeroInt(), math.ZeroInt()
		holders := rapid.SliceOfN(rapid.Int64Range(1, 1<<50), 1, 6).Draw(rt, "shares")
		refs := make([]math.Int, len(holders))
		total := math.ZeroInt()
		for i, h := range holders {
			refs[i], total = math.ZeroInt(), total.AddRaw(h)
		}
		put, got := math.ZeroInt(), math.ZeroInt()
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			if rapid.Bool().Draw(rt, "pay") {
				amount := math.NewInt(rapid.Int64Range(0, 1<<50).Draw(rt, "amount"))
				var ok bool
				perShare, remainder, ok = types.Accrue(perShare, remainder, amount, total)
				if !ok {
					rt.Fatalf("refused %s", amount)
				}
				put = put.Add(amount)
				continue
			}
			i := rapid.IntRange(0, len(holders)-1).Draw(rt, "holder")
			amount, dust := types.Earned(math.NewInt(holders[i]), perShare, refs[i])
			refs[i], got, remainder = perShare, got.Add(amount), remainder.Add(dust)
		}
		scaled := new(big.Int).Add(remainder.BigInt(), new(big.Int).Mul(got.BigInt(), scale))
		for i, h := range holders {
			open := perShare.Sub(refs[i]).BigInt()
			scaled.Add(scaled, open.Mul(open, big.NewInt(h)))
		}
		if want := new(big.Int).Mul(put.BigInt(), scale); scaled.Cmp(want) != 0 {
			rt.Fatalf("%s of %s are left", scaled, want)
		}
	})
}

func TestAccrueRefuses(t *testing.T) {
	one, zero := math.OneInt(), math.ZeroInt()
	huge := math.NewIntFromBigInt(new(big.Int).Lsh(big.NewInt(1), 154))
	for name, tc := range map[string]struct{ perShare, amount, shares math.Int }{
		"no shares":                {perShare: zero, amount: one, shares: zero},
		"negative shares":          {perShare: zero, amount: one, shares: one.Neg()},
		"negative amount":          {perShare: zero, amount: one.Neg(), shares: one},
		"an amount that is no fit": {perShare: zero, amount: huge, shares: huge},
		"a sum that is no fit": {
			perShare: math.NewIntFromBigInt(new(big.Int).Lsh(big.NewInt(1), 250)).SubRaw(1), amount: one, shares: one,
		},
	} {
		t.Run(name, func(t *testing.T) {
			perShare, remainder, ok := types.Accrue(tc.perShare, one, tc.amount, tc.shares)

			require.False(t, ok)
			require.Equal(t, tc.perShare, perShare)
			require.Equal(t, one, remainder)
		})
	}
}
