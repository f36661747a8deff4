package keeper

import (
	"context"
	"time"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// preempt ends an interruptible rental at time at for the rental by, which needs
// its GPUs: all of its bookings end then. One that ends earlier by a notice or by
// another preemption keeps the earlier time.
func (k *Keeper) preempt(ctx context.Context, params types.Params, id, by uint64, at time.Time) error {
	r, err := k.Rental(ctx, id)
	if err != nil {
		return err
	}
	if r.NoticeEndsAt == nil || at.Before(*r.NoticeEndsAt) {
		r.NoticeEndsAt = &at
	}
	r.PreemptedBy = by
	if err := k.book(ctx, r); err != nil { // the same keys, an earlier end
		return err
	}
	if err := k.requeue(ctx, params, &r); err != nil {
		return err
	}
	return emit(ctx, &types.EventRentalPreempted{RentalId: id, HostId: r.HostId, By: by, EndsAt: *r.NoticeEndsAt})
}
