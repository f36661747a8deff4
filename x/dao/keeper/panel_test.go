package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// TestPanelIsDrawn: five different jurors, no party among them, each with one
// more open seat.
func TestPanelIsDrawn(t *testing.T) {
	c := newCourt(t)
	for _, party := range []sdk.AccAddress{renter, provider} {
		c.stakes.voting[party.String()] = 1_000_000 * courtGrafi // would be drawn nearly always
		c.join(t, party)
	}
	for i := range uint64(20) {
		rental := courtRental()
		rental.Id = 100 + i
		c.market[rental.Id] = rental
		msg := overRental(claim)
		msg.SubjectId = rental.Id
		c.at(courtStart.Add(time.Duration(i) * time.Hour))
		id := c.open(t, msg)
		d := c.next(t, id)
		require.Equal(t, types.DISPUTE_STATE_COMMIT, d.State)
		require.Equal(t, uint32(1), d.Round)
		panel := c.panel(t, id)
		require.Len(t, panel, 5)
		seen := map[string]bool{renter.String(): true, provider.String(): true}
		for _, who := range panel {
			require.False(t, seen[who.String()], "a party, or drawn twice")
			seen[who.String()] = true
			resp, err := c.queries.Juror(c.ctx, &types.QueryJurorRequest{Juror: who.String()})
			require.NoError(t, err)
			require.Contains(t, resp.OpenDisputes, id)
			require.Len(t, resp.OpenDisputes, int(resp.Juror.OpenSeats))
		}
		c.requireInvariants(t)
	}
}

// TestPanelComesFromTheBeacon: the same state and another beacon draw another
// panel; the same beacon draws the same.
func TestPanelComesFromTheBeacon(t *testing.T) {
	draw := func(app string) string {
		c := newCourt(t)
		id := c.open(t, overRental(claim))
		c.at(c.dispute(t, id).DueAt)
		info := c.ctx.HeaderInfo()
		info.AppHash = []byte(app)
		c.ctx = c.ctx.WithHeaderInfo(info)
		require.NoError(t, c.k.EndBlock(c.ctx))
		return fmt.Sprint(c.panel(t, id))
	}
	seen := map[string]bool{}
	for i := range 5 {
		app := fmt.Sprint("app ", i)
		require.Equal(t, draw(app), draw(app))
		seen[draw(app)] = true
	}
	require.Greater(t, len(seen), 2)
}

// TestWhoIsNotDrawn leaves five of ten jurors that can be drawn: they are the
// panel, though nine are wanted.
func TestWhoIsNotDrawn(t *testing.T) {
	c := newCourt(t, func(p *types.Params) { p.PanelSize = 9 })
	id := c.open(t, overRental(claim)) // before the others do something
	c.at(c.now().Add(time.Second))
	c.join(t, juror(0)) // renewed after the dispute was opened
	c.stakes.voting[juror(1).String()] = 1_000*courtGrafi - 1
	c.stakes.voting[juror(2).String()] = 0
	before, err := c.queries.Juror(c.ctx, &types.QueryJurorRequest{Juror: juror(3).String()})
	require.NoError(t, err)
	require.Zero(t, before.Juror.OpenSeats)
	require.NoError(t, c.send(&types.MsgLeaveJury{Juror: juror(3).String()}))
	c.stakes.voting[juror(4).String()] = 2_000 * courtGrafi // counts as 1,000
	c.stakes.voting[outsider.String()] = 5_000 * courtGrafi
	c.join(t, outsider)

	c.next(t, id)

	require.ElementsMatch(t, []sdk.AccAddress{juror(4), juror(5), juror(6), juror(7), juror(8)}, c.panel(t, id))
	weights := map[string]string{}
	for _, j := range c.export(t).Jurors {
		weights[j.Address] = j.Weight.String()
	}
	require.Equal(t, "0", weights[juror(1).String()], "too little stake counts as none until it is renewed")
	require.Equal(t, "0", weights[juror(2).String()])
	require.Equal(t, "1000000000", weights[juror(4).String()])
}

