package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// parkTime is how long a record that failed in the queue stays out of it.
const parkTime = 24 * time.Hour

// Unbond starts to take own stake out and returns the new entry. Only what lies
// above what the requirement needs and bonds lock can leave; of a tombstoned
// operator, which serves nobody any more, the requirement needs nothing.
func (k *Keeper) Unbond(ctx context.Context, operator sdk.AccAddress, amount sdk.Coin) (types.UnbondingEntry, error) {
	if err := k.checkAmount(ctx, amount); err != nil {
		return types.UnbondingEntry{}, err
	}
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return types.UnbondingEntry{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.UnbondingEntry{}, err
	}
	if free := params.FreeStake(record); amount.Amount.GT(free) {
		return types.UnbondingEntry{}, types.ErrInsufficientStake.Wrapf("unbond %s, free is %s: own stake %s, delegated %s, requirement %s, bonds %s",
			amount.Amount, free, record.OwnStake, record.DelegatedTokens, record.Requirement, record.BondedFor)
	}
	open, err := k.entries(ctx, operator)
	if err != nil {
		return types.UnbondingEntry{}, err
	}
	if len(open) >= int(params.MaxUnbondingEntries) {
		return types.UnbondingEntry{}, types.ErrTooManyUnbondings.Wrapf("operator %s has %d, want under %d",
			record.Address, len(open), params.MaxUnbondingEntries)
	}

	if err := k.hooks.BeforeStakeChanged(ctx, operator); err != nil {
		return types.UnbondingEntry{}, err
	}
	if err := k.startLeaving(ctx, amount.Amount, params.StakeDenom); err != nil {
		return types.UnbondingEntry{}, err
	}
	now := blockTime(ctx)
	entry := types.UnbondingEntry{
		Operator: record.Address, Id: record.NextUnbondingId, Amount: amount.Amount,
		CreatedAt: now, CompletesAt: now.Add(params.UnbondingTime),
	}
	record.NextUnbondingId++
	record.OwnStake = record.OwnStake.Sub(amount.Amount)
	if err := k.addEntry(ctx, operator, entry); err != nil {
		return types.UnbondingEntry{}, err
	}
	if err := k.saveOperator(ctx, operator, record); err != nil {
		return types.UnbondingEntry{}, err
	}
	return entry, emit(ctx, &types.EventUnbondingStarted{
		Operator: entry.Operator, EntryId: entry.Id, Amount: entry.Amount.String(), CompletesAt: entry.CompletesAt,
	})
}

// CompleteUnbonding pays the entries of own stake that are due, oldest first and
// at most unbonding_budget of them; the rest carry over to the next block. A
// record that fails changes nothing, is told by an event and comes back after a
// day, so that it stops neither the queue nor its own payment for ever.
func (k *Keeper) CompleteUnbonding(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	due, err := dueKeys(ctx, k.queue, collections.TriplePrefix[int64, sdk.AccAddress, uint64](blockTime(ctx).UnixNano()+1), params.UnbondingBudget)
	if err != nil {
		return err
	}
	for _, key := range due {
		failure := try(ctx, func(ctx context.Context) error { return k.complete(ctx, key, params.StakeDenom) })
		if failure == nil {
			continue
		}
		if err := k.park(ctx, key, failure); err != nil {
			return err
		}
	}
	return nil
}

// complete pays one entry and forgets it.
func (k *Keeper) complete(ctx context.Context, key dueKey, denom string) error {
	entry, err := k.unbonding.Get(ctx, collections.Join(key.K2(), key.K3()))
	if err != nil {
		return types.ErrUnbondingIncomplete.Wrapf("entry %d of %s: %s", key.K3(), k.name(key.K2()), err)
	}
	paid := sdk.NewCoins(sdk.NewCoin(denom, entry.Amount))
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.UnbondingAccount, key.K2(), paid); err != nil {
		return types.ErrUnbondingIncomplete.Wrapf("entry %d of %s: %s", entry.Id, entry.Operator, err)
	}
	if err := k.removeEntry(ctx, key.K2(), entry); err != nil {
		return err
	}
	return emit(ctx, &types.EventUnbondingCompleted{
		Operator: entry.Operator, EntryId: entry.Id, Amount: entry.Amount.String(),
	})
}

// park moves the end of an entry that failed by parkTime. A queue key without an
// entry is dropped.
func (k *Keeper) park(ctx context.Context, key dueKey, failure error) error {
	entry, err := k.unbonding.Get(ctx, collections.Join(key.K2(), key.K3()))
	switch {
	case errors.Is(err, collections.ErrNotFound):
		if err := k.queue.Remove(ctx, key); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if err := k.removeEntry(ctx, key.K2(), entry); err != nil {
			return err
		}
		entry.CompletesAt = blockTime(ctx).Add(parkTime)
		if err := k.addEntry(ctx, key.K2(), entry); err != nil {
			return err
		}
	}
	return emit(ctx, &types.EventQueueRecordParked{
		Operator: k.name(key.K2()), EntryId: key.K3(), Error: failure.Error(),
	})
}

// entries returns the operator's unbonding entries, oldest first. Their number
// is bounded by max_unbonding_entries.
func (k *Keeper) entries(ctx context.Context, operator sdk.AccAddress) ([]types.UnbondingEntry, error) {
	iter, err := k.unbonding.Iterate(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, uint64](operator))
	if err != nil {
		return nil, err
	}
	return iter.Values()
}

func (k *Keeper) addEntry(ctx context.Context, operator sdk.AccAddress, entry types.UnbondingEntry) error {
	if err := k.unbonding.Set(ctx, collections.Join(operator, entry.Id), entry); err != nil {
		return err
	}
	return k.queue.Set(ctx, queueKey(operator, entry))
}

func (k *Keeper) removeEntry(ctx context.Context, operator sdk.AccAddress, entry types.UnbondingEntry) error {
	if err := k.unbonding.Remove(ctx, collections.Join(operator, entry.Id)); err != nil {
		return err
	}
	return k.queue.Remove(ctx, queueKey(operator, entry))
}

func queueKey(operator sdk.AccAddress, entry types.UnbondingEntry) dueKey {
	return collections.Join3(entry.CompletesAt.UnixNano(), operator, entry.Id)
}
