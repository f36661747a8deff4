package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"
	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// Params returns the module's params.
func (k *Keeper) Params(ctx context.Context) (types.Params, error) { return k.params.Get(ctx) }

// Host returns a host. Errors: ErrHostNotFound.
func (k *Keeper) Host(ctx context.Context, hostID uint64) (types.Host, error) {
	host, err := k.hosts.Get(ctx, hostID)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Host{}, types.ErrHostNotFound.Wrapf("id %d", hostID)
	}
	return host, err
}

// GPU returns a declared GPU. Errors: ErrHostNotFound, ErrGPUNotFound.
func (k *Keeper) GPU(ctx context.Context, hostID uint64, ordinal uint32) (types.Gpu, error) {
	gpu, err := k.gpus.Get(ctx, collections.Join(hostID, ordinal))
	if errors.Is(err, collections.ErrNotFound) {
		host, err := k.Host(ctx, hostID)
		if err != nil {
			return types.Gpu{}, err
		}
		return types.Gpu{}, types.ErrGPUNotFound.Wrapf("ordinal %d of host %d, which has %d GPUs", ordinal, hostID, host.GpuCount)
	}
	return gpu, err
}

// GPUsOf returns the declared GPUs of a host, in the order of their ordinals.
func (k *Keeper) GPUsOf(ctx context.Context, hostID uint64) ([]types.Gpu, error) {
	it, err := k.gpus.Iterate(ctx, collections.NewPrefixedPairRange[uint64, uint32](hostID))
	if err != nil {
		return nil, err
	}
	return it.Values()
}

// ownHost returns a host that isn't retired, and only to its operator.
func (k *Keeper) ownHost(ctx context.Context, operator sdk.AccAddress, hostID uint64) (types.Host, error) {
	host, err := k.Host(ctx, hostID)
	if err != nil {
		return types.Host{}, err
	}
	operatorStr, err := k.addressCodec.BytesToString(operator)
	if err != nil {
		return types.Host{}, err
	}
	if host.Operator != operatorStr {
		return types.Host{}, types.ErrNotOwner.Wrapf("host %d is of %s, got %s", hostID, host.Operator, operatorStr)
	}
	if host.Status == types.HOST_STATUS_RETIRED {
		return types.Host{}, types.ErrHostRetired.Wrapf("id %d", hostID)
	}
	return host, nil
}

// VerifyAgentSignature checks domain ‖ SHA-256(doc) against the agent keys of
// the host that may sign in the slot of this block, newest first.
func (k *Keeper) VerifyAgentSignature(ctx context.Context, hostID uint64, domain string, doc, signature []byte) error {
	host, err := k.Host(ctx, hostID)
	if err != nil {
		return err
	}
	if host.Status != types.HOST_STATUS_ACTIVE {
		return types.ErrHostNotActive.Wrapf("host %d is %s", hostID, host.Status)
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	slot := params.SlotAt(blockTime(ctx))
	chargeSignature(ctx, params)
	if !keyCache.verifyAny(host.SigningKeys(slot), types.SignBytesOf(domain, doc), signature) {
		return types.ErrInvalidSignature.Wrapf("by no live agent key of host %d, domain %s", hostID, domain)
	}
	return nil
}

// SlotAt returns the slot that t lies in.
func (k *Keeper) SlotAt(ctx context.Context, t time.Time) (uint64, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	return params.SlotAt(t), nil
}

// SlotStart returns the first second of the slot.
func (k *Keeper) SlotStart(ctx context.Context, slot uint64) (time.Time, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return params.SlotStart(slot), nil
}

// chargeSignature charges for one signature verified outside of a batch.
func chargeSignature(ctx context.Context, params types.Params) {
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(params.AttestationGas, "agent signature")
}

// blockTime is the only clock.
func blockTime(ctx context.Context) time.Time { return sdk.UnwrapSDKContext(ctx).BlockTime() }

// getOr returns the item's value, or a default while it has none.
func getOr[V any](ctx context.Context, item collections.Item[V], def V) (V, error) {
	v, err := item.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return def, nil
	}
	return v, err
}

func isNotFound(err error) bool { return errors.Is(err, collections.ErrNotFound) }

// emit adds a typed event to the block.
func emit(ctx context.Context, event proto.Message) error {
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(event)
}

// NextHostID returns the id that the next registered host gets.
func (k *Keeper) NextHostID(ctx context.Context) (uint64, error) { return k.hostSeq.Peek(ctx) }

// IsOperator tells whether the account may register hosts.
func (k *Keeper) IsOperator(ctx context.Context, account sdk.AccAddress) (bool, error) {
	return k.staking.HasOperator(ctx, account)
}
