package keeper

import (
	"context"
	"encoding/binary"
	"errors"

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
		bz := make([]byte, 0, 8*len(h.Weights))
		for _, w := range h.Weights {
			bz = binary.BigEndian.AppendUint64(bz, w)
		}
		if err := k.histograms.Set(ctx, collections.Join(h.Day, int32(h.Kind)), bz); err != nil {
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
		h := types.Histogram{Day: key.K1(), Kind: stakingext.OperatorKind(key.K2())}
		for ; len(bz) >= 8; bz = bz[8:] {
			h.Weights = append(h.Weights, binary.BigEndian.Uint64(bz))
		}
		gs.Histograms = append(gs.Histograms, h)
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

// exportBuckets joins the records of a bucket: each that has a claim or factors
// has weights too.
func (k *Keeper) exportBuckets(ctx context.Context, gs *types.GenesisState) error {
	return k.weights.Walk(ctx, nil, func(key bucketKey, weights []byte) (bool, error) {
		b := types.BucketDay{Day: key.K1(), Bucket: key.K2(), Weights: weights}
		var err error
		if b.Factors, err = k.factors.Get(ctx, key); err != nil && !errors.Is(err, collections.ErrNotFound) {
			return true, err
		}
		if b.Claimed, err = k.claimed.Get(ctx, key); err != nil && !errors.Is(err, collections.ErrNotFound) {
			return true, err
		}
		gs.Buckets = append(gs.Buckets, b)
		return false, nil
	})
}
