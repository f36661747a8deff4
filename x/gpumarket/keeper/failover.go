package keeper

import (
	"context"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// failOver re-places a rental that dies by no fault of its renter, if the renter
// asked for it. It never stops the close.
func (k *Keeper) failOver(ctx context.Context, params types.Params, r *types.Rental, reason types.CloseReason) error {
	if r.Failover == nil || !reason.Replaceable() {
		return nil
	}
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	by, fromEscrow, fromReserve, failure := k.replace(cached, params, *r)
	if failure != nil {
		return emit(ctx, &types.EventFailoverFailed{RentalId: r.Id, Error: failure.Error()})
	}
	write()
	f := *r.Failover
	f.ReplacedBy, f.Moved, f.Reserve = by.Id, fromEscrow, f.Reserve.Sub(fromReserve)
	r.Failover, r.Escrow = &f, r.Escrow.Sub(fromEscrow)
	return emit(ctx, &types.EventRentalReplaced{RentalId: r.Id, ReplacedBy: by.Id, HostId: by.HostId})
}

// raiseReserve makes the failover reserve cover the rental's new duration; it
// returns what that takes of the renter.
func (k *Keeper) raiseReserve(r *types.Rental) math.Int {
	if r.Failover == nil {
		return math.ZeroInt()
	}
	f := *r.Failover
	f.Reserve = types.ReserveFor(*r)
	added := f.Reserve.Sub(r.Failover.Reserve)
	r.Failover = &f
	return added
}

// failoverScan is how many offers a failover reads at most: many rentals can die
// in one block, and all of them search in it.
const failoverScan = 32

// replace opens a rental on another host for the unserved time of one that closes.
// It returns the new rental and what it took for it of the old one's escrow and
// failover reserve; the caller returns the rest of both to the renter. The old
// rental is billed, and its GPUs are free.
//
// The two always suffice: what the old one still holds is at least
// floor(max price × GPUs × unserved / 3600), all that the new one can need.
func (k *Keeper) replace(
	ctx context.Context, params types.Params, r types.Rental,
) (by types.Rental, fromEscrow, fromReserve math.Int, err error) {
	none := math.ZeroInt()
	renter, err := k.addressCodec.StringToBytes(r.Renter)
	if err != nil {
		return by, none, none, err
	}
	l, err := k.Listing(ctx, r.ListingId)
	if err != nil {
		return by, none, none, err
	}
	m, err := k.place(ctx, params, renter, search{
		req: types.ComputeRequest{
			Class: l.Class, GpuCount: uint32(len(r.Gpus)), DurationSeconds: r.UnservedSeconds(),
			MaxPrice: r.Failover.MaxPrice, Placement: types.PLACEMENT_ONE_HOST,
			ManifestDigest: r.ManifestDigest, CloseOnExit: r.CloseOnExit, FailoverMaxPrice: &r.Failover.MaxPrice,
			Interruptible: r.Type == types.RENTAL_TYPE_INTERRUPTIBLE,
		},
		scan: failoverScan, gang: 1, notHost: r.HostId, alive: true, replaces: r.Id,
	})
	if err != nil {
		return by, none, none, err
	}
	fromEscrow = math.MinInt(r.Escrow, m.cost.Amount)
	fromReserve = m.cost.Amount.Sub(fromEscrow)
	if fromReserve.GT(r.Failover.Reserve) {
		return by, none, none, types.ErrInvalidFailover.Wrapf("%s and %s held, the replacement needs %s",
			r.Escrow, r.Failover.Reserve, m.cost)
	}
	return m.rentals[0], fromEscrow, fromReserve, nil
}
