package keeper

import (
	"time"

	"cosmossdk.io/collections"
	"cosmossdk.io/collections/indexes"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// Keeper owns the DAO's state: what the treasury has committed, what is paused,
// what was decided, and disputes. What it does with them is in one file per
// flow (stream.go, pause.go, ...). Proposals and votes are x/gov's; Tally gives
// it the electorate.
type Keeper struct {
	addressCodec address.Codec
	authority    []byte // who may spend, pause and change the params: governance
	bank         types.BankKeeper
	chainStaking types.ChainStakingKeeper
	staking      types.StakingKeeper
	market       types.MarketKeeper
	// messages tells which messages exist, and who signs them.
	messages messageRegistry

	schema      collections.Schema
	params      collections.Item[types.Params]
	streams     collections.Map[uint64, types.Stream]
	streamSeq   collections.Sequence
	grants      collections.Map[uint64, types.Grant]
	grantSeq    collections.Sequence
	pauses      *collections.IndexedMap[string, types.Pause, pauseIndexes]
	decisions   *collections.IndexedMap[uint64, types.Decision, decisionIndexes]
	decisionSeq collections.Sequence
	// guardianPauses holds when the guardian last paused a message.
	guardianPauses collections.Map[string, types.GuardianPause]

	disputes   *collections.IndexedMap[uint64, types.Dispute, disputeIndexes]
	disputeSeq collections.Sequence
	jurors     collections.Map[sdk.AccAddress, types.Juror]
	// seats of all panels, by (dispute, juror).
	seats *collections.IndexedMap[collections.Pair[uint64, sdk.AccAddress], types.PanelSeat, seatIndexes]
}

// NewKeeper builds a Keeper on its own store. It panics on a bad store layout:
// that is a mistake in this file, which no caller can mend.
func NewKeeper(
	storeService store.KVStoreService,
	cdc codec.Codec,
	addressCodec address.Codec,
	authority []byte,
	bank types.BankKeeper,
	chainStaking types.ChainStakingKeeper,
	staking types.StakingKeeper,
	market types.MarketKeeper,
) *Keeper {
	sb := collections.NewSchemaBuilder(storeService)
	seatKey := collections.PairKeyCodec(collections.Uint64Key, sdk.AccAddressKey)
	k := &Keeper{
		addressCodec: addressCodec,
		authority:    authority,
		bank:         bank,
		chainStaking: chainStaking,
		staking:      staking,
		market:       market,
		messages:     messageRegistry{registry: cdc.InterfaceRegistry()},

		params: collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](cdc)),
		streams: collections.NewMap(sb, types.StreamsPrefix, "streams",
			collections.Uint64Key, codec.CollValue[types.Stream](cdc)),
		streamSeq: collections.NewSequence(sb, types.StreamSeqPrefix, "stream_seq"),
		grants: collections.NewMap(sb, types.GrantsPrefix, "grants",
			collections.Uint64Key, codec.CollValue[types.Grant](cdc)),
		grantSeq: collections.NewSequence(sb, types.GrantSeqPrefix, "grant_seq"),
		pauses: collections.NewIndexedMap(sb, types.PausesPrefix, "pauses",
			collections.StringKey, codec.CollValue[types.Pause](cdc), newPauseIndexes(sb)),
		guardianPauses: collections.NewMap(sb, types.GuardianPausesPrefix, "guardian_pauses",
			collections.StringKey, codec.CollValue[types.GuardianPause](cdc)),
		decisions: collections.NewIndexedMap(sb, types.DecisionsPrefix, "decisions",
			collections.Uint64Key, codec.CollValue[types.Decision](cdc), newDecisionIndexes(sb)),
		decisionSeq: collections.NewSequence(sb, types.DecisionSeqPrefix, "decision_seq"),

		disputes: collections.NewIndexedMap(sb, types.DisputesPrefix, "disputes",
			collections.Uint64Key, codec.CollValue[types.Dispute](cdc), newDisputeIndexes(sb, addressCodec)),
		disputeSeq: collections.NewSequence(sb, types.DisputeSeqPrefix, "dispute_seq"),
		jurors: collections.NewMap(sb, types.JurorsPrefix, "jurors",
			sdk.AccAddressKey, codec.CollValue[types.Juror](cdc)),
		seats: collections.NewIndexedMap(sb, types.SeatsPrefix, "seats",
			seatKey, codec.CollValue[types.PanelSeat](cdc), newSeatIndexes(sb, seatKey)),
	}
	schema, err := sb.Build()
	if err != nil {
		panic(err)
	}
	k.schema = schema
	return k
}

// Schema returns the layout of the store, for tools that decode it.
func (k *Keeper) Schema() collections.Schema { return k.schema }

// pauseIndexes find the pauses that end next.
type pauseIndexes struct {
	end *indexes.Multi[time.Time, string, types.Pause]
}

func newPauseIndexes(sb *collections.SchemaBuilder) pauseIndexes {
	return pauseIndexes{end: indexes.NewMulti(sb, types.PausesByEndPrefix, "pauses_by_end",
		sdk.TimeKey, collections.StringKey,
		func(_ string, p types.Pause) (time.Time, error) { return p.Until, nil })}
}

// IndexesList implements collections.Indexes.
func (i pauseIndexes) IndexesList() []collections.Index[string, types.Pause] {
	return []collections.Index[string, types.Pause]{i.end}
}

// decisionIndexes find the decisions of one kind.
type decisionIndexes struct {
	kind *indexes.Multi[int32, uint64, types.Decision]
}

func newDecisionIndexes(sb *collections.SchemaBuilder) decisionIndexes {
	return decisionIndexes{kind: indexes.NewMulti(sb, types.DecisionsByKindPrefix, "decisions_by_kind",
		collections.Int32Key, collections.Uint64Key,
		func(_ uint64, d types.Decision) (int32, error) { return int32(d.Kind), nil })}
}

// IndexesList implements collections.Indexes.
func (i decisionIndexes) IndexesList() []collections.Index[uint64, types.Decision] {
	return []collections.Index[uint64, types.Decision]{i.kind}
}
