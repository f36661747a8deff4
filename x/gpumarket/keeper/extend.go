package keeper

import (
	"context"
	"time"

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
		return types.ErrNoticeGiven.Wrapf("rental %d: it ends by %s", id, r.NoticeEndsAt.Format(time.RFC3339))
	}
	if r.Subscription != nil {
		return types.ErrIsSubscription.Wrapf("rental %d: top it up instead", id)
	}
	if err := k.extendable(ctx, params, r, addSeconds); err != nil {
		return err
	}
	duration := r.DurationSeconds + addSeconds
	ends := r.StartedAt.Add(seconds(duration))
	if err := k.freeAfterEnd(ctx, r, ends); err != nil {
		return err
	}
	added := sdk.NewCoin(r.Price.Denom, types.AmountFor(r.Price.Amount, len(r.Gpus), duration).Sub(r.Escrowed))
	if !added.IsPositive() {
		return types.ErrInvalidDuration.Wrapf("%d s more cost less than one %s", addSeconds, added.Denom)
	}
	r.DurationSeconds, r.EndsAt = duration, &ends
	cost := added.AddAmount(k.raiseReserve(&r))
	if err := k.bank.SendCoinsFromAccountToModule(ctx, renter, types.ModuleName, sdk.NewCoins(cost)); err != nil {
		return errorsmod.Wrapf(err, "escrow of %s for rental %d", cost, id)
	}
	r.BalanceWarnings = r.PassedWarnings(now(ctx))
	r.Escrowed, r.Escrow = r.Escrowed.Add(added.Amount), r.Escrow.Add(added.Amount)
	if err := k.book(ctx, r); err != nil {
		return err
	}
	if err := k.requeue(ctx, params, &r); err != nil {
		return err
	}
	return emit(ctx, &types.EventRentalExtended{RentalId: id, Added: added, EndsAt: ends})
}

func (k *Keeper) extendable(ctx context.Context, params types.Params, r types.Rental, addSeconds uint64) error {
	listing, err := k.Listing(ctx, r.ListingId)
	if err != nil {
		return err
	}
	if listing.Status != types.LISTING_STATUS_OPEN {
		return types.ErrListingNotOpen.Wrapf("listing %d is %s", listing.Id, listing.Status)
	}
	if addSeconds == 0 || addSeconds > params.MaxDurationSeconds { // keeps the sum from overflowing
		return types.ErrInvalidDuration.Wrapf("%d s more, want 1 to %d", addSeconds, params.MaxDurationSeconds)
	}
	if err := params.CheckDuration(listing, r.DurationSeconds+addSeconds); err != nil {
		return err
	}
	_, err = k.checkProvider(ctx, listing)
	return err
}
