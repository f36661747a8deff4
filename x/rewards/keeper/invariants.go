package keeper

import (
	"context"
	"fmt"
	"math/big"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/grafilab/grafi/x/rewards/types"
)

// CheckInvariants recomputes the module's accounts from its records and returns
// what doesn't hold, in words. It reads the whole state: for tests, simulation
// and queries, never in a block.
//
//	rewards     = Σ pools of closed days not paid + carry + Σ tranches not released
//	staker_fees = Σ pools of stakers not settled + Σ settled and not claimed    for each denom
func (k *Keeper) CheckInvariants(ctx context.Context) ([]string, error) {
	var broken []string
	days, err := k.checkDays(ctx, &broken)
	if err != nil {
		return nil, err
	}
	if err := k.checkHistograms(ctx, &broken); err != nil {
		return nil, err
	}
	held, err := k.checkTranches(ctx, &broken)
	if err != nil {
		return nil, err
	}
	denom, err := k.staking.StakeDenom(ctx)
	if err != nil {
		return nil, err
	}
	want := sdk.NewCoins(sdk.NewCoin(denom, days.Add(held)))
	if got := k.bank.GetAllBalances(ctx, authtypes.NewModuleAddress(types.ModuleName)); !got.Equal(want) {
		broken = append(broken, fmt.Sprintf("rewards account holds %q, but days and carry %s + escrow %s = %q", got, days, held, want))
	}
	if err := k.checkStakers(ctx, &broken); err != nil {
		return nil, err
	}
	s, err := k.streamIfAny(ctx)
	if err != nil {
		return nil, err
	}
	if s != nil && s.Minted.GT(s.Total) {
		broken = append(broken, fmt.Sprintf("the stream minted %s of %s", s.Minted, s.Total))
	}
	return broken, nil
}

// checkDays returns what closed days still owe, and what is carried over.
func (k *Keeper) checkDays(ctx context.Context, broken *[]string) (math.Int, error) {
	mining, err := k.mining.Get(ctx)
	if err != nil {
		return math.Int{}, err
	}
	owed := mining.DatacenterCarry.Add(mining.ContributorCarry)
	err = k.days.Walk(ctx, nil, func(number uint64, d types.Day) (bool, error) {
		paid := math.ZeroInt()
		for _, p := range []types.KindDay{d.Datacenter, d.Contributor} {
			paid = paid.Add(p.Paid)
			if p.Paid.GT(p.Pool) {
				*broken = append(*broken, fmt.Sprintf("day %d paid %s of %s to %s", number, p.Paid, p.Pool, p.Kind))
			}
			if d.Status == types.DAY_STATUS_CLOSED {
				owed = owed.Add(p.Pool).Sub(p.Paid)
			}
		}
		operators := math.ZeroInt()
		err := k.operatorDays.Walk(ctx, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](number),
			func(_ collections.Pair[uint64, sdk.AccAddress], o types.OperatorDay) (bool, error) {
				operators = operators.Add(o.Paid)
				if o.Paid.GT(d.OperatorCap) {
					*broken = append(*broken, fmt.Sprintf("day %d paid %s to %s, over the cap of %s", number, o.Paid, o.Operator, d.OperatorCap))
				}
				return false, nil
			})
		if err == nil && d.Status == types.DAY_STATUS_CLOSED && !operators.Equal(paid) {
			*broken = append(*broken, fmt.Sprintf("day %d paid %s, but its operators got %s", number, paid, operators))
		}
		return err != nil, err
	})
	return owed, err
}

// checkTranches returns what is not released.
func (k *Keeper) checkTranches(ctx context.Context, broken *[]string) (math.Int, error) {
	held := math.ZeroInt()
	err := k.tranches.Walk(ctx, nil, func(_ collections.Pair[sdk.AccAddress, uint64], t types.Tranche) (bool, error) {
		held = held.Add(t.Amount).Sub(t.Paid)
		if t.Paid.IsNegative() || t.Paid.GTE(t.Amount) {
			*broken = append(*broken, fmt.Sprintf("tranche of %s and day %d paid %s of %s and is still there", t.Operator, t.Day, t.Paid, t.Amount))
		}
		return false, nil
	})
	return held, err
}

// checkStakers compares the stakers' account with pools and claims, and each pool
// with the shares of its stakers: unsettled × 2^96 = remainder + Σ shares × (per_share − mark).
func (k *Keeper) checkStakers(ctx context.Context, broken *[]string) error {
	want := sdk.NewCoins()
	err := k.pools.Walk(ctx, nil, func(key collections.Pair[sdk.AccAddress, string], p types.StakerPool) (bool, error) {
		want = want.Add(sdk.NewCoin(p.Denom, p.Unsettled))
		left, err := k.unowned(ctx, key.K1(), p)
		if err == nil && left.Sign() != 0 {
			*broken = append(*broken, fmt.Sprintf("pool of %s and %s: %s of its unsettled %s (in units of 2^-96) is nobody's",
				p.Operator, p.Denom, left, p.Unsettled))
		}
		return err != nil, err
	})
	if err != nil {
		return err
	}
	err = k.stakers.Walk(ctx, nil, func(_ collections.Pair[sdk.AccAddress, sdk.AccAddress], s types.Staker) (bool, error) {
		want = want.Add(s.Claimable...)
		return false, nil
	})
	if err != nil {
		return err
	}
	if got := k.bank.GetAllBalances(ctx, authtypes.NewModuleAddress(types.StakersAccount)); !got.Equal(want) {
		*broken = append(*broken, fmt.Sprintf("stakers' account holds %q, but pools and claims are %q", got, want))
	}
	return nil
}

// unowned is what of the pool is neither the remainder nor any staker's, in units
// of 2^-96; zero when all is well.
func (k *Keeper) unowned(ctx context.Context, operator sdk.AccAddress, p types.StakerPool) (*big.Int, error) {
	left := new(big.Int).Lsh(p.Unsettled.BigInt(), types.ShareScaleBits)
	left.Sub(left, p.Remainder.BigInt())
	err := k.staking.WalkDelegations(ctx, operator, func(delegator sdk.AccAddress, shares math.Int) (bool, error) {
		s, err := k.staker(ctx, delegator, operator)
		if err != nil {
			return true, err
		}
		earned := new(big.Int).Sub(p.PerShare.BigInt(), s.MarkOf(p.Denom).BigInt())
		left.Sub(left, earned.Mul(earned, shares.BigInt()))
		return false, nil
	})
	return left, err
}