// TestJoinAtTheLastMoment: a juror that joined DrawDelay before the draw takes
// part, one that joined a second later doesn't.
func TestJoinAtTheLastMoment(t *testing.T) {
	for seconds, want := range map[int]int{-1: 3, 0: 3, 1: 0} {
		t.Run(fmt.Sprint(seconds), func(t *testing.T) {
			c := newCourt(t)
			for i := range jurorsIn - 2 {
				require.NoError(t, c.send(&types.MsgLeaveJury{Juror: juror(i).String()}))
			}
			c.stakes.voting[outsider.String()] = 1_000 * courtGrafi
			opened := courtStart.Add(time.Hour)
			joins := opened.Add(time.Duration(seconds) * time.Second)
			if seconds <= 0 {
				c.at(joins)
				c.join(t, outsider)
			}
			c.at(opened)
			id := c.open(t, overRental(claim))
			if seconds > 0 {
				c.at(joins)
				c.join(t, outsider)
			}
			c.next(t, id)
			require.Len(t, c.panel(t, id), want)
		})
	}
}

// TestSmallJuries: an odd panel from what there is, three at least.
func TestSmallJuries(t *testing.T) {
	for jurors, want := range map[int]int{9: 5, 5: 5, 4: 3, 3: 3, 2: 0, 0: 0} {
		t.Run(fmt.Sprint(jurors), func(t *testing.T) {
			c := newCourt(t)
			for i := jurors; i < jurorsIn; i++ {
				require.NoError(t, c.send(&types.MsgLeaveJury{Juror: juror(i).String()}))
			}
			id := c.open(t, overRental(claim))
			d := c.next(t, id)
			require.Len(t, c.panel(t, id), want)
			if want > 0 {
				require.Equal(t, types.DISPUTE_STATE_COMMIT, d.State)
				return
			}
			c.requireEvents(t, &types.EventNoPanel{DisputeId: id, Round: 1, Candidates: uint32(jurors)})
			require.Equal(t, types.DISPUTE_STATE_OPEN, d.State)
			require.Equal(t, c.now().Add(3*courtDay), d.DueAt, "as long as a panel would have had")
		})
	}
	t.Run("a panel of one by param", func(t *testing.T) {
		c := newCourt(t, func(p *types.Params) { p.PanelSize = 1 })
		for i := 1; i < jurorsIn; i++ {
			require.NoError(t, c.send(&types.MsgLeaveJury{Juror: juror(i).String()}))
		}
		id := c.open(t, overRental(claim))
		c.next(t, id)
		require.Equal(t, []sdk.AccAddress{juror(0)}, c.panel(t, id))
	})
}

// TestNoJury: two rounds without a panel dismiss the claim, and the bond
// returns, as nobody judged it.
func TestNoJury(t *testing.T) {
	c := newCourt(t)
	for i := range jurorsIn {
		require.NoError(t, c.send(&types.MsgLeaveJury{Juror: juror(i).String()}))
	}
	money := c.money()
	id := c.open(t, overRental(claim))
	require.Equal(t, types.DISPUTE_STATE_OPEN, c.next(t, id).State)
	d := c.next(t, id)
	require.Equal(t, types.DISPUTE_STATE_DECIDED, d.State)
	require.Equal(t, no, d.Verdict)
	require.Equal(t, types.DISPUTE_STATE_CLOSED, c.next(t, id).State)
	c.requireMoved(t, money, nil)
}

// TestJurorsCanJoinForTheSecondRound: the first round without a panel waits for them.
func TestJurorsCanJoinForTheSecondRound(t *testing.T) {
	c := newCourt(t)
	for i := 2; i < jurorsIn; i++ {
		require.NoError(t, c.send(&types.MsgLeaveJury{Juror: juror(i).String()}))
	}
	id := c.open(t, overRental(claim))
	c.next(t, id)
	c.at(c.now().Add(courtDay))
	c.join(t, juror(5))
	d := c.next(t, id)
	require.Equal(t, types.DISPUTE_STATE_COMMIT, d.State)
	require.Equal(t, uint32(2), d.Round)
	require.ElementsMatch(t, []sdk.AccAddress{juror(0), juror(1), juror(5)}, c.panel(t, id))
}

