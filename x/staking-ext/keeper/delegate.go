package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// Delegate adds an account's stake to the operator's pool and returns the shares
// that it bought. A jailed or tombstoned operator takes no new stake, and a pool
// that a slash emptied takes none until its shares are gone.
func (k *Keeper) Delegate(ctx context.Context, delegator, operator sdk.AccAddress, amount sdk.Coin) (math.Int, error) {
	if err := k.checkAmount(ctx, amount); err != nil {
		return math.Int{}, err
	}
	record, err := k.enterable(ctx, delegator, operator)
	if err != nil {
		return math.Int{}, err
	}
	if _, err := types.SharesFor(amount.Amount, record.DelegatedTokens, record.DelegationShares); err != nil {
		return math.Int{}, err
	}
	if err := k.lock(ctx, delegator, amount); err != nil {
		return math.Int{}, err
	}
	if err := k.hooks.BeforeStakeChanged(ctx, operator); err != nil {
		return math.Int{}, err
	}
	if err := k.settle(ctx, delegator, operator, &record); err != nil {
		return math.Int{}, err
	}
	bought, err := k.enter(ctx, delegator, operator, &record, amount.Amount)
	if err != nil {
		return math.Int{}, err
	}
	if err := emit(ctx, &types.EventDelegated{
		Delegator: k.name(delegator), Operator: record.Address, Amount: amount.Amount.String(), Shares: bought.String(),
	}); err != nil {
		return math.Int{}, err
	}
	return bought, k.saveOperator(ctx, operator, record)
}

// enterable returns the operator if the account may delegate to it.
func (k *Keeper) enterable(ctx context.Context, delegator, operator sdk.AccAddress) (types.Operator, error) {
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return record, err
	}
	switch {
	case delegator.Equals(operator):
		return record, types.ErrSelfDelegation.Wrapf("operator %s, want a bond", record.Address)
	case record.Tombstoned:
		return record, types.ErrTombstoned.Wrapf("operator %s takes no stake", record.Address)
	case record.Jailed:
		return record, types.ErrJailed.Wrapf("operator %s takes no stake", record.Address)
	}
	shares, err := k.Delegation(ctx, delegator, operator)
	if err != nil || shares.IsPositive() {
		return record, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return record, err
	}
	count, err := countKeys(ctx, k.delegations, collections.NewPrefixedPairRange[sdk.AccAddress, sdk.AccAddress](delegator), params.MaxDelegations)
	if err != nil {
		return record, err
	}
	if count >= params.MaxDelegations {
		return record, types.ErrTooManyDelegations.Wrapf("%s delegates to %d operators, want under %d", k.name(delegator), count, params.MaxDelegations)
	}
	return record, nil
}

// enter adds tokens to the pool in the record, which the caller saves, and their
// shares to the delegation.
func (k *Keeper) enter(ctx context.Context, delegator, operator sdk.AccAddress, record *types.Operator, tokens math.Int) (math.Int, error) {
	bought, err := types.SharesFor(tokens, record.DelegatedTokens, record.DelegationShares)
	if err != nil {
		return math.Int{}, err
	}
	record.DelegatedTokens = record.DelegatedTokens.Add(tokens)
	record.DelegationShares = record.DelegationShares.Add(bought)
	return bought, k.addShares(ctx, delegator, operator, bought)
}

// leave takes shares out of the pool in the record, which the caller saves, and
// out of the delegation. It returns what they were worth.
func (k *Keeper) leave(ctx context.Context, delegator, operator sdk.AccAddress, record *types.Operator, shares math.Int) (math.Int, error) {
	tokens := types.TokensOf(shares, record.DelegatedTokens, record.DelegationShares)
	record.DelegatedTokens = record.DelegatedTokens.Sub(tokens)
	record.DelegationShares = record.DelegationShares.Sub(shares)
	return tokens, k.addShares(ctx, delegator, operator, shares.Neg())
}

// addShares changes a delegation by some shares, after the hook saw what there
// was. One without shares is removed, with its index.
func (k *Keeper) addShares(ctx context.Context, delegator, operator sdk.AccAddress, change math.Int) error {
	before, err := k.Delegation(ctx, delegator, operator)
	if err != nil || change.IsZero() {
		return err
	}
	if err := k.hooks.BeforeDelegationChanged(ctx, delegator, operator, before); err != nil {
		return err
	}
	after := before.Add(change)
	key, index := collections.Join(delegator, operator), collections.Join(operator, delegator)
	switch {
	case after.IsNegative():
		return types.ErrInsufficientDelegation.Wrapf("%s shares of %s", before, change.Neg())
	case after.IsZero():
		if err := k.delegations.Remove(ctx, key); err != nil {
			return err
		}
		return k.delegators.Remove(ctx, index)
	default:
		if err := k.delegations.Set(ctx, key, after); err != nil {
			return err
		}
		return k.delegators.Set(ctx, index)
	}
}

// Delegation returns the shares of an operator's pool that an account has; zero
// for none.
func (k *Keeper) Delegation(ctx context.Context, delegator, operator sdk.AccAddress) (math.Int, error) {
	shares, err := k.delegations.Get(ctx, collections.Join(delegator, operator))
	if errors.Is(err, collections.ErrNotFound) {
		return math.ZeroInt(), nil
	}
	return shares, err
}

// countKeys counts the records in a range, up to most.
func countKeys[K, V any](ctx context.Context, m collections.Map[K, V], in collections.Ranger[K], most uint32) (uint32, error) {
	iter, err := m.Iterate(ctx, in)
	if err != nil {
		return 0, err
	}
	defer iter.Close()
	n := uint32(0)
	for ; iter.Valid() && n < most; iter.Next() {
		n++
	}
	return n, nil
}
