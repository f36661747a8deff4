package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/attestation/types"
)

// InitGenesis writes the whole state. The indexes, the class queue and the floor
// are derived.
func (k *Keeper) InitGenesis(ctx context.Context, gs types.GenesisState) error {
	if err := gs.Validate(); err != nil {
		return err
	}
	if err := k.params.Set(ctx, gs.Params); err != nil {
		return err
	}
	for _, c := range gs.Classes {
		if err := k.classes.Set(ctx, c.Key, c); err != nil {
			return err
		}
	}
	for _, p := range gs.PendingClasses {
		if err := k.pendingClasses.Set(ctx, p.Class.Key, p); err != nil {
			return err
		}
		if err := k.classQueue.Set(ctx, collections.Join(p.AppliesAt, p.Class.Key)); err != nil {
			return err
		}
	}
	if err := k.initHosts(ctx, gs); err != nil {
		return err
	}
	if err := k.initChallenges(ctx, gs); err != nil {
		return err
	}
	if err := k.initDevices(ctx, gs); err != nil {
		return err
	}
	if err := k.initRecords(ctx, gs); err != nil {
		return err
	}
	return k.initProbes(ctx, gs)
}

func (k *Keeper) initHosts(ctx context.Context, gs types.GenesisState) error {
	for _, h := range gs.Hosts {
		if err := k.setHost(ctx, h); err != nil {
			return err
		}
		for i := range h.AgentKeys {
			if h.AgentKeys[i].Revoked {
				continue
			}
			if err := k.hostByAgentKey.Set(ctx, h.AgentKeys[i].PublicKey, h.Id); err != nil {
				return err
			}
		}
	}
	for _, g := range gs.Gpus {
		if err := k.gpus.Set(ctx, collections.Join(g.HostId, g.Ordinal), g); err != nil {
			return err
		}
	}
	if err := k.hostSeq.Set(ctx, gs.NextHostId); err != nil {
		return err
	}
	if gs.RefreshFromHost > 0 {
		if err := k.refreshFrom.Set(ctx, gs.RefreshFromHost); err != nil {
			return err
		}
	}
	return k.nextGPU.Set(ctx, gs.NextGpu)
}

func (k *Keeper) initRecords(ctx context.Context, gs types.GenesisState) error {
	for _, a := range gs.Anchors {
		if err := k.anchors.Set(ctx, a.Slot, a); err != nil {
			return err
		}
	}
	if len(gs.Anchors) > 0 {
		if err := k.floor.Set(ctx, gs.Anchors[0].Slot); err != nil {
			return err
		}
		if err := k.lastClosed.Set(ctx, gs.LastClosedSlot); err != nil {
			return err
		}
	}
	for _, r := range gs.Attested {
		if err := k.attested.Set(ctx, collections.Join(r.Slot, r.Bucket), r.Bits); err != nil {
			return err
		}
	}
	for _, r := range gs.Up {
		if err := k.up.Set(ctx, collections.Join(r.Slot, r.Bucket), r.Bits); err != nil {
			return err
		}
	}
	for _, r := range gs.Counters {
		if err := k.counters.Set(ctx, collections.Join(r.Day, r.Bucket), r.Counts); err != nil {
			return err
		}
	}
	for _, r := range gs.AttestedHosts {
		if err := k.hostCounts.Set(ctx, collections.Join(r.Day, uint64(0)), types.NewHostCounts(r.Hosts)); err != nil {
			return err
		}
	}
	for _, f := range gs.Faults {
		if err := k.faults.Set(ctx, collections.Join(f.Slot, f.HostId)); err != nil {
			return err
		}
	}
	return nil
}

// ExportGenesis reads the whole state, each list in the order of its keys.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	gs := &types.GenesisState{Params: params}
	if gs.Classes, err = values(ctx, k.classes.Iterate); err != nil {
		return nil, err
	}
	if gs.PendingClasses, err = values(ctx, k.pendingClasses.Iterate); err != nil {
		return nil, err
	}
	if gs.Hosts, err = values(ctx, k.hosts.Iterate); err != nil {
		return nil, err
	}
	if gs.Gpus, err = values(ctx, k.gpus.Iterate); err != nil {
		return nil, err
	}
	if gs.Anchors, err = values(ctx, k.anchors.Iterate); err != nil {
		return nil, err
	}
	if gs.NextHostId, err = k.hostSeq.Peek(ctx); err != nil {
		return nil, err
	}
	if gs.NextGpu, err = getOr(ctx, k.nextGPU, 0); err != nil {
		return nil, err
	}
	if gs.LastClosedSlot, err = getOr(ctx, k.lastClosed, 0); err != nil {
		return nil, err
	}
	if gs.RefreshFromHost, err = getOr(ctx, k.refreshFrom, 0); err != nil {
		return nil, err
	}
	if err := k.exportChallenges(ctx, gs); err != nil {
		return nil, err
	}
	if err := k.exportDevices(ctx, gs); err != nil {
		return nil, err
	}
	if err := k.exportRecords(ctx, gs); err != nil {
		return nil, err
	}
	return gs, k.exportProbes(ctx, gs)
}

func (k *Keeper) exportRecords(ctx context.Context, gs *types.GenesisState) error {
	if err := k.attested.Walk(ctx, nil, func(key recordKey, bits []byte) (bool, error) {
		gs.Attested = append(gs.Attested, types.SlotBitmap{Slot: key.K1(), Bucket: key.K2(), Bits: bits})
		return false, nil
	}); err != nil {
		return err
	}
	if err := k.up.Walk(ctx, nil, func(key recordKey, bits []byte) (bool, error) {
		gs.Up = append(gs.Up, types.SlotBitmap{Slot: key.K1(), Bucket: key.K2(), Bits: bits})
		return false, nil
	}); err != nil {
		return err
	}
	if err := k.counters.Walk(ctx, nil, func(key recordKey, counts []byte) (bool, error) {
		gs.Counters = append(gs.Counters, types.DayCounters{Day: key.K1(), Bucket: key.K2(), Counts: counts})
		return false, nil
	}); err != nil {
		return err
	}
	if err := k.hostCounts.Walk(ctx, nil, func(key recordKey, counts []byte) (bool, error) {
		gs.AttestedHosts = append(gs.AttestedHosts, types.AttestedHosts{Day: key.K1(), Hosts: types.HostCounts(counts).List()})
		return false, nil
	}); err != nil {
		return err
	}
	return k.faults.Walk(ctx, nil, func(key collections.Pair[uint64, uint64]) (bool, error) {
		gs.Faults = append(gs.Faults, types.ProvenFault{HostId: key.K2(), Slot: key.K1()})
		return false, nil
	})
}

// values reads a whole collection.
func values[K, V any](ctx context.Context, iterate func(context.Context, collections.Ranger[K]) (collections.Iterator[K, V], error)) ([]V, error) {
	it, err := iterate(ctx, nil)
	if err != nil {
		return nil, err
	}
	return it.Values()
}
