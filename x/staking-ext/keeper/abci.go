package keeper

import "context"

// EndBlock completes the unbonding entries that are due.
func (k *Keeper) EndBlock(ctx context.Context) error { return k.CompleteUnbonding(ctx) }
