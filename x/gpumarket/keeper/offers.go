package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// offerKey is (scope, price, listing): all offers of one scope lie together, the
// cheapest first.
type offerKey = collections.Triple[string, []byte, uint64]

var offerKeyCodec = collections.TripleKeyCodec(collections.StringKey, collections.BytesKey, collections.Uint64Key)

// offered tells whether a request for compute may find the listing at all.
func offered(l types.Listing) bool {
	return l.Tier == types.TIER_GENERAL && l.Status == types.LISTING_STATUS_OPEN
}

// offerPrice returns the price under which the listing lies in the set; none
// when it does not belong there.
func offerPrice(l types.Listing, set types.OfferSet) (sdk.Coin, bool) {
	if set != types.InterruptibleVacant {
		return l.Price, true
	}
	if l.InterruptiblePrice == nil {
		return sdk.Coin{}, false
	}
	return *l.InterruptiblePrice, true
}

// offerKeys returns the listing's places in the set: one among the offers of all
// countries, one among those of its own.
func offerKeys(l types.Listing, set types.OfferSet) ([]offerKey, error) {
	price, ok := offerPrice(l, set)
	if !ok {
		return nil, nil
	}
	ordered, err := types.PriceKey(price.Amount)
	if err != nil {
		return nil, err
	}
	scope := types.OfferScope{Set: set, Class: l.Class, Denom: price.Denom}
	keys := []offerKey{collections.Join3(scope.Key(), ordered, l.Id)}
	if l.Country != "" {
		scope.Country = l.Country
		keys = append(keys, collections.Join3(scope.Key(), ordered, l.Id))
	}
	return keys, nil
}

// setOffer puts the listing into the set, or takes it out.
func (k *Keeper) setOffer(ctx context.Context, l types.Listing, set types.OfferSet, in bool) error {
	keys, err := offerKeys(l, set)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := change(ctx, k.offers, in, key); err != nil {
			return err
		}
	}
	return nil
}

// storeListing stores a listing whose terms or status changed, and moves its
// offer. before is nil for a new one. An open listing takes over the country that
// its host is in now.
func (k *Keeper) storeListing(ctx context.Context, before, l *types.Listing) error {
	if before != nil && offered(*before) {
		for _, set := range types.OfferSets {
			if err := k.setOffer(ctx, *before, set, false); err != nil {
				return err
			}
		}
	}
	if l.Status == types.LISTING_STATUS_OPEN {
		host, err := k.attestation.Host(ctx, l.HostId)
		if err != nil {
			return err
		}
		l.Country = types.Country(host.Region)
	}
	if err := k.listings.Set(ctx, l.Id, *l); err != nil {
		return err
	}
	return k.addOffer(ctx, *l)
}

// addOffer enters the listing into the sets that it belongs to.
func (k *Keeper) addOffer(ctx context.Context, l types.Listing) error {
	if !offered(l) {
		return nil
	}
	if err := k.setOffer(ctx, l, types.OffersAll, true); err != nil {
		return err
	}
	return k.refreshVacancy(ctx, l, nil)
}
