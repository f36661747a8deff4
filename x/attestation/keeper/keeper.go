// Package keeper holds the state of x/attestation: which hosts and GPUs exist,
// and in which slots they were alive.
package keeper

import (
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/collections/indexes"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// Keeper owns the state of what exists and is alive. What it does with it is in
// one file per flow (host.go, attest.go, evidence.go, ...).
type Keeper struct {
	addressCodec address.Codec
	authority    []byte // who may change params and classes: the gov module account
	staking      types.StakingKeeper
	hooks        types.AttestationHooks

	schema         collections.Schema
	params         collections.Item[types.Params]
	classes        collections.Map[string, types.HardwareClass]
	pendingClasses collections.Map[string, types.PendingClass]
	classQueue     collections.KeySet[collections.Pair[time.Time, string]] // (applies at, class)
	refreshFrom    collections.Item[uint64]                                // host id; absent: nothing to refresh

	hosts          *collections.IndexedMap[uint64, types.Host, hostIndexes]
	hostByAgentKey collections.Map[[]byte, uint64] // exactly the remembered keys that aren't revoked
	signers        collections.Map[uint64, []byte] // pages of types.Signer, derived from hosts
	hostSeq        collections.Sequence
	gpus           collections.Map[collections.Pair[uint64, uint32], types.Gpu] // (host, ordinal)
	nextGPU        collections.Item[uint64]

	anchors    collections.Map[uint64, types.Anchor] // by the last slot that the block closes
	lastClosed collections.Item[uint64]
	floor      collections.Item[uint64]                             // slot of the oldest anchor: nothing up to it is kept
	attested   collections.Map[recordKey, []byte]                   // bits by host id
	up         collections.Map[recordKey, []byte]                   // bits by GPU index
	counters   collections.Map[recordKey, []byte]                   // (day, bucket): a byte per GPU
	hostCounts collections.Map[recordKey, []byte]                   // (day, 0): types.HostCounts
	faults     collections.KeySet[collections.Pair[uint64, uint64]] // (slot, host)

	probes    probeState
	challenge challengeState
	device    deviceState
}

// recordKey is (slot or day, bucket).
type recordKey = collections.Pair[uint64, uint64]

// hostIndexes are the ways to find a host other than by its id.
type hostIndexes struct {
	operator *indexes.Multi[sdk.AccAddress, uint64, types.Host]
}

// IndexesList implements collections.Indexes.
func (i hostIndexes) IndexesList() []collections.Index[uint64, types.Host] {
	return []collections.Index[uint64, types.Host]{i.operator}
}

// NewKeeper builds a Keeper on its own store. It panics on a bad store layout:
// that is a mistake in this file, which no caller can mend.
func NewKeeper(
	storeService store.KVStoreService,
	cdc codec.BinaryCodec,
	addressCodec address.Codec,
	authority []byte,
	staking types.StakingKeeper,
	options ...Option,
) *Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	pair := collections.PairKeyCodec(collections.Uint64Key, collections.Uint64Key)
	byOperator := indexes.NewMulti(sb, types.HostsByOperatorPrefix, "hosts_by_operator",
		sdk.AccAddressKey, collections.Uint64Key,
		func(_ uint64, h types.Host) (sdk.AccAddress, error) { return addressCodec.StringToBytes(h.Operator) })

	k := &Keeper{
		addressCodec: addressCodec,
		authority:    authority,
		staking:      staking,
		hooks:        types.MultiHooks{},

		params:         collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](cdc)),
		classes:        collections.NewMap(sb, types.ClassesPrefix, "classes", collections.StringKey, codec.CollValue[types.HardwareClass](cdc)),
		pendingClasses: collections.NewMap(sb, types.PendingClassesPrefix, "pending_classes", collections.StringKey, codec.CollValue[types.PendingClass](cdc)),
		classQueue: collections.NewKeySet(sb, types.ClassQueuePrefix, "class_queue",
			collections.PairKeyCodec(sdk.TimeKey, collections.StringKey)),
		refreshFrom: collections.NewItem(sb, types.RefreshFromPrefix, "refresh_from", collections.Uint64Value),

		hosts: collections.NewIndexedMap(sb, types.HostsPrefix, "hosts",
			collections.Uint64Key, codec.CollValue[types.Host](cdc), hostIndexes{operator: byOperator}),
		hostByAgentKey: collections.NewMap(sb, types.HostByAgentKeyPrefix, "host_by_agent_key", collections.BytesKey, collections.Uint64Value),
		signers:        collections.NewMap(sb, types.SignersPrefix, "signers", collections.Uint64Key, collections.BytesValue),
		hostSeq:        collections.NewSequence(sb, types.HostSeqPrefix, "host_seq"),
		gpus: collections.NewMap(sb, types.GPUsPrefix, "gpus",
			collections.PairKeyCodec(collections.Uint64Key, collections.Uint32Key), codec.CollValue[types.Gpu](cdc)),
		nextGPU: collections.NewItem(sb, types.NextGPUPrefix, "next_gpu", collections.Uint64Value),

		anchors:    collections.NewMap(sb, types.AnchorsPrefix, "anchors", collections.Uint64Key, codec.CollValue[types.Anchor](cdc)),
		lastClosed: collections.NewItem(sb, types.LastClosedSlotPrefix, "last_closed_slot", collections.Uint64Value),
		floor:      collections.NewItem(sb, types.FloorPrefix, "floor", collections.Uint64Value),
		attested:   collections.NewMap(sb, types.AttestedPrefix, "attested", pair, collections.BytesValue),
		up:         collections.NewMap(sb, types.UpPrefix, "up", pair, collections.BytesValue),
		counters:   collections.NewMap(sb, types.CountersPrefix, "counters", pair, collections.BytesValue),
		hostCounts: collections.NewMap(sb, types.AttestedHostsPrefix, "attested_hosts", pair, collections.BytesValue),
		faults:     collections.NewKeySet(sb, types.FaultsPrefix, "faults", pair),

		probes:    newProbeState(sb, cdc),
		challenge: newChallengeState(sb, cdc),
		device:    newDeviceState(sb, cdc),
	}
	for _, option := range options {
		option(k)
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.schema = schema
	return k
}

// SetHooks names who is told the facts of this module. It is called once, while
// the app is wired.
func (k *Keeper) SetHooks(hooks types.AttestationHooks) *Keeper {
	k.hooks = hooks
	return k
}

// Schema lists the collections, for tools that read the raw store.
func (k *Keeper) Schema() collections.Schema { return k.schema }
