package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/attestation/types"
)

// JudgedAt returns the first second at which the bits of the slot can no longer
// change. It is exact once the slot has a closing block; before that it is the
// earliest it can be: a closing block at the very end of the slot. That is also
// what is known of a slot that is no longer kept, which was judged long ago.
func (k *Keeper) JudgedAt(ctx context.Context, slot uint64) (at time.Time, exact bool, err error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return time.Time{}, false, err
	}
	anchor, err := k.Anchor(ctx, slot)
	switch {
	case errors.Is(err, types.ErrSlotOpen):
		return params.JudgedAt(params.SlotStart(slot + 1)), false, nil
	case errors.Is(err, types.ErrSlotPruned):
		return params.JudgedAt(params.SlotStart(slot + 1)), true, nil
	case err != nil:
		return time.Time{}, false, err
	}
	return params.JudgedAt(anchor.Time), true, nil
}

// GPUsUp tells whether the bit of every one of these GPUs is set in the slot.
// Errors: ErrHostNotFound, ErrGPUNotFound, ErrSlotOpen, ErrSlotPruned.
func (k *Keeper) GPUsUp(ctx context.Context, hostID, slot uint64, ordinals []uint32) (bool, error) {
	host, err := k.Host(ctx, hostID)
	if err != nil {
		return false, err
	}
	bits, err := k.hostBits(ctx, &host, slot)
	if err != nil {
		return false, err
	}
	for _, ordinal := range ordinals {
		if ordinal >= host.Capacity {
			return false, types.ErrGPUNotFound.Wrapf("ordinal %d of host %d, whose capacity is %d", ordinal, hostID, host.Capacity)
		}
		if !bits.Get(host.FirstGpu%types.BucketSize + uint64(ordinal)) {
			return false, nil
		}
	}
	return true, nil
}

// HostSlot tells whether the host attested the slot, and for each of its declared
// GPUs whether it was up. Errors: ErrSlotOpen, ErrSlotPruned.
func (k *Keeper) HostSlot(ctx context.Context, host *types.Host, slot uint64) (attested bool, up []bool, err error) {
	bits, err := k.hostBits(ctx, host, slot)
	if err != nil {
		return false, nil, err
	}
	bucket, position := types.Bucket(host.Id)
	hosts, err := readRecord(ctx, k.attested, slot, bucket)
	if err != nil {
		return false, nil, err
	}
	up = make([]bool, host.GpuCount)
	for i := range up {
		up[i] = bits.Get(host.FirstGpu%types.BucketSize + uint64(i))
	}
	return types.Bitmap(hosts).Get(position), up, nil
}

// HostDay returns the slots up of each declared GPU on the day. A day that is no
// longer kept, or has not come, has none.
func (k *Keeper) HostDay(ctx context.Context, host *types.Host, day uint64) ([]uint32, error) {
	bucket, position := types.Bucket(host.FirstGpu)
	counts, err := readRecord(ctx, k.counters, day, bucket)
	if err != nil {
		return nil, err
	}
	slots := make([]uint32, host.GpuCount)
	for i := range slots {
		slots[i] = types.Counts(counts).Get(position + uint64(i))
	}
	return slots, nil
}

// hostBits returns the bitmap of a closed slot in which the host's GPUs lie.
func (k *Keeper) hostBits(ctx context.Context, host *types.Host, slot uint64) (types.Bitmap, error) {
	if _, err := k.Anchor(ctx, slot); err != nil {
		return nil, err
	}
	bucket, _ := types.Bucket(host.FirstGpu)
	return readRecord(ctx, k.up, slot, bucket)
}

// readRecord returns a bitmap or counter record; an absent one is all zero.
func readRecord(ctx context.Context, records collections.Map[recordKey, []byte], at, bucket uint64) ([]byte, error) {
	bz, err := records.Get(ctx, collections.Join(at, bucket))
	if errors.Is(err, collections.ErrNotFound) {
		return nil, nil
	}
	return bz, err
}
