package keeper

import (
	"context"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// LockBond locks a part of the operator's free own stake: what lies above that
// which its requirement needs and other bonds lock. Nothing moves; the part
// can't leave until it is released, and a slash can still take it.
//
// Errors: ErrOperatorNotFound, ErrTombstoned, ErrInvalidAmount, ErrInsufficientStake.
func (k *Keeper) LockBond(ctx context.Context, operator sdk.AccAddress, amount math.Int) error {
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	if record.Tombstoned {
		return types.ErrTombstoned.Wrapf("operator %s can't lock a bond", record.Address)
	}
	if err := checkBond(amount, types.MaxAmount); err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if free := params.FreeStake(record); amount.GT(free) {
		return types.ErrInsufficientStake.Wrapf("bond of %s, free is %s: operator %s has own stake %s, delegated %s, requirement %s, bonds %s",
			amount, free, record.Address, record.OwnStake, record.DelegatedTokens, record.Requirement, record.BondedFor)
	}
	record.BondedFor = record.BondedFor.Add(amount)
	if err := k.operators.Set(ctx, operator, record); err != nil {
		return err
	}
	return emit(ctx, &types.EventBondLocked{Operator: record.Address, Amount: amount.String()})
}

// ReleaseBond unlocks a part of what LockBond locked, also of what a slash took
// in the meantime.
//
// Errors: ErrOperatorNotFound, ErrInvalidAmount when it is not what is locked.
func (k *Keeper) ReleaseBond(ctx context.Context, operator sdk.AccAddress, amount math.Int) error {
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	if err := checkBond(amount, record.BondedFor); err != nil {
		return err
	}
	record.BondedFor = record.BondedFor.Sub(amount)
	if err := k.operators.Set(ctx, operator, record); err != nil {
		return err
	}
	return emit(ctx, &types.EventBondReleased{Operator: record.Address, Amount: amount.String()})
}

func checkBond(amount, most math.Int) error {
	if amount.IsNil() || !amount.IsPositive() || amount.GT(most) {
		return types.ErrInvalidAmount.Wrapf("bond of %s, want 1 to %s", amount, most)
	}
	return nil
}
