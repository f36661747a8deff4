package keeper

import (
	"context"
	"time"

	"cosmossdk.io/collections"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/device"
	"github.com/grafilab/grafi/x/attestation/types"
)

// deviceState is what the chain knows of dies.
type deviceState struct {
	root *device.Root

	devices      collections.Map[[]byte, types.Device]                             // by serial of the die
	byGPU        collections.Map[collections.Pair[uint64, uint32], []byte]         // (host, ordinal) → serial
	expiry       collections.KeySet[collections.Pair[time.Time, []byte]]           // (expires at, serial)
	certificates collections.Map[[]byte, types.Certificate]                        // by digest
	evictable    collections.KeySet[collections.Triple[time.Time, uint32, []byte]] // (used at, height over the leaf, digest)
	cached       collections.Item[uint64]                                          // number of certificates
	revocations  collections.Map[[]byte, types.Revocation]                         // by serial
	recent       collections.Map[uint64, types.RecentBlock]                        // by height
}

func newDeviceState(sb *collections.SchemaBuilder, cdc codec.BinaryCodec) deviceState {
	return deviceState{
		root:    device.NVIDIA(),
		devices: collections.NewMap(sb, types.DevicesPrefix, "devices", collections.BytesKey, codec.CollValue[types.Device](cdc)),
		byGPU: collections.NewMap(sb, types.DevicesByGPUPrefix, "devices_by_gpu",
			collections.PairKeyCodec(collections.Uint64Key, collections.Uint32Key), collections.BytesValue),
		expiry: collections.NewKeySet(sb, types.DeviceQueuePrefix, "device_queue",
			collections.PairKeyCodec(sdk.TimeKey, collections.BytesKey)),
		certificates: collections.NewMap(sb, types.CertificatesPrefix, "certificates", collections.BytesKey, codec.CollValue[types.Certificate](cdc)),
		evictable: collections.NewKeySet(sb, types.CertificateQueuePrefix, "certificate_queue",
			collections.TripleKeyCodec(sdk.TimeKey, collections.Uint32Key, collections.BytesKey)),
		cached:      collections.NewItem(sb, types.CertificateCountPrefix, "certificate_count", collections.Uint64Value),
		revocations: collections.NewMap(sb, types.RevocationsPrefix, "revocations", collections.BytesKey, codec.CollValue[types.Revocation](cdc)),
		recent:      collections.NewMap(sb, types.RecentBlocksPrefix, "recent_blocks", collections.Uint64Key, codec.CollValue[types.RecentBlock](cdc)),
	}
}

// Option changes a keeper while it is built.
type Option func(*Keeper)

// WithDeviceRoot makes the keeper trust another root than NVIDIA's. It is for tests
// and simulations, which have no genuine die at hand; a chain must never use it.
func WithDeviceRoot(root *device.Root) Option {
	return func(k *Keeper) { k.device.root = root }
}

