package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// UpdateInventory replaces the declared GPUs of a host, finds their classes
// anew and starts a new generation, which it returns. A document signed over
// the old generation is no longer accepted, so declare right after attesting.
//
// Errors: ErrInvalidInventory, those of ownership, and the hook's when a GPU
// that would change or vanish is in use.
func (k *Keeper) UpdateInventory(ctx context.Context, operator sdk.AccAddress, hostID uint64, inventory []types.GpuInventory) (uint64, error) {
	host, err := k.ownHost(ctx, operator, hostID)
	if err != nil {
		return 0, err
	}
	if err := types.ValidateInventory(inventory, host.Capacity); err != nil {
		return 0, err
	}
	old, err := k.GPUsOf(ctx, hostID)
	if err != nil {
		return 0, err
	}
	gpus, weights, err := k.classify(ctx, hostID, inventory)
	if err != nil {
		return 0, err
	}
	if err := k.keepMeasured(ctx, old, gpus, weights); err != nil {
		return 0, err
	}
	changed := changedGPUs(old, gpus)
	if len(changed) > 0 {
		if err := k.checkUnchallenged(ctx, hostID, changed); err != nil {
			return 0, err
		}
		if err := k.hooks.BeforeGPUsChanged(ctx, hostID, changed); err != nil {
			return 0, err
		}
		if err := k.endDevicesOf(ctx, hostID, changed, endGPUGone); err != nil {
			return 0, err
		}
	}
	if err := k.declareGPUs(ctx, operator, gpus, weights); err != nil {
		return 0, err
	}
	for _, ordinal := range changed {
		if err := k.forgetProof(ctx, hostID, ordinal); err != nil {
			return 0, err
		}
	}
	for ordinal := uint32(len(gpus)); ordinal < uint32(len(old)); ordinal++ {
		if err := k.removeGPU(ctx, operator, hostID, ordinal); err != nil {
			return 0, err
		}
	}
	host.GpuCount = uint32(len(gpus))
	host.Generation++
	if err := k.setHost(ctx, host); err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	return host.Generation, k.dueUnproven(ctx, &host, func(p *types.ComputeProof) bool { return !isProven(ctx, p, params) })
}

// changedGPUs returns the ordinals at which another card stands than before, or
// none, ascending. A new driver, or another slot of the bus, is the same card.
func changedGPUs(old, updated []types.Gpu) []uint32 {
	var changed []uint32
	for i := range old {
		if i >= len(updated) || !sameCard(&old[i], &updated[i]) {
			changed = append(changed, uint32(i))
		}
	}
	return changed
}

func sameCard(a, b *types.Gpu) bool {
	return a.DeclaredClass() == b.DeclaredClass() && a.Inventory.Uuid == b.Inventory.Uuid &&
		a.Inventory.Name == b.Inventory.Name && a.Inventory.MemoryMib == b.Inventory.MemoryMib
}

// classify finds the class and weight of each declared GPU. A GPU of no class
// has weight 0.
func (k *Keeper) classify(ctx context.Context, hostID uint64, inventory []types.GpuInventory) ([]types.Gpu, []uint64, error) {
	it, err := k.classes.Iterate(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	classes, err := it.Values() // at most MaxClasses
	if err != nil {
		return nil, nil, err
	}
	gpus, weights := make([]types.Gpu, len(inventory)), make([]uint64, len(inventory))
	for i, declared := range inventory {
		gpus[i] = types.Gpu{HostId: hostID, Ordinal: uint32(i), Inventory: declared}
		if class, ok := types.MatchClass(classes, declared.Name, declared.MemoryMib); ok {
			gpus[i].Class, weights[i] = class.Key, class.WeightPpm
		}
	}
	return gpus, weights, nil
}

// declareGPUs writes the GPUs and tells how much stake each asks for.
func (k *Keeper) declareGPUs(ctx context.Context, operator sdk.AccAddress, gpus []types.Gpu, weights []uint64) error {
	for i := range gpus {
		g := &gpus[i]
		if err := k.gpus.Set(ctx, collections.Join(g.HostId, g.Ordinal), *g); err != nil {
			return err
		}
		if err := k.staking.SetGPU(ctx, operator, g.HostId, g.Ordinal, weights[i]); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) removeGPU(ctx context.Context, operator sdk.AccAddress, hostID uint64, ordinal uint32) error {
	if err := k.gpus.Remove(ctx, collections.Join(hostID, ordinal)); err != nil {
		return err
	}
	return k.staking.RemoveGPU(ctx, operator, hostID, ordinal)
}

// keepMeasured gives a card that was declared before, at whatever ordinal, the class
// that challenges measured, until challenges measure another.
func (k *Keeper) keepMeasured(ctx context.Context, old, updated []types.Gpu, weights []uint64) error {
	for i := range updated {
		for j := range old {
			if old[j].ClaimedClass != "" && old[j].ClaimedClass == updated[i].Class && old[j].Inventory.Uuid == updated[i].Inventory.Uuid {
				weight, err := k.ClassWeight(ctx, old[j].Class)
				if err != nil {
					return err
				}
				updated[i].Class, updated[i].ClaimedClass, weights[i] = old[j].Class, old[j].ClaimedClass, weight
			}
		}
	}
	return nil
}
