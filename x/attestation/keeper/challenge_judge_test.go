package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// miss lets the challenge of host 1 end unanswered, attests the slot in which it did,
// and goes on to the block in which that is judged.
func (f *fixture) miss(att *types.Attestation) {
	f.t.Helper()
	for f.theChallenge(1).State == types.CHALLENGE_STATE_OPEN {
		f.later(5 * time.Second)
	}
	ended := f.theChallenge(1).EndedSlot
	require.Equal(f.t, f.k.MustParams(f.ctx).SlotAt(f.ctx.BlockTime()), ended)
	params := f.k.MustParams(f.ctx)
	f.later(params.SlotStart(ended + 1).Sub(f.ctx.BlockTime()))
	if att != nil {
		f.mustSubmit(f.group(ended, f.attest(agentKey(1), 1, ended, *att)))
	}
	f.later(params.SubmitWindow)
	require.Equal(f.t, types.CHALLENGE_STATE_UNANSWERED, f.theChallenge(1).State, "attestations are still accepted")
	f.later(time.Second)
	_, err := f.k.Challenge(f.ctx, 1)
	require.ErrorIs(f.t, err, types.ErrChallengeNotFound)
	f.sound()
}

// TestUnansweredIsPunishedOnlyWhenAttestedUp: days of expected reward, for GPUs that
// their own agent called up in the slot.
func TestUnansweredIsPunishedOnlyWhenAttestedUp(t *testing.T) {
	for name, tc := range map[string]struct {
		att  *types.Attestation
		want []string // ordinals that pay
	}{
		"all up":           {&types.Attestation{}, []string{"0", "1"}},
		"one marked down":  {&types.Attestation{Down: []byte{1}}, []string{"1"}},
		"both marked down": {&types.Attestation{Down: []byte{3}}, nil},
		"silent":           {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := challenged(t, 2)
			f.hooks.reward = math.NewInt(1_000_001)
			started := f.theChallenge(1).StartedAt
			f.miss(tc.att)
			var want []stakingext.SlashRequest
			for _, ordinal := range tc.want {
				want = append(want, stakingext.SlashRequest{
					Operator: operator, Fault: stakingext.FAULT_MISSED_CHALLENGE, CommittedAt: started,
					FaultID: "challenge/FAULT_MISSED_CHALLENGE/1/1/" + ordinal, Amount: math.NewInt(3_500_003), // floored
				})
			}
			require.Equal(t, want, f.staking.slashes)
			for ordinal := range uint32(2) {
				proof := f.gpuProof(1, ordinal)
				require.Equal(t, uint32(1), proof.Days[0].Missed, "P falls in any case")
				pays := len(tc.want) == 2 || (len(tc.want) == 1 && ordinal == 1)
				require.Equal(t, pays, len(proof.Misses) == 1)
			}
		})
	}
}

// TestThreeMissesInADayJail, and a fourth begins anew. Misses of other days don't count.
func TestThreeMissesInADayJail(t *testing.T) {
	faults := func(f *fixture) (out []stakingext.Fault) {
		for _, s := range f.staking.slashes {
			out = append(out, s.Fault)
		}
		return out
	}
	f := challenged(t, 1)
	f.hooks.reward = math.NewInt(100)
	f.miss(&types.Attestation{})
	f.again(1, 1)
	f.miss(&types.Attestation{})
	require.Len(t, faults(f), 2)
	f.again(1, 1)
	f.miss(&types.Attestation{})
	missed, jail := stakingext.FAULT_MISSED_CHALLENGE, stakingext.FAULT_MISSED_CHALLENGES
	require.Equal(t, []stakingext.Fault{missed, missed, missed, jail}, faults(f))
	require.Equal(t, "challenge/FAULT_MISSED_CHALLENGES/1/3/0", f.staking.slashes[3].FaultID)
	require.Empty(t, f.gpuProof(1, 0).Misses)

	f = challenged(t, 1)
	f.hooks.reward = math.NewInt(100)
	for range 4 {
		f.miss(&types.Attestation{})
		f.later(12 * time.Hour)
		f.again(1, 1)
	}
	require.NotContains(t, faults(f), jail)
	require.Len(t, f.gpuProof(1, 0).Misses, 2)
}