// recordBlock keeps the hash of this block for the nonces of later ones.
func (k *Keeper) recordBlock(ctx context.Context) error {
	info := sdk.UnwrapSDKContext(ctx).HeaderInfo()
	if len(info.Hash) != types.BlockHashSize || info.Height < 1 {
		return nil // a proposal that is only tried out
	}
	height := uint64(info.Height)
	if err := k.device.recent.Set(ctx, height, types.RecentBlock{Height: info.Height, Hash: info.Hash}); err != nil {
		return err
	}
	if height <= types.RecentBlocks {
		return nil
	}
	// One comes and one goes; a second makes up for a ring that came in at genesis.
	old, err := firstKeys(ctx, k.device.recent.Iterate, new(collections.Range[uint64]).EndInclusive(height-types.RecentBlocks), 2)
	if err != nil {
		return err
	}
	for _, h := range old {
		if err := k.device.recent.Remove(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// DeviceAttested tells whether a die answers for the GPU: a live registration of
// which no certificate was revoked.
func (k *Keeper) DeviceAttested(ctx context.Context, hostID uint64, ordinal uint32) (bool, error) {
	_, ok, err := k.deviceOf(ctx, hostID, ordinal)
	return ok, err
}

// DeviceOf returns the registration that DeviceAttested speaks of.
//
// Errors: ErrDeviceNotFound when the GPU has none that is live.
func (k *Keeper) DeviceOf(ctx context.Context, hostID uint64, ordinal uint32) (types.Device, error) {
	d, ok, err := k.deviceOf(ctx, hostID, ordinal)
	if err == nil && !ok {
		err = types.ErrDeviceNotFound.Wrapf("for GPU %d of host %d", ordinal, hostID)
	}
	return d, err
}

func (k *Keeper) deviceOf(ctx context.Context, hostID uint64, ordinal uint32) (d types.Device, live bool, err error) {
	serial, err := k.device.byGPU.Get(ctx, collections.Join(hostID, ordinal))
	if isNotFound(err) {
		return types.Device{}, false, nil
	} else if err != nil {
		return types.Device{}, false, err
	}
	if d, err = k.device.devices.Get(ctx, serial); err != nil {
		return types.Device{}, false, err
	}
	if !d.ExpiresAt.After(blockTime(ctx)) {
		return types.Device{}, false, nil
	}
	revoked, err := k.firstRevoked(ctx, d.Chain)
	if err != nil || revoked != nil {
		return types.Device{}, false, err
	}
	return d, true, nil
}

// firstRevoked returns the first of the serial numbers that is revoked, or nil.
func (k *Keeper) firstRevoked(ctx context.Context, serials [][]byte) ([]byte, error) {
	for _, serial := range serials {
		revoked, err := k.device.revocations.Has(ctx, serial)
		if err != nil {
			return nil, err
		}
		if revoked {
			return serial, nil
		}
	}
	return nil, nil
}

// setDevice writes a registration with what is derived from it.
func (k *Keeper) setDevice(ctx context.Context, d types.Device) error {
	if err := k.device.devices.Set(ctx, d.Serial, d); err != nil {
		return err
	}
	if err := k.device.byGPU.Set(ctx, collections.Join(d.HostId, d.Ordinal), d.Serial); err != nil {
		return err
	}
	return k.device.expiry.Set(ctx, collections.Join(d.ExpiresAt, d.Serial))
}

// Reasons for which a registration ends.
const (
	endExpired  = "expired"
	endGPUGone  = "GPU changed or gone"
	endKeys     = "agent keys revoked"
	endReplaced = "another die answers for the GPU"
)

// endDevice removes a registration and tells why.
func (k *Keeper) endDevice(ctx context.Context, d types.Device, reason string) error {
	if err := k.device.devices.Remove(ctx, d.Serial); err != nil {
		return err
	}
	if err := k.device.byGPU.Remove(ctx, collections.Join(d.HostId, d.Ordinal)); err != nil {
		return err
	}
	if err := k.device.expiry.Remove(ctx, collections.Join(d.ExpiresAt, d.Serial)); err != nil {
		return err
	}
	return emit(ctx, &types.EventDeviceRemoved{HostId: d.HostId, Ordinal: d.Ordinal, Serial: hexOf(d.Serial), Reason: reason})
}

// endDevicesOf ends the registrations of these GPUs of a host.
func (k *Keeper) endDevicesOf(ctx context.Context, hostID uint64, ordinals []uint32, reason string) error {
	for _, ordinal := range ordinals {
		serial, err := k.device.byGPU.Get(ctx, collections.Join(hostID, ordinal))
		if isNotFound(err) {
			continue
		} else if err != nil {
			return err
		}
		d, err := k.device.devices.Get(ctx, serial)
		if err != nil {
			return err
		}
		if err := k.endDevice(ctx, d, reason); err != nil {
			return err
		}
	}
	return nil
}

// endHostDevices ends all registrations of a host.
func (k *Keeper) endHostDevices(ctx context.Context, hostID uint64, reason string) error {
	it, err := k.device.byGPU.Iterate(ctx, collections.NewPrefixedPairRange[uint64, uint32](hostID))
	if err != nil {
		return err
	}
	keys, err := it.Keys() // at most the host's capacity
	if err != nil {
		return err
	}
	ordinals := make([]uint32, len(keys))
	for i, key := range keys {
		ordinals[i] = key.K2()
	}
	return k.endDevicesOf(ctx, hostID, ordinals, reason)
}

// expireDevices ends registrations that were not renewed in time, at most
// DeviceBudget a block; until then readers look at the time.
func (k *Keeper) expireDevices(ctx context.Context) error {
	due := collections.NewPrefixUntilPairRange[time.Time, []byte](blockTime(ctx))
	keys, err := firstKeys(ctx, k.device.expiry.Iterate, due, types.DeviceBudget)
	if err != nil {
		return err
	}
	for _, key := range keys {
		d, err := k.device.devices.Get(ctx, key.K2())
		if err != nil {
			return err
		}
		if err := k.endDevice(ctx, d, endExpired); err != nil {
			return err
		}
	}
	return nil
}
