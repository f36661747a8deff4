// Package keeper holds the state of x/staking-ext and what happens to it.
package keeper

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"

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
)

// Keeper owns what is at risk: operators, the requirements of their GPUs and
// the stake on its way out. What it does with them is in one file per flow.
type Keeper struct {
	addressCodec address.Codec
	authority    []byte // who may change the params
	bank         types.BankKeeper

	schema       collections.Schema
	params       collections.Item[types.Params]
	operators    collections.Map[sdk.AccAddress, types.Operator]
	requirements collections.Map[gpuKey, types.GpuRequirement]
	unbonding    collections.Map[entryKey, types.UnbondingEntry]
	queue        collections.KeySet[dueKey] // one key per entry
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
	sb := collections.NewSchemaBuilder(storeService)
	k := &Keeper{
		addressCodec: addressCodec,
		authority:    authority,
		bank:         bank,
		params:       collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](cdc)),
		operators: collections.NewMap(sb, types.OperatorsPrefix, "operators",
			sdk.AccAddressKey, codec.CollValue[types.Operator](cdc)),
		requirements: collections.NewMap(sb, types.RequirementsPrefix, "requirements",
			collections.TripleKeyCodec(sdk.AccAddressKey, collections.Uint64Key, collections.Uint32Key),
			codec.CollValue[types.GpuRequirement](cdc)),
		unbonding: collections.NewMap(sb, types.UnbondingPrefix, "unbonding",
			collections.PairKeyCodec(sdk.AccAddressKey, collections.Uint64Key),
			codec.CollValue[types.UnbondingEntry](cdc)),
		queue: collections.NewKeySet(sb, types.UnbondingQueuePrefix, "unbonding_queue",
			collections.TripleKeyCodec(collections.Int64Key, sdk.AccAddressKey, collections.Uint64Key)),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.schema = schema
	return k
}

// Schema describes the store, for the decoder of the simulation.
func (k *Keeper) Schema() collections.Schema { return k.schema }

// AddressCodec returns the codec of account addresses.
func (k *Keeper) AddressCodec() address.Codec { return k.addressCodec }
