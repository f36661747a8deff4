package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/attestation/compute"
	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// TestRegistrationIsChallengedInTheNextBlock: its beacon nobody knew at the
// registration.
func TestRegistrationIsChallengedInTheNextBlock(t *testing.T) {
	f := newFixtureWith(t, challengeGenesis())
	f.register(2)
	require.Equal(t, []types.DueChallenge{{HostId: 1, Reason: types.CHALLENGE_REASON_REGISTRATION, Ordinals: []uint32{0, 1}}}, f.state().ChallengeDue)
	_, err := f.k.Challenge(f.ctx, 1)
	require.ErrorIs(t, err, types.ErrChallengeNotFound)
	want := f.state()

	f.later(time.Second)

	beacon := types.BlockBeacon(f.ctx, types.DomainChallengeBeacon)
	want.ChallengeDue, want.RecentBlocks = nil, f.state().RecentBlocks
	want.HostChallenges = []types.HostChallenges{{HostId: 1, LastId: 1}}
	want.ChallengeClock.Ms, want.ChallengeClock.LastBlockMs, want.ChallengeClock.DrawDebt = 1_000, f.ctx.BlockTime().UnixMilli(), 1_000
	want.Challenges = []types.Challenge{{
		HostId: 1, Id: 1, Reason: types.CHALLENGE_REASON_REGISTRATION, State: types.CHALLENGE_STATE_OPEN,
		Gpus:     []types.ChallengedGpu{{Ordinal: 0, Class: h100, Profile: quick}, {Ordinal: 1, Class: h100, Profile: quick}},
		AgentKey: public(agentKey(1)), Height: 2, Beacon: beacon[:], StartedAt: start.Add(time.Second),
		StartedMs: 1_000, CommitByMs: 21_000, Samples: 8,
	}}
	require.Equal(t, want, f.state())
	f.told(events(t, &types.EventChallenged{HostId: 1, ChallengeId: 1, Reason: "CHALLENGE_REASON_REGISTRATION", Ordinals: []uint32{0, 1}})...)
	f.sound()
}

func TestCommitChallenge(t *testing.T) {
	f := challenged(t, 2)
	f.later(10 * time.Millisecond)
	first, second := f.prove(1, 0), f.prove(1, 1)
	want := f.state()

	require.NoError(t, f.commitChallenge(f.commitMsg(1, commitment(1, second))))

	g := &want.Challenges[0].Gpus[1]
	g.Commitment, g.CommittedMs = second.Commitment[:], 1_010
	require.Equal(t, want, f.state())
	f.told(events(t, &types.EventChallengeCommitted{HostId: 1, ChallengeId: 1, Ordinals: []uint32{1}})...)

	f.later(time.Second)
	require.NoError(t, f.commitChallenge(f.commitMsg(1, commitment(0, first))))
	c := f.theChallenge(1)
	require.Equal(t, types.CHALLENGE_STATE_COMMITTED, c.State, "all have committed")
	require.Equal(t, f.ctx.BlockHeight()+2, c.SampleHeight)
	f.sound()

	f.later(time.Second)
	require.Equal(t, types.CHALLENGE_STATE_COMMITTED, f.theChallenge(1).State)
	f.later(time.Second)
	c = f.theChallenge(1)
	sample := types.BlockBeacon(f.ctx, types.DomainSampleBeacon)
	require.Equal(t, sample[:], c.Sample)
	require.Equal(t, types.CHALLENGE_STATE_SAMPLED, c.State)
	require.Equal(t, uint64(1_010+3_000+10_000), c.OpenByMs)
	f.told(events(t, &types.EventChallengeSampled{HostId: 1, ChallengeId: 1})...)
	f.sound()
}

func TestCommitChallengeRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		given func(*fixture)
		msg   func(*types.MsgCommitChallenge)
		want  error
	}{
		"bad address":     {msg: func(m *types.MsgCommitChallenge) { m.Submitter = "x" }, want: sdkerrors.ErrInvalidAddress},
		"unknown host":    {msg: func(m *types.MsgCommitChallenge) { m.HostId = 9 }, want: types.ErrChallengeNotFound},
		"other challenge": {msg: func(m *types.MsgCommitChallenge) { m.ChallengeId = 2 }, want: types.ErrChallengeNotFound},
		"nothing":         {msg: func(m *types.MsgCommitChallenge) { m.Commitments = nil }, want: types.ErrInvalidCommitment},
		"short":           {msg: func(m *types.MsgCommitChallenge) { m.Commitments[0].Commitment = []byte{1} }, want: types.ErrInvalidCommitment},
		"twice in one":    {msg: func(m *types.MsgCommitChallenge) { m.Commitments[1] = m.Commitments[0] }, want: types.ErrInvalidCommitment},
		"not challenged":  {msg: func(m *types.MsgCommitChallenge) { m.Commitments[1].Ordinal = 7 }, want: types.ErrNotChallenged},
		"changed":         {msg: func(m *types.MsgCommitChallenge) { m.Commitments[0].Commitment[0] ^= 1 }, want: types.ErrInvalidSignature},
		"no signature":    {msg: func(m *types.MsgCommitChallenge) { m.Signature = nil }, want: types.ErrInvalidSignature},
		"one millisecond late": {given: func(f *fixture) {
			for range 4 {
				f.later(5 * time.Second)
			}
			f.later(time.Millisecond)
		}, want: types.ErrChallengeState},
		"twice": {given: func(f *fixture) {
			require.NoError(f.t, f.commitChallenge(f.commitMsg(1, commitment(0, f.prove(1, 0)))))
		}, want: types.ErrInvalidCommitment},
		"revoked key": {given: func(f *fixture) {
			_, err := f.k.RevokeAgentKey(f.ctx, operator, 1)
			require.NoError(f.t, err)
		}, want: types.ErrInvalidSignature},
	} {
		t.Run(name, func(t *testing.T) {
			f := challenged(t, 2)
			msg := f.commitMsg(1, commitment(0, f.prove(1, 0)), commitment(1, f.prove(1, 1)))
			if tc.given != nil {
				tc.given(f)
			}
			if tc.msg != nil {
				tc.msg(msg)
			}
			f.failsWithoutTrace(tc.want, func() error { return f.commitChallenge(msg) })
		})
	}
}

func TestOpenChallenge(t *testing.T) {
	f := challenged(t, 2)
	f.later(10 * time.Millisecond)
	proofs := []*compute.Proof{f.prove(1, 0), f.prove(1, 1)}
	require.NoError(t, f.commitChallenge(f.commitMsg(1, commitment(0, proofs[0]), commitment(1, proofs[1]))))
	f.sampled(1)
	want := f.state()
	msg := f.openMsg(1, 0, f.opening(1, proofs[0]))
	f.later(time.Second)

	resp, err := f.openChallenge(msg)

	require.NoError(t, err)
	require.Equal(t, &types.MsgOpenChallengeResponse{Outcome: types.CHALLENGE_OUTCOME_PASSED, Gops: 3}, resp)
	g := &want.Challenges[0].Gpus[0]
	g.Outcome, g.Gops = types.CHALLENGE_OUTCOME_PASSED, 3
	want.ComputeProofs = []types.ComputeProof{{
		HostId: 1, RecentGops: []uint64{3}, Days: []types.DayResults{{Day: 20_000, Passed: 1}}, ProvenAt: f.ctx.BlockTime(),
	}}
	want.ChallengeClock, want.RecentBlocks = f.state().ChallengeClock, f.state().RecentBlocks
	require.Equal(t, want, f.state())
	f.told(events(t, &types.EventChallengeAnswered{HostId: 1, ChallengeId: 1, Outcome: "CHALLENGE_OUTCOME_PASSED", Gops: 3})...)
	require.Empty(t, f.staking.slashes)
	f.failsWithoutTrace(types.ErrChallengeState, func() error { _, err := f.openChallenge(msg); return err })

	second := f.openMsg(1, 1, f.opening(1, proofs[1]))
	_, err = f.openChallenge(second)
	require.NoError(t, err)
	require.Empty(t, f.state().Challenges, "all have answered")
	for ordinal := range uint32(2) {
		proven, err := f.k.ComputeProven(f.ctx, 1, ordinal)
		require.NoError(t, err)
		require.True(t, proven)
	}
	f.failsWithoutTrace(types.ErrChallengeNotFound, func() error { _, err := f.openChallenge(second); return err })
	f.sound()

	// What is shown fades.
	opened := f.ctx.BlockTime()
	for after, want := range map[time.Duration]bool{30 * 24 * time.Hour: true, 30*24*time.Hour + 1: false} {
		proven, err := f.k.ComputeProven(f.ctx.WithBlockTime(opened.Add(after)), 1, 0)
		require.NoError(t, err)
		require.Equal(t, want, proven, after)
	}
}

func TestOpenChallengeRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		given func(*fixture)
		msg   func(*types.MsgOpenChallenge)
		want  error
	}{
		"bad address":     {msg: func(m *types.MsgOpenChallenge) { m.Submitter = "" }, want: sdkerrors.ErrInvalidAddress},
		"unknown host":    {msg: func(m *types.MsgOpenChallenge) { m.HostId = 9 }, want: types.ErrChallengeNotFound},
		"other challenge": {msg: func(m *types.MsgOpenChallenge) { m.ChallengeId++ }, want: types.ErrChallengeNotFound},
		"not challenged":  {msg: func(m *types.MsgOpenChallenge) { m.Ordinal = 1 }, want: types.ErrNotChallenged},
		// By the agent's signature over another opening: somebody wants him punished.
		"changed by a relayer": {msg: func(m *types.MsgOpenChallenge) { m.Opening[5] ^= 1 }, want: types.ErrInvalidSignature},
		"one millisecond late": {given: func(f *fixture) {
			f.later(5 * time.Second)
			f.later(5 * time.Second)
			f.later(time.Millisecond)
		}, want: types.ErrChallengeState},
		"revoked key": {given: func(f *fixture) {
			_, err := f.k.RevokeAgentKey(f.ctx, operator, 1)
			require.NoError(f.t, err)
		}, want: types.ErrInvalidSignature},
	} {
		t.Run(name, func(t *testing.T) {
			f := challenged(t, 1)
			p := f.prove(1, 0)
			require.NoError(t, f.commitChallenge(f.commitMsg(1, commitment(0, p))))
			f.sampled(1)
			msg := f.openMsg(1, 0, f.opening(1, p))
			if tc.given != nil {
				tc.given(f)
			}
			if tc.msg != nil {
				tc.msg(msg)
			}
			f.failsWithoutTrace(tc.want, func() error { _, err := f.openChallenge(msg); return err })
		})
	}
}

// TestRotatedKeyAnswers: the key that the challenge names does, after its end too;
// the new one doesn't.
func TestRotatedKeyAnswers(t *testing.T) {
	f := challenged(t, 1)
	require.NoError(t, f.rotate(1, agentKey(50)))
	p := f.prove(1, 0)
	f.failsWithoutTrace(types.ErrInvalidSignature, func() error {
		return f.commitChallenge(f.commitMsgBy(agentKey(50), 1, commitment(0, p)))
	})
	require.NoError(t, f.commitChallenge(f.commitMsg(1, commitment(0, p))))
	f.sampled(1)
	resp, err := f.openChallenge(f.openMsg(1, 0, f.opening(1, p)))
	require.NoError(t, err)
	require.Equal(t, types.CHALLENGE_OUTCOME_PASSED, resp.Outcome)
}

// TestChallengedGPUsStay: they can't be changed, and their host can't retire, before
// they have answered.
func TestChallengedGPUsStay(t *testing.T) {
	f := challenged(t, 2)
	cards := h100s(1, 2)
	cards[1].Uuid = "GPU-other"
	f.failsWithoutTrace(types.ErrChallengeOpen, func() error { _, err := f.k.UpdateInventory(f.ctx, operator, 1, cards); return err })
	f.failsWithoutTrace(types.ErrChallengeOpen, func() error { return f.k.RetireHost(f.ctx, operator, 1) })
	cards = h100s(1, 2)
	cards[0].Driver = "new"
	_, err := f.k.UpdateInventory(f.ctx, operator, 1, cards)
	require.NoError(t, err, "the same cards")

	f.answer(1, 0, 0)
	cards[1].Uuid = "GPU-other"
	_, err = f.k.UpdateInventory(f.ctx, operator, 1, cards)
	require.NoError(t, err)
	require.Equal(t, []uint32{1}, f.state().ChallengeDue[0].Ordinals, "only the new card is not proven")
	require.Empty(t, f.gpuProof(1, 1).Days)
	require.NoError(t, f.k.RetireHost(f.ctx, operator, 1))
	require.Empty(t, f.state().ChallengeDue)
	require.Empty(t, f.state().ComputeProofs)
	f.later(time.Second)
	require.Empty(t, f.state().Challenges)
	f.sound()
}

