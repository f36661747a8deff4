package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// checkDelegations checks the shares of each pool against its delegations, the
// index, and the locks of redelegations.
func (k *Keeper) checkDelegations(ctx context.Context, broken *[]string) error {
	sums, records := map[string]math.Int{}, 0
	locks, err := k.allLocks(ctx)
	if err != nil {
		return err
	}
	err = k.delegations.Walk(ctx, nil, func(key poolKey, shares math.Int) (bool, error) {
		records++
		sum, ok := sums[string(key.K2())]
		if !ok {
			sum = math.ZeroInt()
		}
		sums[string(key.K2())] = sum.Add(shares)
		locked, ok := locks[[2]string{string(key.K1()), string(key.K2())}]
		if !ok {
			locked = math.ZeroInt()
		}
		if !shares.IsPositive() || locked.GT(shares) {
			*broken = append(*broken, fmt.Sprintf("delegation of %s to %s has %s shares, %s of them locked",
				k.name(key.K1()), k.name(key.K2()), shares, locked))
		}
		has, err := k.delegators.Has(ctx, collections.Join(key.K2(), key.K1()))
		if !has && err == nil {
			*broken = append(*broken, fmt.Sprintf("delegation of %s to %s is not in the index", k.name(key.K1()), k.name(key.K2())))
		}
		return err != nil, err
	})
	if err != nil {
		return err
	}
	indexed, err := count(ctx, k.delegators)
	if err != nil {
		return err
	}
	if indexed != records {
		*broken = append(*broken, fmt.Sprintf("the index has %d keys for %d delegations", indexed, records))
	}
	err = k.operators.Walk(ctx, nil, func(address sdk.AccAddress, o types.Operator) (bool, error) {
		sum, ok := sums[string(address)]
		if !ok {
			sum = math.ZeroInt()
		}
		if !sum.Equal(o.DelegationShares) {
			*broken = append(*broken, fmt.Sprintf("operator %s has %s shares, but its delegations have %s", o.Address, o.DelegationShares, sum))
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	return k.checkRedelegations(ctx, broken)
}

// allLocks sums what redelegations lock of each (delegator, operator), in one
// walk: a walk for each delegation would cost the square at genesis.
func (k *Keeper) allLocks(ctx context.Context) (map[[2]string]math.Int, error) {
	locks := map[[2]string]math.Int{}
	err := k.redelegations.Walk(ctx, nil, func(key leaveKey, e types.Redelegation) (bool, error) {
		pool := [2]string{string(key.K1()), string(key.K2())}
		sum, ok := locks[pool]
		if !ok {
			sum = math.ZeroInt()
		}
		locks[pool] = sum.Add(e.Shares)
		return false, nil
	})
	return locks, err
}

// checkRedelegations checks that entries and queue name each other, and that
// each entry's shares are there.
func (k *Keeper) checkRedelegations(ctx context.Context, broken *[]string) error {
	entries := 0
	err := k.redelegations.Walk(ctx, nil, func(key leaveKey, e types.Redelegation) (bool, error) {
		entries++
		held, err := k.Delegation(ctx, key.K1(), key.K2())
		if err != nil {
			return true, err
		}
		if !e.Shares.IsPositive() || e.Shares.GT(held) {
			*broken = append(*broken, fmt.Sprintf("redelegation %d of %s to %s locks %s of %s shares", e.Id, e.Delegator, e.To, e.Shares, held))
		}
		has, err := k.redelegationQueue.Has(ctx, leaveDue(e.CompletesAt, key))
		if !has && err == nil {
			*broken = append(*broken, fmt.Sprintf("redelegation %d of %s to %s is not in the queue", e.Id, e.Delegator, e.To))
		}
		return err != nil, err
	})
	if err != nil {
		return err
	}
	queued, err := count(ctx, k.redelegationQueue)
	if queued != entries {
		*broken = append(*broken, fmt.Sprintf("the queue has %d keys for %d redelegations", queued, entries))
	}
	return err
}

// checkUndelegations checks that entries and queue name each other, and returns
// the sum of the entries.
func (k *Keeper) checkUndelegations(ctx context.Context, broken *[]string) (math.Int, error) {
	sum, entries := math.ZeroInt(), 0
	err := k.undelegations.Walk(ctx, nil, func(key leaveKey, e types.UnbondingDelegation) (bool, error) {
		sum = sum.Add(e.Amount)
		entries++
		if !e.Amount.IsPositive() {
			*broken = append(*broken, fmt.Sprintf("undelegation %d of %s from %s has amount %s", e.Id, e.Delegator, e.Operator, e.Amount))
		}
		has, err := k.undelegationQueue.Has(ctx, leaveDue(e.CompletesAt, key))
		if !has && err == nil {
			*broken = append(*broken, fmt.Sprintf("undelegation %d of %s from %s is not in the queue", e.Id, e.Delegator, e.Operator))
		}
		return err != nil, err
	})
	if err != nil {
		return sum, err
	}
	queued, err := count(ctx, k.undelegationQueue)
	if queued != entries {
		*broken = append(*broken, fmt.Sprintf("the queue has %d keys for %d undelegations", queued, entries))
	}
	return sum, err
}

// checkSlashes checks that records conserve what they took and are in the queue,
// and that remembered faults are.
func (k *Keeper) checkSlashes(ctx context.Context, broken *[]string) error {
	records := 0
	err := k.slashes.Walk(ctx, nil, func(key slashKey, r types.SlashRecord) (bool, error) {
		records++
		from := r.FromRewards.Add(r.FromOwnStake).Add(r.FromUnbonding).Add(r.FromDelegated)
		to := r.ToVictim.Add(r.ToReporter).Add(r.ToInsurance).Add(r.Burned).Add(r.Held)
		if !from.Equal(to) {
			*broken = append(*broken, fmt.Sprintf("slash %d of %s took %s and gave %s", r.Id, r.Operator, from, to))
		}
		queued, err := k.slashQueue.Has(ctx, collections.Join3(r.KeptUntil.UnixNano(), key.K1(), key.K2()))
		if err != nil {
			return true, err
		}
		pool, err := k.poolSlashes.Has(ctx, key)
		if err == nil && (!queued || pool != r.RateNum.IsPositive()) {
			*broken = append(*broken, fmt.Sprintf("slash %d of %s at rate %s/%s: in the queue %t, in the pool's list %t",
				r.Id, r.Operator, r.RateNum, r.RateDen, queued, pool))
		}
		return err != nil, err
	})
	if err != nil {
		return err
	}
	queued, err := count(ctx, k.slashQueue)
	if err != nil {
		return err
	}
	if queued != records {
		*broken = append(*broken, fmt.Sprintf("the queue has %d keys for %d slash records", queued, records))
	}
	faults := 0
	err = k.punished.Walk(ctx, nil, func(id string, p types.PunishedFault) (bool, error) {
		faults++
		has, err := k.punishedQueue.Has(ctx, collections.Join(p.CommittedAt.UnixNano(), id))
		if !has && err == nil {
			*broken = append(*broken, fmt.Sprintf("punished fault %s is not in the queue", id))
		}
		return err != nil, err
	})
	if err != nil {
		return err
	}
	remembered, err := count(ctx, k.punishedQueue)
	if remembered != faults {
		*broken = append(*broken, fmt.Sprintf("the queue has %d keys for %d punished faults", remembered, faults))
	}
	return err
}
