package keeper_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/dao/types"
)

const courtDay = 24 * time.Hour

// atBoundary runs a check one second before a time, at it, and one after.
func atBoundary(t *testing.T, prepare func(t *testing.T) (*court, time.Time, func() error), want [3]error) {
	t.Helper()
	for i, name := range []string{"one second before", "at the second", "one second after"} {
		t.Run(name, func(t *testing.T) {
			c, boundary, act := prepare(t)
			c.at(boundary.Add(time.Duration(i-1) * time.Second))
			require.ErrorIs(t, act(), want[i])
		})
	}
}

// TestDisputeWindow: seven days after the rental closed, that second included.
func TestDisputeWindow(t *testing.T) {
	for _, msg := range []*types.MsgOpenDispute{overRental(claim), overSlash(courtGrafi)} {
		t.Run(msg.Kind.String(), func(t *testing.T) {
			atBoundary(t, func(t *testing.T) (*court, time.Time, func() error) {
				c := newCourt(t)
				return c, courtStart.Add(7 * courtDay), func() error { return c.send(msg) }
			}, [3]error{nil, nil, types.ErrDisputeWindow})
		})
	}
}

// Messages of a phase are taken until the second before its end.
func TestVotesEndWithTheirPhase(t *testing.T) {
	late := types.ErrWrongState
	t.Run("commitments", func(t *testing.T) {
		atBoundary(t, func(t *testing.T) (*court, time.Time, func() error) {
			c := newCourt(t)
			id := c.open(t, overRental(claim))
			drawn := c.next(t, id)
			require.Equal(t, drawn.OpenedAt.Add(types.DrawDelay).Add(2*courtDay), drawn.DueAt)
			msg := &types.MsgCommitVote{Juror: c.panel(t, id)[0].String(), DisputeId: id, Commitment: digest[:]}
			return c, drawn.DueAt, func() error { return c.send(msg) }
		}, [3]error{nil, late, late})
	})
	t.Run("votes", func(t *testing.T) {
		atBoundary(t, func(t *testing.T) (*court, time.Time, func() error) {
			c := newCourt(t)
			id := c.open(t, overRental(claim))
			c.next(t, id)
			who := c.panel(t, id)[0]
			c.commit(t, id, who, yes)
			revealing := c.next(t, id)
			require.Equal(t, c.now().Add(courtDay), revealing.DueAt)
			return c, revealing.DueAt, func() error { return c.send(reveal(id, who, yes)) }
		}, [3]error{nil, late, late})
	})
	t.Run("appeals", func(t *testing.T) {
		atBoundary(t, func(t *testing.T) (*court, time.Time, func() error) {
			c := newCourt(t)
			id, _ := c.judge(t, overRental(claim), yes, yes, yes, yes, yes)
			msg := &types.MsgAppeal{Appellant: provider.String(), DisputeId: id}
			return c, c.now().Add(7 * courtDay), func() error { return c.send(msg) }
		}, [3]error{nil, late, late})
	})
	t.Run("decisions", func(t *testing.T) {
		atBoundary(t, func(t *testing.T) (*court, time.Time, func() error) {
			c := newCourt(t)
			id, _ := c.judge(t, overRental(claim), yes, yes, yes, yes, yes)
			c.appeal(t, id, provider)
			return c, c.now().Add(21 * courtDay), func() error { return c.send(decide(id, no)) }
		}, [3]error{nil, late, late})
	})
}

// TestPhasesEndInTheirSecond: the block one second before the end changes
// nothing, the block at it does.
func TestPhasesEndInTheirSecond(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, overRental(claim))
	step := func(want types.DisputeState, end time.Time) {
		t.Helper()
		was := c.dispute(t, id)
		require.Equal(t, end, was.DueAt)
		c.end(t, end.Add(-time.Second))
		require.Equal(t, was, c.dispute(t, id), "too early")
		c.requireEvents(t)
		c.end(t, end)
		require.Equal(t, want, c.dispute(t, id).State)
		c.requireInvariants(t)
	}

	step(types.DISPUTE_STATE_COMMIT, courtStart.Add(time.Minute))
	panel := c.panel(t, id)
	for _, who := range panel {
		c.commit(t, id, who, yes)
	}
	at := c.now().Add(2 * courtDay)
	step(types.DISPUTE_STATE_REVEAL, at)
	for _, who := range panel {
		require.NoError(t, c.send(reveal(id, who, yes)))
	}
	decided := at.Add(courtDay)
	step(types.DISPUTE_STATE_DECIDED, decided)
	money := c.money()
	step(types.DISPUTE_STATE_HELD, decided.Add(7*courtDay))
	c.requireMoved(t, money, c.each(map[string]int64{"renter": bond, "dao": -2 * bond}, panel, bond/5))
	money = c.money()
	step(types.DISPUTE_STATE_CLOSED, decided.Add(30*courtDay))
	c.requireMoved(t, money, map[string]int64{"renter": claim, "dao": -claim})
	c.end(t, c.now().Add(types.DisputeRetention-time.Second))
	require.Len(t, c.export(t).Disputes, 1)
	c.end(t, c.now().Add(time.Second))
	require.Empty(t, c.export(t).Disputes)
	require.Zero(t, c.money()["dao"]-int64(jurorsIn)*jurorBond)
}

