package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// RetireHost takes a host out for good. Its keys are revoked and its GPUs ask for
// no stake any more; the record and the range of GPU indexes stay, so that
// history keeps its meaning. The hook refuses while the host is in use, and a
// challenge while it is open.
func (k *Keeper) RetireHost(ctx context.Context, operator sdk.AccAddress, hostID uint64) error {
	host, err := k.ownHost(ctx, operator, hostID)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	ordinals := make([]uint32, host.GpuCount)
	for i := range ordinals {
		ordinals[i] = uint32(i)
	}
	if err := k.checkUnchallenged(ctx, hostID, ordinals); err != nil {
		return err
	}
	if err := k.hooks.BeforeHostRetired(ctx, hostID); err != nil {
		return err
	}
	for ordinal := range host.GpuCount {
		if err := k.removeGPU(ctx, operator, hostID, ordinal); err != nil {
			return err
		}
	}
	if err := k.challenge.due.Remove(ctx, hostID); err != nil {
		return err
	}
	if err := k.challenge.proofs.Clear(ctx, collections.NewPrefixedPairRange[uint64, uint32](hostID)); err != nil {
		return err
	}
	if _, err := k.revokeKeys(ctx, &host, params.SlotAt(blockTime(ctx))); err != nil {
		return err
	}
	host.Status = types.HOST_STATUS_RETIRED
	host.GpuCount = 0
	host.Generation++
	return k.setHost(ctx, host)
}
