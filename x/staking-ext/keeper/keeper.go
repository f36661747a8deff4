// Package keeper holds the state of x/staking-ext and what happens to it.
package keeper

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// Keys of the collections, in words.
type (
	// gpuKey is (operator, host, ordinal).
	gpuKey = collections.Triple[sdk.AccAddress, uint64, uint32]
	// entryKey is (operator, unbonding entry).
	entryKey = collections.Pair[sdk.AccAddress, uint64]
	// dueKey is (Unix nanoseconds of completion, operator, unbonding entry).
	dueKey = collections.Triple[int64, sdk.AccAddress, uint64]
	// poolKey is (delegator, operator).
	poolKey = collections.Pair[sdk.AccAddress, sdk.AccAddress]
	// leaveKey is (delegator, operator whose counter gave the id, id).
	leaveKey = collections.Triple[sdk.AccAddress, sdk.AccAddress, uint64]
	// leaveDueKey is (Unix nanoseconds of completion, leaveKey).
	leaveDueKey = collections.Pair[int64, leaveKey]
	// slashKey is (operator, slash record).
	slashKey = collections.Pair[sdk.AccAddress, uint64]
	// stepDueKey is (Unix nanoseconds of the next step, gpuKey).
	stepDueKey = collections.Pair[int64, gpuKey]
)

// Keeper owns what is at risk: operators, the requirements of their GPUs and
// the stake on its way out. What it does with them is in one file per flow.
type Keeper struct {
	addressCodec address.Codec
	authority    []byte // who may change the params
	bank         types.BankKeeper
	hooks        types.StakingHooks

	schema       collections.Schema
	params       collections.Item[types.Params]
	operators    collections.Map[sdk.AccAddress, types.Operator]
	requirements collections.Map[gpuKey, types.GpuRequirement]
	unbonding    collections.Map[entryKey, types.UnbondingEntry]
	queue        collections.KeySet[dueKey]     // one key per entry
	stepQueue    collections.KeySet[stepDueKey] // one key per GPU whose amount isn't at its target

	delegations       collections.Map[poolKey, math.Int] // shares
	delegators        collections.KeySet[poolKey]        // (operator, delegator) of each delegation
	undelegations     collections.Map[leaveKey, types.UnbondingDelegation]
	undelegationQueue collections.KeySet[leaveDueKey]
	redelegations     collections.Map[leaveKey, types.Redelegation] // by the operator they went to
	redelegationQueue collections.KeySet[leaveDueKey]

	slashes     collections.Map[slashKey, types.SlashRecord]
	slashQueue  collections.KeySet[dueKey]   // by kept_until, one key per record
	poolSlashes collections.KeySet[slashKey] // the records with a rate over zero
	left        collections.Map[collections.Pair[sdk.AccAddress, int64], types.LeftMark]

	punished       collections.Map[string, types.PunishedFault]
	punishedQueue  collections.KeySet[collections.Pair[int64, string]] // by committed_at
	forgottenUntil collections.Item[int64]                             // Unix nanoseconds
}

// NewKeeper builds a Keeper on its own store. It panics on a bad store layout:
// that is a mistake in this file, which no caller can mend.
func NewKeeper(
	storeService store.KVStoreService,
	cdc codec.BinaryCodec,
	addressCodec address.Codec,
	authority []byte,
	bank types.BankKeeper,
) *Keeper {
	gpuCodec := collections.TripleKeyCodec(sdk.AccAddressKey, collections.Uint64Key, collections.Uint32Key)
	entryCodec := collections.PairKeyCodec(sdk.AccAddressKey, collections.Uint64Key)
	dueCodec := collections.TripleKeyCodec(collections.Int64Key, sdk.AccAddressKey, collections.Uint64Key)
	poolCodec := collections.PairKeyCodec(sdk.AccAddressKey, sdk.AccAddressKey)
	leaveCodec := collections.TripleKeyCodec(sdk.AccAddressKey, sdk.AccAddressKey, collections.Uint64Key)
	sb := collections.NewSchemaBuilder(storeService)
	k := &Keeper{
		addressCodec: addressCodec,
		authority:    authority,
		bank:         bank,
		hooks:        types.MultiHooks{},
		params:       collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](cdc)),
		operators: collections.NewMap(sb, types.OperatorsPrefix, "operators",
			sdk.AccAddressKey, codec.CollValue[types.Operator](cdc)),
		requirements: collections.NewMap(sb, types.RequirementsPrefix, "requirements",
			gpuCodec,
			codec.CollValue[types.GpuRequirement](cdc)),
		unbonding: collections.NewMap(sb, types.UnbondingPrefix, "unbonding",
			entryCodec,
			codec.CollValue[types.UnbondingEntry](cdc)),
		queue: collections.NewKeySet(sb, types.UnbondingQueuePrefix, "unbonding_queue",
			dueCodec),
		stepQueue: collections.NewKeySet(sb, types.RequirementQueuePrefix, "requirement_queue",
			collections.PairKeyCodec(collections.Int64Key, gpuCodec)),
		delegations:   collections.NewMap(sb, types.DelegationsPrefix, "delegations", poolCodec, sdk.IntValue),
		delegators:    collections.NewKeySet(sb, types.DelegatorsPrefix, "delegators", poolCodec),
		undelegations: collections.NewMap(sb, types.UndelegationsPrefix, "undelegations", leaveCodec, codec.CollValue[types.UnbondingDelegation](cdc)),
		undelegationQueue: collections.NewKeySet(sb, types.UndelegationQueuePrefix, "undelegation_queue",
			collections.PairKeyCodec(collections.Int64Key, leaveCodec)),
		redelegations: collections.NewMap(sb, types.RedelegationsPrefix, "redelegations", leaveCodec, codec.CollValue[types.Redelegation](cdc)),
		redelegationQueue: collections.NewKeySet(sb, types.RedelegationQueuePrefix, "redelegation_queue",
			collections.PairKeyCodec(collections.Int64Key, leaveCodec)),
		slashes:     collections.NewMap(sb, types.SlashRecordsPrefix, "slashes", entryCodec, codec.CollValue[types.SlashRecord](cdc)),
		slashQueue:  collections.NewKeySet(sb, types.SlashRecordQueuePrefix, "slash_queue", dueCodec),
		poolSlashes: collections.NewKeySet(sb, types.PoolSlashesPrefix, "pool_slashes", entryCodec),
		left: collections.NewMap(sb, types.LeftMarksPrefix, "left",
			collections.PairKeyCodec(sdk.AccAddressKey, collections.Int64Key), codec.CollValue[types.LeftMark](cdc)),
		punished: collections.NewMap(sb, types.PunishedPrefix, "punished", collections.StringKey, codec.CollValue[types.PunishedFault](cdc)),
		punishedQueue: collections.NewKeySet(sb, types.PunishedQueuePrefix, "punished_queue",
			collections.PairKeyCodec(collections.Int64Key, collections.StringKey)),
		forgottenUntil: collections.NewItem(sb, types.ForgottenUntilPrefix, "forgotten_until", collections.Int64Value),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.schema = schema
	return k
}

// SetHooks names who is told before stake changes. It is called once, while the
// app is wired.
func (k *Keeper) SetHooks(hooks types.StakingHooks) *Keeper {
	k.hooks = hooks
	return k
}

// Schema describes the store, for the decoder of the simulation.
func (k *Keeper) Schema() collections.Schema { return k.schema }

// AddressCodec returns the codec of account addresses.
func (k *Keeper) AddressCodec() address.Codec { return k.addressCodec }
