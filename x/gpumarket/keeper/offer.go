package keeper

import (
	"context"
	"slices"
	"time"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// ask is what is wanted of a listing, whoever wants it.
type ask struct {
	gpus          uint32
	seconds       uint64
	startAt       *time.Time // nil: now
	interruptible bool
	maxPrice      *sdk.Coin // per GPU and hour; nil: any price
}

// offer is what a listing can give.
type offer struct {
	kind    types.RentalType
	price   sdk.Coin
	escrow  sdk.Coin
	bond    math.Int
	startAt time.Time
	gpus    []uint32
	victims []uint64 // interruptible rentals that end for it, ascending
}

// findOffer checks what does not depend on who rents. Its error is the obstacle
// that Quote explains.
func (k *Keeper) findOffer(ctx context.Context, params types.Params, l types.Listing, a ask) (offer, error) {
	if l.Status != types.LISTING_STATUS_OPEN {
		return offer{}, types.ErrListingNotOpen.Wrapf("listing %d is %s", l.Id, l.Status)
	}
	if a.gpus == 0 || int64(a.gpus) > int64(len(l.Gpus)) {
		return offer{}, types.ErrInvalidGPUs.Wrapf("gpu_count is %d, want 1 to %d", a.gpus, len(l.Gpus))
	}
	if err := params.CheckDuration(l, a.seconds); err != nil {
		return offer{}, err
	}
	o, err := k.terms(ctx, params, l, a)
	if err != nil {
		return offer{}, err
	}
	if a.maxPrice != nil {
		if err := checkMaxPrice(o.price, *a.maxPrice); err != nil {
			return offer{}, err
		}
	}
	if err := params.CheckPrice(o.price); err != nil { // the params may have changed since
		return offer{}, err
	}
	o.escrow = sdk.NewCoin(o.price.Denom, types.AmountFor(o.price.Amount, int(a.gpus), a.seconds))
	if !o.escrow.IsPositive() {
		return offer{}, types.ErrInvalidDuration.Wrapf("%d s cost less than one %s", a.seconds, o.price.Denom)
	}
	if o.kind == types.RENTAL_TYPE_RESERVED {
		o.bond = params.BondFor(o.escrow.Amount)
	}
	host, err := k.checkProvider(ctx, l)
	if err != nil {
		return offer{}, err
	}
	return o, k.pickGPUs(ctx, params, l, host, a, &o)
}

// terms returns the kind of the rental, its price and its start.
func (k *Keeper) terms(ctx context.Context, params types.Params, l types.Listing, a ask) (offer, error) {
	o := offer{kind: types.RENTAL_TYPE_ON_DEMAND, price: l.Price, startAt: now(ctx), bond: math.ZeroInt()}
	switch {
	case a.interruptible && l.InterruptiblePrice == nil:
		return offer{}, types.ErrNotInterruptible.Wrapf("listing %d", l.Id)
	case a.interruptible && a.startAt != nil:
		return offer{}, types.ErrInvalidStart.Wrap("an interruptible rental starts now")
	case a.interruptible:
		o.kind, o.price = types.RENTAL_TYPE_INTERRUPTIBLE, *l.InterruptiblePrice
	case a.startAt != nil:
		if err := params.CheckStart(l, now(ctx), *a.startAt); err != nil {
			return offer{}, err
		}
		denom, err := k.staking.StakeDenom(ctx)
		if err != nil {
			return offer{}, err
		}
		if l.Price.Denom != denom {
			return offer{}, types.ErrNotReservable.Wrapf("the bond is in %s, the price in %s", denom, l.Price.Denom)
		}
		o.kind, o.startAt = types.RENTAL_TYPE_RESERVED, *a.startAt
	}
	return o, nil
}

// checkProvider tells whether the listing's operator and host may be rented from.
func (k *Keeper) checkProvider(ctx context.Context, l types.Listing) (attestationtypes.Host, error) {
	operator, err := k.addressCodec.StringToBytes(l.Operator)
	if err != nil {
		return attestationtypes.Host{}, err
	}
	if err := k.staking.EnsureRentable(ctx, operator); err != nil {
		return attestationtypes.Host{}, err
	}
	host, err := k.attestation.Host(ctx, l.HostId)
	if err != nil {
		return attestationtypes.Host{}, err
	}
	if host.Status != attestationtypes.HOST_STATUS_ACTIVE {
		return attestationtypes.Host{}, types.ErrHostNotActive.Wrapf("host %d is %s", l.HostId, host.Status)
	}
	return host, nil
}

// pickGPUs picks the lowest ordinals of the listing that are free for the longest
// time that the rental can take, and still of the listed class. When they are too
// few, it also takes those of interruptible rentals, as many as needed: the rental
// then starts no sooner than their notice is over.
func (k *Keeper) pickGPUs(
	ctx context.Context, params types.Params, l types.Listing, host attestationtypes.Host, a ask, o *offer,
) error {
	length := params.StartTimeout + seconds(a.seconds)
	count := int(a.gpus)
	found, err := k.freeGPUs(ctx, params, l, host, count, o.startAt, o.startAt.Add(length))
	if err != nil {
		return err
	}
	if o.gpus = found.free; len(o.gpus) == count {
		return nil
	}
	enough := len(found.free)+len(found.held) >= count
	if soonest := now(ctx).Add(params.PreemptNotice); !a.interruptible && enough {
		if o.startAt.Before(soonest) {
			o.startAt = soonest
		}
		if found, err = k.freeGPUs(ctx, params, l, host, count, o.startAt, o.startAt.Add(length)); err != nil {
			return err
		}
		if need := count - len(found.free); need <= len(found.held) {
			o.gpus = slices.Concat(found.free, found.held[:need])
			slices.Sort(o.gpus)
			o.victims = slices.Clone(found.holders[:need])
			slices.Sort(o.victims)
			o.victims = slices.Compact(o.victims)
			return nil
		}
	}
	if found.changed {
		return types.ErrClassChanged.Wrapf("listing %d has %d free GPUs that are still %s, want %d",
			l.Id, len(found.free), l.Class, count)
	}
	return types.ErrNoFreeGPUs.Wrapf("listing %d has %d, want %d for up to %d s", l.Id, len(found.free), count, length/time.Second)
}

// found is what a listing has in a window, in ascending order.
type found struct {
	free []uint32
	// held are GPUs that only an interruptible rental is in the way of, and
	// holders those rentals.
	held    []uint32
	holders []uint64
	// changed: a free GPU is no longer of the listed class.
	changed bool
}

// freeGPUs looks for count free GPUs in the window, by one seek for each GPU.
func (k *Keeper) freeGPUs(
	ctx context.Context, params types.Params, l types.Listing, host attestationtypes.Host, count int, from, to time.Time,
) (found, error) {
	var f found
	f.free = make([]uint32, 0, count)
	for _, ordinal := range l.Gpus {
		holder, busy, err := k.inTheWay(ctx, params, l.HostId, ordinal, from, to)
		if err != nil {
			return found{}, err
		}
		if busy {
			continue
		}
		same, err := k.sameClass(ctx, l, host, ordinal)
		if err != nil {
			return found{}, err
		}
		switch {
		case !same:
			f.changed = true
		case holder != 0:
			f.held, f.holders = append(f.held, ordinal), append(f.holders, holder)
		default:
			if f.free = append(f.free, ordinal); len(f.free) == count {
				return f, nil
			}
		}
	}
	return f, nil
}

// inTheWay looks for a booking of the GPU in the window. Bookings never overlap, so
// it is enough to look at the last one that begins before the window's end. busy is
// a booking that stays; holder, one of an interruptible rental that can end.
// Those begin at once, so no other booking is between them and the window.
func (k *Keeper) inTheWay(
	ctx context.Context, params types.Params, host uint64, ordinal uint32, from, to time.Time,
) (holder uint64, busy bool, err error) {
	last, ok, err := k.lastBooking(ctx, params, host, ordinal, to)
	switch {
	case err != nil || !ok:
		return 0, false, err
	case last.FreeAfter(now(ctx)): // over, but its rental cannot be closed
		return 0, true, nil
	case last.FreeAfter(from):
		return 0, false, nil
	case last.Interruptible:
		return last.RentalId, false, nil
	}
	return 0, true, nil
}

// lastBooking is the GPU's last booking that begins before t, without those that
// are over: their rentals are closed, or renewed, on the way.
func (k *Keeper) lastBooking(
	ctx context.Context, params types.Params, host uint64, ordinal uint32, t time.Time,
) (types.Booking, bool, error) {
	b, ok, err := k.bookingBefore(ctx, host, ordinal, t)
	for err == nil && ok && b.FreeAfter(now(ctx)) {
		overdue := b
		k.releaseOverdue(ctx, params, overdue.RentalId)
		if b, ok, err = k.bookingBefore(ctx, host, ordinal, t); b.Start.Equal(overdue.Start) && b.End.Equal(overdue.End) {
			break
		}
	}
	return b, ok, err
}

// sameClass tells whether the GPU is still there and of the listed class.
func (k *Keeper) sameClass(ctx context.Context, l types.Listing, host attestationtypes.Host, ordinal uint32) (bool, error) {
	if ordinal >= host.GpuCount {
		return false, nil
	}
	gpu, err := k.attestation.GPU(ctx, l.HostId, ordinal)
	return gpu.Class == l.Class, err
}

// releaseOverdue takes up the rental whose booking is over but whose deadline has
// not been processed yet: at this very second, or because it carried over. One
// that fails keeps its booking, and is no error of the message that found it.
func (k *Keeper) releaseOverdue(ctx context.Context, params types.Params, id uint64) {
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	if _, err := k.touch(cached, params, id); err == nil {
		write()
	}
}