// TestNothingEarnedNothingTaken: but the miss is remembered.
func TestNothingEarnedNothingTaken(t *testing.T) {
	f := challenged(t, 1)
	f.miss(&types.Attestation{})
	require.Empty(t, f.staking.slashes)
	require.Len(t, f.gpuProof(1, 0).Misses, 1)
}

// TestMissesOutliveTheCard: another card in its place doesn't wash them off.
func TestMissesOutliveTheCard(t *testing.T) {
	f := challenged(t, 1)
	f.miss(&types.Attestation{})
	cards := h100s(1, 1)
	cards[0].Uuid = "GPU-other"
	_, err := f.k.UpdateInventory(f.ctx, operator, 1, cards)
	require.NoError(t, err)
	proof := f.gpuProof(1, 0)
	require.Empty(t, proof.Days)
	require.Len(t, proof.Misses, 1)
}

// TestNetworkFaultPunishesNobody.
func TestNetworkFaultPunishesNobody(t *testing.T) {
	f := challenged(t, 1, func(gs *types.GenesisState) {
		gs.Params.NetworkFaultMinHosts = 2
		gs.Params.Challenge.MaxBlockMs = 100 // the window is still open in the next slot
		gs.Params.Challenge.DrawPpm = 0
	})
	f.hooks.reward = math.NewInt(100)
	for range 3 {
		f.register(1)
	}
	f.slotAndKeepHeight(startSlot + 1)
	f.mustSubmit(f.group(startSlot, f.good(1, startSlot), f.good(2, startSlot), f.good(3, startSlot), f.good(4, startSlot)))
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	for f.theChallenge(1).State == types.CHALLENGE_STATE_OPEN {
		f.later(100 * time.Millisecond)
	}
	ended := f.theChallenge(1).EndedSlot
	require.Equal(t, uint64(startSlot+1), ended)
	f.slotAndKeepHeight(ended + 1)
	f.mustSubmit(f.group(ended, f.good(1, ended))) // alone of four
	f.later(10*time.Minute + time.Second)
	require.Empty(t, f.staking.slashes)
	require.Empty(t, f.gpuProof(1, 0).Misses)
}

func (f *fixture) slotAndKeepHeight(slot uint64) {
	f.t.Helper()
	f.later(f.k.MustParams(f.ctx).SlotStart(slot).Sub(f.ctx.BlockTime()))
}

// TestFailedPenaltyStopsNothing: the fault stands, the queue goes on, and it is told.
func TestFailedPenaltyStopsNothing(t *testing.T) {
	f := challenged(t, 1)
	f.hooks.reward = math.NewInt(100)
	f.staking.err = errRefused
	f.miss(&types.Attestation{})
	event := events(t, &types.EventPenaltyFailed{HostId: 1, Fault: "FAULT_MISSED_CHALLENGE", Error: errRefused.Error()})[0]
	require.Contains(t, f.ctx.EventManager().Events(), event)
	require.Len(t, f.gpuProof(1, 0).Misses, 1)

	f.again(1, 1)
	p := f.prove(1, 0)
	require.NoError(t, f.commitChallenge(f.commitMsg(1, commitment(0, p))))
	f.sampled(1)
	resp, err := f.openChallenge(f.openMsg(1, 0, []byte("nothing")))
	require.NoError(t, err)
	require.Equal(t, types.CHALLENGE_OUTCOME_WRONG, resp.Outcome)
	event = events(t, &types.EventPenaltyFailed{HostId: 1, Fault: "FAULT_WRONG_ANSWER", Error: errRefused.Error()})[0]
	require.Contains(t, f.ctx.EventManager().Events(), event)
	require.Empty(t, f.state().Challenges)
	f.sound()
}

// TestPerformanceOf reads the latest day before the one that asks.
func TestPerformanceOf(t *testing.T) {
	f := challenged(t, 1)
	_, _, _, known, err := f.k.PerformanceOf(f.ctx, 1, 0, 20_001)
	require.NoError(t, err)
	require.False(t, known)
	f.miss(nil)
	for day, want := range map[uint64]bool{20_000: false, 20_001: true, 20_009: true} {
		passed, missed, wrong, known, err := f.k.PerformanceOf(f.ctx, 1, 0, day)
		require.NoError(t, err)
		require.Equal(t, want, known, day)
		if known {
			require.Equal(t, [3]uint32{0, 1, 0}, [3]uint32{passed, missed, wrong})
		}
	}
}
