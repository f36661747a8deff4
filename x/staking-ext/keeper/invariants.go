package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// CheckInvariants recomputes the module's accounts from its records and returns
// what doesn't hold, in words. It reads the whole state: for tests, simulation
// and queries, never in a block.
func (k *Keeper) CheckInvariants(ctx context.Context) ([]string, error) {
	var broken []string
	own, delegated, err := k.checkOperators(ctx, &broken)
	if err != nil {
		return nil, err
	}
	if err := k.checkRequirements(ctx, &broken); err != nil {
		return nil, err
	}
	entries, err := k.checkUnbonding(ctx, &broken)
	if err != nil {
		return nil, err
	}
	leaving, err := k.checkUndelegations(ctx, &broken)
	if err != nil {
		return nil, err
	}
	if err := k.checkDelegations(ctx, &broken); err != nil {
		return nil, err
	}
	if err := k.checkSlashes(ctx, &broken); err != nil {
		return nil, err
	}
	bonded, err := k.balance(ctx, types.ModuleName)
	if err != nil {
		return nil, err
	}
	if want := own.Add(delegated); !bonded.Equal(want) {
		broken = append(broken, fmt.Sprintf("stake account holds %s, but own stake %s + delegated %s = %s", bonded, own, delegated, want))
	}
	unbonding, err := k.balance(ctx, types.UnbondingAccount)
	if err != nil {
		return nil, err
	}
	if want := entries.Add(leaving); !unbonding.Equal(want) {
		broken = append(broken, fmt.Sprintf("unbonding account holds %s, but own entries %s + undelegations %s = %s", unbonding, entries, leaving, want))
	}
	return broken, nil
}

// checkOperators checks each record against itself and its GPUs, and returns
// the sums of own and delegated stake.
func (k *Keeper) checkOperators(ctx context.Context, broken *[]string) (own, delegated math.Int, err error) {
	own, delegated = math.ZeroInt(), math.ZeroInt()
	sums := map[string]math.Int{}
	if err = k.requirements.Walk(ctx, nil, func(key gpuKey, r types.GpuRequirement) (bool, error) {
		sum, ok := sums[string(key.K1())]
		if !ok {
			sum = math.ZeroInt()
		}
		sums[string(key.K1())] = sum.Add(r.Amount)
		return false, nil
	}); err != nil {
		return own, delegated, err
	}
	err = k.operators.Walk(ctx, nil, func(address sdk.AccAddress, o types.Operator) (bool, error) {
		own, delegated = own.Add(o.OwnStake), delegated.Add(o.DelegatedTokens)
		asked, ok := sums[string(address)]
		if !ok {
			asked = math.ZeroInt()
		}
		if !asked.Equal(o.Requirement) {
			*broken = append(*broken, fmt.Sprintf("operator %s has requirement %s, but its GPUs ask for %s", o.Address, o.Requirement, asked))
		}
		if o.OwnStake.IsNegative() || o.DelegatedTokens.IsNegative() || o.BondedFor.IsNegative() || o.LeftTotal.IsNegative() {
			*broken = append(*broken, fmt.Sprintf("operator %s has own stake %s, delegated %s, bonds %s, left %s",
				o.Address, o.OwnStake, o.DelegatedTokens, o.BondedFor, o.LeftTotal))
		}
		if o.CountedStake.LT(o.OwnStake) || o.CountedStake.GT(o.OwnStake.Add(o.DelegatedTokens)) {
			*broken = append(*broken, fmt.Sprintf("operator %s counts %s of own stake %s and delegated %s",
				o.Address, o.CountedStake, o.OwnStake, o.DelegatedTokens))
		}
		if o.DelegatedTokens.GT(o.DelegationShares) {
			*broken = append(*broken, fmt.Sprintf("operator %s has %s tokens for %s shares", o.Address, o.DelegatedTokens, o.DelegationShares))
		}
		if below := o.BelowSince != nil; below == o.IsCovered() {
			*broken = append(*broken, fmt.Sprintf("operator %s has below_since set: %t with counted stake %s of %s",
				o.Address, below, o.CountedStake, o.Requirement))
		}
		if o.Tombstoned && !o.Jailed {
			*broken = append(*broken, fmt.Sprintf("operator %s is tombstoned and not jailed", o.Address))
		}
		return false, nil
	})
	return own, delegated, err
}

// checkRequirements checks that each GPU has an operator, and one key in the
// queue exactly while its amount isn't at its target.
func (k *Keeper) checkRequirements(ctx context.Context, broken *[]string) error {
	moving := 0
	err := k.requirements.Walk(ctx, nil, func(key gpuKey, r types.GpuRequirement) (bool, error) {
		known, err := k.operators.Has(ctx, key.K1())
		if !known && err == nil {
			*broken = append(*broken, fmt.Sprintf("GPU %d of host %d asks for stake of %s, which is not registered",
				key.K3(), key.K2(), k.name(key.K1())))
		}
		if err != nil || r.Settled() {
			return err != nil, err
		}
		moving++
		has, err := k.stepQueue.Has(ctx, stepKey(key, r))
		if !has && err == nil {
			*broken = append(*broken, fmt.Sprintf("GPU %d of host %d asks for %s on the way to %s, and is not in the queue",
				key.K3(), key.K2(), r.Amount, r.Target))
		}
		return err != nil, err
	})
	if err != nil {
		return err
	}
	queued, err := count(ctx, k.stepQueue)
	if queued != moving {
		*broken = append(*broken, fmt.Sprintf("the queue of requirements has %d keys for %d GPUs", queued, moving))
	}
	return err
}

// checkUnbonding checks that entries and queue name each other, and returns the
// sum of the entries.
func (k *Keeper) checkUnbonding(ctx context.Context, broken *[]string) (math.Int, error) {
	sum, entries := math.ZeroInt(), 0
	err := k.unbonding.Walk(ctx, nil, func(key entryKey, e types.UnbondingEntry) (bool, error) {
		sum = sum.Add(e.Amount)
		entries++
		if !e.Amount.IsPositive() {
			*broken = append(*broken, fmt.Sprintf("unbonding entry %d of %s has amount %s", e.Id, e.Operator, e.Amount))
		}
		has, err := k.queue.Has(ctx, queueKey(key.K1(), e))
		if !has && err == nil {
			*broken = append(*broken, fmt.Sprintf("unbonding entry %d of %s is not in the queue", e.Id, e.Operator))
		}
		return err != nil, err
	})
	if err != nil {
		return sum, err
	}
	queued, err := count(ctx, k.queue)
	if queued != entries {
		*broken = append(*broken, fmt.Sprintf("the queue has %d keys for %d unbonding entries", queued, entries))
	}
	return sum, err
}

// count counts the keys of a set.
func count[K any](ctx context.Context, set collections.KeySet[K]) (int, error) {
	n := 0
	err := set.Walk(ctx, nil, func(K) (bool, error) {
		n++
		return false, nil
	})
	return n, err
}
