package keeper

import (
	"context"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// ConfirmStart starts the billing of a pending rental at the block's time. The
// report is signed by the host's agent key; who sends it does not matter.
func (k *Keeper) ConfirmStart(ctx context.Context, id uint64, agentSignature []byte) (types.Rental, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Rental{}, err
	}
	r, err := k.touch(ctx, params, id)
	if err != nil {
		return types.Rental{}, err
	}
	if r.State != types.RENTAL_STATE_PENDING {
		return types.Rental{}, types.ErrNotPending.Wrapf("rental %d is %s %s", id, r.State, r.CloseReason)
	}
	report := types.StartReport{
		ChainId: sdk.UnwrapSDKContext(ctx).ChainID(), HostId: r.HostId, RentalId: id, ManifestDigest: r.ManifestDigest,
	}
	doc, err := report.Marshal()
	if err != nil {
		return types.Rental{}, err
	}
	if err := k.attestation.VerifyAgentSignature(ctx, r.HostId, types.DomainStart, doc, agentSignature); err != nil {
		return types.Rental{}, err
	}

	started := now(ctx)
	ends := started.Add(seconds(r.DurationSeconds))
	r.State, r.StartedAt, r.EndsAt, r.PaidUntil = types.RENTAL_STATE_ACTIVE, &started, &ends, &started
	if err := k.book(ctx, r); err != nil { // the same keys, an earlier end
		return types.Rental{}, err
	}
	if err := k.firstCheck(ctx, params, &r, started); err != nil {
		return types.Rental{}, err
	}
	if err := k.requeue(ctx, params, &r); err != nil {
		return types.Rental{}, err
	}
	return r, emit(ctx, &types.EventRentalStarted{RentalId: id, HostId: r.HostId, EndsAt: ends})
}

// firstCheck sets the first slot to check. The slot of the start itself is not
// judged: the host had no rental in a part of it.
func (k *Keeper) firstCheck(ctx context.Context, params types.Params, r *types.Rental, started time.Time) error {
	slot, err := k.attestation.SlotAt(ctx, started)
	if err != nil {
		return err
	}
	r.CheckSlot = slot + uint64(params.SilenceSlots)
	return nil
}
