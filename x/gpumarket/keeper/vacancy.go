package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// vacancy tells whether the listing can give a GPU now: to anybody (free), and to
// a rental that may take it from an interruptible one (takeable).
//
// A GPU counts as held from the start of a booking until the booking is removed,
// so that time alone never makes a listing vacant without a write here.
func (k *Keeper) vacancy(ctx context.Context, l types.Listing) (free, takeable bool, err error) {
	for _, ordinal := range l.Gpus {
		b, held, err := k.bookingBefore(ctx, l.HostId, ordinal, now(ctx).Add(time.Nanosecond))
		if err != nil {
			return false, false, err
		}
		if !held {
			return true, true, nil
		}
		if takeable {
			continue
		}
		if takeable, err = k.preemptible(ctx, b.RentalId); err != nil {
			return false, false, err
		}
	}
	return false, takeable, nil
}

// preemptible tells whether another rental may take the GPUs of this one. A rental
// is stored before it is booked, so that it can be asked for here.
func (k *Keeper) preemptible(ctx context.Context, rentalID uint64) (bool, error) {
	r, err := k.rentals.Get(ctx, rentalID)
	return r.Type == types.RENTAL_TYPE_INTERRUPTIBLE && r.PreemptedBy == 0, err
}

// refreshVacancy brings the vacant sets in step with the calendar.
func (k *Keeper) refreshVacancy(ctx context.Context, l types.Listing) error {
	if !offered(l) {
		return nil
	}
	free, takeable, err := k.vacancy(ctx, l)
	if err != nil {
		return err
	}
	for _, s := range [...]struct {
		set types.OfferSet
		in  bool
	}{{types.OffersVacant, takeable}, {types.InterruptibleVacant, free}} {
		keys, err := offerKeys(l, s.set)
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			continue
		}
		is, err := k.offers.Has(ctx, keys[0])
		if err != nil {
			return err
		}
		if is == s.in {
			continue
		}
		if err := k.setOffer(ctx, l, s.set, s.in); err != nil {
			return err
		}
	}
	return nil
}

// refreshGPUs does so for the listings that hold these GPUs now: not always the
// one that they were rented from.
func (k *Keeper) refreshGPUs(ctx context.Context, host uint64, ordinals []uint32) error {
	var last uint64
	for _, ordinal := range ordinals {
		id, err := k.listedGPUs.Get(ctx, collections.Join(host, ordinal))
		if errors.Is(err, collections.ErrNotFound) || err == nil && id == last {
			continue
		}
		if err != nil {
			return err
		}
		last = id
		l, err := k.listings.Get(ctx, id)
		if err != nil {
			return err
		}
		if err := k.refreshVacancy(ctx, l); err != nil {
			return err
		}
	}
	return nil
}
