package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// CompleteUndelegations ends the entries of public stakers that are due, at most
// unbonding_budget of them: what each owes is collected, the rest is paid. What
// was collected stays so when the payment fails; then the entry is parked.
func (k *Keeper) CompleteUndelegations(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	due, err := dueKeys(ctx, k.undelegationQueue, collections.PairPrefix[int64, leaveKey](blockTime(ctx).UnixNano()+1), params.UnbondingBudget)
	if err != nil {
		return err
	}
	for _, key := range due {
		owesMore := false
		failure := try(ctx, func(ctx context.Context) error {
			entry, err := k.undelegations.Get(ctx, key.K2())
			if err != nil {
				return types.ErrUnbondingIncomplete.Wrapf("undelegation %d of %s: %s", key.K2().K3(), k.name(key.K2().K1()), err)
			}
			complete, err := k.collectUndelegation(ctx, key.K2(), entry)
			owesMore = !complete
			return err
		})
		if failure == nil && !owesMore {
			failure = try(ctx, func(ctx context.Context) error {
				// It owed all of itself, and is gone.
				if has, err := k.undelegations.Has(ctx, key.K2()); err != nil || !has {
					return err
				}
				return k.completeUndelegation(ctx, key.K2(), params)
			})
		}
		if failure == nil {
			continue
		}
		if err := k.parkUndelegation(ctx, key, failure); err != nil {
			return err
		}
	}
	return nil
}

// CompleteRedelegations unlocks the redelegations that are due, at most
// unbonding_budget of them, after what each owes was collected.
func (k *Keeper) CompleteRedelegations(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	due, err := dueKeys(ctx, k.redelegationQueue, collections.PairPrefix[int64, leaveKey](blockTime(ctx).UnixNano()+1), params.UnbondingBudget)
	if err != nil {
		return err
	}
	for _, key := range due {
		failure := try(ctx, func(ctx context.Context) error { return k.completeRedelegation(ctx, key.K2()) })
		if failure == nil {
			continue
		}
		if err := k.parkRedelegation(ctx, key, failure); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) completeRedelegation(ctx context.Context, key leaveKey) error {
	entry, err := k.redelegations.Get(ctx, key)
	if err != nil {
		return types.ErrUnbondingIncomplete.Wrapf("redelegation %d of %s: %s", key.K3(), k.name(key.K1()), err)
	}
	if err := k.hooks.BeforeStakeChanged(ctx, key.K2()); err != nil {
		return err
	}
	record, err := k.Operator(ctx, key.K2())
	if err != nil {
		return err
	}
	complete, err := k.collectRedelegation(ctx, key, entry, &record)
	if err != nil {
		return err
	}
	if err := k.saveOperator(ctx, key.K2(), record); err != nil {
		return err
	}
	entry, err = k.redelegations.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) || (err == nil && !complete) {
		return nil // it owed all of itself, or owes more than one block looks at
	} else if err != nil {
		return err
	}
	return k.endRedelegation(ctx, key, entry)
}

// parkUndelegation moves the end of an entry that failed by parkTime. A queue
// key without an entry is dropped.
func (k *Keeper) parkUndelegation(ctx context.Context, due leaveDueKey, failure error) error {
	if err := k.undelegationQueue.Remove(ctx, due); err != nil {
		return err
	}
	entry, err := k.undelegations.Get(ctx, due.K2())
	if err == nil {
		entry.CompletesAt = blockTime(ctx).Add(parkTime)
		err = k.addUndelegation(ctx, due.K2(), entry)
	}
	return k.parked(ctx, due.K2(), err, failure)
}

// parkRedelegation does the same for a redelegation.
func (k *Keeper) parkRedelegation(ctx context.Context, due leaveDueKey, failure error) error {
	if err := k.redelegationQueue.Remove(ctx, due); err != nil {
		return err
	}
	entry, err := k.redelegations.Get(ctx, due.K2())
	if err == nil {
		entry.CompletesAt = blockTime(ctx).Add(parkTime)
		err = k.addRedelegation(ctx, due.K2(), entry)
	}
	return k.parked(ctx, due.K2(), err, failure)
}

func (k *Keeper) parked(ctx context.Context, key leaveKey, err, failure error) error {
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	return emit(ctx, &types.EventQueueRecordParked{
		Delegator: k.name(key.K1()), Operator: k.name(key.K2()), EntryId: key.K3(), Error: failure.Error(),
	})
}

// PruneSlashes forgets slash records and fault ids whose time is over, at most
// unbonding_budget of each. What is forgotten of the faults is refused by its age
// from then on, whatever the unbonding time becomes.
func (k *Keeper) PruneSlashes(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	now := blockTime(ctx)
	records, err := dueKeys(ctx, k.slashQueue, collections.TriplePrefix[int64, sdk.AccAddress, uint64](now.UnixNano()), params.UnbondingBudget)
	if err != nil {
		return err
	}
	for _, key := range records {
		if err := k.slashQueue.Remove(ctx, key); err != nil {
			return err
		}
		id := collections.Join(key.K2(), key.K3())
		if err := k.slashes.Remove(ctx, id); err != nil {
			return err
		}
		if err := k.poolSlashes.Remove(ctx, id); err != nil {
			return err
		}
	}
	faults, err := dueKeys(ctx, k.punishedQueue, collections.PairPrefix[int64, string](now.Add(-params.UnbondingTime).UnixNano()), params.UnbondingBudget)
	if err != nil {
		return err
	}
	for _, key := range faults {
		if err := k.punishedQueue.Remove(ctx, key); err != nil {
			return err
		}
		if err := k.punished.Remove(ctx, key.K2()); err != nil {
			return err
		}
		if err := k.forgottenUntil.Set(ctx, key.K1()); err != nil {
			return err
		}
	}
	return nil
}
