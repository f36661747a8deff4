package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// noteRented keeps, for each GPU of a payment, the seconds and fees of each day that
// it was paid for: what the bonus of the next day follows from. Only days from which
// a weight can still be frozen count, at most MaxRentedDays of them.
func (k *Keeper) noteRented(ctx context.Context, p gpumarket.Payment) error {
	days, err := k.attestation.Params(ctx)
	if err != nil {
		return err
	}
	mining, err := k.mining.Get(ctx)
	if err != nil {
		return err
	}
	from, to := p.From.Unix(), p.To.Unix()
	if mining.FirstDay == 0 || len(p.GPUs) == 0 || from >= to {
		return nil
	}
	host, err := k.attestation.Host(ctx, p.HostID)
	if err != nil {
		return err
	}
	fees, err := k.countedFees(ctx, p)
	if err != nil {
		return err
	}
	length := uint64(to - from)
	last := days.DayOf(days.SlotAt(p.To))
	first := max(days.DayOf(days.SlotAt(p.From)), mining.NextClose-1)
	if last >= types.MaxRentedDays {
		first = max(first, last+1-types.MaxRentedDays)
	}
	for day := first; day <= last; day++ {
		begin, end := days.SlotStart(days.FirstSlotOf(day)).Unix(), days.SlotStart(days.FirstSlotOf(day+1)).Unix()
		seconds := max(0, min(to, end)-max(from, begin))
		if seconds == 0 {
			continue
		}
		part := types.RentedPart(length, uint64(seconds), p.Missed, fees, len(p.GPUs))
		for _, ordinal := range p.GPUs {
			if err := k.addRented(ctx, day, host.FirstGpu+uint64(ordinal), part); err != nil {
				return err
			}
		}
	}
	return nil
}

// countedFees is what of the payment nobody gets back: burned and paid to the
// treasury. Another denom has no price in the stake denom and counts nothing.
func (k *Keeper) countedFees(ctx context.Context, p gpumarket.Payment) (math.Int, error) {
	denom, err := k.staking.StakeDenom(ctx)
	if err != nil || p.Denom != denom {
		return math.ZeroInt(), err
	}
	fees := math.ZeroInt()
	for _, part := range []math.Int{p.Burned, p.Treasury} {
		if !part.IsNil() {
			fees = fees.Add(part)
		}
	}
	return fees, nil
}

func (k *Keeper) addRented(ctx context.Context, day, gpu uint64, part types.Rented) error {
	key := collections.Join(day, gpu)
	record, err := k.rented.Get(ctx, key)
	switch {
	case errors.Is(err, collections.ErrNotFound):
		zero := math.ZeroInt()
		record = types.RentedDay{Day: day, Gpu: gpu, Fees: zero, Rho: zero, Gain: zero}
	case err != nil:
		return err
	case record.Used:
		return nil // the next day's weight is frozen
	}
	record.Seconds += part.Seconds
	record.Fees = record.Fees.Add(part.Fees)
	return k.rented.Set(ctx, key, record)
}

// useRented returns the bonus factor of a GPU whose other factors are f, from what
// it was rented for on the day before, and keeps how that was decided. Fees that
// don't exceed what the bonus can be worth buy none.
func (d *openDay) useRented(ctx context.Context, gpu uint64, kind stakingext.OperatorKind, f types.Factors) (uint64, error) {
	key := collections.Join(d.record.Day-1, gpu)
	record, err := d.k.rented.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		return types.PPM, nil
	} else if err != nil {
		return 0, err
	}
	record.Used, record.Rho = true, d.mining.Rho(kind)
	f.Bonus = d.record.Rules.BonusFactor(record.Seconds, daySeconds(d.days))
	record.Gain = d.record.Rules.RentedGain(f, record.Rho)
	if !record.Fees.GT(record.Gain) {
		f.Bonus = types.PPM
	}
	return f.Bonus, d.k.rented.Set(ctx, key, record)
}

func daySeconds(days attestation.Params) uint64 {
	return uint64(days.SlotSeconds) * uint64(days.SlotsPerDay)
}
