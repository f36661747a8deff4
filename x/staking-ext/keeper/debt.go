package keeper

import (
	"context"
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	errorsmod "cosmossdk.io/errors"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// maxSlashSteps is how many slash records one entry answers for at a time. An
// operator's pool is slashed only when its own stake is gone, so that more are
// hardly ever open; an entry at its end then waits for the next block.
const maxSlashSteps = 100

// debt is what an entry owes: part of its amount, for the records before next.
// It isn't complete when more records are open.
type debt struct {
	part     math.Int
	next     uint64
	complete bool
}

// owed computes what an amount that began to leave the operator at createdAt
// owes for the slash records from next on, in their order, each of what those
// before it left.
func (k *Keeper) owed(ctx context.Context, operator sdk.AccAddress, createdAt time.Time, next uint64, amount math.Int) (debt, error) {
	ids, complete, err := k.poolSlashesFrom(ctx, operator, next)
	if err != nil {
		return debt{}, err
	}
	rest := amount
	for _, id := range ids {
		record, err := k.slashes.Get(ctx, collections.Join(operator, id))
		if err != nil {
			return debt{}, errorsmod.Wrapf(err, "slash record %d of %s", id, k.name(operator))
		}
		if record.Reaches(createdAt) {
			rest = rest.Sub(record.Part(rest))
		}
		next = id + 1
	}
	return debt{part: amount.Sub(rest), next: next, complete: complete}, nil
}

// poolSlashesFrom returns the ids of the first slash records from next on that
// reached public stake, and whether these are all.
func (k *Keeper) poolSlashesFrom(ctx context.Context, operator sdk.AccAddress, next uint64) ([]uint64, bool, error) {
	iter, err := k.poolSlashes.Iterate(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, uint64](operator).StartInclusive(next))
	if err != nil {
		return nil, false, err
	}
	defer iter.Close()
	var ids []uint64
	for ; iter.Valid(); iter.Next() {
		if len(ids) == maxSlashSteps {
			return ids, false, nil
		}
		key, err := iter.Key()
		if err != nil {
			return nil, false, err
		}
		ids = append(ids, key.K2())
	}
	return ids, true, nil
}

// settle collects what the account's stake that left the operator, or came to it
// from another, owes by now. The record is the operator's, which the caller saves.
func (k *Keeper) settle(ctx context.Context, delegator, operator sdk.AccAddress, record *types.Operator) error {
	arrived, err := k.redelegations.Iterate(ctx, staked(delegator, operator))
	if err != nil {
		return err
	}
	moved, err := arrived.KeyValues()
	if err != nil {
		return err
	}
	for _, kv := range moved {
		if _, err := k.collectRedelegation(ctx, kv.Key, kv.Value, record); err != nil {
			return err
		}
	}
	gone, err := k.undelegations.Iterate(ctx, staked(delegator, operator))
	if err != nil {
		return err
	}
	leaving, err := gone.KeyValues()
	if err != nil {
		return err
	}
	for _, kv := range leaving {
		if _, err := k.collectUndelegation(ctx, kv.Key, kv.Value); err != nil {
			return err
		}
	}
	return nil
}

// collectUndelegation takes what the entry owes, and reports whether that was
// all. An entry that has nothing left is gone.
func (k *Keeper) collectUndelegation(ctx context.Context, key leaveKey, entry types.UnbondingDelegation) (bool, error) {
	d, err := k.owed(ctx, key.K2(), entry.CreatedAt, entry.NextSlash, entry.Amount)
	if err != nil || d.next == entry.NextSlash {
		return d.complete, err
	}
	entry.Amount, entry.NextSlash = entry.Amount.Sub(d.part), d.next
	if d.part.IsPositive() {
		if err := k.payDebt(ctx, types.UnbondingAccount, d.part, types.EventDebtCollected{
			Delegator: entry.Delegator, Operator: entry.Operator, EntryId: entry.Id,
		}); err != nil {
			return false, err
		}
	}
	if entry.Amount.IsZero() {
		return true, k.endUndelegation(ctx, key, entry)
	}
	return d.complete, k.undelegations.Set(ctx, key, entry)
}

// collectRedelegation takes what the moved stake owes for its first operator:
// shares of the second one's pool are burned, and their tokens leave it. It
// reports whether that was all. The record is the second operator's, which the
// caller saves.
func (k *Keeper) collectRedelegation(ctx context.Context, key leaveKey, entry types.Redelegation, record *types.Operator) (bool, error) {
	from, err := k.addressCodec.StringToBytes(entry.From)
	if err != nil {
		return false, err
	}
	d, err := k.owed(ctx, from, entry.CreatedAt, entry.NextSlash, entry.Shares)
	if err != nil || d.next == entry.NextSlash {
		return d.complete, err
	}
	entry.Shares, entry.NextSlash = entry.Shares.Sub(d.part), d.next
	tokens, err := k.leave(ctx, key.K1(), key.K2(), record, d.part)
	if err != nil {
		return false, err
	}
	if tokens.IsPositive() {
		if err := k.payDebt(ctx, types.ModuleName, tokens, types.EventDebtCollected{
			Delegator: entry.Delegator, Operator: entry.From, RedelegatedTo: entry.To, EntryId: entry.Id,
		}); err != nil {
			return false, err
		}
	}
	if entry.Shares.IsZero() {
		return true, k.endRedelegation(ctx, key, entry)
	}
	return d.complete, k.redelegations.Set(ctx, key, entry)
}

// payDebt moves what was collected: the insurance share, and the rest is burned.
func (k *Keeper) payDebt(ctx context.Context, from string, amount math.Int, event types.EventDebtCollected) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	insurance, burned := params.SplitDebt(amount)
	if err := k.insure(ctx, from, params.StakeDenom, insurance); err != nil {
		return err
	}
	if err := k.burn(ctx, from, params.StakeDenom, burned); err != nil {
		return err
	}
	event.Amount, event.ToInsurance, event.Burned = amount.String(), insurance.String(), burned.String()
	return emit(ctx, &event)
}
