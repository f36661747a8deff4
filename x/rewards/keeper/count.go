package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// kinds are those with a pool of their own.
var kinds = [...]stakingext.OperatorKind{stakingext.OPERATOR_KIND_CONTRIBUTOR, stakingext.OPERATOR_KIND_DATACENTER}

// openDay is a day in memory while a message counts its slots: each record is
// loaded once, changed and written once.
type openDay struct {
	k          *Keeper
	record     types.Day
	days       attestation.Params
	mining     types.Mining
	histograms [stakingext.OPERATOR_KIND_DATACENTER + 1]*histogram
	buckets    map[uint64]*bucket
	order      []*bucket // of first use: the order of writing
	frozen     freezer
}

type histogram struct {
	weights []uint64
	changed bool
}

// bucket is the weights and factors of a bucket. Factors are loaded with the first
// weight that is frozen: counting a slot doesn't need them.
type bucket struct {
	number           uint64
	weights          types.Weights
	factors          types.PackedFactors
	changed, factual bool
}

// countSlots moves the weight of each GPU along the day's histogram, as its number
// of slots has grown. The weight is frozen with the first slot.
func (k *Keeper) countSlots(ctx context.Context, day uint64, hosts []attestation.CountedHost) error {
	d, err := k.openDay(ctx, day)
	if err != nil || d == nil {
		return err
	}
	for i := range hosts {
		if err := d.count(ctx, &hosts[i]); err != nil {
			return err
		}
	}
	return d.write(ctx)
}

// openDay loads a day that is mined and not closed, and opens it on first use; nil
// for any other day.
func (k *Keeper) openDay(ctx context.Context, day uint64) (*openDay, error) {
	mining, err := k.mining.Get(ctx)
	if err != nil {
		return nil, err
	}
	if mining.FirstDay == 0 || day < mining.NextClose {
		return nil, nil
	}
	d := &openDay{k: k, mining: mining, buckets: map[uint64]*bucket{}}
	if d.days, err = k.attestation.Params(ctx); err != nil {
		return nil, err
	}
	d.record, err = k.days.Get(ctx, day)
	if errors.Is(err, collections.ErrNotFound) {
		if d.record, err = k.newDay(ctx, day); err != nil {
			return nil, err
		}
		err = k.days.Set(ctx, day, d.record)
	}
	return d, err
}

// newDay is an open day that keeps the rules of now.
func (k *Keeper) newDay(ctx context.Context, day uint64) (types.Day, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Day{}, err
	}
	zero := math.ZeroInt()
	pool := func(kind stakingext.OperatorKind) types.KindDay {
		return types.KindDay{Kind: kind, Emission: zero, Carry: zero, WeightedUptime: zero, Pool: zero, Rho: zero, Paid: zero}
	}
	return types.Day{
		Day: day, Status: types.DAY_STATUS_OPEN, Rules: params.Rules, OperatorCap: zero,
		Datacenter:  pool(stakingext.OPERATOR_KIND_DATACENTER),
		Contributor: pool(stakingext.OPERATOR_KIND_CONTRIBUTOR),
	}, nil
}

func (d *openDay) count(ctx context.Context, host *attestation.CountedHost) error {
	number, position := attestation.Bucket(host.FirstGPU)
	b, err := d.bucket(ctx, number)
	if err != nil {
		return err
	}
	for i, n := range host.Counts {
		if n == 0 {
			continue // down in the slot
		}
		at := position + uint64(i)
		weight := b.weights.Get(at)
		first := !weight.Frozen()
		if first {
			if weight, err = d.freeze(ctx, b, host.HostID, uint32(i), at); err != nil {
				return err
			}
		}
		if weight.Struck || weight.PPM == 0 {
			continue
		}
		h, err := d.histogram(ctx, weight.Kind)
		if err != nil {
			return err
		}
		if !first {
			if err := h.take(n-1, weight.PPM); err != nil {
				return err
			}
		}
		if err := h.add(n, weight.PPM); err != nil {
			return err
		}
	}
	return nil
}

func (h *histogram) add(n uint8, weight uint64) (err error) {
	h.weights[n], err = types.AddWeight(h.weights[n], weight)
	h.changed = true
	return err
}

func (h *histogram) take(n uint8, weight uint64) error {
	if h.weights[n] < weight {
		return types.ErrOverflow.Wrapf("%d of %d at %d slots", weight, h.weights[n], n)
	}
	h.weights[n] -= weight
	h.changed = true
	return nil
}

func (d *openDay) histogram(ctx context.Context, kind stakingext.OperatorKind) (*histogram, error) {
	if h := d.histograms[kind]; h != nil {
		return h, nil
	}
	weights, err := d.k.histogram(ctx, d.record.Day, kind, d.days.SlotsPerDay)
	if err != nil {
		return nil, err
	}
	d.histograms[kind] = &histogram{weights: weights}
	return d.histograms[kind], nil
}

// histogram returns the weight of a kind's GPUs by their slots up.
func (k *Keeper) histogram(ctx context.Context, day uint64, kind stakingext.OperatorKind, slots uint32) ([]uint64, error) {
	bz, err := readBytes(ctx, k.histograms, collections.Join(day, int32(kind)))
	return types.UnpackHistogram(bz, slots), err
}

func (d *openDay) bucket(ctx context.Context, number uint64) (*bucket, error) {
	if b, ok := d.buckets[number]; ok {
		return b, nil
	}
	weights, err := readBytes(ctx, d.k.weights, collections.Join(d.record.Day, number))
	if err != nil {
		return nil, err
	}
	b := &bucket{number: number, weights: weights}
	d.buckets[number] = b
	d.order = append(d.order, b)
	return b, nil
}

// own makes the weights of the bucket this message's: what the store returned may
// be its own.
func (b *bucket) own() {
	if !b.changed {
		b.weights = append(make(types.Weights, 0, max(len(b.weights), 64)), b.weights...)
		b.changed = true
	}
}

func (d *openDay) write(ctx context.Context) error {
	for _, kind := range kinds {
		if h := d.histograms[kind]; h != nil && h.changed {
			if err := d.k.histograms.Set(ctx, collections.Join(d.record.Day, int32(kind)), types.PackHistogram(h.weights)); err != nil {
				return err
			}
		}
	}
	for _, b := range d.order {
		key := collections.Join(d.record.Day, b.number)
		if b.changed {
			if err := d.k.weights.Set(ctx, key, b.weights); err != nil {
				return err
			}
		}
		if b.factual {
			if err := d.k.factors.Set(ctx, key, b.factors); err != nil {
				return err
			}
		}
	}
	return nil
}

// readBytes returns a packed record; an absent one is all zero.
func readBytes[K any](ctx context.Context, records collections.Map[K, []byte], key K) ([]byte, error) {
	bz, err := records.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, nil
	}
	return bz, err
}
