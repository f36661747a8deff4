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

// The prefix sums of what left: for each time at which public stake of an
// operator began to leave, all that ever did up to then. What left since a fault
// is the difference of two of them, whatever the number of entries.

// leftKey is (operator, Unix nanoseconds).
type leftKey = collections.Pair[sdk.AccAddress, int64]

// markLeft adds to the prefix sums. The record is the operator's, which the
// caller saves.
func (k *Keeper) markLeft(ctx context.Context, operator sdk.AccAddress, record *types.Operator, amount math.Int, unbonding time.Duration) error {
	now := blockTime(ctx)
	if record.LeavingUntil.IsZero() {
		// The first one: a mark before all times, so that each has one at or before it.
		if err := k.setMark(ctx, operator, types.LeftMark{
			Operator: record.Address, At: time.Unix(0, 0).UTC(), Total: math.ZeroInt(), NextSlash: record.NextSlashId,
		}); err != nil {
			return err
		}
	}
	record.LeftTotal = record.LeftTotal.Add(amount)
	if until := now.Add(unbonding); until.After(record.LeavingUntil) {
		record.LeavingUntil = until
	}
	return k.markNow(ctx, operator, record, unbonding)
}

// markNow writes the prefix sum of this time, and prunes old ones.
func (k *Keeper) markNow(ctx context.Context, operator sdk.AccAddress, record *types.Operator, unbonding time.Duration) error {
	now := blockTime(ctx)
	if err := k.setMark(ctx, operator, types.LeftMark{
		Operator: record.Address, At: now, Total: record.LeftTotal, NextSlash: record.NextSlashId,
	}); err != nil {
		return err
	}
	return k.pruneLeft(ctx, operator, now.Add(-unbonding))
}

func (k *Keeper) setMark(ctx context.Context, operator sdk.AccAddress, mark types.LeftMark) error {
	return k.left.Set(ctx, collections.Join(operator, mark.At.UnixNano()), mark)
}

// pruneLeft removes up to two marks that no evidence can ask for: those whose
// successor lies at or before the oldest time that it can be of.
func (k *Keeper) pruneLeft(ctx context.Context, operator sdk.AccAddress, oldest time.Time) error {
	keys, err := k.firstMarks(ctx, operator)
	if err != nil {
		return err
	}
	for i := 1; i < len(keys) && keys[i].K2() <= oldest.UnixNano(); i++ {
		if err := k.left.Remove(ctx, keys[i-1]); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) firstMarks(ctx context.Context, operator sdk.AccAddress) ([]leftKey, error) {
	iter, err := k.left.Iterate(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, int64](operator))
	if err != nil {
		return nil, err
	}
	defer iter.Close()
	var keys []leftKey
	for ; iter.Valid() && len(keys) < 3; iter.Next() {
		key, err := iter.Key()
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// leftAt returns the prefix sum at a time, as the slashes so far left it. A time
// before all marks that are kept has the first one's: what it counts has arrived.
func (k *Keeper) leftAt(ctx context.Context, operator sdk.AccAddress, at time.Time) (math.Int, error) {
	mark, found, err := k.firstMark(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, int64](operator).EndInclusive(at.UnixNano()).Descending())
	if err == nil && !found {
		mark, found, err = k.firstMark(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, int64](operator))
	}
	if err != nil || !found {
		return math.ZeroInt(), err
	}
	ids, _, err := k.poolSlashesFrom(ctx, operator, mark.NextSlash)
	if err != nil {
		return math.Int{}, err
	}
	total := mark.Total
	for _, id := range ids {
		record, err := k.slashes.Get(ctx, collections.Join(operator, id))
		if err != nil {
			return math.Int{}, errorsmod.Wrapf(err, "slash record %d of %s", id, k.name(operator))
		}
		if record.Reaches(mark.At) {
			total = record.Apply(total)
		}
	}
	return total, nil
}

func (k *Keeper) firstMark(ctx context.Context, in collections.Ranger[leftKey]) (types.LeftMark, bool, error) {
	iter, err := k.left.Iterate(ctx, in)
	if err != nil {
		return types.LeftMark{}, false, err
	}
	defer iter.Close()
	if !iter.Valid() {
		return types.LeftMark{}, false, nil
	}
	mark, err := iter.Value()
	return mark, true, err
}
