package keeper

import (
	"context"
	"time"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// CloseRental ends a rental for its renter (at once) or its operator (after the
// listing's notice; before the start at once). It returns when the rental closes.
func (k *Keeper) CloseRental(ctx context.Context, sender sdk.AccAddress, id uint64) (time.Time, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return time.Time{}, err
	}
	r, err := k.Rental(ctx, id)
	if err != nil {
		return time.Time{}, err
	}
	senderStr, err := k.addressCodec.BytesToString(sender)
	if err != nil {
		return time.Time{}, err
	}
	if senderStr != r.Renter && senderStr != r.Operator {
		return time.Time{}, types.ErrNotOwner.Wrapf("rental %d is between %s and %s", id, r.Renter, r.Operator)
	}
	if !r.Open() {
		return time.Time{}, types.ErrRentalClosed.Wrapf("rental %d: %s", id, r.CloseReason)
	}
	if r, err = k.advance(ctx, params, r); err != nil {
		return time.Time{}, err
	}
	if !r.Open() { // its own deadline was first: what the sender asks for is done
		return *r.ClosedAt, nil
	}
	if senderStr == r.Operator {
		return k.closeByOperator(ctx, params, r)
	}
	reason := types.CLOSE_REASON_RENTER_CLOSED
	if r.State == types.RENTAL_STATE_PENDING {
		reason = types.CLOSE_REASON_RENTER_CANCELLED
	}
	return now(ctx), k.closeEarly(ctx, params, &r, reason)
}

func (k *Keeper) closeByOperator(ctx context.Context, params types.Params, r types.Rental) (time.Time, error) {
	if r.State == types.RENTAL_STATE_PENDING {
		return now(ctx), k.closeEarly(ctx, params, &r, types.CLOSE_REASON_OPERATOR_DECLINED)
	}
	if r.NoticeEndsAt != nil {
		return time.Time{}, types.ErrNoticeGiven.Wrapf("rental %d: it is over at %s", r.Id, r.NoticeEndsAt.Format(time.RFC3339))
	}
	listing, err := k.Listing(ctx, r.ListingId)
	if err != nil {
		return time.Time{}, err
	}
	if listing.NoticeSeconds == 0 {
		return now(ctx), k.closeEarly(ctx, params, &r, types.CLOSE_REASON_OPERATOR_CLOSED)
	}
	ends := now(ctx).Add(seconds(listing.NoticeSeconds))
	r.NoticeEndsAt = &ends
	if err := k.requeue(ctx, params, &r); err != nil {
		return time.Time{}, err
	}
	closes := ends
	if r.EndsAt.Before(closes) {
		closes = *r.EndsAt
	}
	return closes, emit(ctx, &types.EventNoticeGiven{RentalId: r.Id, EndsAt: ends})
}

// closeEarly closes the rental now, for somebody's wish. Whoever ends a healthy
// workload early on the renter's side pays at least the minimum charge.
func (k *Keeper) closeEarly(ctx context.Context, params types.Params, r *types.Rental, reason types.CloseReason) error {
	if r.State == types.RENTAL_STATE_PENDING {
		return k.close(ctx, params, r, reason, now(ctx), now(ctx))
	}
	until, failing, err := k.billedUntil(ctx, *r, now(ctx))
	if err != nil {
		return err
	}
	byRenter := reason == types.CLOSE_REASON_RENTER_CLOSED || reason == types.CLOSE_REASON_WORKLOAD_EXITED
	if byRenter && !failing {
		served := types.ServedSeconds(*r.StartedAt, until)
		if charged := types.ChargedSeconds(served, params.MinChargeSeconds, r.DurationSeconds); charged > served {
			until = r.StartedAt.Add(seconds(charged))
		}
	}
	return k.close(ctx, params, r, reason, now(ctx), until)
}

// billedUntil returns up to when a rental that ends at time at is billed: at
// itself, or the start of the run of failed slots when the newest judged ones
// failed.
func (k *Keeper) billedUntil(ctx context.Context, r types.Rental, at time.Time) (until time.Time, failing bool, err error) {
	v, err := k.verdict(ctx, r, at)
	if err != nil || !v.Failing() {
		return at, false, err
	}
	until, err = k.provenUntil(ctx, v)
	if err != nil {
		return time.Time{}, false, err
	}
	if until.After(at) {
		until = at
	}
	return until, true, nil
}

// closeAtDeadline closes a rental whose time or notice is over at time at.
func (k *Keeper) closeAtDeadline(ctx context.Context, params types.Params, r *types.Rental, reason types.CloseReason, at time.Time) error {
	until, _, err := k.billedUntil(ctx, *r, at)
	if err != nil {
		return err
	}
	return k.close(ctx, params, r, reason, at, until)
}

// close ends the rental as of time at: a started one is billed up to until,
// what is left in escrow returns to the renter, the GPUs are free. The caller
// stores the rental.
func (k *Keeper) close(ctx context.Context, params types.Params, r *types.Rental, reason types.CloseReason, at, until time.Time) error {
	if r.StartedAt != nil {
		if _, err := k.payUntil(ctx, params, r, until); err != nil {
			return err
		}
	}
	refund := sdk.NewCoin(r.Price.Denom, r.Escrow)
	if refund.IsPositive() {
		renter, err := k.addressCodec.StringToBytes(r.Renter)
		if err != nil {
			return err
		}
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, renter, sdk.NewCoins(refund)); err != nil {
			return errorsmod.Wrapf(err, "refund %s to %s", refund, r.Renter)
		}
	}
	if err := k.unbook(ctx, *r); err != nil {
		return err
	}
	if r.StartedAt != nil {
		if err := k.notRunning.Clear(ctx, collections.NewPrefixedPairRange[uint64, uint64](r.Id)); err != nil {
			return err
		}
	}
	r.State, r.CloseReason, r.ClosedAt = types.RENTAL_STATE_CLOSED, reason, &at
	r.Refunded, r.Escrow = r.Escrow, math.ZeroInt()
	if err := k.requeue(ctx, params, r); err != nil {
		return err
	}
	return emit(ctx, &types.EventRentalClosed{
		RentalId: r.Id, HostId: r.HostId, Reason: reason, Refunded: refund, ClosedAt: at,
	})
}
