package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// Redelegate moves an account's stake from one operator's pool to another's at
// once. Until the unbonding time is over the new shares are locked and answer
// for the faults of the first operator too. So no stake is ever at work twice,
// and none escapes by moving on. A zero amount moves everything that is free.
func (k *Keeper) Redelegate(ctx context.Context, delegator, from, to sdk.AccAddress, amount sdk.Coin) (types.Redelegation, error) {
	var none types.Redelegation
	params, err := k.params.Get(ctx)
	if err != nil {
		return none, err
	}
	if from.Equals(to) {
		return none, types.ErrInvalidRedelegation.Wrapf("from operator %s to itself", k.name(from))
	}
	source, err := k.leavable(ctx, delegator, from, amount)
	if err != nil {
		return none, err
	}
	target, err := k.enterable(ctx, delegator, to)
	if err != nil {
		return none, err
	}
	open, err := countKeys(ctx, k.redelegations, staked(delegator, to), params.MaxUnbondingEntries)
	if err != nil {
		return none, err
	}
	if open >= params.MaxUnbondingEntries {
		return none, types.ErrTooManyUnbondings.Wrapf("%s has %d redelegations to operator %s, want under %d",
			k.name(delegator), open, target.Address, params.MaxUnbondingEntries)
	}
	for _, operator := range []sdk.AccAddress{from, to} {
		if err := k.hooks.BeforeStakeChanged(ctx, operator); err != nil {
			return none, err
		}
	}
	if err := k.settle(ctx, delegator, from, &source); err != nil {
		return none, err
	}
	if err := k.settle(ctx, delegator, to, &target); err != nil {
		return none, err
	}
	shares, err := k.sharesToLeave(ctx, delegator, from, source, amount.Amount)
	if err != nil {
		return none, err
	}
	tokens, err := k.leave(ctx, delegator, from, &source, shares)
	if err != nil {
		return none, err
	}
	if !tokens.IsPositive() {
		return none, types.ErrInvalidRedelegation.Wrapf("%s shares of operator %s are worth nothing", shares, source.Address)
	}
	bought, err := k.enter(ctx, delegator, to, &target, tokens)
	if err != nil {
		return none, err
	}
	if err := k.markLeft(ctx, from, &source, tokens, params.UnbondingTime); err != nil {
		return none, err
	}
	entry, err := k.openRedelegation(ctx, delegator, from, to, source, &target, bought, params)
	if err != nil {
		return none, err
	}
	if err := emit(ctx, &types.EventRedelegated{
		Delegator: entry.Delegator, From: entry.From, To: entry.To, EntryId: entry.Id, Amount: tokens.String(),
		FromShares: shares.String(), ToShares: bought.String(), CompletesAt: entry.CompletesAt,
	}); err != nil {
		return none, err
	}
	if err := k.saveOperator(ctx, from, source); err != nil {
		return none, err
	}
	return entry, k.saveOperator(ctx, to, target)
}

// openRedelegation writes the entry that locks the new shares.
func (k *Keeper) openRedelegation(ctx context.Context, delegator, from, to sdk.AccAddress,
	source types.Operator, target *types.Operator, shares math.Int, params types.Params,
) (types.Redelegation, error) {
	now := blockTime(ctx)
	entry := types.Redelegation{
		Delegator: k.name(delegator), From: k.name(from), To: k.name(to), Id: target.NextUnbondingId, Shares: shares,
		CreatedAt: now, CompletesAt: now.Add(params.UnbondingTime), NextSlash: source.NextSlashId,
	}
	target.NextUnbondingId++
	return entry, k.addRedelegation(ctx, collections.Join3(delegator, to, entry.Id), entry)
}

// lockedShares sums the shares that open redelegations lock. Their number is
// bounded by max_unbonding_entries.
func (k *Keeper) lockedShares(ctx context.Context, delegator, operator sdk.AccAddress) (math.Int, error) {
	locked := math.ZeroInt()
	err := k.redelegations.Walk(ctx, staked(delegator, operator), func(_ leaveKey, e types.Redelegation) (bool, error) {
		locked = locked.Add(e.Shares)
		return false, nil
	})
	return locked, err
}

// endRedelegation unlocks what is left of the shares.
func (k *Keeper) endRedelegation(ctx context.Context, key leaveKey, entry types.Redelegation) error {
	if err := k.redelegations.Remove(ctx, key); err != nil {
		return err
	}
	if err := k.redelegationQueue.Remove(ctx, leaveDue(entry.CompletesAt, key)); err != nil {
		return err
	}
	return emit(ctx, &types.EventRedelegationCompleted{
		Delegator: entry.Delegator, From: entry.From, To: entry.To, EntryId: entry.Id,
	})
}

func (k *Keeper) addRedelegation(ctx context.Context, key leaveKey, entry types.Redelegation) error {
	if err := k.redelegations.Set(ctx, key, entry); err != nil {
		return err
	}
	return k.redelegationQueue.Set(ctx, leaveDue(entry.CompletesAt, key))
}
