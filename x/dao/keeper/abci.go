package keeper

import "context"

// EndBlock takes the next step of the disputes that are due and tidies up the
// pauses that are over, each at most due_budget of them; the rest carries over.
func (k *Keeper) EndBlock(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if err := k.processDisputes(ctx, params); err != nil {
		return err
	}
	return k.endPauses(ctx, params.DueBudget)
}
