package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/cosmos/cosmos-sdk/x/gov"
	v1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/grafilab/grafi/x/dao/types"
)

// submit puts messages to the vote by the messages of x/gov, with the deposit
// that begins the voting period.
func (w *world) submit(title string, expedited bool, deposit int64, msgs ...sdk.Msg) uint64 {
	w.t.Helper()
	w.fund(alice, ugrafi(deposit))
	msg, err := v1.NewMsgSubmitProposal(msgs, sdk.NewCoins(ugrafi(deposit)), addr(alice), "metadata", title, "summary", expedited)
	require.NoError(w.t, err)
	next, err := w.gov.ProposalID.Peek(w.ctx)
	require.NoError(w.t, err)
	require.NoError(w.t, w.send(msg))
	return next
}

func (w *world) vote(id uint64, who sdk.AccAddress, option v1.VoteOption) {
	w.t.Helper()
	require.NoError(w.t, w.send(v1.NewMsgVote(who, id, option, "")))
}

func (w *world) endGov() {
	w.t.Helper()
	require.NoError(w.t, gov.EndBlocker(w.ctx, w.gov))
}

// TestProposalsAreRecorded runs proposals through x/gov's messages and its end
// of block: what becomes of each is in the record, once, with time and height.
func TestProposalsAreRecorded(t *testing.T) {
	w := newWorld(t)
	w.stake.of[string(alice)] = 10
	params := v1.DefaultParams()
	enough, plenty := params.MinDeposit[0].Amount.Int64(), params.ExpeditedMinDeposit[0].Amount.Int64()
	poorGrant := &types.MsgCreateGrant{
		Authority: addr(gov1), Title: "nothing to give", Recipient: addr(bob), Denom: sdk.DefaultBondDenom,
		Milestones: []types.Milestone{{Title: "one", Amount: math.NewInt(1)}},
	}
	passed := w.submit("passes", false, enough)
	rejected := w.submit("is rejected", false, enough)
	failed := w.submit("fails", false, enough, poorGrant)
	dropped := w.submit("is dropped", false, enough/2)
	expedited := w.submit("is converted", true, plenty)
	w.vote(passed, alice, v1.OptionYes)
	w.vote(rejected, alice, v1.OptionNo)
	w.vote(failed, alice, v1.OptionYes)
	w.vote(expedited, alice, v1.OptionNo)

	w.at(worldStart.Add(*params.ExpeditedVotingPeriod))
	w.endGov()
	w.vote(expedited, alice, v1.OptionYes) // again: its first votes were counted and removed
	w.at(worldStart.Add(*params.VotingPeriod))
	w.endGov()

	first, second := worldStart.Add(*params.ExpeditedVotingPeriod), worldStart.Add(*params.VotingPeriod)
	p := types.DECISION_KIND_PROPOSAL
	gs, _ := w.state()
	require.Equal(t, []types.Decision{
		{Id: 1, Kind: p, Subject: "5", Outcome: types.DECISION_OUTCOME_CONVERTED, Detail: "is converted", Time: first, Height: 2},
		{Id: 2, Kind: p, Subject: "4", Outcome: types.DECISION_OUTCOME_DROPPED, Time: second, Height: 3},
		{Id: 3, Kind: p, Subject: "1", Outcome: types.DECISION_OUTCOME_PASSED, Detail: "passes", Time: second, Height: 3},
		{Id: 4, Kind: p, Subject: "2", Outcome: types.DECISION_OUTCOME_REJECTED, Detail: "is rejected", Time: second, Height: 3},
		{Id: 5, Kind: p, Subject: "3", Outcome: types.DECISION_OUTCOME_FAILED, Detail: "fails", Time: second, Height: 3},
		{Id: 6, Kind: p, Subject: "5", Outcome: types.DECISION_OUTCOME_PASSED, Detail: "is converted", Time: second, Height: 3},
	}, gs.Decisions, "dropped is %d", dropped)
	require.Empty(t, gs.Grants, "what a failed proposal did is undone")
	w.sound()
}

// TestDecisionsByPages: all of them, and those of one kind.
func TestDecisionsByPages(t *testing.T) {
	w := newWorld(t)
	w.fund(treasury, ugrafi(1_000))
	require.NoError(t, w.send(streamMsg(100, time.Hour)))
	require.NoError(t, w.send(&types.MsgUpdateParams{Authority: addr(gov1), Params: types.DefaultParams()}))
	require.NoError(t, w.send(streamMsg(200, time.Hour)))
	gs, _ := w.state()
	require.Len(t, gs.Decisions, 3)

	streams, err := w.query.Decisions(w.ctx, &types.QueryDecisionsRequest{
		Kind: types.DECISION_KIND_STREAM, Pagination: &query.PageRequest{Limit: 1},
	})
	require.NoError(t, err)
	require.Equal(t, gs.Decisions[:1], streams.Decisions)
	streams, err = w.query.Decisions(w.ctx, &types.QueryDecisionsRequest{
		Kind: types.DECISION_KIND_STREAM, Pagination: &query.PageRequest{Key: streams.Pagination.NextKey},
	})
	require.NoError(t, err)
	require.Equal(t, gs.Decisions[2:], streams.Decisions)
	everything, err := w.query.Decisions(w.ctx, &types.QueryDecisionsRequest{Pagination: &query.PageRequest{Reverse: true}})
	require.NoError(t, err)
	require.Equal(t, []uint64{3, 2, 1}, []uint64{
		everything.Decisions[0].Id, everything.Decisions[1].Id, everything.Decisions[2].Id,
	})
	_, err = w.query.Decisions(w.ctx, &types.QueryDecisionsRequest{Kind: 99})
	require.ErrorContains(t, err, "invalid kind of decision")
}