// TestALateBlockShortensNobodysTime: after a halt of a week the next phase has
// its whole length.
func TestALateBlockShortensNobodysTime(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, overRental(claim))
	drawn := c.next(t, id)
	who := c.panel(t, id)[0]
	c.commit(t, id, who, yes)
	c.end(t, drawn.DueAt.Add(7*courtDay))
	require.Equal(t, c.now().Add(courtDay), c.dispute(t, id).DueAt)
	require.NoError(t, c.send(reveal(id, who, yes)))
}

// TestDrawNeedsALaterBlock: in the block that opened the dispute nothing is
// drawn, even if its time jumped.
func TestDrawNeedsALaterBlock(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, overRental(claim))
	height := c.ctx.BlockHeight()
	c.at(c.now().Add(time.Hour))
	c.ctx = c.ctx.WithBlockHeight(height)
	require.NoError(t, c.k.EndBlock(c.ctx))
	require.True(t, c.dispute(t, id).Parked)

	c.at(c.now().Add(time.Second))
	require.NoError(t, c.send(&types.MsgResumeDispute{Sender: outsider.String(), DisputeId: id}))
	require.NoError(t, c.k.EndBlock(c.ctx))
	require.Equal(t, types.DISPUTE_STATE_OPEN, c.dispute(t, id).State, "who resumes it can't choose the beacon")
	c.end(t, c.now().Add(types.DrawDelay))
	require.Equal(t, types.DISPUTE_STATE_COMMIT, c.dispute(t, id).State)
}

// TestBudget: a block takes due_budget steps, oldest first, and DrawBudget draws.
func TestBudget(t *testing.T) {
	c := newCourt(t, func(p *types.Params) { p.DueBudget = 7 })
	for i := range uint64(12) {
		rental := courtRental()
		rental.Id = 100 + i
		c.market[rental.Id] = rental
		msg := overRental(claim)
		msg.SubjectId = rental.Id
		c.at(courtStart.Add(time.Duration(i) * time.Second))
		c.open(t, msg)
	}
	inState := func(want types.DisputeState) (n int) {
		for _, d := range c.export(t).Disputes {
			if d.State == want {
				n++
			}
		}
		return n
	}
	late := courtStart.Add(time.Hour)
	for i, want := range []int{5, 10, 12} {
		c.end(t, late.Add(time.Duration(i)*time.Second))
		require.Equal(t, want, inState(types.DISPUTE_STATE_COMMIT))
		require.Equal(t, types.DISPUTE_STATE_COMMIT, c.dispute(t, uint64(want)).State, "oldest first")
		c.requireInvariants(t)
	}
	// All panels end; nobody committed, so each step ends one.
	late = late.Add(3 * courtDay)
	for i, want := range []int{5, 0} {
		c.end(t, late.Add(time.Duration(i)*time.Second))
		require.Equal(t, want, inState(types.DISPUTE_STATE_COMMIT))
		c.requireInvariants(t)
	}
}

// TestAFailingDisputeStopsNoOther is about the cached context of each record.
func TestAFailingDisputeStopsNoOther(t *testing.T) {
	c := newCourt(t)
	bad := c.open(t, overRental(claim))
	good := c.open(t, overSlash(courtGrafi))
	c.end(t, c.dispute(t, bad).DueAt)
	for _, id := range []uint64{bad, good} {
		for _, who := range c.panel(t, id) {
			c.commit(t, id, who, yes)
		}
	}
	c.end(t, c.dispute(t, bad).DueAt)
	for _, id := range []uint64{bad, good} {
		for _, who := range c.panel(t, id) {
			require.NoError(t, c.send(reveal(id, who, yes)))
		}
	}
	c.stakes.fails = errors.New("stake is stuck")
	money := c.money()
	c.end(t, c.dispute(t, bad).DueAt)
	require.True(t, c.dispute(t, bad).Parked)
	require.Equal(t, types.DISPUTE_STATE_REVEAL, c.dispute(t, bad).State)
	require.Equal(t, types.DISPUTE_STATE_DECIDED, c.dispute(t, good).State)
	c.requireMoved(t, money, nil)
}
