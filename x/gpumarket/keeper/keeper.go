package keeper

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/codec"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// Keeper owns the market's state: listings, rentals, the calendar and the
// params. What it does with them is in one file per flow (rent.go, settle.go, ...).
type Keeper struct {
	addressCodec address.Codec
	authority    []byte // who may change the params: governance
	bank         types.BankKeeper
	staking      types.StakingKeeper
	attestation  types.AttestationKeeper
	hooks        types.MultiHooks

	schema     collections.Schema
	params     collections.Item[types.Params]
	listings   *collections.IndexedMap[uint64, types.Listing, listingIndexes]
	listingSeq collections.Sequence
	// listedGPUs names the listing of each (host, ordinal) that is in one which
	// is not withdrawn.
	listedGPUs collections.Map[collections.Pair[uint64, uint32], uint64]
	rentals    *collections.IndexedMap[uint64, types.Rental, rentalIndexes]
	// bookings is the calendar: (host, ordinal, start) of every open rental.
	bookings collections.Map[bookingKey, types.Booking]
	// notRunning holds (rental, slot) for which the host said so itself.
	notRunning collections.KeySet[collections.Pair[uint64, uint64]]
	matchState
}

// NewKeeper builds a Keeper on its own store. It panics on a bad store layout:
// that is a mistake in this file, which no caller can mend.
func NewKeeper(
	storeService store.KVStoreService,
	cdc codec.BinaryCodec,
	addressCodec address.Codec,
	authority []byte,
	bank types.BankKeeper,
	staking types.StakingKeeper,
	attestation types.AttestationKeeper,
) *Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	k := &Keeper{
		addressCodec: addressCodec,
		authority:    authority,
		bank:         bank,
		staking:      staking,
		attestation:  attestation,
		params:       collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](cdc)),
		listings: collections.NewIndexedMap(sb, types.ListingsPrefix, "listings",
			collections.Uint64Key, codec.CollValue[types.Listing](cdc), newListingIndexes(sb, addressCodec)),
		listingSeq: collections.NewSequence(sb, types.ListingSeqPrefix, "listing_seq"),
		listedGPUs: collections.NewMap(sb, types.ListedGPUsPrefix, "listed_gpus",
			collections.PairKeyCodec(collections.Uint64Key, collections.Uint32Key), collections.Uint64Value),
		rentals: collections.NewIndexedMap(sb, types.RentalsPrefix, "rentals",
			collections.Uint64Key, codec.CollValue[types.Rental](cdc), newRentalIndexes(sb, addressCodec)),
		bookings: collections.NewMap(sb, types.BookingsPrefix, "bookings",
			bookingKeyCodec, codec.CollValue[types.Booking](cdc)),
		notRunning: collections.NewKeySet(sb, types.NotRunningPrefix, "not_running",
			collections.PairKeyCodec(collections.Uint64Key, collections.Uint64Key)),
		matchState: newMatchState(sb, cdc),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.schema = schema
	return k
}

// SetHooks tells the keeper whom to tell of payments. It is called once, before
// the first block.
func (k *Keeper) SetHooks(hooks types.MultiHooks) *Keeper {
	k.hooks = hooks
	return k
}

// Schema returns the layout of the store, for tools that decode it.
func (k *Keeper) Schema() collections.Schema { return k.schema }
