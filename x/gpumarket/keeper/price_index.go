package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

type (
	// priceKey is (hour, market, price); the value is GPU-seconds.
	priceKey = collections.Triple[uint64, string, []byte]
	// pairKey is (day, market, renter, operator).
	pairKey = collections.Quad[uint64, string, sdk.AccAddress, sdk.AccAddress]
	// dayKey is (day, market).
	dayKey = collections.Pair[uint64, string]
)

var (
	priceKeyCodec = collections.TripleKeyCodec(collections.Uint64Key, collections.StringKey, collections.BytesKey)
	pairKeyCodec  = collections.QuadKeyCodec(collections.Uint64Key, collections.StringKey, sdk.AccAddressKey, sdk.AccAddressKey)
	dayKeyCodec   = collections.PairKeyCodec(collections.Uint64Key, collections.StringKey)
)

// indexPrice adds a closed rental to the price index of its class: the
// GPU-seconds that were paid, as far as its parties may still add to it on the day
// of the close. at is the time of the close, not that of the block.
func (k *Keeper) indexPrice(ctx context.Context, params types.Params, r types.Rental, at time.Time) error {
	volume := types.PaidSeconds(r.Paid, r.Price.Amount)
	if volume == 0 {
		return nil
	}
	l, err := k.listings.Get(ctx, r.ListingId)
	if err != nil {
		return err
	}
	market := types.MarketKey(l.Class, r.Price.Denom)
	hour, day := indexTime(at)
	if err := k.pruneIndex(ctx); err != nil {
		return err
	}
	counted, err := k.countPair(ctx, params, r, day, market, volume)
	if err != nil || counted == 0 {
		return err
	}
	price, err := types.PriceKey(types.IndexedPrice(r.Price.Amount))
	if err != nil {
		return err
	}
	return errors.Join(
		addTo(ctx, k.prices, collections.Join3(hour, market, price), counted),
		addTo(ctx, k.dayVolumes, collections.Join(day, market), counted),
	)
}

// countPair returns how much of the volume counts, and remembers it.
func (k *Keeper) countPair(ctx context.Context, params types.Params, r types.Rental, day uint64, market string, volume uint64) (uint64, error) {
	renter, err := k.addressCodec.StringToBytes(r.Renter)
	if err != nil {
		return 0, err
	}
	operator, err := k.addressCodec.StringToBytes(r.Operator)
	if err != nil {
		return 0, err
	}
	yesterday, err := getOrZero(ctx, k.dayVolumes, collections.Join(day-1, market))
	if err != nil {
		return 0, err
	}
	key := collections.Join4(day, market, sdk.AccAddress(renter), sdk.AccAddress(operator))
	before, err := getOrZero(ctx, k.pairVolumes, key)
	if err != nil {
		return 0, err
	}
	limit := types.PairLimit(yesterday, params.IndexPairPpm, params.IndexPairFloorSeconds)
	counted := types.CountedVolume(volume, before, limit)
	if counted == 0 {
		return 0, nil
	}
	return counted, k.pairVolumes.Set(ctx, key, before+counted)
}

// PriceIndex returns the volume-weighted median price of the class over the hour
// of the block and the 23 before it, with the volume; nil without any.
func (k *Keeper) PriceIndex(ctx context.Context, class, denom string) (*sdk.Coin, uint64, error) {
	hour, _ := indexTime(now(ctx))
	market := types.MarketKey(class, denom)
	var prices []types.WeightedPrice
	var volume uint64
	for h := firstHour(hour); h <= hour; h++ {
		err := k.prices.Walk(ctx, collections.NewSuperPrefixedTripleRange[uint64, string, []byte](h, market),
			func(key priceKey, seconds uint64) (bool, error) {
				prices = append(prices, types.WeightedPrice{Price: types.PriceOfKey(key.K3()), GPUSeconds: seconds})
				volume += seconds
				return false, nil
			})
		if err != nil {
			return nil, 0, err
		}
	}
	median, ok := types.WeightedMedian(prices)
	if !ok {
		return nil, 0, nil
	}
	price := sdk.NewCoin(denom, median)
	return &price, volume, nil
}

// prunedPerClose is how many records of each kind one close removes at most. It
// writes at most one of each, so what is old goes away as fast as it came.
const prunedPerClose = 2

// pruneIndex removes what no index and no limit reads any more. A day more than
// needed is kept for rentals that are closed late.
func (k *Keeper) pruneIndex(ctx context.Context) error {
	hour, day := indexTime(now(ctx))
	return errors.Join(
		prune(ctx, k.prices, func(key priceKey) bool { return key.K1() < firstHour(hour) }),
		prune(ctx, k.pairVolumes, func(key pairKey) bool { return key.K1()+1 < day }),
		prune(ctx, k.dayVolumes, func(key dayKey) bool { return key.K1()+2 < day }),
	)
}

func prune[K any](ctx context.Context, m collections.Map[K, uint64], old func(K) bool) error {
	var keys []K
	err := m.Walk(ctx, nil, func(key K, _ uint64) (bool, error) {
		if !old(key) {
			return true, nil
		}
		keys = append(keys, key)
		return len(keys) == prunedPerClose, nil
	})
	for _, key := range keys {
		err = errors.Join(err, m.Remove(ctx, key))
	}
	return err
}

// indexTime returns the hour and the day of t, counted from 1970 in UTC.
func indexTime(t time.Time) (hour, day uint64) {
	unix := uint64(max(t.Unix(), types.DaySeconds)) // so that there is a day before
	return unix / types.HourSeconds, unix / types.DaySeconds
}

// firstHour is the oldest hour of the index.
func firstHour(hour uint64) uint64 { return hour - min(hour, types.IndexHours-1) }

func addTo[K any](ctx context.Context, m collections.Map[K, uint64], key K, n uint64) error {
	before, err := getOrZero(ctx, m, key)
	if err != nil {
		return err
	}
	return m.Set(ctx, key, before+n)
}

func getOrZero[K any](ctx context.Context, m collections.Map[K, uint64], key K) (uint64, error) {
	n, err := m.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		return 0, nil
	}
	return n, err
}
