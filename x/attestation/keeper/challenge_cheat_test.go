package keeper_test

import (
	"crypto/sha256"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/compute"
	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// TestOneProverForTwoGPUs: each answer takes it 10 ms, so that the second GPU's comes
// after 20, a third of what its class computes. The third time it costs the claim, and
// the GPU is what it was measured as.
func TestOneProverForTwoGPUs(t *testing.T) {
	f := challenged(t, 2)
	f.answer(1, 10*time.Millisecond, 20*time.Millisecond)
	f.again(1, 2)
	f.answer(1, 10*time.Millisecond, 20*time.Millisecond)
	require.Empty(t, f.staking.slashes, "two slow answers cost nothing")
	require.Equal(t, []uint64{1, 1}, f.gpuProof(1, 1).RecentGops)
	f.again(1, 2)
	started := f.theChallenge(1).StartedAt
	f.answer(1, 10*time.Millisecond, 20*time.Millisecond)

	require.Equal(t, []stakingext.SlashRequest{{
		Operator: operator, Fault: stakingext.FAULT_CLASS_MISMATCH, CommittedAt: started, FaultID: "challenge/FAULT_CLASS_MISMATCH/1/3/1",
	}}, f.staking.slashes)
	gpus, err := f.k.GPUsOf(f.ctx, 1)
	require.NoError(t, err)
	require.Equal(t, h100, gpus[0].Class)
	require.Empty(t, gpus[0].ClaimedClass)
	require.Equal(t, rtx4090, gpus[1].Class, "the heaviest lighter class that computes no more")
	require.Equal(t, h100, gpus[1].ClaimedClass)
	require.Equal(t, uint64(2_500_000), f.staking.weights["1/1"], "the stake that it asks for follows")
	require.Contains(t, f.ctx.EventManager().Events(), events(t, &types.EventGpuReclassified{
		HostId: 1, Ordinal: 1, Claimed: h100, Measured: rtx4090, Gops: 1,
	})[0])
	f.sound()

	// The same card stays what it was measured as, wherever it is declared.
	cards := h100s(1, 2)
	cards[0], cards[1] = cards[1], cards[0]
	_, err = f.k.UpdateInventory(f.ctx, operator, 1, cards)
	require.NoError(t, err)
	gpus, err = f.k.GPUsOf(f.ctx, 1)
	require.NoError(t, err)
	require.Equal(t, []string{rtx4090, h100}, []string{gpus[0].Class, gpus[1].Class})
	require.Equal(t, uint64(2_500_000), f.staking.weights["1/0"])
	require.Equal(t, uint64(10_000_000), f.staking.weights["1/1"])

	// It is challenged as what it claims to be; three fast answers give the claim back.
	f.later(time.Second)
	for range 3 {
		require.Equal(t, h100, f.theChallenge(1).Gpus[0].Class)
		f.answer(1, 10*time.Millisecond, 10*time.Millisecond)
		f.again(1, 2)
	}
	gpus, err = f.k.GPUsOf(f.ctx, 1)
	require.NoError(t, err)
	require.Equal(t, []string{h100, h100}, []string{gpus[0].Class, gpus[1].Class})
	require.Empty(t, gpus[0].ClaimedClass)
	require.Equal(t, uint64(10_000_000), f.staking.weights["1/0"])
	require.Len(t, f.staking.slashes, 1)
	f.sound()
}

// TestOneLateAnswerCostsNothing: an honest agent that is slow now and then.
func TestOneLateAnswerCostsNothing(t *testing.T) {
	f := challenged(t, 1)
	for _, ms := range []time.Duration{10, 500, 10, 9, 800, 10, 10, 600} {
		f.answer(1, ms*time.Millisecond)
		f.again(1, 1)
	}
	require.Empty(t, f.staking.slashes)
	gpu, err := f.k.GPU(f.ctx, 1, 0)
	require.NoError(t, err)
	require.Equal(t, h100, gpu.Class)
}

// TestOneProverForTwoGPUsInTurns serves now the one and now the other GPU first, so
// that neither is slow twice in a row: one of them is slow in two of three answers.
func TestOneProverForTwoGPUsInTurns(t *testing.T) {
	f := challenged(t, 2)
	fast, slow := 10*time.Millisecond, 20*time.Millisecond
	f.answer(1, slow, fast)
	f.again(1, 2)
	f.answer(1, fast, slow)
	f.again(1, 2)
	require.Empty(t, f.staking.slashes)
	f.answer(1, slow, fast)
	require.Len(t, f.staking.slashes, 1)
	require.Equal(t, "challenge/FAULT_CLASS_MISMATCH/1/3/0", f.staking.slashes[0].FaultID)
	gpus, err := f.k.GPUsOf(f.ctx, 1)
	require.NoError(t, err)
	require.Equal(t, []string{rtx4090, h100}, []string{gpus[0].Class, gpus[1].Class})
	f.sound()
}

// TestUnderEveryClass: a card too slow for any class has none, and weighs nothing.
func TestUnderEveryClass(t *testing.T) {
	f := challenged(t, 1, func(gs *types.GenesisState) {
		gs.Classes = gs.Classes[:len(gs.Classes)-1] // sim has no minimum
	})
	for range 3 {
		f.answer(1, time.Second)
		f.again(1, 1)
	}
	gpu, err := f.k.GPU(f.ctx, 1, 0)
	require.NoError(t, err)
	require.Equal(t, [2]string{"", h100}, [2]string{gpu.Class, gpu.ClaimedClass})
	require.Zero(t, f.staking.weights["1/0"])
	f.sound()
}

// skipper computes only nine tenths of a round's rows and makes the rest up.
type skipper struct {
	values []uint32
	tree   compute.Tree
}

func (s skipper) Leaf(_ uint32, index uint64) (leaf [compute.LeafSize]byte, err error) {
	compute.PutLeaf(&leaf, s.values[index*compute.LeafEntries:])
	return leaf, nil
}

func (s skipper) Node(_ uint32, level int, index uint64) (compute.Hash, error) {
	return s.tree[level][index], nil
}

// TestSkippedWorkIsCaughtAsOftenAsTheorySays: who skips a part q of the entries is
// caught with probability 1 - (1-q)^t. With t = 4 and q = 1/8 (of 16 rows, 2) that is
// 0.414; of 300 challenges 124 ± 26 (three standard deviations).
func TestSkippedWorkIsCaughtAsOftenAsTheorySays(t *testing.T) {
	const n, t4, runs, skipped = 16, 4, 300, 2
	f := challenged(t, 1, func(gs *types.GenesisState) {
		gs.Params.Challenge.Samples = t4
		for i := range gs.Classes {
			if gs.Classes[i].Key == h100 {
				gs.Classes[i].Profile = types.ChallengeProfile{N: n, M: 16, Rounds: 1, WindowMs: 20_000}
			}
		}
	})
	caught := 0
	for run := range runs {
		w := f.work(1, 0)
		cells := w.NewCells(w.Seed, nil)
		s := skipper{values: make([]uint32, n*n)}
		for i := range s.values {
			if i/n < n-skipped {
				s.values[i] = cells.At(uint32(i/n), uint32(i%n))
			} else {
				s.values[i] = uint32(run)
			}
		}
		s.tree = compute.NewTree(compute.HashValues(s.values))
		roots := []compute.Hash{s.tree.Root()}
		committed := compute.Commitment(roots, nil)
		require.NoError(t, f.commitChallenge(f.commitMsg(1, types.GpuCommitment{Commitment: committed[:]})))
		f.sampled(1)
		c := f.theChallenge(1)
		opening, err := w.Open(w.Draw(committed, [sha256.Size]byte(c.Sample), c.Samples), roots, nil, s)
		require.NoError(t, err)
		resp, err := f.openChallenge(f.openMsg(1, 0, opening))
		require.NoError(t, err)
		if resp.Outcome == types.CHALLENGE_OUTCOME_WRONG {
			caught++
		}
		f.again(1, 1)
	}
	p := 1 - math.Pow(1-float64(skipped)/n, t4)
	deviation := math.Sqrt(runs * p * (1 - p))
	require.InDelta(t, runs*p, caught, 3*deviation, fmt.Sprintf("caught %d of %d, theory %.3f", caught, runs, p))
	require.Len(t, f.staking.slashes, caught)
}
