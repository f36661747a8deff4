package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// checkHistograms: on a day that can still be claimed, the histogram of each kind is
// the weights of its GPUs by their slots up.
func (k *Keeper) checkHistograms(ctx context.Context, broken *[]string) error {
	days, err := k.attestation.Params(ctx)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	last, some := lastExpired(params, days, days.DayOf(days.SlotAt(now(ctx))))
	return k.days.Walk(ctx, nil, func(number uint64, d types.Day) (bool, error) {
		if d.Status == types.DAY_STATUS_EXPIRED || (some && number <= last) {
			return false, nil
		}
		sums, err := k.sumWeights(ctx, number, days.SlotsPerDay)
		if err != nil {
			return true, err
		}
		for _, kind := range kinds {
			stored, err := k.histogram(ctx, number, kind, days.SlotsPerDay)
			if err != nil {
				return true, err
			}
			for n, weight := range stored {
				if want := sums[kind][n]; weight != want {
					*broken = append(*broken, fmt.Sprintf("day %d, %s: weight %d at %d slots, its GPUs have %d", number, kind, weight, n, want))
				}
			}
		}
		return false, nil
	})
}

// sumWeights adds up the weights of a day by kind and slots.
func (k *Keeper) sumWeights(ctx context.Context, day uint64, slots uint32) (map[stakingext.OperatorKind][]uint64, error) {
	sums := map[stakingext.OperatorKind][]uint64{}
	for _, kind := range kinds {
		sums[kind] = make([]uint64, max(slots+1, 256))
	}
	err := k.weights.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint64](day), func(key bucketKey, bz []byte) (bool, error) {
		counts, err := k.attestation.SlotsUp(ctx, day, key.K2())
		if err != nil {
			return true, err
		}
		for at := range uint64(attestation.BucketSize) {
			if w := types.Weights(bz).Get(at); !w.Struck && w.PPM > 0 {
				sums[w.Kind][counts.Get(at)] += w.PPM
			}
		}
		return false, nil
	})
	return sums, err
}
