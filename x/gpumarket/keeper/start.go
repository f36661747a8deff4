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
		return types.Rental{}, notPending(r)
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
	slot, err := k.attestation.SlotAt(ctx, started)
	if err != nil {
		return types.Rental{}, err
	}
	r.CheckSlot, r.Availability = slot+uint64(params.SilenceSlots), types.NewAvailability(slot)
	if err := k.requeue(ctx, params, &r); err != nil {
		return types.Rental{}, err
	}
	return r, emit(ctx, &types.EventRentalStarted{RentalId: id, HostId: r.HostId, EndsAt: ends})
}

// notPending says why a rental cannot start; the start of one whose time has not
// come can be reported again later.
func notPending(r types.Rental) error {
	if r.State == types.RENTAL_STATE_RESERVED {
		return types.ErrNotPending.Wrapf("rental %d is reserved for %s", r.Id, r.Reservation.StartAt.Format(time.RFC3339))
	}
	return types.ErrNotPending.Wrapf("rental %d is %s %s", r.Id, r.State, r.CloseReason)
}
