package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// SetGPU records that a GPU of this weight asks for stake. A GPU that is known
// keeps its listed price.
func (k *Keeper) SetGPU(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32, weightPPM uint64) error {
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	key := collections.Join3(operator, hostID, ordinal)
	gpu, err := k.requirements.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		gpu = types.GpuRequirement{
			Operator: record.Address, HostId: hostID, Ordinal: ordinal,
			PricePerHour: math.ZeroInt(), Amount: math.ZeroInt(),
		}
	} else if err != nil {
		return err
	}
	gpu.WeightPpm = weightPPM
	return k.saveRequirement(ctx, operator, record, key, gpu)
}

// SetListedPrice records the listed price per hour of a GPU in the stake denom
// (zero: not listed, or listed in another denom). To clear the price of a GPU
// that is gone is no error: it asks for nothing already.
func (k *Keeper) SetListedPrice(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32, pricePerHour math.Int) error {
	if err := types.ValidatePrice(pricePerHour); err != nil {
		return err
	}
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	key := collections.Join3(operator, hostID, ordinal)
	gpu, err := k.requirements.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		if pricePerHour.IsZero() {
			return nil
		}
		return types.ErrGPUNotFound.Wrapf("GPU %d of host %d of operator %s", ordinal, hostID, record.Address)
	} else if err != nil {
		return err
	}
	gpu.PricePerHour = pricePerHour
	return k.saveRequirement(ctx, operator, record, key, gpu)
}

// RemoveGPU ends what the GPU asks for.
func (k *Keeper) RemoveGPU(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32) error {
	record, err := k.Operator(ctx, operator)
	if err != nil {
		return err
	}
	key := collections.Join3(operator, hostID, ordinal)
	gpu, err := k.requirements.Get(ctx, key)
	if errors.Is(err, collections.ErrNotFound) {
		return types.ErrGPUNotFound.Wrapf("GPU %d of host %d of operator %s", ordinal, hostID, record.Address)
	} else if err != nil {
		return err
	}
	if err := k.requirements.Remove(ctx, key); err != nil {
		return err
	}
	record.Requirement = record.Requirement.Sub(gpu.Amount)
	return k.saveOperator(ctx, operator, record)
}

// saveRequirement computes what the GPU asks for under the params of now and
// moves the operator's sum by the difference.
func (k *Keeper) saveRequirement(ctx context.Context, operator sdk.AccAddress, record types.Operator, key gpuKey, gpu types.GpuRequirement) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	amount := params.GPURequirement(gpu.WeightPpm, gpu.PricePerHour)
	record.Requirement = record.Requirement.Add(amount).Sub(gpu.Amount)
	gpu.Amount = amount
	if err := k.requirements.Set(ctx, key, gpu); err != nil {
		return err
	}
	return k.saveOperator(ctx, operator, record)
}
