package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/attestation/types"
)

// prune removes what is no longer kept, at most PruneBudget records a block:
// anchors and bitmaps after bitmap_days, counters after counter_days, proven
// faults once no evidence can name their slot.
//
// The oldest anchor stays as the floor: nothing up to its slot is kept, and a
// question about it gets an error instead of a bitmap that looks empty.
func (k *Keeper) prune(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	budget := types.PruneBudget
	floor, err := k.raiseFloor(ctx, params, &budget)
	if err != nil {
		return err
	}
	for _, records := range []collections.Map[recordKey, []byte]{k.attested, k.up} {
		if err := pruneRecords(ctx, records, floor, &budget); err != nil {
			return err
		}
	}
	// The day before the oldest slot that is kept says how many attest as a rule.
	if day := params.DayOf(floor); day > 1 {
		if err := pruneRecords(ctx, k.hostCounts, day-2, &budget); err != nil {
			return err
		}
	}
	now := blockTime(ctx)
	if day := params.DayOf(params.SlotAt(now)); day > uint64(params.CounterDays) {
		if err := pruneRecords(ctx, k.counters, day-uint64(params.CounterDays)-1, &budget); err != nil {
			return err
		}
	}
	// The longest age that the params may ever allow, so that raising the age
	// can't make a fault punishable again.
	params.EvidenceMaxAge = types.MaxEvidenceAge
	faults, err := firstKeys(ctx, k.faults.Iterate, nil, budget)
	if err != nil {
		return err
	}
	for _, key := range faults {
		if !params.EvidenceExpired(key.K1(), now) {
			return nil
		}
		if err := k.faults.Remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// raiseFloor removes the oldest anchor for as long as the next one has expired,
// and returns the slot of the oldest that stays.
func (k *Keeper) raiseFloor(ctx context.Context, params types.Params, budget *int) (uint64, error) {
	floor, err := getOr(ctx, k.floor, 0)
	if err != nil {
		return 0, err
	}
	anchors, err := k.oldestAnchors(ctx, types.PruneBudget)
	if err != nil {
		return 0, err
	}
	for i := 1; i < len(anchors) && *budget > 0 && params.Expired(&anchors[i], blockTime(ctx)); i++ {
		if err := k.anchors.Remove(ctx, anchors[i-1].Slot); err != nil {
			return 0, err
		}
		*budget--
		floor = anchors[i].Slot
		if err := k.floor.Set(ctx, floor); err != nil {
			return 0, err
		}
	}
	return floor, nil
}

// oldestAnchors returns at most n anchors, and stops after the first one that is
// not expired.
func (k *Keeper) oldestAnchors(ctx context.Context, n int) (anchors []types.Anchor, err error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	it, err := k.anchors.Iterate(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ; it.Valid() && len(anchors) < n; it.Next() {
		anchor, err := it.Value()
		if err != nil {
			return nil, err
		}
		anchors = append(anchors, anchor)
		if !params.Expired(&anchor, blockTime(ctx)) {
			break
		}
	}
	return anchors, nil
}

// pruneRecords removes records of slots or days up to the last, oldest first.
func pruneRecords(ctx context.Context, records collections.Map[recordKey, []byte], last uint64, budget *int) error {
	keys, err := firstKeys(ctx, records.Iterate, collections.NewPrefixUntilPairRange[uint64, uint64](last), *budget)
	if err != nil {
		return err
	}
	*budget -= len(keys)
	for _, key := range keys {
		if err := records.Remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// keyIterator is an iterator of a map or of a key set.
type keyIterator[K any] interface {
	Valid() bool
	Next()
	Key() (K, error)
	Close() error
}

// firstKeys returns the first n keys of a range. The iterator is closed before
// anything is removed.
func firstKeys[K any, I keyIterator[K]](
	ctx context.Context,
	iterate func(context.Context, collections.Ranger[K]) (I, error),
	rng collections.Ranger[K],
	n int,
) (keys []K, err error) {
	if n <= 0 {
		return nil, nil
	}
	it, err := iterate(ctx, rng)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ; it.Valid() && len(keys) < n; it.Next() {
		key, err := it.Key()
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
