package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/rewards/types"
)

// closeDays closes the days that are due, oldest first. The first block sets the
// first day: the next one that begins, so that it is a whole one.
func (k *Keeper) closeDays(ctx context.Context) error {
	mining, err := k.mining.Get(ctx)
	if err != nil {
		return err
	}
	days, err := k.attestation.Params(ctx)
	if err != nil {
		return err
	}
	if mining.FirstDay == 0 {
		first := days.DayOf(days.SlotAt(days.DayFrom(now(ctx))))
		mining.FirstDay, mining.NextClose, mining.NextExpire, mining.NextPrune = first, first, first, first
		return k.mining.Set(ctx, mining)
	}
	for range types.CloseBudget {
		due, err := k.dayIsDue(ctx, days, mining.NextClose)
		if err != nil || !due {
			return err
		}
		if err := k.closeDay(ctx, days, &mining); err != nil {
			return err
		}
		if err := k.mining.Set(ctx, mining); err != nil {
			return err
		}
	}
	return nil
}

// dayIsDue tells whether the day can be closed: its last slot has a closing block,
// the bits of that can no longer change, and the evidence window after that block
// is over. After a halt the window begins with the block that ended it.
func (k *Keeper) dayIsDue(ctx context.Context, days attestation.Params, day uint64) (bool, error) {
	next := days.FirstSlotOf(day + 1)
	if now(ctx).Before(days.SlotStart(next)) {
		return false, nil
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return false, err
	}
	anchor, err := k.attestation.Anchor(ctx, next-1)
	switch {
	case errors.Is(err, attestation.ErrSlotOpen):
		return false, nil
	case errors.Is(err, attestation.ErrSlotPruned):
		return true, nil // closed longer ago than bitmaps are kept
	case err != nil:
		return false, err
	}
	return !now(ctx).Before(dayDue(params, days, anchor.Time)), nil
}

// dayDue is when a day whose last slot was closed at this time is closed.
func dayDue(params types.Params, days attestation.Params, closed time.Time) time.Time {
	due, judged := closed.Add(params.EvidenceWindow), days.JudgedAt(closed)
	if due.Before(judged) {
		return judged
	}
	return due
}

// closeDay mints the day's money and finds what a unit of weight × uptime earns. It
// reads one histogram per kind, whatever the number of GPUs.
func (k *Keeper) closeDay(ctx context.Context, days attestation.Params, mining *types.Mining) error {
	number := mining.NextClose
	day, err := k.days.Get(ctx, number)
	if errors.Is(err, collections.ErrNotFound) { // nobody was up
		day, err = k.newDay(ctx, number)
	}
	if err != nil {
		return err
	}
	minted, err := k.mintDay(ctx, day.Rules, *mining)
	if err != nil {
		return err
	}
	mining.Minted = mining.Minted.Add(minted)
	day.Datacenter.Emission, day.Contributor.Emission = day.Rules.SplitEmission(minted)
	day.Datacenter.Carry, day.Contributor.Carry = mining.DatacenterCarry, mining.ContributorCarry
	for _, pool := range []*types.KindDay{&day.Datacenter, &day.Contributor} {
		histogram, err := k.histogram(ctx, number, pool.Kind, days.SlotsPerDay)
		if err != nil {
			return err
		}
		pool.Distribute(day.Rules, histogram, days.SlotsPerDay)
		if err := emit(ctx, &types.EventDayClosed{
			Day: number, Kind: pool.Kind, Pool: pool.Pool.String(), Carry: pool.Left().String(), WeightedUptime: pool.WeightedUptime.String(),
		}); err != nil {
			return err
		}
	}
	mining.DatacenterCarry, mining.ContributorCarry = day.Datacenter.Left(), day.Contributor.Left()
	mining.DatacenterRho, mining.ContributorRho = day.Datacenter.Rho, day.Contributor.Rho
	day.OperatorCap = day.Rules.OperatorCap(day.Pool())
	closedAt := now(ctx)
	day.Status, day.ClosedAt = types.DAY_STATUS_CLOSED, &closedAt
	mining.NextClose++
	return k.days.Set(ctx, number, day)
}

// mintDay mints the money of the next day to be closed: none after mining_days.
func (k *Keeper) mintDay(ctx context.Context, rules types.Rules, mining types.Mining) (math.Int, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return math.Int{}, err
	}
	if mining.NextClose-mining.FirstDay >= uint64(params.MiningDays) {
		return math.ZeroInt(), nil
	}
	return k.mint(ctx, rules.DailyPool)
}
