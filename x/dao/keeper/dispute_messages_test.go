package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// Each message of disputes once, with the whole state, all money and all events.

const (
	bond      = 100 * courtGrafi // dispute_bond
	jurorBond = 500 * courtGrafi
	claim     = 250 * courtGrafi
)

func TestOpenDispute(t *testing.T) {
	for name, tc := range map[string]struct {
		msg      *types.MsgOpenDispute
		claimant string
	}{
		"about a rental": {overRental(claim), "renter"},
		"about a slash":  {overSlash(60 * courtGrafi), "provider"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCourt(t)
			c.at(courtStart.Add(time.Hour))
			before, money := c.export(t), c.money()

			resp, err := c.msgs.OpenDispute(c.ctx, tc.msg)

			require.NoError(t, err)
			require.Equal(t, uint64(1), resp.DisputeId)
			c.requireChange(t, before, money, func(gs *types.GenesisState) {
				gs.NextDisputeId = 2
				gs.Disputes = []types.Dispute{{
					Id: 1, Kind: tc.msg.Kind, SubjectId: tc.msg.SubjectId, SubjectAt: courtStart, Operator: provider.String(),
					Claimant: tc.msg.Claimant, Claim: tc.msg.Claim, StatementDigest: digest[:],
					Bond: math.NewInt(bond), AppealBond: math.ZeroInt(), Held: math.ZeroInt(), Paid: math.ZeroInt(),
					State: types.DISPUTE_STATE_OPEN, OpenedAt: c.now(), OpenedHeight: c.ctx.BlockHeight(),
					DueAt: c.now().Add(time.Minute),
				}}
			}, map[string]int64{tc.claimant: -bond, "dao": bond},
				&types.EventDisputeOpened{
					DisputeId: 1, Kind: tc.msg.Kind, SubjectId: tc.msg.SubjectId, Operator: provider.String(),
					Claimant: tc.msg.Claimant, Claim: tc.msg.Claim,
				})
		})
	}
}

func TestJoinJury(t *testing.T) {
	c := newCourt(t)
	c.stakes.voting[outsider.String()] = 1_000 * courtGrafi
	before, money := c.export(t), c.money()

	_, err := c.msgs.JoinJury(c.ctx, &types.MsgJoinJury{Juror: outsider.String()})

	require.NoError(t, err)
	c.requireChange(t, before, money, func(gs *types.GenesisState) {
		gs.Jurors = append(gs.Jurors, types.Juror{
			Address: outsider.String(), Bond: math.NewInt(jurorBond), JoinedAt: c.now(), Weight: math.NewInt(1_000 * courtGrafi),
		})
	}, map[string]int64{"outsider": -jurorBond, "dao": jurorBond},
		&types.EventJurorJoined{Juror: outsider.String(), Weight: math.NewInt(1_000 * courtGrafi)})
}

// TestJoinAgain fills the bond of a juror up that had lost a part of it, and
// counts it with its stake of now.
func TestJoinAgain(t *testing.T) {
	c := newCourt(t)
	_, panel := c.judge(t, overRental(claim), yes, yes, yes, yes, silent)
	who := panel[4]
	c.stakes.voting[who.String()] = 3_000 * courtGrafi
	c.at(c.now().Add(time.Hour))
	before, money := c.export(t), c.money()

	_, err := c.msgs.JoinJury(c.ctx, &types.MsgJoinJury{Juror: who.String()})

	require.NoError(t, err)
	lost := jurorBond / 10
	c.requireChange(t, before, money, func(gs *types.GenesisState) {
		j := jurorOf(gs, who)
		require.Equal(t, jurorBond-lost, j.Bond.Int64())
		j.Bond, j.Weight, j.JoinedAt = math.NewInt(jurorBond), math.NewInt(3_000*courtGrafi), c.now()
	}, map[string]int64{c.nameOf(who): -lost, "dao": lost},
		&types.EventJurorJoined{Juror: who.String(), Weight: math.NewInt(3_000 * courtGrafi)})
}

