package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/rewards/types"
)

// ClaimMining pays what the host's GPUs earned on a closed day, once for each GPU,
// and returns it. Without ordinals it is for all that weren't claimed. What is over
// the operator's cap stays in the day.
//
// Errors: ErrDayNotFound, ErrDayOpen, ErrDayExpired, ErrNotOwner, ErrInvalidOrdinals,
// ErrAlreadyClaimed, ErrNothingEarned, ErrCapReached.
func (k *Keeper) ClaimMining(ctx context.Context, operator sdk.AccAddress, number, hostID uint64, ordinals []uint32) (sdk.Coin, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return sdk.Coin{}, err
	}
	days, err := k.attestation.Params(ctx)
	if err != nil {
		return sdk.Coin{}, err
	}
	day, err := k.claimableDay(ctx, params, days, number)
	if err != nil {
		return sdk.Coin{}, err
	}
	host, err := k.ownHost(ctx, operator, hostID)
	if err != nil {
		return sdk.Coin{}, err
	}
	gpus, err := k.hostEarnings(ctx, &day, &host, days.SlotsPerDay)
	if err != nil {
		return sdk.Coin{}, err
	}
	chosen, err := chooseGPUs(gpus, &host, ordinals)
	if err != nil {
		return sdk.Coin{}, err
	}
	earned := math.ZeroInt()
	for _, g := range chosen {
		earned = earned.Add(g.Reward)
	}
	if !earned.IsPositive() {
		return sdk.Coin{}, types.ErrNothingEarned.Wrapf("by %d GPUs of host %d on day %d", len(chosen), hostID, number)
	}
	reward, err := k.payDay(ctx, &day, operator, earned)
	if err != nil {
		return sdk.Coin{}, err
	}
	if err := k.markClaimed(ctx, number, &host, chosen); err != nil {
		return sdk.Coin{}, err
	}
	if _, _, err := k.payMined(ctx, params, operator, reward); err != nil {
		return sdk.Coin{}, err
	}
	denom, err := k.staking.StakeDenom(ctx)
	if err != nil {
		return sdk.Coin{}, err
	}
	return sdk.NewCoin(denom, reward), emit(ctx, &types.EventMiningClaimed{
		Day: number, HostId: hostID, Operator: host.Operator, Gpus: uint32(len(chosen)),
		Reward: reward.String(), OverCap: earned.Sub(reward).String(),
	})
}

// claimableDay returns a day that is closed and not too old.
func (k *Keeper) claimableDay(ctx context.Context, params types.Params, days attestation.Params, number uint64) (types.Day, error) {
	mining, err := k.mining.Get(ctx)
	if err != nil {
		return types.Day{}, err
	}
	if mining.FirstDay == 0 || number < mining.FirstDay {
		return types.Day{}, types.ErrDayNotFound.Wrapf("day %d, the first is %d", number, mining.FirstDay)
	}
	if number >= mining.NextClose {
		return types.Day{}, types.ErrDayOpen.Wrapf("day %d, the oldest open one is %d", number, mining.NextClose)
	}
	last, ok := lastExpired(params, days, days.DayOf(days.SlotAt(now(ctx))))
	if number < mining.NextExpire || (ok && number <= last) {
		return types.Day{}, types.ErrDayExpired.Wrapf("day %d, the oldest that can be claimed is %d", number, max(mining.NextExpire, last+1))
	}
	return k.days.Get(ctx, number)
}

func (k *Keeper) ownHost(ctx context.Context, operator sdk.AccAddress, hostID uint64) (attestation.Host, error) {
	host, err := k.attestation.Host(ctx, hostID)
	if err != nil {
		return attestation.Host{}, err
	}
	name, err := k.addressCodec.BytesToString(operator)
	if err != nil {
		return attestation.Host{}, err
	}
	if host.Operator != name {
		return attestation.Host{}, types.ErrNotOwner.Wrapf("host %d is of %s, got %s", hostID, host.Operator, name)
	}
	return host, nil
}

