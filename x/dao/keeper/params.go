package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/dao/types"
)

// UpdateParams replaces all params. The caller has checked the authority.
func (k *Keeper) UpdateParams(ctx context.Context, params types.Params) error {
	if err := k.checkParams(params); err != nil {
		return err
	}
	if err := k.params.Set(ctx, params); err != nil {
		return err
	}
	if err := k.record(ctx, types.DECISION_KIND_PARAMS, types.ModuleName, types.DECISION_OUTCOME_CHANGED, ""); err != nil {
		return err
	}
	return emit(ctx, &types.EventParamsUpdated{Params: params})
}

// checkParams adds to their ranges what only the keeper can know.
func (k *Keeper) checkParams(params types.Params) error {
	if err := params.Validate(); err != nil {
		return err
	}
	if params.Guardian == "" {
		return nil
	}
	if _, err := k.addressCodec.StringToBytes(params.Guardian); err != nil {
		return types.ErrInvalidParams.Wrapf("guardian %q: %s", params.Guardian, err)
	}
	return nil
}
