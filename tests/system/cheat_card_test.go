package system

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/testutil/localnet"
	"github.com/grafilab/grafi/x/attestation/compute"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// measuredCard is a simulated GPU of a class that has a least throughput.
var measuredCard = card{name: "Grafilab SIM GPU Measured", memoryMiB: 1024}

// measuredClass is that class. As in the default classes the window is four times
// what the work takes at the least throughput: 20 rounds of 2^30 operations, 3 s at
// 7·10^9 a second. A CPU's core does it in one.
func measuredClass() attestation.HardwareClass {
	class := attestation.SimClass()
	class.Key, class.NamePatterns = "sim-measured", []string{measuredCard.name}
	class.WeightPpm *= 2
	class.Profile = attestation.ChallengeProfile{N: 1 << 7, M: 1 << 15, Rounds: 20, WindowMs: 12_000, MinGops: 7}
	return class
}

// oneCard is one GPU that just reaches the throughput its class claims, and does one
// thing at a time, whoever asks.
type oneCard struct {
	busy    chan struct{} // holds one token
	minGops uint64
	asked   [2]atomic.Int64 // how often each GPU was challenged
}

func newOneCard(t *testing.T, ctx context.Context, n *localnet.Network) *oneCard {
	t.Helper()
	class, err := attestation.NewQueryClient(n.Client()).Class(ctx, &attestation.QueryClassRequest{Key: measuredClass().Key})
	require.NoError(t, err)
	require.Positive(t, class.Class.Profile.MinGops)
	return &oneCard{busy: make(chan struct{}, 1), minGops: class.Class.Profile.MinGops}
}

// pace is how long the card takes: operations ÷ (10^9 operations per second).
func (c *oneCard) pace(w compute.Work) time.Duration {
	return time.Duration(w.Ops() / c.minGops)
}

func (c *oneCard) prove(ctx context.Context, w compute.Work, ordinal uint32) (trees, compute.Hash) {
	select {
	case c.busy <- struct{}{}:
	case <-ctx.Done():
		return nil, compute.Hash{}
	}
	defer func() { <-c.busy }()
	done := time.After(c.pace(w))
	answer, commitment := honest(ctx, w, ordinal)
	select {
	case <-done:
	case <-ctx.Done():
	}
	return answer, commitment
}

// inOrder has the card answer for GPU 0 and then for GPU 1, as a program does that
// goes through its GPUs.
func (c *oneCard) inOrder(ctx context.Context, w compute.Work, ordinal uint32) (trees, compute.Hash) {
	return c.proveAt(ctx, w, ordinal, int64(ordinal))
}

// inTurns begins with GPU 0 in one challenge and with GPU 1 in the next, so that
// neither is slow twice in a row.
func (c *oneCard) inTurns(ctx context.Context, w compute.Work, ordinal uint32) (trees, compute.Hash) {
	before := c.asked[ordinal].Add(1) - 1
	return c.proveAt(ctx, w, ordinal, (int64(ordinal)+before)%2)
}

// proveAt queues up at a place of the challenge's GPUs, which begin together.
func (c *oneCard) proveAt(ctx context.Context, w compute.Work, ordinal uint32, place int64) (trees, compute.Hash) {
	select {
	case <-time.After(time.Duration(place) * 200 * time.Millisecond):
	case <-ctx.Done():
	}
	return c.prove(ctx, w, ordinal)
}

// slowSecondCard waits until the second GPU of the host has lost its class, and
// checks that it was measured as a part of what it claims.
func slowSecondCard(t *testing.T, ctx context.Context, l *liar) {
	claimed := measuredClass()
	c := caught(t, ctx, l, stakingext.FAULT_CLASS_MISMATCH)
	t.Logf("caught at the opening %d", c.opened[1])
	require.EqualValues(t, attestation.DefaultChallengeParams().SlowAnswers, c.opened[1])
	require.EqualValues(t, 1, c.operator.FaultCount(stakingext.FAULT_CLASS_MISMATCH))
	require.EqualValues(t, bonded-bonded/10, c.operator.OwnStake.Int64(), "a tenth")
	require.False(t, c.operator.Jailed, "the class is taken, not the host")

	host, err := l.queries.Host(ctx, &attestation.QueryHostRequest{HostId: l.hostID})
	require.NoError(t, err)
	require.Equal(t, claimed.Key, host.Gpus[0].Class, "most of its answers were fast enough")
	require.Equal(t, attestation.SimClassKey, host.Gpus[1].Class, "the heaviest lighter class that was reached")
	require.Equal(t, claimed.Key, host.Gpus[1].ClaimedClass)
}
