package keeper

import (
	"context"
	"errors"
	"slices"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// vacancy tells whether the listing can give a GPU now: to anybody (free), and to
// a rental that may take it from an interruptible one (takeable).
//
// A GPU is held from the message that rents it, or from the moment a reservation
// becomes due, until the booking is removed: the answer depends on what is
// stored and never on the time alone. The GPUs that were just freed come first, then
// the others from the highest ordinal down: rentals take the lowest ones, so what is
// free is mostly found at once.
func (k *Keeper) vacancy(ctx context.Context, l types.Listing, freed []uint32) (free, takeable bool, err error) {
	order := slices.Clone(l.Gpus)
	slices.Reverse(order)
	for _, ordinal := range slices.Concat(freed, order) {
		b, found, err := k.firstBooking(ctx, l.HostId, ordinal)
		if err != nil {
			return false, false, err
		}
		if !found || b.Reserved {
			return true, true, nil
		}
		takeable = takeable || b.Interruptible
	}
	return false, takeable, nil
}

// refreshVacancy brings the vacant sets in step with the calendar, in which some of
// the listing's GPUs were freed, if any.
func (k *Keeper) refreshVacancy(ctx context.Context, l types.Listing, freed []uint32) error {
	if !offered(l) {
		return nil
	}
	free, takeable, err := k.vacancy(ctx, l, freed)
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

// refreshGPUs does so for the listings that hold these GPUs now, which were freed or
// else booked: not always the one that they were rented from.
func (k *Keeper) refreshGPUs(ctx context.Context, host uint64, ordinals []uint32, freed bool) error {
	for i := 0; i < len(ordinals); {
		id, err := k.listedGPUs.Get(ctx, collections.Join(host, ordinals[i]))
		if errors.Is(err, collections.ErrNotFound) {
			i++
			continue
		} else if err != nil {
			return err
		}
		l, err := k.listings.Get(ctx, id)
		if err != nil {
			return err
		}
		first := i
		for i++; i < len(ordinals) && slices.Contains(l.Gpus, ordinals[i]); i++ {
		}
		changed := ordinals[first:i]
		if !freed {
			changed = nil
		}
		if err := k.refreshVacancy(ctx, l, changed); err != nil {
			return err
		}
	}
	return nil
}
