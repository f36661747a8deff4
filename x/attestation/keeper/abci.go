package keeper

import "context"

// BeginBlock makes the block the closing block of the slots that ended. It does
// so first of all, so that every message of the block can attest them. Then it
// takes proofs of compute further.
func (k *Keeper) BeginBlock(ctx context.Context) error {
	if err := k.closeSlots(ctx); err != nil {
		return err
	}
	if err := k.recordBlock(ctx); err != nil {
		return err
	}
	return k.challengeBlock(ctx)
}

// EndBlock does what is due: class changes, the stake that follows them, and
// pruning; each with a budget, the rest carries over.
func (k *Keeper) EndBlock(ctx context.Context) error {
	if err := k.applyDueClasses(ctx); err != nil {
		return err
	}
	if err := k.refreshGPUs(ctx); err != nil {
		return err
	}
	if err := k.expireDevices(ctx); err != nil {
		return err
	}
	return k.prune(ctx)
}
