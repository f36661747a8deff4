package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/types"
)

// TestClockStandsInAHalt: a block adds at most max_block_ms, so that a halt of days
// costs nobody his window.
func TestClockStandsInAHalt(t *testing.T) {
	f := challenged(t, 1)
	clock := func() uint64 {
		ms, err := f.k.ChallengeClock(f.ctx)
		require.NoError(t, err)
		return ms
	}
	require.Equal(t, uint64(1_000), clock())
	f.later(1_234 * time.Millisecond)
	require.Equal(t, uint64(2_234), clock())
	f.later(0)
	require.Equal(t, uint64(2_234), clock())
	f.later(5 * time.Second)
	require.Equal(t, uint64(7_234), clock())
	f.later(9 * 24 * time.Hour)
	require.Equal(t, uint64(12_234), clock(), "5 s for nine days")
	require.Equal(t, types.CHALLENGE_STATE_OPEN, f.theChallenge(1).State)
	p := f.prove(1, 0)
	require.NoError(t, f.commitChallenge(f.commitMsg(1, commitment(0, p))))
	f.later(24 * time.Hour)
	f.later(24 * time.Hour)
	require.Equal(t, types.CHALLENGE_STATE_SAMPLED, f.theChallenge(1).State)
	f.later(24 * time.Hour)
	resp, err := f.openChallenge(f.openMsg(1, 0, f.opening(1, p)))
	require.NoError(t, err)
	require.Equal(t, types.CHALLENGE_OUTCOME_PASSED, resp.Outcome)
	f.sound()
}

// TestWindowsEndToTheMillisecond: an answer at the last millisecond counts, one later
// is missed.
func TestWindowsEndToTheMillisecond(t *testing.T) {
	for _, late := range []time.Duration{0, time.Millisecond} {
		f := challenged(t, 1)
		for range 4 {
			f.later(5 * time.Second)
		}
		f.later(late) // the window is 20 s
		if late > 0 {
			c := f.theChallenge(1)
			require.Equal(t, types.CHALLENGE_STATE_UNANSWERED, c.State)
			require.Equal(t, uint64(startSlot), c.EndedSlot)
			require.Equal(t, types.CHALLENGE_OUTCOME_MISSED, c.Gpus[0].Outcome)
			require.Equal(t, []types.DayResults{{Day: 20_000, Missed: 1}}, f.gpuProof(1, 0).Days)
			f.told(events(t, &types.EventChallengeAnswered{HostId: 1, ChallengeId: 1, Outcome: "CHALLENGE_OUTCOME_MISSED"})...)
			f.sound()
			continue
		}
		p := f.prove(1, 0)
		require.NoError(t, f.commitChallenge(f.commitMsg(1, commitment(0, p))))
		f.sampled(1)
		f.later(5 * time.Second)
		f.later(5 * time.Second)
		msg := f.openMsg(1, 0, f.opening(1, p))
		cached, _ := f.ctx.CacheContext()
		_, err := f.msg.OpenChallenge(cached, msg)
		require.NoError(t, err)
		f.later(time.Millisecond)
		require.Equal(t, types.CHALLENGE_STATE_UNANSWERED, f.theChallenge(1).State)
		f.sound()
	}
}

// TestOneOfTwoAnswers: the one that committed goes on, the other has missed.
func TestOneOfTwoAnswers(t *testing.T) {
	f := challenged(t, 2)
	p := f.prove(1, 0)
	require.NoError(t, f.commitChallenge(f.commitMsg(1, commitment(0, p))))
	for range 4 {
		f.later(5 * time.Second)
	}
	f.later(time.Millisecond)
	c := f.theChallenge(1)
	require.Equal(t, types.CHALLENGE_STATE_COMMITTED, c.State)
	require.Equal(t, types.CHALLENGE_OUTCOME_MISSED, c.Gpus[1].Outcome)
	f.sampled(1)
	_, err := f.openChallenge(f.openMsg(1, 0, f.opening(1, p)))
	require.NoError(t, err)
	c = f.theChallenge(1)
	require.Equal(t, types.CHALLENGE_STATE_UNANSWERED, c.State)
	require.Equal(t, types.CHALLENGE_OUTCOME_PASSED, c.Gpus[0].Outcome)
	f.sound()
}

// TestEachClassHasItsWindow on a host of mixed cards.
func TestEachClassHasItsWindow(t *testing.T) {
	gs := challengeGenesis()
	for i := range gs.Classes {
		if gs.Classes[i].Key == rtx4090 {
			gs.Classes[i].Profile.WindowMs = 2_000
		}
	}
	f := newFixtureWith(t, gs)
	cards := h100s(1, 2)
	cards[1].Name, cards[1].MemoryMib = "NVIDIA GeForce RTX 4090", 24_564
	_, err := f.msg.RegisterHost(f.ctx, registration(t, operator, agentKey(1), cards))
	require.NoError(t, err)
	f.later(time.Second)
	require.Equal(t, uint64(21_000), f.theChallenge(1).CommitByMs)
	f.later(2_001 * time.Millisecond)
	msg := f.commitMsg(1, commitment(1, f.prove(1, 1)))
	f.failsWithoutTrace(types.ErrChallengeTooLate, func() error { return f.commitChallenge(msg) })
	require.NoError(t, f.commitChallenge(f.commitMsg(1, commitment(0, f.prove(1, 0)))))
	f.sound()
}

func TestGenesisKeepsTheClock(t *testing.T) {
	f := challenged(t, 1)
	state := f.state()
	g := emptyFixture(t)
	require.NoError(t, g.k.InitGenesis(g.ctx, state))
	g.ctx = g.ctx.WithBlockTime(f.ctx.BlockTime()).WithBlockHeight(f.ctx.BlockHeight())
	g.later(30 * 24 * time.Hour) // an upgrade that took long
	ms, err := g.k.ChallengeClock(g.ctx)
	require.NoError(t, err)
	require.Equal(t, uint64(6_000), ms)
	require.Equal(t, types.CHALLENGE_STATE_OPEN, g.theChallenge(1).State)
}
