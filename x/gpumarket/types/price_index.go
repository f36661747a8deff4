package types

import (
	"math/big"
	"slices"
	"strings"

	"cosmossdk.io/math"
)

const (
	// HourSeconds is the length of a bucket of the price index.
	HourSeconds = 3_600
	// DaySeconds is the length of the day in which a pair's volume is limited.
	DaySeconds = 86_400
	// IndexHours is how far back the price index looks: the hour of the block and
	// the 23 before it.
	IndexHours = 24
	// priceDigits is how many leading decimal digits of a price the index keeps, so
	// that an hour has few different prices: it is at most 1 % under the price.
	priceDigits = 3
)

// WeightedPrice is a price per GPU and hour and the GPU-seconds paid at it.
type WeightedPrice struct {
	Price      math.Int
	GPUSeconds uint64
}

// WeightedMedian returns the lowest price at or under which at least half of
// the volume was paid. ok is false when there is no volume.
//
// Units: as the prices are. Nothing is rounded: the result is one of them.
//
// Source: README.md "Price index".
func WeightedMedian(prices []WeightedPrice) (median math.Int, ok bool) {
	sorted := slices.Clone(prices)
	slices.SortStableFunc(sorted, func(a, b WeightedPrice) int { return a.Price.BigInt().Cmp(b.Price.BigInt()) })
	total := math.ZeroInt() // a sum of uint64 may not fit one
	for _, p := range sorted {
		total = total.Add(math.NewIntFromUint64(p.GPUSeconds))
	}
	reached := math.ZeroInt()
	for _, p := range sorted {
		reached = reached.Add(math.NewIntFromUint64(p.GPUSeconds))
		if p.GPUSeconds > 0 && reached.MulRaw(2).GTE(total) {
			return p.Price, true
		}
	}
	return math.Int{}, false
}

// IndexedPrice returns the price as the index keeps it: its three leading
// decimal digits, the rest floored to zeros.
func IndexedPrice(price math.Int) math.Int {
	digits := len(price.String())
	if digits <= priceDigits {
		return price
	}
	unit := math.NewIntWithDecimal(1, digits-priceDigits)
	return price.Quo(unit).Mul(unit)
}

// PairLimit returns the most GPU-seconds that one renter and one operator can
// add to the index of a class in a day: the given share of what was counted the
// day before, floored, and at least the floor, without which a quiet market
// would have no price.
func PairLimit(countedYesterday, sharePPM, floor uint64) uint64 {
	share := math.NewIntFromUint64(countedYesterday).Mul(math.NewIntFromUint64(sharePPM)).QuoRaw(PPM)
	return max(share.Uint64(), floor) // the share is at most one whole, so it fits
}

// CountedVolume returns how much of a volume the index takes from a pair that
// already has so much counted today.
func CountedVolume(volume, counted, limit uint64) uint64 {
	if counted >= limit {
		return 0
	}
	return min(volume, limit-counted)
}

// PaidSeconds returns the GPU-seconds that an amount paid for: the least number
// that costs as much, ⌈amount × 3600 / price⌉ at a price per GPU and hour. For
// prices of 3,600 units and more that is exact. The most that a rental can pay, 10
// years of every GPU of a host, is under 2^64 by far.
func PaidSeconds(amount, pricePerHour math.Int) uint64 {
	if !pricePerHour.IsPositive() || !amount.IsPositive() {
		return 0
	}
	n := amount.MulRaw(secondsPerHour).Add(pricePerHour).SubRaw(1).Quo(pricePerHour)
	if !n.IsUint64() {
		return 0
	}
	return n.Uint64()
}

// MarketKey names what has one price index: a class in a denom. Neither has a
// space in it.
func MarketKey(class, denom string) string { return class + " " + denom }

// SplitMarket takes a MarketKey apart.
func SplitMarket(key string) (class, denom string, err error) {
	class, denom, ok := strings.Cut(key, " ")
	if !ok {
		return "", "", ErrInvalidGenesis.Wrapf("market %q, want a class and a denom", key)
	}
	return class, denom, nil
}

// PriceOfKey is the price of a PriceKey.
func PriceOfKey(key []byte) math.Int { return math.NewIntFromBigInt(new(big.Int).SetBytes(key)) }
