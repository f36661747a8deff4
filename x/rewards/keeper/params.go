package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/rewards/types"
)

// Params returns the params.
func (k *Keeper) Params(ctx context.Context) (types.Params, error) { return k.params.Get(ctx) }

// UpdateParams replaces the params. What is under way keeps the numbers it began
// with: a day that has GPUs its rules, a tranche its end, the stream its line.
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
	if err := k.params.Set(ctx, params); err != nil {
		return err
	}
	return emit(ctx, &types.EventParamsUpdated{Authority: authority})
}
