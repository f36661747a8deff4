package keeper

import (
	"context"

	"github.com/cosmos/gogoproto/proto"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// Bond adds to the operator's own stake. A jailed operator may bond, to be
// covered when its term ends; a tombstoned one may not, nothing can come of it.
func (k *Keeper) Bond(ctx context.Context, operator sdk.AccAddress, amount sdk.Coin) error {
	if err := k.checkAmount(ctx, amount); err != nil {
		return err
	}
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	if record.Tombstoned {
		return types.ErrTombstoned.Wrapf("operator %s can't bond", record.Address)
	}
	if err := k.lock(ctx, operator, amount); err != nil {
		return err
	}
	if err := k.hooks.BeforeStakeChanged(ctx, operator); err != nil {
		return err
	}
	record.OwnStake = record.OwnStake.Add(amount.Amount)
	if err := emit(ctx, &types.EventBonded{Operator: record.Address, Amount: amount.Amount.String()}); err != nil {
		return err
	}
	return k.saveOperator(ctx, operator, record)
}

// checkAmount accepts a positive amount of the stake denom.
func (k *Keeper) checkAmount(ctx context.Context, amount sdk.Coin) error {
	denom, err := k.StakeDenom(ctx)
	if err != nil {
		return err
	}
	if amount.Denom != denom {
		return types.ErrInvalidAmount.Wrapf("denom %q, want %q", amount.Denom, denom)
	}
	if amount.Amount.IsNil() || !amount.Amount.IsPositive() || amount.Amount.GT(types.MaxAmount) {
		return types.ErrInvalidAmount.Wrapf("%s, want 1%s to %s%s", amount, denom, types.MaxAmount, denom)
	}
	return nil
}

// lock moves coins of an account into the module's account.
func (k *Keeper) lock(ctx context.Context, account sdk.AccAddress, amount sdk.Coin) error {
	err := k.bank.SendCoinsFromAccountToModule(ctx, account, types.ModuleName, sdk.NewCoins(amount))
	return errorsmod.Wrapf(err, "bond of %s by %s", amount, k.name(account))
}

// startLeaving moves bonded coins to the account of what is on its way out.
func (k *Keeper) startLeaving(ctx context.Context, amount math.Int, denom string) error {
	err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, types.UnbondingAccount, sdk.NewCoins(sdk.NewCoin(denom, amount)))
	return errorsmod.Wrapf(err, "unbonding of %s%s", amount, denom)
}

// emit sends a typed event.
func emit(ctx context.Context, event proto.Message) error {
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(event)
}
