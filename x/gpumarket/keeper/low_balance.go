package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// warn tells the renter that the rental's end is near, unless its subscription
// pays for the next period.
func (k *Keeper) warn(ctx context.Context, params types.Params, r *types.Rental) error {
	if _, number, ok := r.NextWarning(); ok {
		r.BalanceWarnings = number
	}
	if err := k.requeue(ctx, params, r); err != nil {
		return err
	}
	if r.Subscription != nil && r.CoversNext() == nil {
		return nil
	}
	return emit(ctx, &types.EventBalanceLow{RentalId: r.Id, Renter: r.Renter, EndsAt: *r.EndsAt})
}
