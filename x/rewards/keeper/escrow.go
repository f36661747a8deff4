package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// payMined pays a mining reward whose coins are in the module's account: the
// liquid part at once, the rest into the escrow of the day. The liquid part is
// divided between the operator and its stakers, as each release will be.
func (k *Keeper) payMined(ctx context.Context, params types.Params, operator sdk.AccAddress, amount math.Int) (liquid, held math.Int, err error) {
	liquid, held = types.SplitReward(amount, params.LiquidPpm)
	if err := k.hold(ctx, params, operator, held); err != nil {
		return math.Int{}, math.Int{}, err
	}
	_, err = k.payReleased(ctx, operator, liquid)
	return liquid, held, err
}

// hold adds to the tranche of the day. All tranches of a day start with the next
// one, so that what is added later in the day flows as long as what came first.
func (k *Keeper) hold(ctx context.Context, params types.Params, operator sdk.AccAddress, amount math.Int) error {
	if !amount.IsPositive() {
		return nil
	}
	days, err := k.attestation.Params(ctx)
	if err != nil {
		return err
	}
	day := days.DayOf(days.SlotAt(now(ctx)))
	key := collections.Join(operator, day)
	t, err := k.tranches.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		name, err := k.addressCodec.BytesToString(operator)
		if err != nil {
			return err
		}
		startsAt := days.SlotStart(days.FirstSlotOf(day + 1))
		t = types.Tranche{
			Operator: name, Day: day, Amount: math.ZeroInt(), Paid: math.ZeroInt(),
			StartsAt: startsAt, EndsAt: startsAt.Add(params.ReleaseTime.Truncate(time.Second)),
		}
	} else if err != nil {
		return err
	}
	t.Amount = t.Amount.Add(amount)
	return k.tranches.Set(ctx, key, t)
}

// Withdraw gives what has been released of the operator's escrow, the operator's
// part at once, and returns that part.
//
// Errors: ErrNothingToWithdraw.
func (k *Keeper) Withdraw(ctx context.Context, operator sdk.AccAddress) (sdk.Coin, error) {
	released, err := k.release(ctx, operator)
	if err != nil {
		return sdk.Coin{}, err
	}
	if !released.IsPositive() {
		return sdk.Coin{}, types.ErrNothingToWithdraw.Wrapf("operator %s at %s", k.name(operator), now(ctx).UTC().Format(time.RFC3339))
	}
	return k.payReleased(ctx, operator, released)
}

// payReleased divides an amount of the module's account between the operator,
// who gets its part at once, and its stakers. It returns the operator's part.
func (k *Keeper) payReleased(ctx context.Context, operator sdk.AccAddress, amount math.Int) (sdk.Coin, error) {
	denom, err := k.staking.StakeDenom(ctx)
	if err != nil || !amount.IsPositive() {
		return sdk.NewCoin(denom, math.ZeroInt()), err
	}
	own, stakers, err := k.shareReleased(ctx, operator, sdk.NewCoin(denom, amount))
	if err != nil {
		return sdk.Coin{}, err
	}
	if stakers.IsPositive() {
		if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, types.StakersAccount, sdk.NewCoins(stakers)); err != nil {
			return sdk.Coin{}, errorsmod.Wrapf(err, "pay %s to the stakers of %s", stakers, k.name(operator))
		}
	}
	if own.IsPositive() {
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, operator, sdk.NewCoins(own)); err != nil {
			return sdk.Coin{}, errorsmod.Wrapf(err, "pay %s to operator %s", own, k.name(operator))
		}
	}
	return own, nil
}

// giveReleased divides what has been released among those who held stake until
// now, before the stake changes. The operator's part waits for its claim.
func (k *Keeper) giveReleased(ctx context.Context, operator sdk.AccAddress) error {
	released, err := k.release(ctx, operator)
	if err != nil || !released.IsPositive() {
		return err
	}
	denom, err := k.staking.StakeDenom(ctx)
	if err != nil {
		return err
	}
	amount := sdk.NewCoin(denom, released)
	own, _, err := k.shareReleased(ctx, operator, amount)
	if err != nil {
		return err
	}
	if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, types.StakersAccount, sdk.NewCoins(amount)); err != nil {
		return errorsmod.Wrapf(err, "release %s of %s", amount, k.name(operator))
	}
	return k.credit(ctx, operator, own)
}

