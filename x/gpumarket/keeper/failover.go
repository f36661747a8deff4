package keeper

import (
	"context"
	"time"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// failOver re-places a rental that dies by no fault of its renter, if the renter
// asked for it. It never stops the close.
func (k *Keeper) failOver(ctx context.Context, params types.Params, r *types.Rental, reason types.CloseReason, at time.Time) error {
	if r.Failover == nil || !reason.Replaceable() {
		return nil
	}
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	by, fromEscrow, fromReserve, failure := k.replace(cached, params, *r, at)
	if failure != nil {
		return emit(ctx, &types.EventFailoverFailed{RentalId: r.Id, Error: failure.Error()})
	}
	write()
	f := *r.Failover
	f.ReplacedBy, f.Moved, f.Reserve = by.Id, fromEscrow, f.Reserve.Sub(fromReserve)
	r.Failover, r.Escrow = &f, r.Escrow.Sub(fromEscrow)
	return emit(ctx, &types.EventRentalReplaced{RentalId: r.Id, ReplacedBy: by.Id, HostId: by.HostId})
}

// replace opens a rental on another host for the unserved time of one that closes
// at time at. It returns the new rental and what it took for it of the old one's
// escrow and failover reserve; the caller returns the rest of both to the renter.
// The old rental is billed, and its GPUs are free.
func (k *Keeper) replace(
	_ context.Context, _ types.Params, _ types.Rental, _ time.Time,
) (by types.Rental, fromEscrow, fromReserve math.Int, err error) {
	return types.Rental{}, math.ZeroInt(), math.ZeroInt(), types.ErrNotImplemented.Wrap("failover")
}
