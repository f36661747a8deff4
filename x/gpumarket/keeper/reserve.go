package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// lockBond locks the operator's stake that answers for a reservation.
func (k *Keeper) lockBond(ctx context.Context, l types.Listing, bond math.Int) error {
	if !bond.IsPositive() {
		return nil
	}
	operator, err := k.addressCodec.StringToBytes(l.Operator)
	if err != nil {
		return err
	}
	if err := k.staking.LockBond(ctx, operator, bond); err != nil {
		return errorsmod.Wrapf(types.ErrNoBond, "listing %d: a bond of %s: %s", l.Id, bond, err)
	}
	return nil
}

// lowerBond releases what the bond is over its part of the escrow that is not
// served yet, so that it is released with delivery. It never rises: time that is
// added later is not bonded.
func (k *Keeper) lowerBond(ctx context.Context, params types.Params, r *types.Rental) error {
	return k.setBond(ctx, r, math.MinInt(r.Bonded(), params.BondFor(r.Escrow)))
}

func (k *Keeper) setBond(ctx context.Context, r *types.Rental, left math.Int) error {
	released := r.Bonded().Sub(left)
	if !released.IsPositive() {
		return nil
	}
	operator, err := k.addressCodec.StringToBytes(r.Operator)
	if err != nil {
		return err
	}
	if err := k.staking.ReleaseBond(ctx, operator, released); err != nil {
		return errorsmod.Wrapf(err, "release %s of the bond of rental %d", released, r.Id)
	}
	res := *r.Reservation
	res.Bond = left
	r.Reservation = &res
	return emit(ctx, &types.EventBondReleased{RentalId: r.Id, Released: released.String(), Left: left.String()})
}

// startDue lets a reserved rental wait for its start.
func (k *Keeper) startDue(ctx context.Context, params types.Params, r *types.Rental) error {
	r.State = types.RENTAL_STATE_PENDING
	if err := k.book(ctx, *r); err != nil { // the same keys: from now on it holds its GPUs
		return err
	}
	if err := k.requeue(ctx, params, r); err != nil {
		return err
	}
	return emit(ctx, &types.EventStartDue{RentalId: r.Id, HostId: r.HostId, StartBy: r.StartBy})
}

// cancel closes a rental that has not started for its renter, now. A reservation
// that is cancelled late pays for it, and so does a rental that preempted others:
// to end them must not be free.
func (k *Keeper) cancel(ctx context.Context, params types.Params, r *types.Rental) error {
	if r.Reservation != nil {
		fee := params.CancelFee(r.Escrow, r.Reservation.StartAt, now(ctx))
		if err := k.pay(ctx, params, r, fee, now(ctx), now(ctx), 0); err != nil {
			return err
		}
	}
	return k.close(ctx, params, r, types.CLOSE_REASON_RENTER_CANCELLED, now(ctx), now(ctx))
}
