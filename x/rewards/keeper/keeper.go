// Package keeper holds the state of x/rewards: what was mined on each day, and
// what operators and their stakers earned.
package keeper

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/rewards/types"
)

// Keeper owns what is earned. What it does with it is in one file per flow
// (count.go, close.go, claim.go, release.go, ...).
type Keeper struct {
	addressCodec address.Codec
	authority    []byte // who may change params: the gov module account
	bank         types.BankKeeper
	staking      types.StakingKeeper
	attestation  types.AttestationKeeper

	schema collections.Schema
	params collections.Item[types.Params]

	// Mining.
	mining       collections.Item[types.Mining]
	days         collections.Map[uint64, types.Day]
	histograms   collections.Map[kindKey, []byte]   // (day, kind): 8 bytes for each number of slots
	weights      collections.Map[bucketKey, []byte] // (day, bucket): types.Weights
	factors      collections.Map[bucketKey, []byte] // (day, bucket): types.Factors
	claimed      collections.Map[bucketKey, []byte] // (day, bucket): bits by GPU index
	operatorDays collections.Map[collections.Pair[uint64, sdk.AccAddress], types.OperatorDay]
	snapshots    collections.Map[collections.Pair[sdk.AccAddress, uint64], types.StakeSnapshot]
	rented       collections.Map[bucketKey, types.RentedDay] // (day, GPU index)

	// Release of mining rewards, staking rewards, validators.
	tranches collections.Map[collections.Pair[sdk.AccAddress, uint64], types.Tranche]        // (operator, day of the claim)
	pools    collections.Map[collections.Pair[sdk.AccAddress, string], types.StakerPool]     // (operator, denom)
	stakers  collections.Map[collections.Pair[sdk.AccAddress, sdk.AccAddress], types.Staker] // (delegator, operator)
	stream   collections.Item[types.Stream]
}

type (
	// bucketKey is (day, bucket) or (day, GPU index).
	bucketKey = collections.Pair[uint64, uint64]
	// kindKey is (day, kind of operator).
	kindKey = collections.Pair[uint64, int32]
)

// NewKeeper builds a Keeper on its own store. It panics on a bad store layout:
// that is a mistake in this file, which no caller can mend.
func NewKeeper(
	storeService store.KVStoreService,
	cdc codec.BinaryCodec,
	addressCodec address.Codec,
	authority []byte,
	bank types.BankKeeper,
	staking types.StakingKeeper,
	attestation types.AttestationKeeper,
) *Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	byBucket := collections.PairKeyCodec(collections.Uint64Key, collections.Uint64Key)

	k := &Keeper{
		addressCodec: addressCodec,
		authority:    authority,
		bank:         bank,
		staking:      staking,
		attestation:  attestation,

		params: collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](cdc)),

		mining: collections.NewItem(sb, types.MiningPrefix, "mining", codec.CollValue[types.Mining](cdc)),
		days:   collections.NewMap(sb, types.DaysPrefix, "days", collections.Uint64Key, codec.CollValue[types.Day](cdc)),
		histograms: collections.NewMap(sb, types.HistogramsPrefix, "histograms",
			collections.PairKeyCodec(collections.Uint64Key, collections.Int32Key), collections.BytesValue),
		weights: collections.NewMap(sb, types.WeightsPrefix, "weights", byBucket, collections.BytesValue),
		factors: collections.NewMap(sb, types.FactorsPrefix, "factors", byBucket, collections.BytesValue),
		claimed: collections.NewMap(sb, types.ClaimedPrefix, "claimed", byBucket, collections.BytesValue),
		operatorDays: collections.NewMap(sb, types.OperatorDaysPrefix, "operator_days",
			collections.PairKeyCodec(collections.Uint64Key, sdk.AccAddressKey), codec.CollValue[types.OperatorDay](cdc)),
		snapshots: collections.NewMap(sb, types.SnapshotsPrefix, "snapshots",
			collections.PairKeyCodec(sdk.AccAddressKey, collections.Uint64Key), codec.CollValue[types.StakeSnapshot](cdc)),
		rented: collections.NewMap(sb, types.RentedPrefix, "rented", byBucket, codec.CollValue[types.RentedDay](cdc)),

		tranches: collections.NewMap(sb, types.TranchesPrefix, "tranches",
			collections.PairKeyCodec(sdk.AccAddressKey, collections.Uint64Key), codec.CollValue[types.Tranche](cdc)),
		pools: collections.NewMap(sb, types.StakerPoolsPrefix, "staker_pools",
			collections.PairKeyCodec(sdk.AccAddressKey, collections.StringKey), codec.CollValue[types.StakerPool](cdc)),
		stakers: collections.NewMap(sb, types.StakersPrefix, "stakers",
			collections.PairKeyCodec(sdk.AccAddressKey, sdk.AccAddressKey), codec.CollValue[types.Staker](cdc)),
		stream: collections.NewItem(sb, types.StreamPrefix, "stream", codec.CollValue[types.Stream](cdc)),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.schema = schema
	return k
}

// Schema lists the collections, for tools that read the raw store.
func (k *Keeper) Schema() collections.Schema { return k.schema }

// AddressCodec returns the codec of account addresses.
func (k *Keeper) AddressCodec() address.Codec { return k.addressCodec }
