package types

import (
	"cmp"
	"strings"

	"cosmossdk.io/math"
)

// CompareCandidates orders offers for a renter: the cheaper one first, of equal
// prices the higher trust tier, then the more reliable host, then the older
// listing. It is a total order, as no two candidates have one id. Their prices
// are in one denom.
//
// Source: README.md "Matching".
func CompareCandidates(a, b Candidate) int {
	return cmp.Or(
		a.Price.Amount.BigInt().Cmp(b.Price.Amount.BigInt()),
		cmp.Compare(b.TrustTier, a.TrustTier),
		cmp.Compare(b.ReliabilityPpm, a.ReliabilityPpm),
		cmp.Compare(a.ListingId, b.ListingId),
	)
}

// InRegion tells whether a host's region satisfies the wanted one: a country
// takes every subdivision of it, a subdivision only itself, and none takes all.
// Both are ISO 3166 codes such as DE or US-CA.
func InRegion(region, want string) bool {
	return want == "" || region == want || Country(want) == want && Country(region) == want
}

// Country returns the ISO 3166-1 part of a region.
func Country(region string) string {
	country, _, _ := strings.Cut(region, "-")
	return country
}

// PriceKeySize is the width of an ordered price: the highest one that params can
// allow, 10^30, is under 2^104.
const PriceKeySize = 13

// PriceKey returns the price as big-endian bytes of one width, so that the order
// of bytes is the order of prices.
//
// Errors: ErrInvalidPrice when the price is negative or does not fit.
func PriceKey(price math.Int) ([]byte, error) {
	if price.IsNil() || price.IsNegative() || price.BigInt().BitLen() > 8*PriceKeySize {
		return nil, ErrInvalidPrice.Wrapf("%s, want 0 to 2^%d-1", price, 8*PriceKeySize)
	}
	return price.BigInt().FillBytes(make([]byte, PriceKeySize)), nil
}

// OfferSet is one of the ordered sets of offers.
type OfferSet uint8

const (
	// OffersAll: every open general listing, by its price.
	OffersAll OfferSet = iota + 1
	// OffersVacant: those that can give a GPU now, if need be one that an
	// interruptible rental holds.
	OffersVacant
	// InterruptibleVacant: those with a GPU that nobody holds, by their
	// interruptible price. An interruptible rental begins now, so no more is needed.
	InterruptibleVacant
)

// OfferSets are all of them.
var OfferSets = [...]OfferSet{OffersAll, OffersVacant, InterruptibleVacant}

// OfferScope is what all offers of one ordered walk have in common.
type OfferScope struct {
	Set   OfferSet
	Class string
	Denom string
	// Country is ISO 3166-1, or empty for the walk over all countries.
	Country string
}

// Key returns the scope as one string. None of its parts has a space: classes
// and denoms have a stricter form, and countries are two letters.
func (s OfferScope) Key() string {
	return string('0'+rune(s.Set)) + " " + s.Class + " " + s.Denom + " " + s.Country
}
