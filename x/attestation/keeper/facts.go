package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/attestation/types"
)

// NetworkFault tells whether so many hosts missed the slot that nobody answers for
// it. It is final once the slot is judged; it reads two records.
//
// Errors: ErrSlotOpen, ErrSlotPruned.
func (k *Keeper) NetworkFault(ctx context.Context, slot uint64) (bool, error) {
	if _, err := k.Anchor(ctx, slot); err != nil {
		return false, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return false, err
	}
	perDay, day := uint64(params.SlotsPerDay), params.DayOf(slot)
	today, err := readRecord(ctx, k.hostCounts, day, 0)
	if err != nil {
		return false, err
	}
	var yesterday []byte
	if day > 0 {
		if yesterday, err = readRecord(ctx, k.hostCounts, day-1, 0); err != nil {
			return false, err
		}
	}
	// The slots_per_day slots before this one are the rest of yesterday and today's first.
	position := slot - params.FirstSlotOf(day)
	var usual uint32
	for i := position; i < perDay; i++ {
		usual = max(usual, types.HostCounts(yesterday).Get(i))
	}
	for i := range position {
		usual = max(usual, types.HostCounts(today).Get(i))
	}
	return params.IsNetworkFault(types.HostCounts(today).Get(position), usual), nil
}

// ClassWeight returns the mining weight H of a class in PPM; 0 for no class, or an
// unknown one.
func (k *Keeper) ClassWeight(ctx context.Context, class string) (uint64, error) {
	c, err := k.classes.Get(ctx, class)
	if isNotFound(err) {
		return 0, nil
	}
	return c.WeightPpm, err
}

// SlotsUp returns in how many slots of the day each GPU of the bucket was up. A day
// that is no longer kept, or has not come, has none.
func (k *Keeper) SlotsUp(ctx context.Context, day, bucket uint64) (types.Counts, error) {
	return readRecord(ctx, k.counters, day, bucket)
}

// checkHostCounts: of a slot that is kept, the count is the number of its bits.
func (k *Keeper) checkHostCounts(ctx context.Context) (broken []string, err error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	floor, err := getOr(ctx, k.floor, 0)
	if err != nil {
		return nil, err
	}
	bits := map[uint64]uint32{}
	if err := k.attested.Walk(ctx, nil, func(key recordKey, bz []byte) (bool, error) {
		bits[key.K1()] += uint32(types.Bitmap(bz).Count())
		return false, nil
	}); err != nil {
		return nil, err
	}
	counts := map[uint64]uint32{}
	if err := k.hostCounts.Walk(ctx, nil, func(key collections.Pair[uint64, uint64], bz []byte) (bool, error) {
		for i, n := range types.HostCounts(bz).List() {
			counts[params.FirstSlotOf(key.K1())+uint64(i)] = n
		}
		return false, nil
	}); err != nil {
		return nil, err
	}
	return compareCounts(bits, counts, floor), nil
}
