package types_test

import (
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

func weighted(pairs ...int64) []types.WeightedPrice {
	var out []types.WeightedPrice
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, types.WeightedPrice{Price: math.NewInt(pairs[i]), GPUSeconds: uint64(pairs[i+1])})
	}
	return out
}

func TestWeightedMedian(t *testing.T) {
	tests := map[string]struct {
		prices []types.WeightedPrice
		want   int64
		none   bool
	}{
		"nothing":                         {none: true},
		"no volume":                       {prices: weighted(5, 0), none: true},
		"one":                             {prices: weighted(5, 1), want: 5},
		"exactly half is enough":          {prices: weighted(5, 10, 9, 10), want: 5},
		"one more than half":              {prices: weighted(5, 10, 9, 11), want: 9},
		"volume counts, not the number":   {prices: weighted(1, 1, 2, 1, 3, 1, 9, 4), want: 9},
		"out of order":                    {prices: weighted(9, 10, 1, 3, 5, 8), want: 5},
		"a price without volume is none":  {prices: weighted(1, 0, 5, 10, 9, 10), want: 5},
		"one price in several hours":      {prices: weighted(7, 3, 5, 2, 7, 3, 5, 2), want: 7},
		"a sum of more than 64 bits fits": {prices: append(weighted(1, 1), types.WeightedPrice{Price: math.NewInt(3), GPUSeconds: 1<<64 - 1}), want: 3},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := types.WeightedMedian(tc.prices)
			require.Equal(t, !tc.none, ok)
			if ok {
				require.Equal(t, math.NewInt(tc.want), got)
			}
		})
	}
}

// The median is what the middle of the volume, written out second by second,
// was paid at, in whatever order the prices come.
func TestWeightedMedianIsTheMiddleSecond(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var prices []types.WeightedPrice
		var counts [10]int // of seconds, by price
		total := 0
		for range rapid.IntRange(1, 8).Draw(rt, "n") {
			price, secs := rapid.IntRange(1, 9).Draw(rt, "price"), rapid.IntRange(1, 20).Draw(rt, "seconds")
			prices = append(prices, weighted(int64(price), int64(secs))...)
			counts[price] += secs
			total += secs
		}
		var all []int
		for price, n := range counts {
			for range n {
				all = append(all, price)
			}
		}
		rand.New(rand.NewSource(1)).Shuffle(len(prices), func(i, j int) { prices[i], prices[j] = prices[j], prices[i] })
		got, ok := types.WeightedMedian(prices)
		if want := all[(total+1)/2-1]; !ok || got.Int64() != int64(want) {
			rt.Fatalf("got %s, want %d", got, want)
		}
	})
}

func TestIndexedPrice(t *testing.T) {
	for price, want := range map[int64]int64{
		1: 1, 999: 999, 1_000: 1_000, 1_009: 1_000, 3_600_000: 3_600_000, 3_619_999: 3_610_000, 9_999_999_999: 9_990_000_000,
	} {
		require.Equal(t, math.NewInt(want), types.IndexedPrice(math.NewInt(price)), "%d", price)
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := math.NewInt(rapid.Int64Range(1, 1<<62).Draw(rt, "price"))
		kept := types.IndexedPrice(p)
		if kept.GT(p) || p.Sub(kept).MulRaw(100).GTE(p) {
			rt.Fatalf("%s is kept as %s", p, kept)
		}
	})
}

func TestPairLimit(t *testing.T) {
	tests := map[string]struct{ yesterday, share, want uint64 }{
		"a quiet market counts a GPU-day": {0, 50_000, 86_400},
		"at the floor":                    {1_728_000, 50_000, 86_400},
		"20 seconds over it":              {1_728_020, 50_000, 86_401},
		"19 seconds over it":              {1_728_019, 50_000, 86_400},
		"a large market":                  {1 << 60, 50_000, (1 << 60) / 20},
		"no share":                        {1 << 60, 0, 86_400},
		"the largest":                     {1<<64 - 1, 1_000_000, 1<<64 - 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, types.PairLimit(tc.yesterday, tc.share, types.DaySeconds))
		})
	}
}

func TestCountedVolume(t *testing.T) {
	for name, tc := range map[string]struct{ volume, counted, limit, want uint64 }{
		"all of it":        {10, 0, 100, 10},
		"up to the limit":  {100, 0, 100, 100},
		"cut at the limit": {101, 0, 100, 100},
		"the rest":         {50, 70, 100, 30},
		"nothing left":     {50, 100, 100, 0},
		"the limit fell":   {50, 200, 100, 0},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.want, types.CountedVolume(tc.volume, tc.counted, tc.limit)) })
	}
}

// Whatever a pair does, its day never counts more than its limit.
func TestAPairNeverPassesItsLimit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := types.PairLimit(rapid.Uint64Range(0, 1<<40).Draw(rt, "yesterday"), 50_000, types.DaySeconds)
		var counted, offered uint64
		for range rapid.IntRange(1, 10).Draw(rt, "rentals") {
			volume := rapid.Uint64Range(0, 1<<36).Draw(rt, "volume")
			counted += types.CountedVolume(volume, counted, limit)
			offered += volume
		}
		if counted != min(offered, limit) {
			rt.Fatalf("counted %d of %d, limit %d", counted, offered, limit)
		}
	})
}

func TestPaidSeconds(t *testing.T) {
	for name, tc := range map[string]struct{ amount, price, want int64 }{
		"an hour of two GPUs":    {7_200_000, 3_600_000, 7_200},
		"nothing":                {0, 3_600_000, 0},
		"a second":               {1_000, 3_600_000, 1},
		"the amount was floored": {333_333, 1_000_000, 1_200},
		"a low price":            {16, 1_000, 58}, // 60 s cost 16.67
		"no price":               {16, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, uint64(tc.want), types.PaidSeconds(math.NewInt(tc.amount), math.NewInt(tc.price)))
		})
	}
}
