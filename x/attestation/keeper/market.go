package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/attestation/types"
)

// ClassesWith returns the keys of the classes whose GPUs all have at least so
// much memory and weight, ascending. The number of classes is bounded.
func (k *Keeper) ClassesWith(ctx context.Context, minMemoryMiB, minWeightPPM uint64) ([]string, error) {
	var keys []string
	err := k.classes.Walk(ctx, nil, func(key string, class types.HardwareClass) (bool, error) {
		if class.MinMemoryMib >= minMemoryMiB && class.WeightPpm >= minWeightPPM {
			keys = append(keys, key)
		}
		return false, nil
	})
	return keys, err
}

// HostReliability returns the share, in PPM and floored, of the slots of the day
// before this block's in which the GPUs that the host declares now were up. A
// host of today has none.
func (k *Keeper) HostReliability(ctx context.Context, host *types.Host) (uint64, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	today := params.DayOf(params.SlotAt(blockTime(ctx)))
	if today == 0 || host.GpuCount == 0 {
		return 0, nil
	}
	counts, err := k.HostDay(ctx, host, today-1)
	if err != nil {
		return 0, err
	}
	var up uint64
	for _, n := range counts {
		up += uint64(n)
	}
	return up * types.PPM / (uint64(host.GpuCount) * uint64(params.SlotsPerDay)), nil
}
