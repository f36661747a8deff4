package keeper

import (
	"cmp"
	"context"
	"slices"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// initMining writes the records of days.
func (k *Keeper) initMining(ctx context.Context, gs types.GenesisState) error {
	if err := k.mining.Set(ctx, gs.Mining); err != nil {
		return err
	}
	for _, d := range gs.Days {
		if err := k.days.Set(ctx, d.Day, d); err != nil {
			return err
		}
	}
	for _, h := range gs.Histograms {
		if err := k.histograms.Set(ctx, collections.Join(h.Day, int32(h.Kind)), types.PackHistogram(h.Weights)); err != nil {
			return err
		}
	}
	for _, b := range gs.Buckets {
		key := collections.Join(b.Day, b.Bucket)
		for _, part := range []struct {
			m  collections.Map[bucketKey, []byte]
			bz []byte
		}{{k.weights, b.Weights}, {k.factors, b.Factors}, {k.claimed, b.Claimed}} {
			if len(part.bz) == 0 {
				continue
			}
			if err := part.m.Set(ctx, key, part.bz); err != nil {
				return err
			}
		}
	}
	for _, r := range gs.Rented {
		if err := k.rented.Set(ctx, collections.Join(r.Day, r.Gpu), r); err != nil {
			return err
		}
	}
	for _, o := range gs.OperatorDays {
		operator, err := k.addressCodec.StringToBytes(o.Operator)
		if err != nil {
			return err
		}
		if err := k.operatorDays.Set(ctx, collections.Join(o.Day, sdk.AccAddress(operator)), o); err != nil {
			return err
		}
	}
	for _, s := range gs.Snapshots {
		operator, err := k.addressCodec.StringToBytes(s.Operator)
		if err != nil {
			return err
		}
		if err := k.snapshots.Set(ctx, collections.Join(sdk.AccAddress(operator), s.Day), s); err != nil {
			return err
		}
	}
	return nil
}

// exportMining reads the records of days.
func (k *Keeper) exportMining(ctx context.Context, gs *types.GenesisState) (err error) {
	if gs.Mining, err = k.mining.Get(ctx); err != nil {
		return err
	}
	if gs.Days, err = values(ctx, k.days); err != nil {
		return err
	}
	err = k.histograms.Walk(ctx, nil, func(key kindKey, bz []byte) (bool, error) {
		gs.Histograms = append(gs.Histograms, types.Histogram{
			Day: key.K1(), Kind: stakingext.OperatorKind(key.K2()), Weights: types.UnpackHistogram(bz, 0),
		})
		return false, nil
	})
	if err != nil {
		return err
	}
	if err := k.exportBuckets(ctx, gs); err != nil {
		return err
	}
	if gs.Rented, err = values(ctx, k.rented); err != nil {
		return err
	}
	if gs.OperatorDays, err = values(ctx, k.operatorDays); err != nil {
		return err
	}
	gs.Snapshots, err = values(ctx, k.snapshots)
	return err
}

// exportBuckets joins the records of a bucket, in the order of their keys. While a
// day is pruned some of them are gone before the others.
func (k *Keeper) exportBuckets(ctx context.Context, gs *types.GenesisState) error {
	joined := map[[2]uint64]*types.BucketDay{}
	for _, part := range []struct {
		records collections.Map[bucketKey, []byte]
		field   func(b *types.BucketDay) *[]byte
	}{
		{k.weights, func(b *types.BucketDay) *[]byte { return &b.Weights }},
		{k.factors, func(b *types.BucketDay) *[]byte { return &b.Factors }},
		{k.claimed, func(b *types.BucketDay) *[]byte { return &b.Claimed }},
	} {
		err := part.records.Walk(ctx, nil, func(key bucketKey, bz []byte) (bool, error) {
			at := [2]uint64{key.K1(), key.K2()}
			if joined[at] == nil {
				joined[at] = &types.BucketDay{Day: key.K1(), Bucket: key.K2()}
			}
			*part.field(joined[at]) = bz
			return false, nil
		})
		if err != nil {
			return err
		}
	}
	for _, b := range joined {
		gs.Buckets = append(gs.Buckets, *b)
	}
	slices.SortFunc(gs.Buckets, func(a, b types.BucketDay) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Bucket, b.Bucket))
	})
	return nil
}
