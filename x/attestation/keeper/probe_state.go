package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// probeState is what the module keeps of probes.
type probeState struct {
	beacons     collections.Map[uint64, types.ProbeBeacon]         // by slot, while its receipts are taken
	connections collections.Map[uint64, types.HostConnection]      // by host
	scores      collections.Map[sdk.AccAddress, types.ProberScore] // by operator
}

func newProbeState(sb *collections.SchemaBuilder, cdc codec.BinaryCodec) probeState {
	return probeState{
		beacons: collections.NewMap(sb, types.ProbeBeaconsPrefix, "probe_beacons",
			collections.Uint64Key, codec.CollValue[types.ProbeBeacon](cdc)),
		connections: collections.NewMap(sb, types.ConnectionsPrefix, "connections",
			collections.Uint64Key, codec.CollValue[types.HostConnection](cdc)),
		scores: collections.NewMap(sb, types.ProberScoresPrefix, "prober_scores",
			sdk.AccAddressKey, codec.CollValue[types.ProberScore](cdc)),
	}
}

// connection returns what probers saw of a host; an empty record for nothing.
func (k *Keeper) connection(ctx context.Context, hostID uint64) (types.HostConnection, error) {
	c, err := k.probes.connections.Get(ctx, hostID)
	if isNotFound(err) {
		return types.HostConnection{HostId: hostID}, nil
	}
	return c, err
}

// score returns the score of an operator's receipts; zeros for none.
func (k *Keeper) score(ctx context.Context, operator string) (sdk.AccAddress, types.ProberScore, error) {
	addr, err := k.addressCodec.StringToBytes(operator)
	if err != nil {
		return nil, types.ProberScore{}, err
	}
	score, err := k.probes.scores.Get(ctx, addr)
	if isNotFound(err) {
		return addr, types.ProberScore{Operator: operator}, nil
	}
	return addr, score, err
}

func (k *Keeper) initProbes(ctx context.Context, gs types.GenesisState) error {
	for _, b := range gs.ProbeBeacons {
		if err := k.probes.beacons.Set(ctx, b.Slot, b); err != nil {
			return err
		}
	}
	for _, c := range gs.Connections {
		if err := k.probes.connections.Set(ctx, c.HostId, c); err != nil {
			return err
		}
	}
	for _, s := range gs.ProberScores {
		operator, err := k.addressCodec.StringToBytes(s.Operator)
		if err != nil {
			return err
		}
		if err := k.probes.scores.Set(ctx, operator, s); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) exportProbes(ctx context.Context, gs *types.GenesisState) (err error) {
	if gs.ProbeBeacons, err = values(ctx, k.probes.beacons.Iterate); err != nil {
		return err
	}
	if gs.Connections, err = values(ctx, k.probes.connections.Iterate); err != nil {
		return err
	}
	gs.ProberScores, err = values(ctx, k.probes.scores.Iterate)
	return err
}
