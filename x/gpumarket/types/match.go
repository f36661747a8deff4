package types

import (
	"cmp"
	"slices"
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
	// OffersAll has every open general listing, by its price.
	OffersAll OfferSet = iota + 1
	// OffersVacant has those that can give a GPU now, if need be one that an
	// interruptible rental holds.
	OffersVacant
	// InterruptibleVacant has those with a GPU that nobody holds, by their
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

// Validate checks the form of a request; the search itself does the rest.
//
// Errors: ErrInvalidRequest, ErrInvalidDuration, ErrInvalidPrice, ErrInvalidDigest.
func (r ComputeRequest) Validate(p Params) error {
	switch {
	case (r.Class == "") == (r.MinMemoryMib == 0 && r.MinWeightPpm == 0):
		return ErrInvalidRequest.Wrapf("class %q with minimums of %d MiB and %d PPM, want either a class or minimums",
			r.Class, r.MinMemoryMib, r.MinWeightPpm)
	case r.GpuCount == 0 || r.GpuCount > maxRequestGPUs:
		return ErrInvalidRequest.Wrapf("gpu_count is %d, want 1 to %d", r.GpuCount, maxRequestGPUs)
	case r.Placement < PLACEMENT_ONE_HOST || r.Placement > PLACEMENT_SPREAD:
		return ErrInvalidRequest.Wrapf("placement is %s, want one host, gang or spread", r.Placement)
	case r.Interruptible && r.StartAt != nil:
		return ErrInvalidRequest.Wrap("an interruptible rental starts now")
	case strings.ContainsAny(r.Class+r.MaxPrice.Denom+r.Region, "\x00 "):
		return ErrInvalidRequest.Wrapf("class %q, denom %q, region %q", r.Class, r.MaxPrice.Denom, r.Region)
	case r.DurationSeconds < p.MinDurationSeconds || r.DurationSeconds > p.MaxDurationSeconds:
		return ErrInvalidDuration.Wrapf("%d s, want %d to %d", r.DurationSeconds, p.MinDurationSeconds, p.MaxDurationSeconds)
	case len(r.ManifestDigest) != DigestSize:
		return ErrInvalidDigest.Wrapf("manifest_digest has %d bytes, want %d", len(r.ManifestDigest), DigestSize)
	}
	if !slices.Contains(p.AllowedDenoms, r.MaxPrice.Denom) || r.MaxPrice.Amount.IsNil() || !r.MaxPrice.Amount.IsPositive() {
		return ErrInvalidPrice.Wrapf("max_price %s%s, want at least 1 of one of %q", r.MaxPrice.Amount, r.MaxPrice.Denom, p.AllowedDenoms)
	}
	if f := r.FailoverMaxPrice; f != nil && (f.Denom != r.MaxPrice.Denom || f.Amount.IsNil() || f.Amount.GT(p.MaxPrice)) {
		return ErrInvalidFailover.Wrapf("failover_max_price %s%s, want at most %s%s", f.Amount, f.Denom, p.MaxPrice, r.MaxPrice.Denom)
	}
	return nil
}

// maxRequestGPUs is more than any search can find: a request takes at most
// max_gang listings, and a listing is of one host.
const maxRequestGPUs = 65_536

// Words is the verdict as a reader of a search's result wants it.
func (v CandidateVerdict) Words() string {
	switch v {
	case CANDIDATE_VERDICT_CHOSEN:
		return "would do"
	case CANDIDATE_VERDICT_NOT_NEEDED:
		return "not needed"
	case CANDIDATE_VERDICT_PRICE:
		return "over the price"
	case CANDIDATE_VERDICT_DURATION:
		return "not for that long"
	case CANDIDATE_VERDICT_START:
		return "not for that start"
	case CANDIDATE_VERDICT_REGION:
		return "elsewhere"
	case CANDIDATE_VERDICT_TRUST_TIER:
		return "under the trust tier"
	case CANDIDATE_VERDICT_NOT_FREE:
		return "without enough free GPUs"
	case CANDIDATE_VERDICT_CLASS:
		return "of another class by now"
	case CANDIDATE_VERDICT_HOST:
		return "on a host that is not active"
	case CANDIDATE_VERDICT_OPERATOR:
		return "of an operator who cannot rent out"
	case CANDIDATE_VERDICT_NOT_INTERRUPTIBLE:
		return "without an interruptible price"
	}
	return "not judged"
}

// UnservedSeconds is the time of the rental that is not billed yet: all of it
// before the start.
func (r Rental) UnservedSeconds() uint64 {
	if r.StartedAt == nil {
		return r.DurationSeconds
	}
	return r.DurationSeconds - min(ServedSeconds(*r.StartedAt, *r.PaidUntil), r.DurationSeconds)
}

// ReserveFor returns what a failover must hold besides the escrow: the whole
// duration at the highest price of a replacement, less the same at the rental's own.
func ReserveFor(r Rental) math.Int {
	dearest := AmountFor(r.Failover.MaxPrice.Amount, len(r.Gpus), r.DurationSeconds)
	return dearest.Sub(AmountFor(r.Price.Amount, len(r.Gpus), r.DurationSeconds))
}
