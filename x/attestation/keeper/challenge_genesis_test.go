package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/types"
)

// challengeState is a network with a challenge in each state, proofs, misses, a due
// challenge and a drawing that isn't over.
func challengeState(t testing.TB) *fixture {
	f := challenged(t, 1)
	f.answer(1, 10*time.Millisecond)
	f.again(1, 1)
	f.miss(&types.Attestation{})
	for range 4 {
		f.register(1)
	}
	f.later(time.Second) // 2 to 5 are challenged
	require.NoError(t, f.commitChallenge(f.commitMsg(2, commitment(0, f.prove(2, 0)))))
	f.sampled(2)
	for f.theChallenge(4).State == types.CHALLENGE_STATE_OPEN {
		if c := f.theChallenge(3); c.CommitByMs <= f.state().ChallengeClock.Ms+2_000 && len(c.Gpus[0].Commitment) == 0 {
			require.NoError(t, f.commitChallenge(f.commitMsg(3, commitment(0, f.prove(3, 0)))))
		}
		f.later(2 * time.Second)
	}
	f.register(2) // 6 is due
	return f
}

func TestChallengeGenesisRoundTrip(t *testing.T) {
	f := challengeState(t)
	want := f.state()
	want.ChallengeClock.DrawCursor, want.ChallengeClock.DrawHost, want.ChallengeClock.DrawDebt = text(operator), 2, 77
	states := map[types.ChallengeState]bool{}
	for _, c := range want.Challenges {
		states[c.State] = true
	}
	require.GreaterOrEqual(t, len(states), 2)
	require.NotContains(t, []int{
		len(want.Challenges), len(want.ComputeProofs), len(want.ChallengeDue), len(want.HostChallenges),
		len(want.ComputeProofs[0].Misses), int(want.ChallengeClock.Ms),
	}, 0, "every field is set")

	g := emptyFixture(t)
	require.NoError(t, g.k.InitGenesis(g.ctx, want))
	require.Equal(t, want, g.state())
	g.sound()

	// The queue works: the next hour ends all that is open.
	g.ctx = g.ctx.WithBlockTime(f.ctx.BlockTime()).WithBlockHeight(f.ctx.BlockHeight())
	for range 500 {
		g.later(5 * time.Second)
	}
	require.Empty(t, g.state().Challenges)
	g.sound()
}

func TestChallengeGenesisRefused(t *testing.T) {
	valid := challengeState(t).state()
	require.NoError(t, valid.Validate())
	bz, err := valid.Marshal()
	require.NoError(t, err)
	for name, change := range map[string]func(*types.GenesisState){
		"challenge twice":        func(gs *types.GenesisState) { gs.Challenges = append(gs.Challenges, gs.Challenges[0]) },
		"challenge of no host":   func(gs *types.GenesisState) { gs.Challenges[0].HostId = 99 },
		"challenge not the last": func(gs *types.GenesisState) { gs.Challenges[0].Id++ },
		"no state":               func(gs *types.GenesisState) { gs.Challenges[0].State = 0 },
		"another state": func(gs *types.GenesisState) {
			gs.Challenges[len(gs.Challenges)-1].State = types.CHALLENGE_STATE_SAMPLED
		},
		"no GPUs":                 func(gs *types.GenesisState) { gs.Challenges[0].Gpus = nil },
		"GPU over the capacity":   func(gs *types.GenesisState) { gs.Challenges[0].Gpus[0].Ordinal = 9 },
		"no profile":              func(gs *types.GenesisState) { gs.Challenges[0].Gpus[0].Profile = types.ChallengeProfile{} },
		"short beacon":            func(gs *types.GenesisState) { gs.Challenges[0].Beacon = gs.Challenges[0].Beacon[1:] },
		"no samples":              func(gs *types.GenesisState) { gs.Challenges[0].Samples = 0 },
		"proof twice":             func(gs *types.GenesisState) { gs.ComputeProofs = append(gs.ComputeProofs, gs.ComputeProofs[0]) },
		"proof of no GPU":         func(gs *types.GenesisState) { gs.ComputeProofs[0].Ordinal = 9 },
		"days out of order":       func(gs *types.GenesisState) { gs.ComputeProofs[0].Days = []types.DayResults{{Day: 1}, {Day: 1}} },
		"too many answers":        func(gs *types.GenesisState) { gs.ComputeProofs[0].RecentGops = make([]uint64, 4) },
		"due twice":               func(gs *types.GenesisState) { gs.ChallengeDue = append(gs.ChallengeDue, gs.ChallengeDue[0]) },
		"due and open":            func(gs *types.GenesisState) { gs.ChallengeDue[0].HostId = gs.Challenges[0].HostId },
		"due for nothing":         func(gs *types.GenesisState) { gs.ChallengeDue[0].Ordinals = nil },
		"due by a draw":           func(gs *types.GenesisState) { gs.ChallengeDue[0].Reason = types.CHALLENGE_REASON_DRAW },
		"challenges of no host":   func(gs *types.GenesisState) { gs.HostChallenges[0].HostId = 99 },
		"host of no operator":     func(gs *types.GenesisState) { gs.ChallengeClock.DrawCursor, gs.ChallengeClock.DrawHost = "", 1 },
		"claims an unknown class": func(gs *types.GenesisState) { gs.Gpus[0].ClaimedClass = "x" },
	} {
		t.Run(name, func(t *testing.T) {
			var gs types.GenesisState
			require.NoError(t, gs.Unmarshal(bz))
			change(&gs)
			require.Error(t, gs.Validate())
		})
	}
}

// TestChallengeQuery: what an agent needs to answer.
func TestChallengeQuery(t *testing.T) {
	f := challengeState(t)
	q := f.queries()
	resp, err := q.Challenge(f.ctx, &types.QueryChallengeRequest{HostId: 3})
	require.NoError(t, err)
	require.Equal(t, &types.QueryChallengeResponse{
		Challenge: f.theChallenge(3), ClockMs: f.state().ChallengeClock.Ms, FirstGpu: 2, Samples: 8,
	}, resp)
	_, err = q.Challenge(f.ctx, &types.QueryChallengeRequest{HostId: 1})
	require.ErrorContains(t, err, "NotFound")
	_, err = q.Challenge(f.ctx, nil)
	require.Error(t, err)
}
