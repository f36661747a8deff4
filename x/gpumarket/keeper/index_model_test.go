package keeper_test

import (
	"cmp"
	"slices"

	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// indexClosed adds to a wanted state what the closed rentals in it leave in the
// price index: a plain model for tests in which no pair reaches its limit and all
// listings are of one class.
func indexClosed(want *types.GenesisState) {
	for _, r := range want.Rentals {
		if r.ClosedAt == nil || r.StartedAt == nil || !r.Paid.IsPositive() {
			continue
		}
		n := r.Paid.MulRaw(3_600).Add(r.Price.Amount).SubRaw(1).Quo(r.Price.Amount).Uint64()
		hour, day := uint64(r.ClosedAt.Unix())/3_600, uint64(r.ClosedAt.Unix())/86_400
		addBucket(want, hour, r.Price.Denom, r.Price.Amount, n)
		at := slices.IndexFunc(want.PairVolumes, func(p types.PairVolume) bool {
			return p.Day == day && p.Denom == r.Price.Denom && p.Renter == r.Renter && p.Operator == r.Operator
		})
		if at < 0 {
			at = len(want.PairVolumes)
			want.PairVolumes = append(want.PairVolumes,
				types.PairVolume{Class: class, Denom: r.Price.Denom, Day: day, Renter: r.Renter, Operator: r.Operator})
		}
		want.PairVolumes[at].GpuSeconds += n
		if at = slices.IndexFunc(want.DayVolumes, func(d types.DayVolume) bool {
			return d.Day == day && d.Denom == r.Price.Denom
		}); at < 0 {
			at = len(want.DayVolumes)
			want.DayVolumes = append(want.DayVolumes, types.DayVolume{Class: class, Denom: r.Price.Denom, Day: day})
		}
		want.DayVolumes[at].GpuSeconds += n
	}
}

func addBucket(want *types.GenesisState, hour uint64, denom string, price math.Int, n uint64) {
	at := slices.IndexFunc(want.PriceBuckets, func(b types.PriceBucket) bool { return b.Hour == hour && b.Denom == denom })
	if at < 0 {
		want.PriceBuckets = append(want.PriceBuckets, types.PriceBucket{Class: class, Denom: denom, Hour: hour})
		slices.SortFunc(want.PriceBuckets, func(a, b types.PriceBucket) int { return cmp.Compare(a.Hour, b.Hour) })
		at = slices.IndexFunc(want.PriceBuckets, func(b types.PriceBucket) bool { return b.Hour == hour && b.Denom == denom })
	}
	bucket := &want.PriceBuckets[at]
	if i := slices.IndexFunc(bucket.Volumes, func(v types.PriceVolume) bool { return v.Price.Equal(price) }); i >= 0 {
		bucket.Volumes[i].GpuSeconds += n
		return
	}
	bucket.Volumes = append(bucket.Volumes, types.PriceVolume{Price: price, GpuSeconds: n})
	slices.SortFunc(bucket.Volumes, func(a, b types.PriceVolume) int { return a.Price.BigInt().Cmp(b.Price.BigInt()) })
}
