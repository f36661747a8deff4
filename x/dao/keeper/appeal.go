package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// Appeal takes a panel's verdict to the authority. Whoever lost by it locks
// twice the claimant's bond, before the end of the appeal window.
func (k *Keeper) Appeal(ctx context.Context, appellant sdk.AccAddress, dispute uint64) error {
	d, err := k.inState(ctx, dispute, types.DISPUTE_STATE_DECIDED)
	if err != nil {
		return err
	}
	name, err := k.addressCodec.BytesToString(appellant)
	if err != nil {
		return err
	}
	if !d.MayAppeal(name) {
		return types.ErrNotLoser.Wrapf("%s, claimant is %s, operator %s, verdict %s", name, d.Claimant, d.Operator, d.Verdict)
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if err := k.lock(ctx, appellant, d.BondForAppeal(), "bond of an appeal"); err != nil {
		return err
	}
	at := now(ctx)
	d.Appellant, d.AppealedAt, d.AppealBond = name, &at, d.BondForAppeal()
	d.State, d.DueAt = types.DISPUTE_STATE_APPEALED, at.Add(params.AppealPeriod)
	if err := k.disputes.Set(ctx, dispute, d); err != nil {
		return err
	}
	return emit(ctx, &types.EventDisputeAppealed{DisputeId: dispute, Appellant: name})
}

// DecideAppeal is the authority's last word on an appealed dispute, before the
// end of the appeal period. The caller has checked the authority.
func (k *Keeper) DecideAppeal(ctx context.Context, dispute uint64, verdict types.Verdict) error {
	if err := verdict.Validate(); err != nil {
		return err
	}
	d, err := k.inState(ctx, dispute, types.DISPUTE_STATE_APPEALED)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	panel, err := k.panelOf(ctx, d)
	if err != nil {
		return err
	}
	overturned := verdict != d.Verdict
	if overturned {
		d.Verdict = verdict
		if err := k.takeAward(ctx, params, &d, types.TallyVotes(panel)); err != nil {
			return err
		}
	}
	if err := k.recordVerdict(ctx, d, "appeal"); err != nil {
		return err
	}
	return k.finish(ctx, d, overturned)
}