func (k *Keeper) shareReleased(ctx context.Context, operator sdk.AccAddress, amount sdk.Coin) (own, stakers sdk.Coin, err error) {
	if own, stakers, err = k.share(ctx, operator, amount); err != nil {
		return sdk.Coin{}, sdk.Coin{}, err
	}
	return own, stakers, emit(ctx, &types.EventReleased{
		Operator: k.name(operator), Amount: amount, Own: own.Amount, Stakers: stakers.Amount,
	})
}

// release takes what has flowed by now out of the operator's tranches and
// returns the sum. A tranche that has flowed is gone; so no operator ever has
// more than release_time / day length + 1 of them.
func (k *Keeper) release(ctx context.Context, operator sdk.AccAddress) (math.Int, error) {
	tranches, err := k.tranchesOf(ctx, operator)
	if err != nil {
		return math.Int{}, err
	}
	released := math.ZeroInt()
	for _, t := range tranches {
		due := t.Due(now(ctx))
		if !due.IsPositive() {
			continue
		}
		released, t.Paid = released.Add(due), t.Paid.Add(due)
		if err := k.storeTranche(ctx, operator, t); err != nil {
			return math.Int{}, err
		}
	}
	return released, nil
}

// takeEscrow moves up to limit of what is not released yet to the account of
// x/staking-ext, newest tranche first. What had been released by now is given to
// its owners first: a slash can't reach it, whoever withdraws when. What is left
// of a tranche flows evenly over the rest of its time.
func (k *Keeper) takeEscrow(ctx context.Context, operator sdk.AccAddress, limit math.Int) (math.Int, error) {
	taken := math.ZeroInt()
	if !limit.IsPositive() {
		return taken, nil
	}
	if err := k.giveReleased(ctx, operator); err != nil {
		return math.Int{}, err
	}
	tranches, err := k.tranchesOf(ctx, operator)
	if err != nil {
		return math.Int{}, err
	}
	held := make([]math.Int, len(tranches))
	for i, t := range tranches {
		held[i] = t.Amount.Sub(t.Paid)
	}
	for i, part := range types.TakeNewest(held, limit) {
		if !part.IsPositive() {
			continue
		}
		taken = taken.Add(part)
		if err := k.storeTranche(ctx, operator, tranches[i].Without(part, now(ctx))); err != nil {
			return math.Int{}, err
		}
	}
	if !taken.IsPositive() {
		return taken, nil
	}
	denom, err := k.staking.StakeDenom(ctx)
	if err != nil {
		return math.Int{}, err
	}
	coin := sdk.NewCoin(denom, taken)
	if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, stakingext.ModuleName, sdk.NewCoins(coin)); err != nil {
		return math.Int{}, errorsmod.Wrapf(err, "take %s of the escrow of %s", coin, k.name(operator))
	}
	return taken, emit(ctx, &types.EventEscrowTaken{Operator: k.name(operator), Amount: coin})
}

// tranchesOf reads an operator's tranches, oldest first.
func (k *Keeper) tranchesOf(ctx context.Context, operator sdk.AccAddress) ([]types.Tranche, error) {
	iter, err := k.tranches.Iterate(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, uint64](operator))
	if err != nil {
		return nil, err
	}
	return iter.Values()
}

// storeTranche writes the tranche, or removes it when nothing is left in it.
func (k *Keeper) storeTranche(ctx context.Context, operator sdk.AccAddress, t types.Tranche) error {
	key := collections.Join(operator, t.Day)
	if t.Paid.Equal(t.Amount) {
		return k.tranches.Remove(ctx, key)
	}
	return k.tranches.Set(ctx, key, t)
}
