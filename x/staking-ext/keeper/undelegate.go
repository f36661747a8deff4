package keeper

import (
	"context"
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// Undelegate starts to take an account's stake out of the operator's pool,
// jailed or not. A zero amount takes everything that no redelegation locks.
// Shares that are worth nothing are gone without an entry: its amount is zero.
func (k *Keeper) Undelegate(ctx context.Context, delegator, operator sdk.AccAddress, amount sdk.Coin) (types.UnbondingDelegation, error) {
	var none types.UnbondingDelegation
	params, err := k.params.Get(ctx)
	if err != nil {
		return none, err
	}
	record, err := k.leavable(ctx, delegator, operator, amount)
	if err != nil {
		return none, err
	}
	open, err := countKeys(ctx, k.undelegations, staked(delegator, operator), params.MaxUnbondingEntries)
	if err != nil {
		return none, err
	}
	if open >= params.MaxUnbondingEntries {
		return none, types.ErrTooManyUnbondings.Wrapf("%s has %d at operator %s, want under %d",
			k.name(delegator), open, record.Address, params.MaxUnbondingEntries)
	}
	if err := k.hooks.BeforeStakeChanged(ctx, operator); err != nil {
		return none, err
	}
	if err := k.settle(ctx, delegator, operator, &record); err != nil {
		return none, err
	}
	shares, err := k.sharesToLeave(ctx, delegator, operator, record, amount.Amount)
	if err != nil {
		return none, err
	}
	tokens, err := k.leave(ctx, delegator, operator, &record, shares)
	if err != nil {
		return none, err
	}
	now := blockTime(ctx)
	entry := types.UnbondingDelegation{
		Delegator: k.name(delegator), Operator: record.Address, Amount: tokens,
		CreatedAt: now, CompletesAt: now.Add(params.UnbondingTime), NextSlash: record.NextSlashId,
	}
	if tokens.IsPositive() {
		entry.Id = record.NextUnbondingId
		record.NextUnbondingId++
		if err := k.startLeaving(ctx, tokens, params.StakeDenom); err != nil {
			return none, err
		}
		if err := k.addUndelegation(ctx, collections.Join3(delegator, operator, entry.Id), entry); err != nil {
			return none, err
		}
		if err := k.markLeft(ctx, operator, &record, tokens, params.UnbondingTime); err != nil {
			return none, err
		}
	}
	if err := emit(ctx, &types.EventUndelegated{
		Delegator: entry.Delegator, Operator: entry.Operator, EntryId: entry.Id,
		Amount: tokens.String(), Shares: shares.String(), CompletesAt: entry.CompletesAt,
	}); err != nil {
		return none, err
	}
	return entry, k.saveOperator(ctx, operator, record)
}

// leavable returns the operator if the account has a free part of its pool worth
// the amount; zero asks for all there is.
func (k *Keeper) leavable(ctx context.Context, delegator, operator sdk.AccAddress, amount sdk.Coin) (types.Operator, error) {
	if amount.Amount.IsNil() || !amount.Amount.IsZero() {
		if err := k.checkAmount(ctx, amount); err != nil {
			return types.Operator{}, err
		}
	}
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return record, err
	}
	_, err = k.sharesToLeave(ctx, delegator, operator, record, amount.Amount)
	return record, err
}

// sharesToLeave returns the shares that are worth the amount, or all that no
// redelegation locks when it is zero.
func (k *Keeper) sharesToLeave(ctx context.Context, delegator, operator sdk.AccAddress, record types.Operator, amount math.Int) (math.Int, error) {
	held, err := k.Delegation(ctx, delegator, operator)
	if err != nil {
		return math.Int{}, err
	}
	if held.IsZero() {
		return math.Int{}, types.ErrNoDelegation.Wrapf("of %s to operator %s", k.name(delegator), record.Address)
	}
	locked, err := k.lockedShares(ctx, delegator, operator)
	if err != nil {
		return math.Int{}, err
	}
	shares := held.Sub(locked)
	if !amount.IsZero() {
		if shares, err = types.SharesToBurn(amount, record.DelegatedTokens, record.DelegationShares); err != nil {
			return math.Int{}, err
		}
	}
	if !shares.IsPositive() || shares.GT(held.Sub(locked)) {
		free := types.TokensOf(held.Sub(locked), record.DelegatedTokens, record.DelegationShares)
		return math.Int{}, types.ErrInsufficientDelegation.Wrapf("take %s from operator %s, free is %s: %s of %s shares are locked by redelegations",
			amount, record.Address, free, locked, held)
	}
	return shares, nil
}

// completeUndelegation pays an entry that owes nothing any more, and forgets it.
func (k *Keeper) completeUndelegation(ctx context.Context, key leaveKey, params types.Params) error {
	entry, err := k.undelegations.Get(ctx, key)
	if err != nil {
		return types.ErrUnbondingIncomplete.Wrapf("undelegation %d of %s: %s", key.K3(), k.name(key.K1()), err)
	}
	paid := sdk.NewCoins(sdk.NewCoin(params.StakeDenom, entry.Amount))
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.UnbondingAccount, key.K1(), paid); err != nil {
		return types.ErrUnbondingIncomplete.Wrapf("undelegation %d of %s: %s", entry.Id, entry.Delegator, err)
	}
	return k.endUndelegation(ctx, key, entry)
}

// endUndelegation forgets an entry that was paid, or that owed all of itself.
func (k *Keeper) endUndelegation(ctx context.Context, key leaveKey, entry types.UnbondingDelegation) error {
	if err := k.removeUndelegation(ctx, key, entry); err != nil {
		return err
	}
	return emit(ctx, &types.EventUndelegationCompleted{
		Delegator: entry.Delegator, Operator: entry.Operator, EntryId: entry.Id, Amount: entry.Amount.String(),
	})
}

func (k *Keeper) addUndelegation(ctx context.Context, key leaveKey, entry types.UnbondingDelegation) error {
	if err := k.undelegations.Set(ctx, key, entry); err != nil {
		return err
	}
	return k.undelegationQueue.Set(ctx, leaveDue(entry.CompletesAt, key))
}

func (k *Keeper) removeUndelegation(ctx context.Context, key leaveKey, entry types.UnbondingDelegation) error {
	if err := k.undelegations.Remove(ctx, key); err != nil {
		return err
	}
	return k.undelegationQueue.Remove(ctx, leaveDue(entry.CompletesAt, key))
}

func leaveDue(at time.Time, key leaveKey) leaveDueKey { return collections.Join(at.UnixNano(), key) }

// staked is the range of what one account has leaving at one operator.
func staked(delegator, operator sdk.AccAddress) collections.Ranger[leaveKey] {
	return collections.NewSuperPrefixedTripleRange[sdk.AccAddress, sdk.AccAddress, uint64](delegator, operator)
}
