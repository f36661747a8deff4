package prove_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/prove"
	"github.com/grafilab/grafi/x/attestation/compute"
)

// works are small, and between them have every shape that takes another way:
// rows of one leaf, several panels of B, a walk, tiles that are not full.
func works() map[string]compute.Work {
	return map[string]compute.Work{
		"smallest":       {N: 16, M: 16, Rounds: 1, Seed: compute.Hash{1}},
		"sim":            {N: 64, M: 256, Rounds: 4, Seed: compute.Hash{2}},
		"walk":           {N: 32, M: 64, Rounds: 2, WalkLanes: 8, WalkSteps: 32, Seed: compute.Hash{3}},
		"one lane":       {N: 16, M: 32, Rounds: 3, WalkLanes: 1, WalkSteps: 16, Seed: compute.Hash{4}},
		"several panels": {N: 2048, M: compute.MaxM, Rounds: 1, Seed: compute.Hash{5}},
		"several tiles":  {N: 512, M: 256, Rounds: 1, Seed: compute.Hash{6}},
	}
}

func TestCPUAgreesWithTheReference(t *testing.T) {
	for name, w := range works() {
		t.Run(name, func(t *testing.T) {
			if w.N > 1024 && os.Getenv("GRAFI_LONG_TESTS") == "" {
				t.Skip("2^37 products twice: set GRAFI_LONG_TESTS=1")
			}
			p, err := (&prove.CPU{}).Prove(t.Context(), "", w)
			require.NoError(t, err)
			defer p.Close()
			checkAgainstReference(t, w, p, 1, 5, 32)
		})
	}
}

// checkAgainstReference compares commitment and openings with compute.Prove's.
func checkAgainstReference(t *testing.T, w compute.Work, p prove.Proof, openings ...int) {
	t.Helper()
	want, err := compute.Prove(w)
	require.NoError(t, err)
	require.Equal(t, want.Commitment, p.Commitment())
	for _, samples := range openings {
		beacon := compute.Hash{9, byte(samples)}
		opening, err := p.Open(beacon, samples)
		require.NoError(t, err)
		reference, err := want.Open(beacon, uint32(samples))
		require.NoError(t, err)
		require.Equal(t, reference, opening)
		require.NoError(t, compute.Verify(w, p.Commitment(), beacon, uint32(samples), opening))
	}
}

func TestCPUStopsAtTheEndOfItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := (&prove.CPU{}).Prove(ctx, "", compute.Work{N: 4096, M: compute.MaxM, Rounds: compute.MaxRounds})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(start), 10*time.Second)
}

func TestCPURefusesMoreMemoryThanItMayUse(t *testing.T) {
	c := &prove.CPU{MaxBytes: 64 << 20}
	_, err := c.Prove(t.Context(), "", compute.Work{N: compute.MaxN, M: 64, Rounds: 1, WalkLanes: 16, WalkSteps: 16})
	require.ErrorIs(t, err, prove.ErrMemory)
}

func TestClosedProofOpensNothing(t *testing.T) {
	w := works()["sim"]
	p, err := (&prove.CPU{}).Prove(t.Context(), "", w)
	require.NoError(t, err)
	p.Close()
	_, err = p.Open(compute.Hash{}, 4)
	require.ErrorIs(t, err, context.Canceled)

	p, err = (&prove.CPU{}).Prove(t.Context(), "", w)
	require.NoError(t, err)
	defer p.Close()
	for _, samples := range []int{-1, 0, compute.MaxSamples + 1} {
		_, err = p.Open(compute.Hash{}, samples)
		require.ErrorIs(t, err, compute.ErrInvalidWork)
	}
}
