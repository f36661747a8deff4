package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/attestation/types"
)

// ForgetKeys empties the key cache of the process.
func ForgetKeys() { keyCache = newExpandedKeys(keyCacheSize) }

// MustParams returns the params.
func (k *Keeper) MustParams(ctx context.Context) types.Params {
	params, err := k.params.Get(ctx)
	if err != nil {
		panic(err)
	}
	return params
}
