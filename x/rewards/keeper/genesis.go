package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/rewards/types"
)

// InitGenesis writes a validated state. The module's accounts must already hold
// exactly what the records say, so x/bank comes first.
func (k *Keeper) InitGenesis(ctx context.Context, gs types.GenesisState) error {
	if err := gs.Validate(k.addressCodec); err != nil {
		return err
	}
	if err := k.params.Set(ctx, gs.Params); err != nil {
		return err
	}
	if err := k.initMining(ctx, gs); err != nil {
		return err
	}
	for _, t := range gs.Tranches {
		operator, err := k.addressCodec.StringToBytes(t.Operator)
		if err != nil {
			return err
		}
		if err := k.tranches.Set(ctx, collections.Join(sdk.AccAddress(operator), t.Day), t); err != nil {
			return err
		}
	}
	for _, p := range gs.Pools {
		operator, err := k.addressCodec.StringToBytes(p.Operator)
		if err != nil {
			return err
		}
		if err := k.pools.Set(ctx, collections.Join(sdk.AccAddress(operator), p.Denom), p); err != nil {
			return err
		}
	}
	for _, s := range gs.Stakers {
		delegator, err := k.addressCodec.StringToBytes(s.Delegator)
		if err != nil {
			return err
		}
		operator, err := k.addressCodec.StringToBytes(s.Operator)
		if err != nil {
			return err
		}
		if err := k.stakers.Set(ctx, collections.Join(sdk.AccAddress(delegator), sdk.AccAddress(operator)), s); err != nil {
			return err
		}
	}
	if gs.Stream != nil {
		if err := k.stream.Set(ctx, *gs.Stream); err != nil {
			return err
		}
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
	if err := k.exportMining(ctx, gs); err != nil {
		return nil, err
	}
	if gs.Tranches, err = values(ctx, k.tranches); err != nil {
		return nil, err
	}
	if gs.Pools, err = values(ctx, k.pools); err != nil {
		return nil, err
	}
	if gs.Stakers, err = values(ctx, k.stakers); err != nil {
		return nil, err
	}
	gs.Stream, err = k.streamIfAny(ctx)
	return gs, err
}

// values reads a whole collection, for the export only.
func values[K, V any](ctx context.Context, m collections.Map[K, V]) ([]V, error) {
	iter, err := m.Iterate(ctx, nil)
	if err != nil {
		return nil, err
	}
	return iter.Values()
}
