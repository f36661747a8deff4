package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/attestation/types"
)

// UpdateParams replaces all params; slots never change their length.
//
// Errors: ErrInvalidParams, ErrImmutableParam.
func (k *Keeper) UpdateParams(ctx context.Context, params types.Params) error {
	if err := params.Validate(); err != nil {
		return err
	}
	old, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if err := old.CheckImmutable(params); err != nil {
		return err
	}
	return k.params.Set(ctx, params)
}
