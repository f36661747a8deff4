package keeper

import (
	"context"
	"time"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// Settle pays what is due of each rental, whoever asks. An active rental is paid
// up to now, but no further than the host has proven. It returns what this call
// paid, per rental and in its order. A parked rental is taken up again here.
func (k *Keeper) Settle(ctx context.Context, ids []uint64) ([]sdk.Coin, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if n := len(ids); n == 0 || n > int(params.MaxSettleBatch) {
		return nil, types.ErrInvalidSettle.Wrapf("%d rentals, want 1 to %d", n, params.MaxSettleBatch)
	}
	paid := make([]sdk.Coin, len(ids))
	for i, id := range ids {
		if paid[i], err = k.settleOne(ctx, params, id); err != nil {
			return nil, err
		}
	}
	return paid, nil
}

func (k *Keeper) settleOne(ctx context.Context, params types.Params, id uint64) (sdk.Coin, error) {
	before, err := k.Rental(ctx, id)
	if err != nil {
		return sdk.Coin{}, err
	}
	r, err := k.advance(ctx, params, before)
	if err != nil {
		return sdk.Coin{}, errorsmod.Wrapf(err, "rental %d", id)
	}
	if r.State == types.RENTAL_STATE_ACTIVE {
		changed, err := k.payProven(ctx, params, &r, now(ctx))
		if err != nil {
			return sdk.Coin{}, errorsmod.Wrapf(err, "rental %d", id)
		}
		if changed {
			if err := k.rentals.Set(ctx, id, r); err != nil {
				return sdk.Coin{}, err
			}
		}
	}
	return sdk.NewCoin(r.Price.Denom, r.Paid.Sub(before.Paid)), nil
}

// payProven pays an active rental up to time at, but no further than its host has
// proven. The caller stores the rental when it changed.
func (k *Keeper) payProven(ctx context.Context, params types.Params, r *types.Rental, at time.Time) (changed bool, err error) {
	counted, err := k.count(ctx, params, r, at)
	if err != nil {
		return false, err
	}
	until, err := k.provenUntil(ctx, *r)
	if err != nil {
		return false, err
	}
	if at.Before(until) {
		until = at
	}
	paid, err := k.payUntil(ctx, params, r, until)
	return counted || paid, err
}

// payUntil bills a started rental up to until and pays what that adds to the
// total. It never takes back: an earlier time than the last one changes nothing.
// The caller stores the rental when it changed.
func (k *Keeper) payUntil(ctx context.Context, params types.Params, r *types.Rental, until time.Time) (changed bool, err error) {
	if until.After(*r.EndsAt) {
		until = *r.EndsAt
	}
	if !until.After(*r.PaidUntil) {
		return false, nil
	}
	a := *r.Availability
	missed := a.PendingSeconds
	a.UnbilledSeconds, a.PendingSeconds = a.UnbilledSeconds+missed, 0
	from := *r.PaidUntil
	r.Availability, r.PaidUntil = &a, &until
	return true, k.pay(ctx, params, r, r.PayableAt(until).Sub(r.Paid), from, until, missed)
}

// pay pays so much of the escrow, for the time between from and until without the
// missed seconds in it. The bond of a reservation falls with the escrow.
func (k *Keeper) pay(
	ctx context.Context, params types.Params, r *types.Rental, due math.Int, from, until time.Time, missed uint64,
) error {
	if !due.IsPositive() {
		return nil
	}
	r.Paid, r.Escrow = r.Paid.Add(due), r.Escrow.Sub(due)
	parts, err := k.payOut(ctx, params, *r, due, types.Payment{From: from, To: until, Missed: missed})
	if err != nil {
		return err
	}
	if err := emit(ctx, &types.EventRentalSettled{
		RentalId: r.Id, Paid: sdk.NewCoin(r.Price.Denom, due),
		Provider: parts.Provider.String(), Stakers: parts.Stakers.String(), Treasury: parts.Treasury.String(),
		Burned: parts.Burned.String(), Rest: parts.Rest.String(), PaidUntil: until,
	}); err != nil {
		return err
	}
	return k.lowerBond(ctx, params, r)
}
