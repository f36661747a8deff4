package keeper

import (
	"context"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// ProofInterval is how often a renter may ask for a proof of compute.
const ProofInterval = time.Hour

// ProveRental asks x/attestation for a challenge of the GPUs of an active rental,
// for its renter only: while it is answered the workload shares the GPUs with it.
//
// Errors: ErrRentalNotFound, ErrNotOwner, ErrNotActive, ErrProofTooSoon, and those of
// x/attestation.
func (k *Keeper) ProveRental(ctx context.Context, renter sdk.AccAddress, id uint64) (types.Rental, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Rental{}, err
	}
	r, err := k.touch(ctx, params, id)
	if err != nil {
		return types.Rental{}, err
	}
	account, err := k.addressCodec.BytesToString(renter)
	if err != nil {
		return types.Rental{}, err
	}
	if r.Renter != account {
		return types.Rental{}, types.ErrNotOwner.Wrapf("rental %d is %s's, got %s", id, r.Renter, account)
	}
	if r.State != types.RENTAL_STATE_ACTIVE {
		return types.Rental{}, types.ErrNotActive.Wrapf("rental %d is %s", id, r.State)
	}
	asked := now(ctx)
	if r.ProofAskedAt != nil && asked.Before(r.ProofAskedAt.Add(ProofInterval)) {
		return types.Rental{}, types.ErrProofTooSoon.Wrapf("rental %d: asked at %s, again from %s on", id,
			r.ProofAskedAt.Format(time.RFC3339), r.ProofAskedAt.Add(ProofInterval).Format(time.RFC3339))
	}
	if err := k.attestation.ChallengeGPUs(ctx, r.HostId, r.Gpus, renter); err != nil {
		return types.Rental{}, err
	}
	r.ProofAskedAt = &asked
	if err := k.rentals.Set(ctx, id, r); err != nil {
		return types.Rental{}, err
	}
	return r, emit(ctx, &types.EventProofAsked{RentalId: id, HostId: r.HostId, Ordinals: r.Gpus})
}
