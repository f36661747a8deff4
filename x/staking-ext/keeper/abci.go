package keeper

import "context"

// EndBlock ends what is due: entries of own and public stake, redelegations,
// steps of requirements, and what nobody can ask for any more. Each has a budget
// of its own, so that none of them keeps another waiting.
func (k *Keeper) EndBlock(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		k.CompleteUnbonding, k.CompleteUndelegations, k.CompleteRedelegations, k.StepRequirements, k.PruneSlashes,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}
