package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// closeSlots makes this block the closing block of every slot that has ended and
// has none yet. One record stands for all of them, under the last: after a halt
// of days it is still one write.
func (k *Keeper) closeSlots(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	last, err := getOr(ctx, k.lastClosed, 0)
	if err != nil {
		return err
	}
	slot, ok := params.LastClosable(sdkCtx.BlockTime())
	if !ok || slot <= last {
		return nil
	}
	info := sdkCtx.HeaderInfo()
	anchor := types.Anchor{Slot: slot, Height: info.Height, Hash: info.Hash, Time: sdkCtx.BlockTime()}
	if err := k.anchors.Set(ctx, slot, anchor); err != nil {
		return err
	}
	if last == 0 {
		// The first anchor closes only what was before the chain.
		if err := k.floor.Set(ctx, slot); err != nil {
			return err
		}
	}
	if err := k.lastClosed.Set(ctx, slot); err != nil {
		return err
	}
	if err := k.drawProbes(ctx, slot+1); err != nil {
		return err
	}
	return sdkCtx.EventManager().EmitTypedEvent(&types.EventSlotClosed{Slot: slot, AnchorHeight: anchor.Height})
}

// Anchor returns the closing block of the slot: the first record at or after it.
// The record's own slot is the last one that the block closed.
//
// Errors: ErrSlotOpen while there is none, ErrSlotPruned when the slot is not
// kept any more, or ended before the chain began.
func (k *Keeper) Anchor(ctx context.Context, slot uint64) (types.Anchor, error) {
	last, err := getOr(ctx, k.lastClosed, 0)
	if err != nil {
		return types.Anchor{}, err
	}
	if slot > last || last == 0 {
		return types.Anchor{}, types.ErrSlotOpen.Wrapf("slot %d, the last closed one is %d", slot, last)
	}
	floor, err := k.floor.Get(ctx)
	if err != nil {
		return types.Anchor{}, err
	}
	if slot <= floor {
		return types.Anchor{}, types.ErrSlotPruned.Wrapf("slot %d, the oldest kept one is %d", slot, floor+1)
	}
	return k.firstAnchor(ctx, slot)
}

// firstAnchor returns the first record at or after the slot.
func (k *Keeper) firstAnchor(ctx context.Context, slot uint64) (types.Anchor, error) {
	it, err := k.anchors.Iterate(ctx, new(collections.Range[uint64]).StartInclusive(slot))
	if err != nil {
		return types.Anchor{}, err
	}
	anchor, err := it.Value()
	return anchor, errors.Join(err, it.Close())
}