func TestLeaveJury(t *testing.T) {
	c := newCourt(t)
	before, money := c.export(t), c.money()

	resp, err := c.msgs.LeaveJury(c.ctx, &types.MsgLeaveJury{Juror: juror(0).String()})

	require.NoError(t, err)
	require.True(t, resp.Left)
	c.requireChange(t, before, money, func(gs *types.GenesisState) { gs.Jurors = gs.Jurors[1:] },
		map[string]int64{"juror0": jurorBond, "dao": -jurorBond},
		&types.EventJurorLeft{Juror: juror(0).String(), Bond: math.NewInt(jurorBond)})
}

// TestLeaveWithASeat returns the bond when the panel ends, and what it lost in
// it is gone; a juror that joins again stays.
func TestLeaveWithASeat(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, overRental(claim))
	c.next(t, id)
	panel := c.panel(t, id)
	votes, sleeps, stays := panel[0], panel[1], panel[2]
	c.at(c.now())
	before, money := c.export(t), c.money()

	resp, err := c.msgs.LeaveJury(c.ctx, &types.MsgLeaveJury{Juror: votes.String()})

	require.NoError(t, err)
	require.False(t, resp.Left)
	c.requireChange(t, before, money, func(gs *types.GenesisState) { jurorOf(gs, votes).Leaving = true }, nil,
		&types.EventJurorLeaving{Juror: votes.String()})
	_, err = c.msgs.LeaveJury(c.ctx, &types.MsgLeaveJury{Juror: votes.String()})
	require.ErrorIs(t, err, types.ErrOpenSeats)
	for _, who := range []sdk.AccAddress{sleeps, stays} {
		_, err = c.msgs.LeaveJury(c.ctx, &types.MsgLeaveJury{Juror: who.String()})
		require.NoError(t, err)
	}
	c.join(t, stays)

	c.vote(t, id, yes, silent, yes, yes, yes)

	taken := claim + bond // held by the verdict
	lost := jurorBond / 10
	c.requireMoved(t, money, map[string]int64{
		c.nameOf(votes): jurorBond, c.nameOf(sleeps): jurorBond - lost, "treasury": lost,
		"dao": -2*jurorBond + taken, "stake": -taken,
	})
	_, err = c.queries.Juror(c.ctx, &types.QueryJurorRequest{Juror: votes.String()})
	require.ErrorContains(t, err, "not a juror")
	require.Len(t, c.export(t).Jurors, jurorsIn-2)
}

func TestCommitVote(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, overRental(claim))
	c.next(t, id)
	who := c.panel(t, id)[0]
	for name, vote := range map[string]types.Verdict{"first": yes, "changed": no} {
		c.at(c.now().Add(time.Minute))
		before, money := c.export(t), c.money()
		commitment := c.commitment(t, id, who, vote)

		_, err := c.msgs.CommitVote(c.ctx, &types.MsgCommitVote{Juror: who.String(), DisputeId: id, Commitment: commitment})

		require.NoError(t, err, name)
		c.requireChange(t, before, money, func(gs *types.GenesisState) { seatOf(gs, who).Commitment = commitment }, nil,
			&types.EventVoteCommitted{DisputeId: id, Juror: who.String()})
	}
}

func TestRevealVote(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, overRental(claim))
	c.next(t, id)
	who := c.panel(t, id)[0]
	c.commit(t, id, who, no)
	c.next(t, id)
	c.at(c.now().Add(time.Minute))
	before, money := c.export(t), c.money()

	_, err := c.msgs.RevealVote(c.ctx, reveal(id, who, no))

	require.NoError(t, err)
	c.requireChange(t, before, money, func(gs *types.GenesisState) { seatOf(gs, who).Vote = no }, nil,
		&types.EventVoteRevealed{DisputeId: id, Juror: who.String(), Vote: no})
}

func TestAppeal(t *testing.T) {
	c := newCourt(t)
	id, _ := c.judge(t, overRental(claim), yes, yes, yes, no, no)
	c.at(c.now().Add(time.Hour))
	before, money := c.export(t), c.money()

	_, err := c.msgs.Appeal(c.ctx, &types.MsgAppeal{Appellant: provider.String(), DisputeId: id})

	require.NoError(t, err)
	c.requireChange(t, before, money, func(gs *types.GenesisState) {
		d := &gs.Disputes[0]
		d.State, d.Appellant, d.AppealBond = types.DISPUTE_STATE_APPEALED, provider.String(), math.NewInt(2*bond)
		d.AppealedAt, d.DueAt = ptr(c.now()), c.now().Add(21*24*time.Hour)
	}, map[string]int64{"provider": -2 * bond, "dao": 2 * bond},
		&types.EventDisputeAppealed{DisputeId: id, Appellant: provider.String()})
}

