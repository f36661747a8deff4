package keeper

import (
	"context"
	"strconv"

	sdk "github.com/cosmos/cosmos-sdk/types"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	v1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/grafilab/grafi/x/dao/types"
)

// record adds a decision to the record, which nothing ever takes out of it.
func (k *Keeper) record(ctx context.Context, kind types.DecisionKind, subject string, outcome types.DecisionOutcome, detail string) error {
	id, err := k.decisionSeq.Next(ctx)
	if err != nil {
		return err
	}
	if err := k.decisions.Set(ctx, id, types.Decision{
		Id: id, Kind: kind, Subject: subject, Outcome: outcome, Detail: detail,
		Time: now(ctx), Height: sdk.UnwrapSDKContext(ctx).BlockHeight(),
	}); err != nil {
		return err
	}
	return emit(ctx, &types.EventDecision{DecisionId: id, Kind: kind, Subject: subject, Outcome: outcome})
}

// govHooks hear from x/gov.
type govHooks struct {
	k   *Keeper
	gov *govkeeper.Keeper
}

var _ govtypes.GovHooks = govHooks{}

// GovHooks record the result of every proposal. They are made when the keeper of
// x/gov exists, which was itself made with Tally.
func (k *Keeper) GovHooks(gov *govkeeper.Keeper) govtypes.GovHooks { return govHooks{k: k, gov: gov} }

// AfterProposalSubmission implements govtypes.GovHooks.
func (govHooks) AfterProposalSubmission(context.Context, uint64, sdk.AccAddress) error { return nil }

// AfterProposalDeposit implements govtypes.GovHooks.
func (govHooks) AfterProposalDeposit(context.Context, uint64, sdk.AccAddress) error { return nil }

// AfterProposalVote implements govtypes.GovHooks.
func (govHooks) AfterProposalVote(context.Context, uint64, sdk.AccAddress) error { return nil }

// AfterProposalFailedMinDeposit implements govtypes.GovHooks. The proposal is
// gone by then, so its title can't be told.
func (h govHooks) AfterProposalFailedMinDeposit(ctx context.Context, id uint64) error {
	return h.k.record(ctx, types.DECISION_KIND_PROPOSAL, strconv.FormatUint(id, 10), types.DECISION_OUTCOME_DROPPED, "")
}

// AfterProposalVotingPeriodEnded implements govtypes.GovHooks.
func (h govHooks) AfterProposalVotingPeriodEnded(ctx context.Context, id uint64) error {
	proposal, err := h.gov.Proposals.Get(ctx, id)
	if err != nil {
		return err
	}
	outcome := types.DECISION_OUTCOME_REJECTED
	switch proposal.Status {
	case v1.StatusPassed:
		outcome = types.DECISION_OUTCOME_PASSED
	case v1.StatusFailed:
		outcome = types.DECISION_OUTCOME_FAILED
	case v1.StatusVotingPeriod: // an expedited proposal that goes on as a usual one
		outcome = types.DECISION_OUTCOME_CONVERTED
	}
	return h.k.record(ctx, types.DECISION_KIND_PROPOSAL, strconv.FormatUint(id, 10), outcome, proposal.Title)
}
