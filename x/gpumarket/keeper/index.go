package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// The two index sets below are one collections.Index each instead of several
// indexes.Multi: a Multi reads the old value again for every index and rewrites
// its entry even when nothing changed, and a rental is written on a hot path.

type (
	byAddress = collections.KeySet[collections.Pair[sdk.AccAddress, uint64]]
	byNumber  = collections.KeySet[collections.Pair[uint64, uint64]]
)

// listingIndexes are the ways to find a listing other than by its id. What they
// index never changes, and listings are never removed.
type listingIndexes struct {
	addressCodec address.Codec
	operator     byAddress
	host         byNumber
	class        collections.KeySet[collections.Pair[string, uint64]]
}

func newListingIndexes(sb *collections.SchemaBuilder, addressCodec address.Codec) listingIndexes {
	secondary := collections.WithKeySetSecondaryIndex()
	return listingIndexes{
		addressCodec: addressCodec,
		operator: collections.NewKeySet(sb, types.ListingsByOperatorPrefix, "listings_by_operator",
			collections.PairKeyCodec(sdk.AccAddressKey, collections.Uint64Key), secondary),
		host: collections.NewKeySet(sb, types.ListingsByHostPrefix, "listings_by_host",
			collections.PairKeyCodec(collections.Uint64Key, collections.Uint64Key), secondary),
		class: collections.NewKeySet(sb, types.ListingsByClassPrefix, "listings_by_class",
			collections.PairKeyCodec(collections.StringKey, collections.Uint64Key), secondary),
	}
}

// IndexesList implements collections.Indexes.
func (i listingIndexes) IndexesList() []collections.Index[uint64, types.Listing] {
	return []collections.Index[uint64, types.Listing]{i}
}

// Reference implements collections.Index.
func (i listingIndexes) Reference(ctx context.Context, id uint64, l types.Listing, old func() (types.Listing, error)) error {
	if _, err := old(); !errors.Is(err, collections.ErrNotFound) {
		return err // nil when the listing, and so its entries, exist already
	}
	operator, err := i.addressCodec.StringToBytes(l.Operator)
	if err != nil {
		return err
	}
	return errors.Join(
		i.operator.Set(ctx, collections.Join(sdk.AccAddress(operator), id)),
		i.host.Set(ctx, collections.Join(l.HostId, id)),
		i.class.Set(ctx, collections.Join(l.Class, id)),
	)
}

// Unreference implements collections.Index.
func (i listingIndexes) Unreference(ctx context.Context, id uint64, old func() (types.Listing, error)) error {
	l, err := old()
	if err != nil {
		return err
	}
	operator, err := i.addressCodec.StringToBytes(l.Operator)
	if err != nil {
		return err
	}
	return errors.Join(
		i.operator.Remove(ctx, collections.Join(sdk.AccAddress(operator), id)),
		i.host.Remove(ctx, collections.Join(l.HostId, id)),
		i.class.Remove(ctx, collections.Join(l.Class, id)),
	)
}

// rentalIndexes are the ways to find a rental other than by its id.
type rentalIndexes struct {
	addressCodec address.Codec
	renter       byAddress // every rental in state
	operator     byAddress // every rental in state
	openByHost   byNumber  // open rentals
	// due is the queue of deadlines: every rental that is not parked, by due_at.
	due collections.KeySet[collections.Pair[time.Time, uint64]]
}

func newRentalIndexes(sb *collections.SchemaBuilder, addressCodec address.Codec) rentalIndexes {
	secondary := collections.WithKeySetSecondaryIndex()
	return rentalIndexes{
		addressCodec: addressCodec,
		renter: collections.NewKeySet(sb, types.RentalsByRenterPrefix, "rentals_by_renter",
			collections.PairKeyCodec(sdk.AccAddressKey, collections.Uint64Key), secondary),
		operator: collections.NewKeySet(sb, types.RentalsByOperatorPrefix, "rentals_by_operator",
			collections.PairKeyCodec(sdk.AccAddressKey, collections.Uint64Key), secondary),
		openByHost: collections.NewKeySet(sb, types.OpenByHostPrefix, "open_rentals_by_host",
			collections.PairKeyCodec(collections.Uint64Key, collections.Uint64Key), secondary),
		due: collections.NewKeySet(sb, types.DueQueuePrefix, "due_queue",
			collections.PairKeyCodec(sdk.TimeKey, collections.Uint64Key), secondary),
	}
}

// IndexesList implements collections.Indexes.
func (i rentalIndexes) IndexesList() []collections.Index[uint64, types.Rental] {
	return []collections.Index[uint64, types.Rental]{i}
}

// Reference implements collections.Index: it writes what differs from the old
// value only.
func (i rentalIndexes) Reference(ctx context.Context, id uint64, r types.Rental, getOld func() (types.Rental, error)) error {
	old, err := getOld()
	isNew := errors.Is(err, collections.ErrNotFound)
	if err != nil && !isNew {
		return err
	}
	if isNew {
		if err := i.setParties(ctx, id, r, byAddress.Set); err != nil {
			return err
		}
	}
	wasOpen, wasQueued := !isNew && old.Open(), !isNew && !old.Parked
	if open := r.Open(); open != wasOpen {
		if err := change(ctx, i.openByHost, open, collections.Join(r.HostId, id)); err != nil {
			return err
		}
	}
	queued := !r.Parked
	if queued == wasQueued && (!queued || r.DueAt.Equal(old.DueAt)) {
		return nil
	}
	if wasQueued {
		if err := i.due.Remove(ctx, collections.Join(old.DueAt, id)); err != nil {
			return err
		}
	}
	if queued {
		return i.due.Set(ctx, collections.Join(r.DueAt, id))
	}
	return nil
}

// Unreference implements collections.Index.
func (i rentalIndexes) Unreference(ctx context.Context, id uint64, getOld func() (types.Rental, error)) error {
	old, err := getOld()
	if err != nil {
		return err
	}
	return errors.Join(
		i.setParties(ctx, id, old, byAddress.Remove),
		i.openByHost.Remove(ctx, collections.Join(old.HostId, id)),
		i.due.Remove(ctx, collections.Join(old.DueAt, id)),
	)
}

func (i rentalIndexes) setParties(
	ctx context.Context, id uint64, r types.Rental,
	do func(byAddress, context.Context, collections.Pair[sdk.AccAddress, uint64]) error,
) error {
	renter, err := i.addressCodec.StringToBytes(r.Renter)
	if err != nil {
		return err
	}
	operator, err := i.addressCodec.StringToBytes(r.Operator)
	if err != nil {
		return err
	}
	return errors.Join(
		do(i.renter, ctx, collections.Join(sdk.AccAddress(renter), id)),
		do(i.operator, ctx, collections.Join(sdk.AccAddress(operator), id)),
	)
}

func change[K any](ctx context.Context, set collections.KeySet[K], in bool, key K) error {
	if in {
		return set.Set(ctx, key)
	}
	return set.Remove(ctx, key)
}
