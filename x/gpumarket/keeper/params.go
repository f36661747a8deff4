package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// UpdateParams replaces all params. The caller has checked the authority.
func (k *Keeper) UpdateParams(ctx context.Context, authority string, params types.Params) error {
	if err := k.checkParams(params); err != nil {
		return err
	}
	if err := k.params.Set(ctx, params); err != nil {
		return err
	}
	return emit(ctx, &types.EventParamsUpdated{Authority: authority})
}

// checkParams adds to their ranges what only the keeper can know: a rest address
// that the bank refuses would make every settlement fail.
func (k *Keeper) checkParams(params types.Params) error {
	if err := params.Validate(); err != nil {
		return err
	}
	if params.RestAddress == "" {
		return nil
	}
	rest, err := k.addressCodec.StringToBytes(params.RestAddress)
	if err != nil {
		return types.ErrInvalidParams.Wrapf("rest_address %q: %s", params.RestAddress, err)
	}
	if k.bank.BlockedAddr(rest) {
		return types.ErrInvalidParams.Wrapf("rest_address %s is a module account that cannot be paid", params.RestAddress)
	}
	return nil
}
