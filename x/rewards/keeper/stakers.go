package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
	"github.com/grafilab/grafi/x/rewards/types"
)

// creditFee divides the stakers' part of the service fee, which lies in the
// stakers' account, between the operator and its stakers.
func (k *Keeper) creditFee(ctx context.Context, p gpumarket.Payment) error {
	if p.Stakers.IsNil() || !p.Stakers.IsPositive() {
		return nil
	}
	amount := sdk.NewCoin(p.Denom, p.Stakers)
	own, stakers, err := k.share(ctx, p.Operator, amount)
	if err != nil {
		return err
	}
	if err := k.credit(ctx, p.Operator, own); err != nil {
		return err
	}
	return emit(ctx, &types.EventStakersFeeDivided{
		Operator: k.name(p.Operator), RentalId: p.RentalID, Amount: amount, Own: own.Amount, Stakers: stakers.Amount,
	})
}

// share divides an amount between the operator and its stakers by their stake
// now, and adds the stakers' part to the pool of the denom. The caller sees to it
// that the stakers' account holds that part.
func (k *Keeper) share(ctx context.Context, operator sdk.AccAddress, amount sdk.Coin) (own, stakers sdk.Coin, err error) {
	o, err := k.staking.Operator(ctx, operator)
	if err != nil {
		return sdk.Coin{}, sdk.Coin{}, err
	}
	counted, _, err := k.staking.StakeOf(ctx, operator)
	if err != nil {
		return sdk.Coin{}, sdk.Coin{}, err
	}
	own, stakers = sdk.Coin{Denom: amount.Denom}, sdk.Coin{Denom: amount.Denom}
	own.Amount, stakers.Amount = types.DivideEarnings(amount.Amount, o.OwnStake, counted.Sub(o.OwnStake), o.CommissionPpm)
	if !stakers.IsPositive() {
		return own, stakers, nil
	}
	pool, err := k.pool(ctx, operator, amount.Denom)
	if err != nil {
		return sdk.Coin{}, sdk.Coin{}, err
	}
	perShare, remainder, ok := types.Accrue(pool.PerShare, pool.Remainder, stakers.Amount, o.DelegationShares)
	if !ok { // a sum that no denom of this world reaches can't be paid by share
		return amount, sdk.NewCoin(amount.Denom, math.ZeroInt()), nil
	}
	pool.PerShare, pool.Remainder, pool.Unsettled = perShare, remainder, pool.Unsettled.Add(stakers.Amount)
	return own, stakers, k.pools.Set(ctx, collections.Join(operator, amount.Denom), pool)
}

// credit adds to what the operator may claim for its own stake and commission.
func (k *Keeper) credit(ctx context.Context, operator sdk.AccAddress, amount sdk.Coin) error {
	if !amount.IsPositive() {
		return nil
	}
	s, err := k.staker(ctx, operator, operator)
	if err != nil {
		return err
	}
	s.Claimable = s.Claimable.Add(amount)
	return k.stakers.Set(ctx, collections.Join(operator, operator), s)
}

// settleStaker pays everything up to now by the shares that are about to change:
// first what has been released, then the delegator's part.
func (k *Keeper) settleStaker(ctx context.Context, delegator, operator sdk.AccAddress, shares math.Int) error {
	if err := k.giveReleased(ctx, operator); err != nil {
		return err
	}
	s, err := k.settle(ctx, delegator, operator, shares)
	if err != nil {
		return err
	}
	return k.storeStaker(ctx, delegator, operator, s)
}

// settle moves what the delegator earned with these shares from the operator's
// pools to what it may claim, and marks every pool, so that who enters later
// earns from then on. The caller stores the record.
func (k *Keeper) settle(ctx context.Context, delegator, operator sdk.AccAddress, shares math.Int) (types.Staker, error) {
	s, err := k.staker(ctx, delegator, operator)
	if err != nil {
		return types.Staker{}, err
	}
	pools, err := k.poolsOf(ctx, operator)
	if err != nil {
		return types.Staker{}, err
	}
	marks := make([]types.Mark, len(pools))
	for i, pool := range pools {
		marks[i] = types.Mark{Denom: pool.Denom, PerShare: pool.PerShare}
		amount, dust := types.Earned(shares, pool.PerShare, s.MarkOf(pool.Denom))
		if amount.IsZero() && dust.IsZero() {
			continue
		}
		pool.Unsettled, pool.Remainder = pool.Unsettled.Sub(amount), pool.Remainder.Add(dust)
		if err := k.pools.Set(ctx, collections.Join(operator, pool.Denom), pool); err != nil {
			return types.Staker{}, err
		}
		s.Claimable = s.Claimable.Add(sdk.NewCoin(pool.Denom, amount))
	}
	s.Marks = marks
	return s, nil
}

// staker reads a record, or makes an empty one.
func (k *Keeper) staker(ctx context.Context, delegator, operator sdk.AccAddress) (types.Staker, error) {
	s, err := k.stakers.Get(ctx, collections.Join(delegator, operator))
	if !errors.Is(err, collections.ErrNotFound) {
		return s, err
	}
	if s.Delegator, err = k.addressCodec.BytesToString(delegator); err != nil {
		return types.Staker{}, err
	}
	s.Operator, err = k.addressCodec.BytesToString(operator)
	return s, err
}

// storeStaker writes the record, or removes it when it says nothing: without a
// mark a pool counts from its beginning.
func (k *Keeper) storeStaker(ctx context.Context, delegator, operator sdk.AccAddress, s types.Staker) error {
	key := collections.Join(delegator, operator)
	if len(s.Marks) == 0 && s.Claimable.IsZero() {
		return k.stakers.Remove(ctx, key)
	}
	return k.stakers.Set(ctx, key, s)
}

// pool reads the pool of the denom, or makes an empty one.
func (k *Keeper) pool(ctx context.Context, operator sdk.AccAddress, denom string) (types.StakerPool, error) {
	p, err := k.pools.Get(ctx, collections.Join(operator, denom))
	if !errors.Is(err, collections.ErrNotFound) {
		return p, err
	}
	name, err := k.addressCodec.BytesToString(operator)
	return types.StakerPool{
		Operator: name, Denom: denom, PerShare: math.ZeroInt(), Remainder: math.ZeroInt(), Unsettled: math.ZeroInt(),
	}, err
}

// poolsOf reads an operator's pools in the order of their denoms: as many as
// denoms were ever allowed.
func (k *Keeper) poolsOf(ctx context.Context, operator sdk.AccAddress) ([]types.StakerPool, error) {
	iter, err := k.pools.Iterate(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, string](operator))
	if err != nil {
		return nil, err
	}
	return iter.Values()
}