// hostEarnings lists what every GPU earned that the host can ever have had, before
// the operator's cap. A GPU of which no slot was counted earned nothing.
func (k *Keeper) hostEarnings(ctx context.Context, day *types.Day, host *attestation.Host, slots uint32) ([]types.GpuDay, error) {
	number, position := attestation.Bucket(host.FirstGpu)
	key := collections.Join(day.Day, number)
	weights, err := readBytes(ctx, k.weights, key)
	if err != nil {
		return nil, err
	}
	claimed, err := readBytes(ctx, k.claimed, key)
	if err != nil {
		return nil, err
	}
	counts, err := k.attestation.SlotsUp(ctx, day.Day, number)
	if err != nil {
		return nil, err
	}
	gpus := make([]types.GpuDay, host.Capacity)
	for i := range gpus {
		at := position + uint64(i)
		weight, n := types.Weights(weights).Get(at), counts.Get(at)
		gpus[i] = types.GpuDay{
			Ordinal: uint32(i), WeightPpm: weight.PPM, Slots: n, Struck: weight.Struck,
			Claimed: attestation.Bitmap(claimed).Get(at),
			Reward:  types.Reward(weight.PPM, day.Rules.UptimeFactor(n, slots), day.Kind(weight.Kind).Rho),
		}
	}
	return gpus, nil
}

// chooseGPUs returns the GPUs that a claim names, or all that weren't claimed.
func chooseGPUs(gpus []types.GpuDay, host *attestation.Host, ordinals []uint32) ([]types.GpuDay, error) {
	var chosen []types.GpuDay
	for i, ordinal := range ordinals {
		if ordinal >= host.Capacity || (i > 0 && ordinal <= ordinals[i-1]) {
			return nil, types.ErrInvalidOrdinals.Wrapf("%d of host %d, want them ascending and under %d", ordinal, host.Id, host.Capacity)
		}
		if gpus[ordinal].Claimed {
			return nil, types.ErrAlreadyClaimed.Wrapf("GPU %d of host %d", ordinal, host.Id)
		}
		chosen = append(chosen, gpus[ordinal])
	}
	if len(ordinals) > 0 {
		return chosen, nil
	}
	twice := false
	for i := range gpus {
		if gpus[i].Claimed {
			twice = true
		} else if gpus[i].Reward.IsPositive() {
			chosen = append(chosen, gpus[i])
		}
	}
	switch {
	case len(chosen) > 0:
		return chosen, nil
	case twice:
		return nil, types.ErrAlreadyClaimed.Wrapf("all that host %d earned", host.Id)
	}
	return nil, types.ErrNothingEarned.Wrapf("by the %d GPUs of host %d", len(gpus), host.Id)
}

// payDay books what the operator gets of the day: what it earned, up to its cap.
func (k *Keeper) payDay(ctx context.Context, day *types.Day, operator sdk.AccAddress, earned math.Int) (math.Int, error) {
	key := collections.Join(day.Day, operator)
	record, err := k.operatorDays.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		return math.Int{}, types.ErrNothingEarned.Wrapf("by %s on day %d", k.name(operator), day.Day)
	} else if err != nil {
		return math.Int{}, err
	}
	room := day.OperatorCap.Sub(record.Paid)
	if !room.IsPositive() {
		return math.Int{}, types.ErrCapReached.Wrapf("%s has got %s of day %d, at most %s", record.Operator, record.Paid, day.Day, day.OperatorCap)
	}
	reward := math.MinInt(earned, room)
	record.Paid = record.Paid.Add(reward)
	if err := k.operatorDays.Set(ctx, key, record); err != nil {
		return math.Int{}, err
	}
	pool := day.Kind(record.Kind)
	pool.Paid = pool.Paid.Add(reward)
	return reward, k.days.Set(ctx, day.Day, *day)
}

func (k *Keeper) markClaimed(ctx context.Context, day uint64, host *attestation.Host, chosen []types.GpuDay) error {
	number, position := attestation.Bucket(host.FirstGpu)
	key := collections.Join(day, number)
	stored, err := readBytes(ctx, k.claimed, key)
	if err != nil {
		return err
	}
	bits := append(make(attestation.Bitmap, 0, types.BucketSize/8), stored...)
	for _, g := range chosen {
		bits = bits.Set(position + uint64(g.Ordinal))
	}
	return k.claimed.Set(ctx, key, bits)
}
