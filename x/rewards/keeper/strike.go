package keeper

import (
	"context"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/rewards/types"
)

// strikeHost takes the weights of a host that signed twice for a slot out of the
// slot's day, for as long as the day is open. Later slots of the day add nothing.
func (k *Keeper) strikeHost(ctx context.Context, hostID, slot uint64) error {
	days, err := k.attestation.Params(ctx)
	if err != nil {
		return err
	}
	d, err := k.openDay(ctx, days.DayOf(slot))
	if err != nil || d == nil {
		return err
	}
	host, err := k.attestation.Host(ctx, hostID)
	if err != nil {
		return err
	}
	number, position := attestation.Bucket(host.FirstGpu)
	counts, err := k.attestation.SlotsUp(ctx, d.record.Day, number)
	if err != nil {
		return err
	}
	b, err := d.bucket(ctx, number)
	if err != nil {
		return err
	}
	b.own()
	for at := position; at < position+uint64(host.Capacity); at++ {
		weight := b.weights.Get(at)
		if !weight.Struck && weight.PPM > 0 {
			h, err := d.histogram(ctx, weight.Kind)
			if err != nil {
				return err
			}
			if err := h.take(uint8(counts.Get(at)), weight.PPM); err != nil {
				return err
			}
		}
		b.weights = b.weights.Set(at, types.Weight{Struck: true})
	}
	if err := d.write(ctx); err != nil {
		return err
	}
	return emit(ctx, &types.EventWeightStruck{Day: d.record.Day, HostId: hostID, Gpus: host.Capacity})
}
