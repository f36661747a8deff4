package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/rewards/types"
)

// lastExpired returns the newest day that is too old to be claimed: claim_days have
// passed since its end, or x/attestation has dropped its counters. ok is false
// while there is none.
func lastExpired(params types.Params, days attestation.Params, today uint64) (day uint64, ok bool) {
	kept := uint64(min(params.ClaimDays, days.CounterDays))
	if today <= kept {
		return 0, false
	}
	return today - kept - 1, true
}

// expireDays ends the days that are too old: what nobody claimed goes to the kind's
// next day.
func (k *Keeper) expireDays(ctx context.Context) error {
	mining, err := k.mining.Get(ctx)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	days, err := k.attestation.Params(ctx)
	if err != nil {
		return err
	}
	last, ok := lastExpired(params, days, days.DayOf(days.SlotAt(now(ctx))))
	before := mining.NextExpire
	for range types.CloseBudget {
		if !ok || mining.NextExpire > last || mining.NextExpire >= mining.NextClose {
			break
		}
		if err := k.expireDay(ctx, &mining); err != nil {
			return err
		}
	}
	if mining.NextExpire == before {
		return nil
	}
	return k.mining.Set(ctx, mining)
}

func (k *Keeper) expireDay(ctx context.Context, mining *types.Mining) error {
	day, err := k.days.Get(ctx, mining.NextExpire)
	if err != nil {
		return err
	}
	datacenter, contributor := day.Datacenter.Pool.Sub(day.Datacenter.Paid), day.Contributor.Pool.Sub(day.Contributor.Paid)
	mining.DatacenterCarry = mining.DatacenterCarry.Add(datacenter)
	mining.ContributorCarry = mining.ContributorCarry.Add(contributor)
	mining.NextExpire++
	day.Status = types.DAY_STATUS_EXPIRED
	if err := k.days.Set(ctx, day.Day, day); err != nil {
		return err
	}
	return emit(ctx, &types.EventDayExpired{
		Day: day.Day, DatacenterReturned: datacenter.String(), ContributorReturned: contributor.String(),
	})
}

// pruneDays removes the records of expired days, oldest day first, at most
// PruneBudget a block. The day's own record goes last.
func (k *Keeper) pruneDays(ctx context.Context) error {
	mining, err := k.mining.Get(ctx)
	if err != nil {
		return err
	}
	before := mining.NextPrune
	for budget := types.PruneBudget; budget > 0 && mining.NextPrune < mining.NextExpire; {
		if err := k.pruneDay(ctx, mining.NextPrune, &budget); err != nil {
			return err
		}
		if budget <= 0 {
			break // the day may have more
		}
		mining.NextPrune++
	}
	if mining.NextPrune == before {
		return nil
	}
	return k.mining.Set(ctx, mining)
}

func (k *Keeper) pruneDay(ctx context.Context, day uint64, budget *int) error {
	for _, records := range []collections.Map[bucketKey, []byte]{k.weights, k.factors, k.claimed} {
		if err := pruneRange(ctx, records, collections.NewPrefixedPairRange[uint64, uint64](day), budget); err != nil {
			return err
		}
	}
	// The day's weights came from the seconds of the day before.
	if err := pruneRange(ctx, k.rented, collections.NewPrefixUntilPairRange[uint64, uint64](day-1), budget); err != nil {
		return err
	}
	if err := pruneRange(ctx, k.histograms, collections.NewPrefixedPairRange[uint64, int32](day), budget); err != nil {
		return err
	}
	if err := pruneRange(ctx, k.operatorDays, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](day), budget); err != nil {
		return err
	}
	if *budget <= 0 {
		return nil
	}
	*budget--
	return k.days.Remove(ctx, day)
}

// pruneRange removes records of a range until the budget is used up.
func pruneRange[K, V any](ctx context.Context, records collections.Map[K, V], rng collections.Ranger[K], budget *int) (err error) {
	if *budget <= 0 {
		return nil
	}
	it, err := records.Iterate(ctx, rng)
	if err != nil {
		return err
	}
	var keys []K
	for ; it.Valid() && len(keys) < *budget; it.Next() {
		key, err := it.Key()
		if err != nil {
			return errors.Join(err, it.Close())
		}
		keys = append(keys, key)
	}
	if err := it.Close(); err != nil {
		return err
	}
	*budget -= len(keys)
	for _, key := range keys {
		if err := records.Remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