// TestCopiedCommitment: a juror that copies another's commitment can open it
// neither with the other's vote and salt, nor with anything else.
func TestCopiedCommitment(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, overRental(claim))
	c.next(t, id)
	panel := c.panel(t, id)
	honest, copies := panel[0], panel[1]
	c.commit(t, id, honest, yes)
	require.NoError(t, c.send(&types.MsgCommitVote{
		Juror: copies.String(), DisputeId: id, Commitment: c.commitment(t, id, honest, yes),
	}))
	c.next(t, id)
	require.NoError(t, c.send(reveal(id, honest, yes)))
	for _, vote := range []types.Verdict{yes, no} {
		msg := reveal(id, copies, vote)
		msg.Salt = salt(honest)
		c.requireRefused(t, refusal{msg, types.ErrCommitmentMismatch, ""})
	}
	money := c.money()
	c.next(t, id)
	taken, lost := claim+bond, jurorBond/10
	c.requireMoved(t, money, map[string]int64{"treasury": 4 * lost, "dao": taken - 4*lost, "stake": -taken})
	require.Equal(t, yes, c.dispute(t, id).Verdict, "one revealed vote is a majority of those revealed")
}

// TestCommitmentOfAnotherDispute can't be used: dispute and round are in it.
func TestCommitmentOfAnotherDispute(t *testing.T) {
	c := newCourt(t, func(p *types.Params) { p.PanelSize = 9 })
	first, second := c.open(t, overRental(claim)), c.open(t, overSlash(courtGrafi))
	c.next(t, first)
	who := juror(0)
	for _, id := range []uint64{first, second} {
		require.NoError(t, c.send(&types.MsgCommitVote{
			Juror: who.String(), DisputeId: id, Commitment: c.commitment(t, first, who, yes),
		}))
	}
	c.next(t, first)
	require.NoError(t, c.send(reveal(first, who, yes)))
	c.requireRefused(t, refusal{reveal(second, who, yes), types.ErrCommitmentMismatch, ""})
}

// TestDrawAsksOnlyTheDrawn: the stake of a juror costs a read for each of its
// delegations, so it is looked up for those that are drawn.
func TestDrawAsksOnlyTheDrawn(t *testing.T) {
	c := newCourt(t, func(p *types.Params) { p.MaxJurors = 300 })
	for i := range 200 {
		who := sdk.AccAddress(fmt.Sprintf("many%-16d", i))
		c.stakes.voting[who.String()] = 1_000 * courtGrafi
		c.fund(t, who, jurorBond)
		c.join(t, who)
	}
	c.at(courtStart.Add(time.Second))
	id := c.open(t, overRental(claim))
	c.stakes.asked = 0
	c.next(t, id)
	require.Len(t, c.panel(t, id), 5)
	require.Equal(t, 5, c.stakes.asked)
}

// TestWeightFollowsStake: after a juror's stake fell below what it joined with,
// the next draws know it.
func TestWeightFollowsStake(t *testing.T) {
	c := newCourt(t, func(p *types.Params) { p.PanelSize = 9 })
	c.stakes.voting[juror(2).String()] = 5_000 * courtGrafi
	c.join(t, juror(2))
	c.stakes.voting[juror(2).String()] = 1_500 * courtGrafi
	c.at(c.now().Add(time.Second))
	id := c.open(t, overRental(claim))
	c.next(t, id)
	require.Len(t, c.panel(t, id), 9)
	gs := c.export(t)
	require.Equal(t, math.NewInt(1_500*courtGrafi), jurorOf(&gs, juror(2)).Weight)
}
