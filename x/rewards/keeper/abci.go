package keeper

import "context"

// BeginBlock pays the validators' stream. It comes before x/distribution, which
// pays out what it finds in the fee collector.
func (k *Keeper) BeginBlock(ctx context.Context) error { return k.mintStream(ctx) }
