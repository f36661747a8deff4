package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// Registration is what an operator declares of a new host.
type Registration struct {
	Region   string
	Endpoint string
	// ProbeEndpoint is host:port for probes, or empty.
	ProbeEndpoint string
	Capacity      uint32 // 0 for the number of GPUs
	GPUs          []types.GpuInventory
	Binding       Binding
}

// RegisterHost declares a machine with its GPUs and binds its agent key. The
// host may attest the slot of this block and later ones.
//
// Errors: ErrNotOperator, ErrInvalidRegion, ErrInvalidEndpoint, ErrInvalidHost,
// ErrInvalidInventory, and those of the binding.
func (k *Keeper) RegisterHost(ctx context.Context, operator sdk.AccAddress, r Registration) (types.Host, error) {
	operatorStr, err := k.addressCodec.BytesToString(operator)
	if err != nil {
		return types.Host{}, err
	}
	if known, err := k.staking.HasOperator(ctx, operator); err != nil {
		return types.Host{}, err
	} else if !known {
		return types.Host{}, types.ErrNotOperator.Wrap(operatorStr)
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Host{}, err
	}
	if err := checkRegistration(params, &r); err != nil {
		return types.Host{}, err
	}
	now := blockTime(ctx)
	host := types.Host{
		Operator: operatorStr, Status: types.HOST_STATUS_ACTIVE, Region: r.Region, Endpoint: r.Endpoint, ProbeEndpoint: r.ProbeEndpoint,
		EncryptionKey: r.Binding.EncryptionKey, Capacity: r.Capacity, GpuCount: uint32(len(r.GPUs)),
		Generation: 1, RegisteredAt: now,
	}
	if err := k.checkBinding(ctx, params, &host, 0, r.Binding); err != nil {
		return types.Host{}, err
	}

	if host.Id, err = k.hostSeq.Next(ctx); err != nil {
		return types.Host{}, err
	}
	if host.FirstGpu, err = k.takeGPUs(ctx, r.Capacity); err != nil {
		return types.Host{}, err
	}
	if err := k.countOperator(ctx, operator); err != nil {
		return types.Host{}, err
	}
	host.AgentKeys = []types.AgentKey{{PublicKey: r.Binding.AgentKey, FromSlot: params.SlotAt(now)}}
	if err := k.hostByAgentKey.Set(ctx, r.Binding.AgentKey, host.Id); err != nil {
		return types.Host{}, err
	}
	gpus, weights, err := k.classify(ctx, host.Id, r.GPUs)
	if err != nil {
		return types.Host{}, err
	}
	if err := k.declareGPUs(ctx, operator, gpus, weights); err != nil {
		return types.Host{}, err
	}
	if err := k.setHost(ctx, host); err != nil {
		return types.Host{}, err
	}
	return host, k.dueUnproven(ctx, &host, func(*types.ComputeProof) bool { return true })
}

// checkRegistration checks the form of a registration and fills in its capacity.
func checkRegistration(params types.Params, r *Registration) error {
	if err := types.ValidateRegion(r.Region); err != nil {
		return err
	}
	if err := types.ValidateEndpoint(r.Endpoint); err != nil {
		return err
	}
	if err := types.ValidateProbeEndpoint(r.ProbeEndpoint); err != nil {
		return err
	}
	if err := types.ValidateInventory(r.GPUs, params.MaxGpusPerHost); err != nil {
		return err
	}
	if r.Capacity == 0 {
		r.Capacity = uint32(len(r.GPUs))
	}
	if r.Capacity < uint32(len(r.GPUs)) || r.Capacity > params.MaxGpusPerHost {
		return types.ErrInvalidHost.Wrapf("capacity %d, want %d to %d", r.Capacity, len(r.GPUs), params.MaxGpusPerHost)
	}
	return nil
}

// takeGPUs takes the next free range of GPU indexes that lies in one bucket.
func (k *Keeper) takeGPUs(ctx context.Context, capacity uint32) (uint64, error) {
	next, err := getOr(ctx, k.nextGPU, 0)
	if err != nil {
		return 0, err
	}
	first, next := types.PlaceGPUs(next, capacity)
	return first, k.nextGPU.Set(ctx, next)
}

// Reach is how a host is reached.
type Reach struct {
	Region, Endpoint, ProbeEndpoint string
	EncryptionKey                   []byte
}

// UpdateHost changes how a host is reached.
func (k *Keeper) UpdateHost(ctx context.Context, operator sdk.AccAddress, hostID uint64, r Reach) error {
	host, err := k.ownHost(ctx, operator, hostID)
	if err != nil {
		return err
	}
	if err := types.ValidateRegion(r.Region); err != nil {
		return err
	}
	if err := types.ValidateEndpoint(r.Endpoint); err != nil {
		return err
	}
	if err := types.ValidateProbeEndpoint(r.ProbeEndpoint); err != nil {
		return err
	}
	if err := types.ValidateEncryptionKey(r.EncryptionKey); err != nil {
		return err
	}
	host.Region, host.Endpoint, host.ProbeEndpoint, host.EncryptionKey = r.Region, r.Endpoint, r.ProbeEndpoint, r.EncryptionKey
	return k.setHost(ctx, host)
}
