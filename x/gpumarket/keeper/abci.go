package keeper

import "context"

// EndBlock processes the deadlines that have passed, oldest first and at most
// the budget of them; the rest carries over to the next block. Its work depends
// on what is due and never on how many rentals exist.
func (k *Keeper) EndBlock(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if err := k.expireInvitations(ctx, int(params.DeadlineBudget)); err != nil {
		return err
	}
	due, err := k.dueRentals(ctx, int(params.DeadlineBudget))
	if err != nil {
		return err
	}
	left := int(params.DeadlineBudget)
	for _, id := range due {
		// A rental can have several deadlines behind it, each of which counts.
		for again := true; again && left > 0; left-- {
			if again, err = k.processDue(ctx, params, id); err != nil {
				return err
			}
		}
	}
	return nil
}
