package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// StakeDenom is the denom that stakes and requirements are in.
func (k *Keeper) StakeDenom(ctx context.Context) (string, error) {
	params, err := k.params.Get(ctx)
	return params.StakeDenom, err
}

// UpdateParams replaces the params. Records made under the old ones stay as
// they are: a GPU's requirement follows when its weight or price is set next,
// an unbonding entry keeps its end. Work that grows with what exists has no
// place in one block.
//
// The stake denom can't change: every stored amount is in it.
func (k *Keeper) UpdateParams(ctx context.Context, authority string, params types.Params) error {
	expected, err := k.addressCodec.BytesToString(k.authority)
	if err != nil {
		return err
	}
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), expected, authority); err != nil {
		return err
	}
	if err := params.Validate(); err != nil {
		return err
	}
	denom, err := k.StakeDenom(ctx)
	if err != nil {
		return err
	}
	if params.StakeDenom != denom {
		return types.ErrInvalidParams.Wrapf("stake_denom %q, want %q: stored amounts are in it", params.StakeDenom, denom)
	}
	if err := k.params.Set(ctx, params); err != nil {
		return err
	}
	return emit(ctx, &types.EventParamsUpdated{Authority: authority})
}
