package keeper

import (
	"context"
	"fmt"
	"time"

	stakingext "github.com/grafilab/grafi/x/staking-ext/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// disputeFault is the fault of a slash by a verdict.
const disputeFault = stakingext.FAULT_DISPUTE

// endCommit begins the time to reveal, or ends the panel at once when nobody has
// anything to reveal.
func (k *Keeper) endCommit(ctx context.Context, params types.Params, d types.Dispute) error {
	panel, err := k.panelOf(ctx, d)
	if err != nil {
		return err
	}
	committed := false
	for _, s := range panel {
		committed = committed || len(s.Commitment) > 0
	}
	if !committed {
		return k.endPanel(ctx, params, d)
	}
	d.State, d.DueAt = types.DISPUTE_STATE_REVEAL, now(ctx).Add(params.RevealPeriod)
	if err := k.disputes.Set(ctx, d.Id, d); err != nil {
		return err
	}
	return emit(ctx, &types.EventRevealBegan{DisputeId: d.Id, Round: d.Round, RevealUntil: d.DueAt})
}

// endPanel frees the jurors, takes from the silent ones and counts the votes of
// the others. Without any vote another panel is drawn, or the claim dismissed.
func (k *Keeper) endPanel(ctx context.Context, params types.Params, d types.Dispute) error {
	panel, err := k.panelOf(ctx, d)
	if err != nil {
		return err
	}
	for _, s := range panel {
		if err := k.vacate(ctx, params, s); err != nil {
			return err
		}
	}
	tally := types.TallyVotes(panel)
	if verdict := tally.Verdict(); verdict != types.VERDICT_UNSPECIFIED {
		return k.decide(ctx, params, d, verdict, tally)
	}
	if err := emit(ctx, &types.EventPanelFailed{DisputeId: d.Id, Round: d.Round}); err != nil {
		return err
	}
	return k.retry(ctx, params, d, types.DrawDelay)
}

// decide records the panel's verdict, takes what it awards into custody and
// opens the time to appeal.
func (k *Keeper) decide(ctx context.Context, params types.Params, d types.Dispute, verdict types.Verdict, tally types.Tally) error {
	at := now(ctx)
	d.Verdict, d.DecidedAt = verdict, &at
	d.State, d.DueAt = types.DISPUTE_STATE_DECIDED, at.Add(params.AppealWindow)
	if err := k.takeAward(ctx, params, &d, tally); err != nil {
		return err
	}
	if err := k.disputes.Set(ctx, d.Id, d); err != nil {
		return err
	}
	if err := k.recordVerdict(ctx, d, fmt.Sprintf("panel %d: %d for the claim, %d against", d.Round, tally.Upheld, tally.Dismissed)); err != nil {
		return err
	}
	return emit(ctx, &types.EventVerdict{
		DisputeId: d.Id, Verdict: verdict, UpheldVotes: tally.Upheld, DismissedVotes: tally.Dismissed, Held: d.Held,
	})
}

// takeAward slashes the operator of an upheld claim on a rental by the claim and
// the panel's fee (if a juror has earned it), to be held by this module until
// hold_period after the panel's verdict. The operator may have less: then there
// is less to pay. An upheld claim on a slash takes nothing from anybody here.
func (k *Keeper) takeAward(ctx context.Context, params types.Params, d *types.Dispute, tally types.Tally) error {
	if d.Kind != types.DISPUTE_KIND_RENTAL || d.Verdict != types.VERDICT_UPHELD {
		return nil
	}
	operator, err := k.addressCodec.StringToBytes(d.Operator)
	if err != nil {
		return err
	}
	amount := d.Claim
	if tally.For(d.Verdict) > 0 {
		amount = amount.Add(d.Fee())
	}
	// An appeal can end later than the unbonding time after the fault, from which
	// on x/staking-ext refuses it as too old. What left before that time is gone in
	// any case, so the oldest time that it takes reaches the same stake.
	committed := d.SubjectAt
	unbonding, err := k.staking.UnbondingTime(ctx)
	if err != nil {
		return err
	}
	if oldest := now(ctx).Add(-unbonding + time.Nanosecond); committed.Before(oldest) {
		committed = oldest
	}
	result, err := k.staking.Slash(ctx, stakingext.SlashRequest{
		Operator: operator, Fault: disputeFault, FaultID: fmt.Sprintf("dispute/%d", d.Id),
		Amount: amount, CommittedAt: committed, HoldIn: types.ModuleName,
	})
	if err != nil {
		return err
	}
	d.Held = result.Taken()
	until := d.DecidedAt.Add(params.HoldPeriod)
	d.HoldUntil = &until
	return nil
}

// recordVerdict puts the verdict in the record of decisions.
func (k *Keeper) recordVerdict(ctx context.Context, d types.Dispute, detail string) error {
	outcome := types.DECISION_OUTCOME_DISMISSED
	if d.Verdict == types.VERDICT_UPHELD {
		outcome = types.DECISION_OUTCOME_UPHELD
	}
	return k.record(ctx, types.DECISION_KIND_DISPUTE, fmt.Sprint(d.Id), outcome, detail)
}
