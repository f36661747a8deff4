package keeper

import "context"

// BeginBlock pays the validators' stream. It comes before x/distribution, which
// pays out what it finds in the fee collector.
func (k *Keeper) BeginBlock(ctx context.Context) error { return k.mintStream(ctx) }

// EndBlock closes the days that are due, ends those that are too old to be claimed,
// and removes their records; each with a budget, the rest carries over.
func (k *Keeper) EndBlock(ctx context.Context) error {
	if err := k.closeDays(ctx); err != nil {
		return err
	}
	if err := k.expireDays(ctx); err != nil {
		return err
	}
	return k.pruneDays(ctx)
}
