package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// StepRequirements moves the requirements whose next step is due, at most
// unbonding_budget of them. A step counts from its own due time, so a late block
// delays none of those that follow. One that fails is tried again a day later.
func (k *Keeper) StepRequirements(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	due, err := dueKeys(ctx, k.stepQueue, collections.PairPrefix[int64, gpuKey](blockTime(ctx).UnixNano()+1), params.UnbondingBudget)
	if err != nil {
		return err
	}
	for _, key := range due {
		if failure := try(ctx, func(ctx context.Context) error { return k.step(ctx, key.K2(), params) }); failure == nil {
			continue
		} else if err := k.parkStep(ctx, key, failure); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) step(ctx context.Context, key gpuKey, params types.Params) error {
	gpu, err := k.requirement(ctx, key)
	if err != nil {
		return err
	}
	if err := k.unqueueStep(ctx, key, gpu); err != nil {
		return err
	}
	return k.saveStep(ctx, key, gpu, params.NextRequirement(gpu.Amount, gpu.Target), gpu.StepDue())
}

// parkStep tries a step again after parkTime. A queue key without a GPU is dropped.
func (k *Keeper) parkStep(ctx context.Context, due stepDueKey, failure error) error {
	if err := k.stepQueue.Remove(ctx, due); err != nil {
		return err
	}
	gpu, err := k.requirements.Get(ctx, due.K2())
	switch {
	case errors.Is(err, collections.ErrNotFound):
	case err != nil:
		return err
	default:
		gpu.SteppedAt = blockTime(ctx).Add(parkTime - types.Day)
		if err := k.requirements.Set(ctx, due.K2(), gpu); err != nil {
			return err
		}
		if err := k.stepQueue.Set(ctx, stepKey(due.K2(), gpu)); err != nil {
			return err
		}
	}
	return emit(ctx, &types.EventRequirementParked{
		Operator: k.name(due.K2().K1()), HostId: due.K2().K2(), Ordinal: due.K2().K3(), Error: failure.Error(),
	})
}
