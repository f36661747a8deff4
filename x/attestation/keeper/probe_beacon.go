package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// beaconProbe is the domain of the beacons that assign probers.
const beaconProbe = "grafi/probe/beacon/v1"

// drawProbes keeps the beacon that assigns the probers of the slot that has just
// begun, and forgets those of slots whose receipts are no longer taken. A slot in
// which no block began has none: nothing is probed in a halt.
//
// The beacon comes from the first block in the slot, so that nobody knows before
// whom it probes; hosts that register in the slot are drawn from the next one on.
func (k *Keeper) drawProbes(ctx context.Context, slot uint64) error {
	if err := k.forgetBeacons(ctx); err != nil {
		return err
	}
	next, err := k.hostSeq.Peek(ctx)
	if err != nil {
		return err
	}
	beacon := types.BlockBeacon(sdk.UnwrapSDKContext(ctx), beaconProbe)
	return k.probes.beacons.Set(ctx, slot, types.ProbeBeacon{Slot: slot, Beacon: beacon[:], Hosts: max(next, 1) - 1})
}

// forgetBeacons removes the beacons of slots whose window is over, oldest first.
func (k *Keeper) forgetBeacons(ctx context.Context) error {
	slots, err := firstKeys(ctx, k.probes.beacons.Iterate, nil, types.PruneBudget)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	for _, slot := range slots {
		if open, err := k.takesReceipts(ctx, params, slot); err != nil || open {
			return err
		}
		if err := k.probes.beacons.Remove(ctx, slot); err != nil {
			return err
		}
	}
	return nil
}

// takesReceipts tells whether the window of a slot that has begun is open: until
// the end of that in which the slot is attested.
func (k *Keeper) takesReceipts(ctx context.Context, params types.Params, slot uint64) (bool, error) {
	last, err := getOr(ctx, k.lastClosed, 0)
	if err != nil || slot > last {
		return err == nil, err
	}
	anchor, err := k.firstAnchor(ctx, slot)
	if err != nil {
		return false, err
	}
	return params.Accepts(&anchor, blockTime(ctx)), nil
}

// ProbeBeacon returns the beacon that assigns the probers of a slot.
//
// Errors: ErrNoProbeBeacon for a slot that has not begun, whose window is over, or
// in which no block began.
func (k *Keeper) ProbeBeacon(ctx context.Context, slot uint64) (types.ProbeBeacon, error) {
	beacon, err := k.probes.beacons.Get(ctx, slot)
	if isNotFound(err) {
		return beacon, types.ErrNoProbeBeacon.Wrapf("slot %d has not begun, had no block, or its receipts are no longer taken", slot)
	}
	return beacon, err
}
