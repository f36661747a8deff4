package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// InitGenesis writes a validated state. The module's accounts must already
// hold exactly the stake, so x/bank comes first.
func (k *Keeper) InitGenesis(ctx context.Context, gs types.GenesisState) error {
	if err := gs.Validate(k.addressCodec); err != nil {
		return err
	}
	if err := k.params.Set(ctx, gs.Params); err != nil {
		return err
	}
	for _, o := range gs.Operators {
		address, err := k.addressCodec.StringToBytes(o.Address)
		if err != nil {
			return err
		}
		if err := k.operators.Set(ctx, address, o); err != nil {
			return err
		}
	}
	for _, r := range gs.Requirements {
		operator, err := k.addressCodec.StringToBytes(r.Operator)
		if err != nil {
			return err
		}
		key := collections.Join3(sdk.AccAddress(operator), r.HostId, r.Ordinal)
		if err := k.requirements.Set(ctx, key, r); err != nil {
			return err
		}
		if r.Settled() {
			continue
		}
		if err := k.stepQueue.Set(ctx, stepKey(key, r)); err != nil {
			return err
		}
	}
	for _, e := range gs.Unbonding {
		operator, err := k.addressCodec.StringToBytes(e.Operator)
		if err != nil {
			return err
		}
		if err := k.addEntry(ctx, operator, e); err != nil {
			return err
		}
	}
	if err := k.initPool(ctx, gs); err != nil {
		return err
	}
	if err := k.initSlashes(ctx, gs); err != nil {
		return err
	}
	broken, err := k.CheckInvariants(ctx)
	if err != nil {
		return err
	}
	if len(broken) > 0 {
		return types.ErrInvalidGenesis.Wrap(broken[0])
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
	if gs.Operators, err = values(ctx, k.operators); err != nil {
		return nil, err
	}
	if gs.Requirements, err = values(ctx, k.requirements); err != nil {
		return nil, err
	}
	if gs.Unbonding, err = values(ctx, k.unbonding); err != nil {
		return nil, err
	}
	if err := k.exportPool(ctx, gs); err != nil {
		return nil, err
	}
	return gs, k.exportSlashes(ctx, gs)
}

// values reads a whole collection, for the export only.
func values[K, V any](ctx context.Context, m collections.Map[K, V]) ([]V, error) {
	iter, err := m.Iterate(ctx, nil)
	if err != nil {
		return nil, err
	}
	return iter.Values()
}
