package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/dao/types"
)

// InitGenesis fills the empty store. The queues are derived. It refuses a state
// whose account does not hold what the records say, so it runs after x/bank.
func (k *Keeper) InitGenesis(ctx context.Context, gs types.GenesisState) error {
	if err := gs.Validate(k.addressCodec); err != nil {
		return err
	}
	if err := k.checkParams(gs.Params); err != nil {
		return err
	}
	if err := k.params.Set(ctx, gs.Params); err != nil {
		return err
	}
	for _, seq := range []struct {
		set  func(context.Context, uint64) error
		next uint64
	}{
		{k.streamSeq.Set, gs.NextStreamId},
		{k.grantSeq.Set, gs.NextGrantId},
		{k.decisionSeq.Set, gs.NextDecisionId},
		{k.disputeSeq.Set, gs.NextDisputeId},
	} {
		if err := seq.set(ctx, seq.next); err != nil {
			return err
		}
	}
	for _, s := range gs.Streams {
		if err := k.streams.Set(ctx, s.Id, s); err != nil {
			return err
		}
	}
	for _, g := range gs.Grants {
		if err := k.grants.Set(ctx, g.Id, g); err != nil {
			return err
		}
	}
	for _, p := range gs.Pauses {
		if err := k.pauses.Set(ctx, p.TypeUrl, p); err != nil {
			return err
		}
	}
	for _, p := range gs.GuardianPauses {
		if err := k.guardianPauses.Set(ctx, p.TypeUrl, p); err != nil {
			return err
		}
	}
	for _, d := range gs.Decisions {
		if err := k.decisions.Set(ctx, d.Id, d); err != nil {
			return err
		}
	}
	if err := k.initDisputes(ctx, gs); err != nil {
		return err
	}
	broken, err := k.accountInvariant(ctx, &gs)
	if err != nil {
		return err
	}
	if len(broken) > 0 {
		return types.ErrInvalidGenesis.Wrapf("%q", broken)
	}
	return nil
}

// ExportGenesis returns the whole state.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	var (
		gs  types.GenesisState
		err error
	)
	if gs.Params, err = k.params.Get(ctx); err != nil {
		return nil, err
	}
	if gs.NextStreamId, err = k.streamSeq.Peek(ctx); err != nil {
		return nil, err
	}
	if gs.NextGrantId, err = k.grantSeq.Peek(ctx); err != nil {
		return nil, err
	}
	if gs.NextDecisionId, err = k.decisionSeq.Peek(ctx); err != nil {
		return nil, err
	}
	if gs.NextDisputeId, err = k.disputeSeq.Peek(ctx); err != nil {
		return nil, err
	}
	if gs.Streams, err = all(ctx, k.streams.Walk); err != nil {
		return nil, err
	}
	if gs.Grants, err = all(ctx, k.grants.Walk); err != nil {
		return nil, err
	}
	if gs.Pauses, err = all(ctx, k.pauses.Walk); err != nil {
		return nil, err
	}
	if gs.GuardianPauses, err = all(ctx, k.guardianPauses.Walk); err != nil {
		return nil, err
	}
	if gs.Decisions, err = all(ctx, k.decisions.Walk); err != nil {
		return nil, err
	}
	return &gs, k.exportDisputes(ctx, &gs)
}

// all returns the values of a collection in the order of its keys.
func all[K, V any](ctx context.Context, walk func(context.Context, collections.Ranger[K], func(K, V) (bool, error)) error) ([]V, error) {
	var values []V
	err := walk(ctx, nil, func(_ K, v V) (bool, error) {
		values = append(values, v)
		return false, nil
	})
	return values, err
}