// TestDecideAppeal overturns a verdict for the renter: what was held returns to
// the operator, and the renter's bond goes to the two that had voted against.
func TestDecideAppeal(t *testing.T) {
	c := newCourt(t)
	id, panel := c.judge(t, overRental(claim), yes, yes, yes, no, no)
	c.appeal(t, id, provider)
	c.at(c.now().Add(time.Hour))
	before, money := c.export(t), c.money()

	_, err := c.msgs.DecideAppeal(c.ctx, decide(id, no))

	require.NoError(t, err)
	against := panel[3:]
	c.requireChange(t, before, money, func(gs *types.GenesisState) {
		d := &gs.Disputes[0]
		d.Verdict, d.State = no, types.DISPUTE_STATE_CLOSED
		d.Bond, d.AppealBond, d.Held = math.ZeroInt(), math.ZeroInt(), math.ZeroInt()
		d.ClosedAt, d.DueAt = ptr(c.now()), c.now().Add(types.DisputeRetention)
		gs.Decisions = append(gs.Decisions, types.Decision{
			Id: 2, Kind: types.DECISION_KIND_DISPUTE, Subject: "1", Outcome: types.DECISION_OUTCOME_DISMISSED,
			Detail: "appeal", Time: c.now(), Height: c.ctx.BlockHeight(),
		})
		gs.NextDecisionId = 3
	}, c.each(map[string]int64{"provider": claim + bond + 2*bond, "dao": -(claim + 4*bond)}, against, bond/2),
		&types.EventDecision{DecisionId: 2, Kind: types.DECISION_KIND_DISPUTE, Subject: "1", Outcome: types.DECISION_OUTCOME_DISMISSED},
		&types.EventVerdictFinal{
			DisputeId: id, Verdict: no, Jurors: addressesOf(against), JurorReward: math.NewInt(bond / 2), Treasury: math.ZeroInt(),
		},
		&types.EventDisputeClosed{DisputeId: id, Verdict: no, Paid: math.ZeroInt()})
}

// TestResumeDispute: a step that fails parks the dispute and leaves no other
// trace; resumed, it is taken in the same block.
func TestResumeDispute(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, overRental(claim))
	c.next(t, id)
	for _, who := range c.panel(t, id) {
		c.commit(t, id, who, yes)
	}
	c.next(t, id)
	for _, who := range c.panel(t, id) {
		_, err := c.msgs.RevealVote(c.ctx, reveal(id, who, yes))
		require.NoError(t, err)
	}
	c.stakes.fails = fmt.Errorf("stake is stuck")
	before, money := c.export(t), c.money()
	c.end(t, c.dispute(t, id).DueAt)
	c.requireChange(t, before, money, func(gs *types.GenesisState) { gs.Disputes[0].Parked = true }, nil,
		&types.EventDisputeParked{DisputeId: id, Error: "stake is stuck"})
	c.end(t, c.now().Add(time.Hour))
	require.True(t, c.dispute(t, id).Parked, "nothing looks at a parked dispute")

	c.stakes.fails = nil
	c.at(c.now().Add(time.Hour))
	before, money = c.export(t), c.money()
	_, err := c.msgs.ResumeDispute(c.ctx, &types.MsgResumeDispute{Sender: outsider.String(), DisputeId: id})
	require.NoError(t, err)
	c.requireChange(t, before, money, func(gs *types.GenesisState) {
		gs.Disputes[0].Parked, gs.Disputes[0].DueAt = false, c.now()
	}, nil, &types.EventDisputeResumed{DisputeId: id})
	require.NoError(t, c.k.EndBlock(c.ctx))
	require.Equal(t, types.DISPUTE_STATE_DECIDED, c.dispute(t, id).State)
	c.requireInvariants(t)
}
