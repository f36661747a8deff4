package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// CheckInvariants recomputes the module's accounts from its records and returns
// what doesn't hold, in words. It reads the whole state: for tests, simulation
// and queries, never in a block.
func (k *Keeper) CheckInvariants(ctx context.Context) ([]string, error) {
	var broken []string
	bonded, err := k.checkOperators(ctx, &broken)
	if err != nil {
		return nil, err
	}
	if err := k.checkRequirementOwners(ctx, &broken); err != nil {
		return nil, err
	}
	unbonding, err := k.checkUnbonding(ctx, &broken)
	if err != nil {
		return nil, err
	}
	denom, err := k.StakeDenom(ctx)
	if err != nil {
		return nil, err
	}
	held := k.bank.GetBalance(ctx, authtypes.NewModuleAddress(types.ModuleName), denom).Amount
	if !held.Equal(bonded.Add(unbonding)) {
		broken = append(broken, fmt.Sprintf("stake account holds %s, but own stake %s + unbonding %s = %s",
			held, bonded, unbonding, bonded.Add(unbonding)))
	}
	return broken, nil
}

// checkOperators checks each record against itself and its GPUs, and returns
// the sum of the own stakes.
func (k *Keeper) checkOperators(ctx context.Context, broken *[]string) (math.Int, error) {
	bonded := math.ZeroInt()
	err := k.operators.Walk(ctx, nil, func(address sdk.AccAddress, o types.Operator) (bool, error) {
		bonded = bonded.Add(o.OwnStake)
		asked := math.ZeroInt()
		err := k.requirements.Walk(ctx, collections.NewPrefixedTripleRange[sdk.AccAddress, uint64, uint32](address),
			func(_ gpuKey, r types.GpuRequirement) (bool, error) {
				asked = asked.Add(r.Amount)
				return false, nil
			})
		if err != nil {
			return true, err
		}
		if !asked.Equal(o.Requirement) {
			*broken = append(*broken, fmt.Sprintf("operator %s has requirement %s, but its GPUs ask for %s", o.Address, o.Requirement, asked))
		}
		if o.OwnStake.IsNegative() {
			*broken = append(*broken, fmt.Sprintf("operator %s has own stake %s", o.Address, o.OwnStake))
		}
		if below := o.BelowSince != nil; below == o.IsCovered() {
			*broken = append(*broken, fmt.Sprintf("operator %s has below_since set: %t with own stake %s of %s",
				o.Address, below, o.OwnStake, o.Requirement))
		}
		if o.Tombstoned && !o.Jailed {
			*broken = append(*broken, fmt.Sprintf("operator %s is tombstoned and not jailed", o.Address))
		}
		return false, nil
	})
	return bonded, err
}

func (k *Keeper) checkRequirementOwners(ctx context.Context, broken *[]string) error {
	return k.requirements.Walk(ctx, nil, func(key gpuKey, _ types.GpuRequirement) (bool, error) {
		known, err := k.operators.Has(ctx, key.K1())
		if !known && err == nil {
			*broken = append(*broken, fmt.Sprintf("GPU %d of host %d asks for stake of %s, which is not registered",
				key.K3(), key.K2(), k.name(key.K1())))
		}
		return err != nil, err
	})
}

// checkUnbonding checks that entries and queue name each other, and returns the
// sum of the entries.
func (k *Keeper) checkUnbonding(ctx context.Context, broken *[]string) (math.Int, error) {
	sum, entries, queued := math.ZeroInt(), 0, 0
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
	err = k.queue.Walk(ctx, nil, func(dueKey) (bool, error) {
		queued++
		return false, nil
	})
	if queued != entries {
		*broken = append(*broken, fmt.Sprintf("the queue has %d keys for %d unbonding entries", queued, entries))
	}
	return sum, err
}
