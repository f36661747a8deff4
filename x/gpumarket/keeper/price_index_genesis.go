package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// exportIndex adds the records of the price index: their fields are the parts of
// their keys.
func (k *Keeper) exportIndex(ctx context.Context, gs *types.GenesisState) error {
	err := k.prices.Walk(ctx, nil, func(key priceKey, seconds uint64) (bool, error) {
		class, denom, err := types.SplitMarket(key.K2())
		if err != nil {
			return true, err
		}
		v := types.PriceVolume{Price: types.PriceOfKey(key.K3()), GpuSeconds: seconds}
		if n := len(gs.PriceBuckets); n > 0 {
			if b := &gs.PriceBuckets[n-1]; b.Hour == key.K1() && b.Class == class && b.Denom == denom {
				b.Volumes = append(b.Volumes, v)
				return false, nil
			}
		}
		gs.PriceBuckets = append(gs.PriceBuckets,
			types.PriceBucket{Class: class, Denom: denom, Hour: key.K1(), Volumes: []types.PriceVolume{v}})
		return false, nil
	})
	if err != nil {
		return err
	}
	err = k.pairVolumes.Walk(ctx, nil, func(key pairKey, seconds uint64) (bool, error) {
		class, denom, err := types.SplitMarket(key.K2())
		if err != nil {
			return true, err
		}
		renter, err := k.addressCodec.BytesToString(key.K3())
		if err != nil {
			return true, err
		}
		operator, err := k.addressCodec.BytesToString(key.K4())
		gs.PairVolumes = append(gs.PairVolumes, types.PairVolume{
			Class: class, Denom: denom, Day: key.K1(), Renter: renter, Operator: operator, GpuSeconds: seconds,
		})
		return false, err
	})
	if err != nil {
		return err
	}
	return k.dayVolumes.Walk(ctx, nil, func(key dayKey, seconds uint64) (bool, error) {
		class, denom, err := types.SplitMarket(key.K2())
		gs.DayVolumes = append(gs.DayVolumes,
			types.DayVolume{Class: class, Denom: denom, Day: key.K1(), GpuSeconds: seconds})
		return false, err
	})
}

// initIndex imports them.
func (k *Keeper) initIndex(ctx context.Context, gs types.GenesisState) error {
	for _, b := range gs.PriceBuckets {
		for _, v := range b.Volumes {
			price, err := types.PriceKey(v.Price)
			if err != nil {
				return err
			}
			key := collections.Join3(b.Hour, types.MarketKey(b.Class, b.Denom), price)
			if err := k.prices.Set(ctx, key, v.GpuSeconds); err != nil {
				return err
			}
		}
	}
	for _, p := range gs.PairVolumes {
		renter, err := k.addressCodec.StringToBytes(p.Renter)
		if err != nil {
			return types.ErrInvalidGenesis.Wrapf("pair_volumes: renter %q: %s", p.Renter, err)
		}
		operator, err := k.addressCodec.StringToBytes(p.Operator)
		if err != nil {
			return types.ErrInvalidGenesis.Wrapf("pair_volumes: operator %q: %s", p.Operator, err)
		}
		key := collections.Join4(p.Day, types.MarketKey(p.Class, p.Denom), sdk.AccAddress(renter), sdk.AccAddress(operator))
		if err := k.pairVolumes.Set(ctx, key, p.GpuSeconds); err != nil {
			return err
		}
	}
	for _, d := range gs.DayVolumes {
		if err := k.dayVolumes.Set(ctx, collections.Join(d.Day, types.MarketKey(d.Class, d.Denom)), d.GpuSeconds); err != nil {
			return err
		}
	}
	return nil
}
