package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// SetGPU records that a GPU of this weight asks for stake. A GPU that is known
// keeps its listed price.
func (k *Keeper) SetGPU(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32, weightPPM uint64) error {
	key := collections.Join3(operator, hostID, ordinal)
	gpu, err := k.requirements.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		record, err := k.Operator(ctx, operator)
		if err != nil {
			return err
		}
		return k.retarget(ctx, key, types.GpuRequirement{
			Operator: record.Address, HostId: hostID, Ordinal: ordinal, WeightPpm: weightPPM,
			PricePerHour: math.ZeroInt(), Amount: math.ZeroInt(), Target: math.ZeroInt(),
		}, true)
	} else if err != nil {
		return err
	}
	gpu.WeightPpm = weightPPM
	return k.retarget(ctx, key, gpu, false)
}

// SetListedPrice records the listed price per hour of a GPU in the stake denom
// (zero: not listed, or listed in another denom). To clear the price of a GPU
// that is gone is no error: it asks for nothing already.
func (k *Keeper) SetListedPrice(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32, pricePerHour math.Int) error {
	if err := types.ValidatePrice(pricePerHour); err != nil {
		return err
	}
	key := collections.Join3(operator, hostID, ordinal)
	gpu, err := k.requirement(ctx, key)
	if errors.Is(err, types.ErrGPUNotFound) && pricePerHour.IsZero() {
		return nil
	} else if err != nil {
		return err
	}
	atOnce := gpu.PricePerHour.IsZero() && pricePerHour.IsPositive()
	gpu.PricePerHour = pricePerHour
	return k.retarget(ctx, key, gpu, atOnce)
}

// RemoveGPU ends what the GPU asks for, at once.
func (k *Keeper) RemoveGPU(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32) error {
	key := collections.Join3(operator, hostID, ordinal)
	gpu, err := k.requirement(ctx, key)
	if err != nil {
		return err
	}
	if err := k.unqueueStep(ctx, key, gpu); err != nil {
		return err
	}
	if err := k.requirements.Remove(ctx, key); err != nil {
		return err
	}
	return k.changeRequirement(ctx, operator, gpu.Amount.Neg())
}

// GPURequirement returns what one GPU asks of its operator now, in the stake denom.
//
// Errors: ErrOperatorNotFound, ErrGPUNotFound.
func (k *Keeper) GPURequirement(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32) (math.Int, error) {
	gpu, err := k.requirement(ctx, collections.Join3(operator, hostID, ordinal))
	return gpu.Amount, err
}

// requirement reads what a GPU asks for, with an error that says what is missing.
func (k *Keeper) requirement(ctx context.Context, key gpuKey) (types.GpuRequirement, error) {
	gpu, err := k.requirements.Get(ctx, key)
	if !errors.Is(err, collections.ErrNotFound) {
		return gpu, err
	}
	if _, err := k.Operator(ctx, key.K1()); err != nil {
		return gpu, err
	}
	return gpu, types.ErrGPUNotFound.Wrapf("GPU %d of host %d of operator %s", key.K3(), key.K2(), k.name(key.K1()))
}

// retarget computes the GPU's target under the params of now, and lets the
// amount follow: at once up to it when atOnce is set (a new GPU, or one that
// gets its first price), otherwise by one step if the last one was a day ago.
// What is left is the queue's.
func (k *Keeper) retarget(ctx context.Context, key gpuKey, gpu types.GpuRequirement, atOnce bool) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if err := k.unqueueStep(ctx, key, gpu); err != nil {
		return err
	}
	gpu.Target = params.GPURequirement(gpu.WeightPpm, gpu.PricePerHour)
	now, amount := blockTime(ctx), gpu.Amount
	switch {
	case atOnce && gpu.Target.GT(amount):
		amount = gpu.Target
	case !gpu.Settled() && !now.Before(gpu.StepDue()):
		amount = params.NextRequirement(amount, gpu.Target)
	}
	return k.saveStep(ctx, key, gpu, amount, now)
}

// saveStep gives the GPU its new amount, queues the next step if there is one,
// and moves the operator's sum by the difference.
func (k *Keeper) saveStep(ctx context.Context, key gpuKey, gpu types.GpuRequirement, amount math.Int, at time.Time) error {
	change := amount.Sub(gpu.Amount)
	if !change.IsZero() {
		gpu.Amount, gpu.SteppedAt = amount, at
	}
	if err := k.requirements.Set(ctx, key, gpu); err != nil {
		return err
	}
	if !gpu.Settled() {
		if err := k.stepQueue.Set(ctx, stepKey(key, gpu)); err != nil {
			return err
		}
	}
	return k.changeRequirement(ctx, key.K1(), change)
}

// changeRequirement moves the operator's sum.
func (k *Keeper) changeRequirement(ctx context.Context, operator sdk.AccAddress, change math.Int) error {
	if change.IsZero() {
		return nil
	}
	if err := k.hooks.BeforeStakeChanged(ctx, operator); err != nil {
		return err
	}
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	record.Requirement = record.Requirement.Add(change)
	return k.saveOperator(ctx, operator, record)
}

func (k *Keeper) unqueueStep(ctx context.Context, key gpuKey, gpu types.GpuRequirement) error {
	if gpu.Settled() {
		return nil
	}
	return k.stepQueue.Remove(ctx, stepKey(key, gpu))
}

func stepKey(key gpuKey, gpu types.GpuRequirement) stepDueKey {
	return collections.Join(gpu.StepDue().UnixNano(), key)
}