// TestRentedAreExcused: but not from what their renter asks for.
func TestRentedAreExcused(t *testing.T) {
	gs := challengeGenesis()
	f := newFixtureWith(t, gs)
	f.hooks.excused = []uint32{0}
	f.register(2)
	f.later(time.Second)
	require.Equal(t, []uint32{1}, ordinals(f.theChallenge(1)))
	f.failsWithoutTrace(types.ErrChallengeOpen, func() error { return f.k.ChallengeGPUs(f.ctx, 1, []uint32{0}, other) })
	f.failsWithoutTrace(types.ErrHostNotFound, func() error { return f.k.ChallengeGPUs(f.ctx, 7, []uint32{0}, other) })
	p := f.prove(1, 1)
	require.NoError(t, f.commitChallenge(f.commitMsg(1, commitment(1, p))))
	f.sampled(1)
	_, err := f.openChallenge(f.openMsg(1, 1, f.opening(1, p)))
	require.NoError(t, err)

	f.later(time.Second) // GPU 0 has no result yet and is excused again
	require.Empty(t, f.state().Challenges)
	f.failsWithoutTrace(types.ErrGPUNotFound, func() error { return f.k.ChallengeGPUs(f.ctx, 1, []uint32{5}, other) })
	require.NoError(t, f.k.ChallengeGPUs(f.ctx, 1, []uint32{0}, other))
	f.failsWithoutTrace(types.ErrChallengeOpen, func() error { return f.k.ChallengeGPUs(f.ctx, 1, []uint32{0}, other) })
	f.later(time.Second)
	c := f.theChallenge(1)
	require.Equal(t, []uint32{0}, ordinals(c))
	require.Equal(t, types.CHALLENGE_REASON_RENTER, c.Reason)
	require.Equal(t, text(other), c.Requester)
	f.sound()

	f.answer(1, 0)
	require.Empty(t, f.gpuProof(1, 0).Days, "a renter's pass proves, and doesn't raise P")
	require.False(t, f.gpuProof(1, 0).ProvenAt.IsZero())
}

func ordinals(c types.Challenge) []uint32 { return c.Ordinals() }

// TestWrongAnswers: a root from before, another GPU's answer, an opening of nothing.
// Each is a fact that is kept, and costs all escrow and a third.
func TestWrongAnswers(t *testing.T) {
	for name, answer := range map[string]func(f *fixture) (*compute.Proof, []byte){
		"replayed": func(f *fixture) (*compute.Proof, []byte) {
			old := f.prove(1, 0)
			f.answer(1, 0)
			f.again(1, 1)
			return old, nil
		},
		"of another GPU": func(f *fixture) (*compute.Proof, []byte) {
			work := f.work(1, 0)
			c := f.theChallenge(1)
			work.Seed = types.ChallengeSeed(c.Beacon, c.AgentKey, 1)
			p, err := compute.Prove(work)
			require.NoError(f.t, err)
			return p, nil
		},
		"of another key": func(f *fixture) (*compute.Proof, []byte) {
			work := f.work(1, 0)
			work.Seed = types.ChallengeSeed(f.theChallenge(1).Beacon, public(agentKey(9)), 0)
			p, err := compute.Prove(work)
			require.NoError(f.t, err)
			return p, nil
		},
		"no opening": func(f *fixture) (*compute.Proof, []byte) { return f.prove(1, 0), []byte{1} },
	} {
		t.Run(name, func(t *testing.T) {
			f := challenged(t, 1)
			p, opening := answer(f)
			c := f.theChallenge(1)
			require.NoError(t, f.commitChallenge(f.commitMsg(1, commitment(0, p))))
			f.sampled(1)
			if opening == nil {
				opening = f.opening(1, p)
			}
			f.ctx = f.ctx.WithEventManager(f.ctx.EventManager())
			resp, err := f.openChallenge(f.openMsg(1, 0, opening))

			require.NoError(t, err, "the message succeeds")
			require.Equal(t, types.CHALLENGE_OUTCOME_WRONG, resp.Outcome)
			require.NotEmpty(t, resp.Detail)
			require.Equal(t, []stakingext.SlashRequest{{
				Operator: operator, Fault: stakingext.FAULT_WRONG_ANSWER, CommittedAt: c.StartedAt,
				FaultID: "challenge/FAULT_WRONG_ANSWER/1/" + string('0'+rune(c.Id)) + "/0",
			}}, f.staking.slashes)
			proof := f.gpuProof(1, 0)
			require.True(t, proof.ProvenAt.IsZero(), "nothing is proven any more")
			require.Equal(t, uint32(1), proof.Days[0].Wrong)
			require.Empty(t, f.state().Challenges)
			f.sound()
		})
	}
}
