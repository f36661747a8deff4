package keeper

import (
	"context"
	"time"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// bookingKey is (host, ordinal, start).
type bookingKey = collections.Triple[uint64, uint32, time.Time]

var bookingKeyCodec = collections.TripleKeyCodec(collections.Uint64Key, collections.Uint32Key, sdk.TimeKey)

// bookingBefore returns the GPU's last booking that starts before t.
func (k *Keeper) bookingBefore(ctx context.Context, host uint64, ordinal uint32, t time.Time) (types.Booking, bool, error) {
	return k.seek(ctx, new(collections.Range[bookingKey]).
		StartInclusive(collections.TripleSuperPrefix[uint64, uint32, time.Time](host, ordinal)).
		EndExclusive(collections.Join3(host, ordinal, t)).
		Descending())
}

func (k *Keeper) seek(ctx context.Context, ranger collections.Ranger[bookingKey]) (b types.Booking, found bool, err error) {
	err = k.bookings.Walk(ctx, ranger, func(_ bookingKey, value types.Booking) (bool, error) {
		b, found = value, true
		return true, nil
	})
	return b, found, err
}

// gpuFree tells whether the GPU has no booking in [from, to), by one seek: the last
// booking that begins before the window's end must end before it begins. Bookings
// never overlap, so those before it ended even earlier.
func (k *Keeper) gpuFree(ctx context.Context, host uint64, ordinal uint32, from, to time.Time) (bool, error) {
	last, found, err := k.bookingBefore(ctx, host, ordinal, to)
	return err == nil && (!found || last.FreeAfter(from)), err
}

// book enters the rental's window for each of its GPUs.
func (k *Keeper) book(ctx context.Context, r types.Rental) error {
	if err := k.enter(ctx, r); err != nil {
		return err
	}
	return k.refreshGPUs(ctx, r.HostId, r.Gpus, false)
}

// enter is book without a look at the offers.
func (k *Keeper) enter(ctx context.Context, r types.Rental) error {
	start, end := r.Window()
	for _, ordinal := range r.Gpus {
		if err := k.bookings.Set(ctx, collections.Join3(r.HostId, ordinal, start),
			types.Booking{
				Start: start, End: end, RentalId: r.Id, Interruptible: r.Type == types.RENTAL_TYPE_INTERRUPTIBLE,
				Reserved: r.State == types.RENTAL_STATE_RESERVED,
			}); err != nil {
			return err
		}
	}
	return nil
}

// unbook frees the rental's GPUs.
func (k *Keeper) unbook(ctx context.Context, r types.Rental) error {
	start, _ := r.Window()
	for _, ordinal := range r.Gpus {
		if err := k.bookings.Remove(ctx, collections.Join3(r.HostId, ordinal, start)); err != nil {
			return err
		}
	}
	return k.refreshGPUs(ctx, r.HostId, r.Gpus, true)
}

// firstBooking returns the GPU's booking with the earliest start: the one that
// holds it now, or will next.
func (k *Keeper) firstBooking(ctx context.Context, host uint64, ordinal uint32) (types.Booking, bool, error) {
	return k.seek(ctx, new(collections.Range[bookingKey]).
		Prefix(collections.TripleSuperPrefix[uint64, uint32, time.Time](host, ordinal)))
}

// gpuBooked tells whether an open rental holds the GPU, now or later.
func (k *Keeper) gpuBooked(ctx context.Context, host uint64, ordinal uint32) (bool, error) {
	_, found, err := k.firstBooking(ctx, host, ordinal)
	return found, err
}
