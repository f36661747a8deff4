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
	if r.StartedAt == nil {
		return now(ctx), k.cancel(ctx, params, &r)
	}
	return now(ctx), k.closeEarly(ctx, params, &r, types.CLOSE_REASON_RENTER_CLOSED)
}

func (k *Keeper) closeByOperator(ctx context.Context, params types.Params, r types.Rental) (time.Time, error) {
	if r.StartedAt == nil {
		return now(ctx), k.close(ctx, params, &r, types.CLOSE_REASON_OPERATOR_DECLINED, now(ctx), now(ctx))
	}
	if r.NoticeEndsAt != nil {
		return time.Time{}, types.ErrNoticeGiven.Wrapf("rental %d: it is over at %s", r.Id, r.NoticeEndsAt.Format(time.RFC3339))
	}
	notice, err := k.noticeOf(ctx, params, r)
	if err != nil {
		return time.Time{}, err
	}
	if notice == 0 {
		return now(ctx), k.closeEarly(ctx, params, &r, types.CLOSE_REASON_OPERATOR_CLOSED)
	}
	ends := now(ctx).Add(notice)
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

// noticeOf is how long the operator must wait before its close: what the listing
// says, and for an interruptible rental what a preemption would give.
func (k *Keeper) noticeOf(ctx context.Context, params types.Params, r types.Rental) (time.Duration, error) {
	if r.Type == types.RENTAL_TYPE_INTERRUPTIBLE {
		return params.PreemptNotice, nil
	}
	listing, err := k.Listing(ctx, r.ListingId)
	return seconds(listing.NoticeSeconds), err
}

// closeEarly closes a started rental now, for somebody's wish. Whoever ends a healthy
// workload early on the renter's side pays at least the minimum charge.
func (k *Keeper) closeEarly(ctx context.Context, params types.Params, r *types.Rental, reason types.CloseReason) error {
	until, failing, err := k.billedUntil(ctx, params, r, now(ctx))
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

// billedUntil counts the slots judged by time at and returns up to when a rental
// that ends then is billed: at itself, or the start of the run of failed slots
// when the newest judged ones failed.
func (k *Keeper) billedUntil(
	ctx context.Context, params types.Params, r *types.Rental, at time.Time,
) (until time.Time, failing bool, err error) {
	if _, err := k.count(ctx, params, r, at); err != nil || !r.Availability.Failing() {
		return at, false, err
	}
	until, err = k.provenUntil(ctx, *r)
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
	if r.StartedAt == nil { // preempted before its start
		return k.close(ctx, params, r, reason, at, at)
	}
	until, _, err := k.billedUntil(ctx, params, r, at)
	if err != nil {
		return err
	}
	return k.close(ctx, params, r, reason, at, until)
}

// close ends the rental as of time at: a started one is billed up to until, the
// operator pays for what it did not deliver, the GPUs are free, and what is left
// of the renter's money returns. It stores the rental.
func (k *Keeper) close(ctx context.Context, params types.Params, r *types.Rental, reason types.CloseReason, at, until time.Time) error {
	if r.StartedAt != nil {
		if err := k.finish(ctx, params, r, until); err != nil {
			return err
		}
	}
	if err := k.unbook(ctx, *r); err != nil {
		return err
	}
	r.CloseReason = reason
	if bond := r.Bonded(); bond.IsPositive() && reason.OperatorFailed() {
		if err := k.forfeit(ctx, r, at); err != nil {
			return err
		}
	} else if err := k.setBond(ctx, r, math.ZeroInt()); err != nil {
		return err
	}
	if err := k.failOver(ctx, params, r, reason); err != nil {
		return err
	}
	refund, err := k.refund(ctx, r)
	if err != nil {
		return err
	}
	if r.StartedAt != nil {
		if err := k.indexPrice(ctx, params, *r, at); err != nil {
			return err
		}
	}
	r.State, r.ClosedAt = types.RENTAL_STATE_CLOSED, &at
	if err := k.requeue(ctx, params, r); err != nil {
		return err
	}
	return emit(ctx, &types.EventRentalClosed{
		RentalId: r.Id, HostId: r.HostId, Reason: reason, Refunded: refund, ClosedAt: at,
	})
}

// finish pays a started rental up to until and settles what the operator owes:
// the penalty of a run of missed slots that is not over, and the service credit.
func (k *Keeper) finish(ctx context.Context, params types.Params, r *types.Rental, until time.Time) error {
	if _, err := k.payUntil(ctx, params, r, until); err != nil {
		return err
	}
	a := *r.Availability
	if over := a.EndIncident(); over.Seconds > 0 {
		if err := k.punishOffline(ctx, params, *r, &a, over); err != nil {
			return err
		}
	}
	r.Availability = &a
	if err := k.creditService(ctx, params, r); err != nil {
		return err
	}
	return k.notRunning.Clear(ctx, collections.NewPrefixedPairRange[uint64, uint64](r.Id))
}

// refund returns to the renter all that is still held for the rental. The result
// is what came out of escrow.
func (k *Keeper) refund(ctx context.Context, r *types.Rental) (sdk.Coin, error) {
	fromEscrow := sdk.NewCoin(r.Price.Denom, r.Escrow)
	if held := sdk.NewCoin(r.Price.Denom, r.Held()); held.IsPositive() {
		renter, err := k.addressCodec.StringToBytes(r.Renter)
		if err != nil {
			return sdk.Coin{}, err
		}
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, renter, sdk.NewCoins(held)); err != nil {
			return sdk.Coin{}, errorsmod.Wrapf(err, "refund %s to %s", held, r.Renter)
		}
	}
	r.Refunded, r.Escrow = r.Escrow, math.ZeroInt()
	if r.Failover != nil {
		f := *r.Failover
		f.Reserve = math.ZeroInt()
		r.Failover = &f
	}
	dropBalance(r)
	return fromEscrow, nil
}
