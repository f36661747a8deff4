package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// ExtendRental adds time to an active rental at its own price. The added escrow
// brings the total to exactly what a rental of the whole duration costs. It is
// new business, so the listing must be open, and the GPUs free, as for a new rental.
func (k *Keeper) ExtendRental(ctx context.Context, renter sdk.AccAddress, id, addSeconds uint64) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	r, err := k.touch(ctx, params, id)
	if err != nil {
		return err
	}
	renterStr, err := k.addressCodec.BytesToString(renter)
	if err != nil {
		return err
	}
	if r.Renter != renterStr {
		return types.ErrNotOwner.Wrapf("rental %d belongs to %s", id, r.Renter)
	}
	if r.State != types.RENTAL_STATE_ACTIVE {
		return types.ErrNotActive.Wrapf("rental %d is %s %s", id, r.State, r.CloseReason)
	}
	if r.NoticeEndsAt != nil {
		return types.ErrNoticeGiven.Wrapf("rental %d: the operator ends it", id)
	}
	listing, err := k.extendable(ctx, params, r, addSeconds)
	if err != nil {
		return err
	}
	duration := r.DurationSeconds + addSeconds
	ends := r.StartedAt.Add(seconds(duration))
	for _, ordinal := range r.Gpus {
		free, err := k.gpuFree(ctx, r.HostId, ordinal, *r.EndsAt, ends)
		if err != nil {
			return err
		}
		if !free {
			return types.ErrNoFreeGPUs.Wrapf("GPU %d of listing %d is booked after the rental", ordinal, listing.Id)
		}
	}
	added := sdk.NewCoin(r.Price.Denom, types.AmountFor(r.Price.Amount, len(r.Gpus), duration).Sub(r.Escrowed))
	if !added.IsPositive() {
		return types.ErrInvalidDuration.Wrapf("%d s more cost less than one %s", addSeconds, added.Denom)
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, renter, types.ModuleName, sdk.NewCoins(added)); err != nil {
		return errorsmod.Wrapf(err, "escrow of %s for rental %d", added, id)
	}
	r.DurationSeconds, r.EndsAt = duration, &ends
	r.Escrowed, r.Escrow = r.Escrowed.Add(added.Amount), r.Escrow.Add(added.Amount)
	if err := k.book(ctx, r); err != nil {
		return err
	}
	if err := k.requeue(ctx, params, &r); err != nil {
		return err
	}
	return emit(ctx, &types.EventRentalExtended{RentalId: id, Added: added, EndsAt: ends})
}

func (k *Keeper) extendable(ctx context.Context, params types.Params, r types.Rental, addSeconds uint64) (types.Listing, error) {
	listing, err := k.Listing(ctx, r.ListingId)
	if err != nil {
		return types.Listing{}, err
	}
	if listing.Status != types.LISTING_STATUS_OPEN {
		return types.Listing{}, types.ErrListingNotOpen.Wrapf("listing %d is %s", listing.Id, listing.Status)
	}
	if addSeconds == 0 || addSeconds > params.MaxDurationSeconds { // keeps the sum from overflowing
		return types.Listing{}, types.ErrInvalidDuration.Wrapf("%d s more, want 1 to %d", addSeconds, params.MaxDurationSeconds)
	}
	if err := params.CheckDuration(listing, r.DurationSeconds+addSeconds); err != nil {
		return types.Listing{}, err
	}
	_, err = k.checkProvider(ctx, listing)
	return listing, err
}
