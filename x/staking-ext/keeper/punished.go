package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// checkFault refuses a fault that was punished, and one that is older than what
// is remembered: evidence counts up to and including committed_at + unbonding
// time, as long as something that answered for it can still be here.
func (k *Keeper) checkFault(ctx context.Context, req types.SlashRequest, unbonding time.Duration) error {
	now := blockTime(ctx)
	if now.After(req.CommittedAt.Add(unbonding)) {
		return types.ErrEvidenceTooOld.Wrapf("fault %s of %s at %s, evidence counts for %s",
			req.FaultID, req.CommittedAt.Format(time.RFC3339), now.Format(time.RFC3339), unbonding)
	}
	forgotten, err := k.forgottenUntil.Get(ctx)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	if err == nil && req.CommittedAt.UnixNano() <= forgotten {
		return types.ErrEvidenceTooOld.Wrapf("fault %s of %s, the faults up to %s are forgotten",
			req.FaultID, req.CommittedAt.Format(time.RFC3339), time.Unix(0, forgotten).UTC().Format(time.RFC3339))
	}
	known, err := k.punished.Has(ctx, req.FaultID)
	if err != nil {
		return err
	}
	if known {
		return types.ErrAlreadySlashed.Wrapf("fault %s of operator %s", req.FaultID, k.name(req.Operator))
	}
	return nil
}

// rememberFault keeps the id until the fault is too old to be punished.
func (k *Keeper) rememberFault(ctx context.Context, fault types.PunishedFault) error {
	if err := k.punished.Set(ctx, fault.Id, fault); err != nil {
		return err
	}
	return k.punishedQueue.Set(ctx, collections.Join(fault.CommittedAt.UnixNano(), fault.Id))
}
