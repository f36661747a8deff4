package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/attestation/types"
)

// HostFacts returns what is proven of the host and each of its GPUs, as it counts on
// the day: probes and challenges of days before it, everything else as of now.
//
// Errors: ErrHostNotFound.
func (k *Keeper) HostFacts(ctx context.Context, hostID, day uint64) (types.HostFacts, error) {
	host, err := k.Host(ctx, hostID)
	if err != nil {
		return types.HostFacts{}, err
	}
	facts := types.HostFacts{Host: host}
	params, err := k.params.Get(ctx)
	if err != nil {
		return facts, err
	}
	gpus, err := k.GPUsOf(ctx, hostID)
	if err != nil {
		return facts, err
	}
	if facts.Connection, err = k.connectionOf(ctx, params.Probe, hostID, day); err != nil {
		return facts, err
	}
	bonded, err := k.bonded(ctx, host.Operator)
	if err != nil {
		return facts, err
	}
	facts.GPUs = make([]types.GPUFacts, len(gpus))
	for i := range gpus {
		g := &facts.GPUs[i]
		g.Gpu, g.Proofs.Witnessed, g.Proofs.Bonded = gpus[i], facts.Connection.Day != 0, bonded
		if g.Compute, err = k.proof(ctx, hostID, gpus[i].Ordinal); err != nil {
			return facts, err
		}
		g.Proofs.Compute = isProven(ctx, &g.Compute, params)
		results, known := g.Compute.Before(day)
		g.Passed, g.Missed, g.Wrong, g.Challenged = results.Passed, results.Missed, results.Wrong, known
		if g.Proofs.Devices, err = k.DeviceAttested(ctx, hostID, gpus[i].Ordinal); err != nil {
			return facts, err
		}
	}
	return facts, nil
}

// GPUTier returns how far a GPU is proven, 0 to 3.
//
// Errors: ErrHostNotFound, ErrGPUNotFound.
func (k *Keeper) GPUTier(ctx context.Context, hostID uint64, ordinal uint32) (uint32, error) {
	if _, err := k.GPU(ctx, hostID, ordinal); err != nil {
		return 0, err
	}
	facts, err := k.factsOfToday(ctx, hostID)
	if err != nil {
		return 0, err
	}
	return facts.GPUs[ordinal].Proofs.Tier(), nil
}

// TrustTier returns how far the host is proven, 0 to 3: the least of its GPUs. Most
// that are not proven end at the first GPU.
func (k *Keeper) TrustTier(ctx context.Context, hostID uint64) (uint32, error) {
	if proven, err := k.ComputeProven(ctx, hostID, 0); err != nil || !proven {
		return types.TierDeclared, err
	}
	facts, err := k.factsOfToday(ctx, hostID)
	if err != nil {
		return 0, err
	}
	return facts.Tier(), nil
}

func (k *Keeper) factsOfToday(ctx context.Context, hostID uint64) (types.HostFacts, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.HostFacts{}, err
	}
	return k.HostFacts(ctx, hostID, params.DayOf(params.SlotAt(blockTime(ctx))))
}

// bonded tells whether the operator's counted stake covers its requirement now.
func (k *Keeper) bonded(ctx context.Context, operator string) (bool, error) {
	addr, err := k.addressCodec.StringToBytes(operator)
	if err != nil {
		return false, err
	}
	record, err := k.staking.Operator(ctx, addr)
	return err == nil && record.IsCovered(), err
}
