package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
)

// latestReward returns what the GPU earned on the latest closed day; zero when no
// day is closed, or that one is no longer kept.
func (k *Keeper) latestReward(ctx context.Context, hostID uint64, ordinal uint32) (math.Int, error) {
	mining, err := k.mining.Get(ctx)
	if err != nil {
		return math.Int{}, err
	}
	if mining.FirstDay == 0 || mining.NextClose <= mining.FirstDay {
		return math.ZeroInt(), nil
	}
	day, err := k.days.Get(ctx, mining.NextClose-1)
	if errors.Is(err, collections.ErrNotFound) {
		return math.ZeroInt(), nil
	} else if err != nil {
		return math.Int{}, err
	}
	host, err := k.attestation.Host(ctx, hostID)
	if err != nil {
		return math.Int{}, err
	}
	days, err := k.attestation.Params(ctx)
	if err != nil {
		return math.Int{}, err
	}
	gpus, err := k.hostEarnings(ctx, &day, &host, days.SlotsPerDay)
	if err != nil {
		return math.Int{}, err
	}
	if uint64(ordinal) >= uint64(len(gpus)) {
		return math.ZeroInt(), nil
	}
	return gpus[ordinal].Reward, nil
}
