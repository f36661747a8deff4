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

// minedDay returns a day of which the records are complete.
//
// Errors: ErrDayNotFound, ErrDayExpired.
func (k *Keeper) minedDay(ctx context.Context, number uint64) (types.Day, error) {
	mining, err := k.mining.Get(ctx)
	if err != nil {
		return types.Day{}, err
	}
	if mining.FirstDay != 0 && number >= mining.FirstDay && number < mining.NextExpire {
		return types.Day{}, types.ErrDayExpired.Wrapf("day %d, the oldest that is kept is %d", number, mining.NextExpire)
	}
	day, err := k.days.Get(ctx, number)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Day{}, types.ErrDayNotFound.Wrapf("day %d, the oldest that isn't closed is %d", number, mining.NextClose)
	}
	return day, err
}

// HostDay lists what each GPU of the host earned on a day.
//
// Errors: ErrDayNotFound, ErrDayExpired, those of the host.
func (k *Keeper) HostDay(ctx context.Context, number, hostID uint64) (*types.QueryHostDayResponse, error) {
	day, err := k.minedDay(ctx, number)
	if err != nil {
		return nil, err
	}
	host, err := k.attestation.Host(ctx, hostID)
	if err != nil {
		return nil, err
	}
	days, err := k.attestation.Params(ctx)
	if err != nil {
		return nil, err
	}
	gpus, err := k.hostEarnings(ctx, &day, &host, days.SlotsPerDay)
	if err != nil {
		return nil, err
	}
	return &types.QueryHostDayResponse{Status: day.Status, Gpus: gpus}, nil
}

// Explain returns every number behind the reward of a GPU. Nothing in it is found
// anew but what a claim would find too.
//
// Errors: ErrDayNotFound, ErrDayExpired, those of the host, attestation.ErrGPUNotFound.
func (k *Keeper) Explain(ctx context.Context, number, hostID uint64, ordinal uint32) (*types.QueryExplainResponse, error) {
	day, err := k.minedDay(ctx, number)
	if err != nil {
		return nil, err
	}
	host, err := k.attestation.Host(ctx, hostID)
	if err != nil {
		return nil, err
	}
	if ordinal >= host.Capacity {
		return nil, attestation.ErrGPUNotFound.Wrapf("ordinal %d of host %d, whose capacity is %d", ordinal, hostID, host.Capacity)
	}
	days, err := k.attestation.Params(ctx)
	if err != nil {
		return nil, err
	}
	operator, err := k.addressCodec.StringToBytes(host.Operator)
	if err != nil {
		return nil, err
	}
	record, err := k.operatorDays.Get(ctx, collections.Join(number, sdk.AccAddress(operator)))
	if errors.Is(err, collections.ErrNotFound) {
		return nil, types.ErrDayNotFound.Wrapf("day %d of %s: no GPU of it was counted", number, host.Operator)
	} else if err != nil {
		return nil, err
	}
	gpus, err := k.hostEarnings(ctx, &day, &host, days.SlotsPerDay)
	if err != nil {
		return nil, err
	}
	g := &gpus[ordinal]
	resp := &types.QueryExplainResponse{
		Day: number, HostId: hostID, Ordinal: ordinal, Operator: host.Operator, Kind: record.Kind, Status: day.Status,
		Rules: day.Rules, SlotsPerDay: days.SlotsPerDay, DaySeconds: daySeconds(days),
		Stake: record.Stake, Requirement: record.Requirement,
		WeightPpm: g.WeightPpm, Struck: g.Struck, Slots: g.Slots,
		UptimePpm: day.Rules.UptimeFactor(g.Slots, days.SlotsPerDay),
		Pool:      *day.Kind(record.Kind), Reward: g.Reward, Claimed: g.Claimed,
		OperatorCap: day.OperatorCap, OperatorPaid: record.Paid, DayPool: day.Pool(), Claimable: math.ZeroInt(),
	}
	if !g.Claimed {
		resp.Claimable = math.MaxInt(math.ZeroInt(), math.MinInt(g.Reward, day.OperatorCap.Sub(record.Paid)))
	}
	if resp.Histogram, err = k.histogram(ctx, number, record.Kind, days.SlotsPerDay); err != nil {
		return nil, err
	}
	return resp, k.explainWeight(ctx, resp, host.FirstGpu+uint64(ordinal))
}

// explainWeight fills in the factors of the weight.
func (k *Keeper) explainWeight(ctx context.Context, resp *types.QueryExplainResponse, gpu uint64) error {
	number, position := attestation.Bucket(gpu)
	packed, err := readBytes(ctx, k.factors, collections.Join(resp.Day, number))
	if err != nil {
		return err
	}
	f, in := types.PackedFactors(packed).Get(position)
	resp.ClassWeightPpm, resp.ConnectionPpm, resp.PerformancePpm = f.Class, f.Connection, f.Performance
	resp.TrustTier, resp.MedianAgeDays, resp.UpMbps, resp.DownMbps, resp.MemoryGib = in.TrustTier, in.MedianAge, in.UpMbps, in.DownMbps, in.MemoryGiB
	resp.Challenged, resp.Passed, resp.Missed, resp.Wrong = in.Challenged, in.Passed, in.Missed, in.Wrong
	resp.StakeRatioPpm = resp.Rules.StakeRatio(resp.Stake, resp.Requirement)
	resp.StakeFactorPpm = types.StakeFactor(resp.StakeRatioPpm)
	resp.BonusPpm = types.PPM
	resp.RentedFees, resp.RentedRho, resp.RentedGain = math.ZeroInt(), math.ZeroInt(), math.ZeroInt()
	rented, err := k.rented.Get(ctx, collections.Join(resp.Day-1, gpu))
	if errors.Is(err, collections.ErrNotFound) || (err == nil && !rented.Used) {
		return nil
	} else if err != nil {
		return err
	}
	resp.RentedSeconds, resp.RentedFees, resp.RentedRho, resp.RentedGain = rented.Seconds, rented.Fees, rented.Rho, rented.Gain
	if rented.Fees.GT(rented.Gain) {
		resp.BonusPpm = resp.Rules.BonusFactor(rented.Seconds, resp.DaySeconds)
	}
	return nil
}
