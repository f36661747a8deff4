package system

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/testutil/localnet"
	"github.com/grafilab/grafi/x/attestation/compute"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

const (
	cheatersPort = 28200
	cheatersDay  = 6             // slots
	bonded       = 5_000_000_000 // ugrafi, of each liar
)

// honest does all the work.
func honest(_ context.Context, w compute.Work, _ uint32) (trees, compute.Hash) {
	p, err := compute.Prove(w)
	if err != nil {
		panic(err) // the chain's own profile
	}
	return p, p.Commitment
}

// replay answers everything with the first answer.
func replay() prover {
	var first trees
	var root compute.Hash
	return func(ctx context.Context, w compute.Work, ordinal uint32) (trees, compute.Hash) {
		if first == nil {
			first, root = honest(ctx, w, ordinal)
		}
		return first, root
	}
}

// late does all the work, after the window.
func late(ctx context.Context, w compute.Work, ordinal uint32) (trees, compute.Hash) {
	select {
	case <-ctx.Done():
	case <-time.After(localnet.SimWindow + 3*time.Second):
	}
	return honest(ctx, w, ordinal)
}

// silent never answers.
func silent(context.Context, compute.Work, uint32) (trees, compute.Hash) { return nil, compute.Hash{} }

// lazy is an answer with every tenth leaf of each round made up.
type lazy struct {
	work   compute.Work
	roots  []compute.Hash
	walk   *compute.Hash
	values [][]uint32
	trees  []compute.Tree
	commit compute.Hash
}

func skipATenth(_ context.Context, w compute.Work, _ uint32) (trees, compute.Hash) {
	l := &lazy{work: w}
	seed := w.Seed
	for range w.Rounds {
		cells, values := w.NewCells(seed, nil), make([]uint32, w.N*w.N)
		for i := range values {
			if i/compute.LeafEntries%10 != 0 {
				values[i] = cells.At(uint32(i)/w.N, uint32(i)%w.N)
			}
		}
		l.add(values)
		l.roots = append(l.roots, l.trees[len(l.trees)-1].Root())
		seed = compute.NextSeed(seed, l.roots[len(l.roots)-1])
	}
	if w.HasWalk() {
		var trace []uint32
		for lane := range w.WalkLanes {
			x := compute.LaneStart(seed, lane, w.N)
			for j := range w.WalkSteps {
				x = compute.WalkNext(x, l.values[w.Rounds-1][x], lane, j, w.N)
				trace = append(trace, x)
			}
		}
		l.add(trace)
		root := l.trees[w.Rounds].Root()
		l.walk = &root
	}
	l.commit = compute.Commitment(l.roots, l.walk)
	return l, l.commit
}

func (l *lazy) add(values []uint32) {
	l.values = append(l.values, values)
	l.trees = append(l.trees, compute.NewTree(compute.HashValues(values)))
}

func (l *lazy) Open(beacon compute.Hash, t uint32) ([]byte, error) {
	return l.work.Open(l.work.Draw(l.commit, beacon, t), l.roots, l.walk, l)
}

func (l *lazy) Leaf(round uint32, index uint64) (leaf [compute.LeafSize]byte, err error) {
	compute.PutLeaf(&leaf, l.values[round][index*compute.LeafEntries:])
	return leaf, nil
}

func (l *lazy) Node(round uint32, level int, index uint64) (compute.Hash, error) {
	return l.trees[round][level][index], nil
}

// TestCheaters runs hosts that lie beside hosts that don't, on one chain that
// challenges everybody all the time, with days of a minute. What each is caught by,
// and what it costs him, is the table of docs/security.md.
func TestCheaters(t *testing.T) {
	ctx := newContext(t, 9*time.Minute)
	fakeNVML(t)
	genesis, err := localnet.Genesis(localnet.Timing{
		Slot: 10 * time.Second, StartTimeout: time.Minute, SlotsPerDay: cheatersDay, Evidence: 20 * time.Second,
		DrawEvery: 10 * time.Second, Classes: []attestation.HardwareClass{measuredClass(), shortH100(t)},
	})
	require.NoError(t, err)
	// Every host is probed in every slot, by four of the others.
	genesis["attestation"].(map[string]any)["params"].(map[string]any)["probe"] = map[string]any{"probe_ppm": fmt.Sprint(attestation.PPM)}
	n := newNetwork(t, ctx, localnet.Options{
		Validators: 1, BasePort: cheatersPort, Genesis: genesis, BlockTime: 500 * time.Millisecond,
		Accounts: []string{
			"good", "skipper", "replayer", "latecomer", "mute", "own", "measured", "single", "turns", "falsenvml", "pretender", "boaster", "friend",
		},
	})
	require.NoError(t, n.Start(ctx))
	good := agentOf(t, ctx, n, localnet.HostOptions{Name: "good", Port: cheatersPort + 9, SimGPUs: 2})
	falseNVML := agentOf(t, ctx, n, localnet.HostOptions{Name: "falsenvml", Port: cheatersPort + 8, NVML: buildNVML(t)})

	own := newLiar(t, ctx, n, "own", 1, honest) // another program, and no lie
	measured := newLiarWith(t, ctx, n, "measured", measuredCard, 1, newOneCard(t, ctx, n).prove)
	single := newLiarWith(t, ctx, n, "single", measuredCard, 2, newOneCard(t, ctx, n).inOrder)
	turns := newLiarWith(t, ctx, n, "turns", measuredCard, 2, newOneCard(t, ctx, n).inTurns)
	skipper := newLiar(t, ctx, n, "skipper", 1, skipATenth)
	replayer := newLiar(t, ctx, n, "replayer", 1, replay())
	latecomer := newLiar(t, ctx, n, "latecomer", 1, late)
	mute := newLiar(t, ctx, n, "mute", 1, silent)
	slow := &processor{}
	pretender := newLiarWith(t, ctx, n, "pretender", h100, 1, slow.prove)
	boaster := newLiar(t, ctx, n, "boaster", 1, honest)
	friend := newLiar(t, ctx, n, "friend", 1, honest)
	honestOnes := []*liar{own, measured, observed(t, n, good, "good", own)}

	t.Run("cheats", func(t *testing.T) { // all of them mostly wait
		for name, cheat := range map[string]func(t *testing.T){
			"skips a tenth of the work": func(t *testing.T) {
				opened := caught(t, ctx, skipper, stakingext.FAULT_WRONG_ANSWER).opened[0]
				t.Logf("caught at the opening %d", opened)
				require.Positive(t, opened)
				require.LessOrEqual(t, opened, int64(6), "24 of 32 samples are of the rounds: one opening passes with probability 0.9^24 = 0.08")
			},
			"replays a root": func(t *testing.T) {
				opened := caught(t, ctx, replayer, stakingext.FAULT_WRONG_ANSWER).opened[0]
				t.Logf("caught at the opening %d", opened)
				require.EqualValues(t, 2, opened, "the first was true, the second the same again")
			},
			"answers late": func(t *testing.T) {
				unanswered(t, ctx, latecomer)
				require.Positive(t, latecomer.refused.Load(), "a late commitment is refused")
			},
			"doesn't answer":                     func(t *testing.T) { unanswered(t, ctx, mute) },
			"serves two cards with one in turns": func(t *testing.T) { slowSecondCard(t, ctx, turns) },
			"answers for two cards with one":     func(t *testing.T) { slowSecondCard(t, ctx, single) },
			"has an NVML of his own":             func(t *testing.T) { nothingToProve(t, ctx, n, falseNVML, own) },
			"claims the card that NVML claims":   func(t *testing.T) { tooSlow(t, ctx, pretender, slow) },
			"relays another operator's report":   func(t *testing.T) { relayedReport(t, ctx, own) },
			"lies about bandwidth with a friend": func(t *testing.T) { boasts(t, ctx, boaster, friend, []*liar{own, measured, single, mute}) },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				cheat(t)
			})
		}
	})
	t.Run("honest hosts are proven and not punished", func(t *testing.T) { proven(t, ctx, honestOnes) })
	got, err := own.queries.Invariants(ctx, &attestation.QueryInvariantsRequest{})
	require.NoError(t, err)
	require.Empty(t, got.Broken)
}

// proven checks that hosts which don't lie have proven what they compute, and were
// never punished.
func proven(t *testing.T, ctx context.Context, hosts []*liar) {
	t.Helper()
	for _, l := range hosts {
		eventually(t, ctx, time.Minute, "compute proven", func() (bool, error) {
			g, err := l.gpu(ctx, 0)
			return g.ComputeProven && g.TrustTier >= attestation.TierComputed, err
		})
		unpunished(t, ctx, l)
	}
}

func unpunished(t *testing.T, ctx context.Context, l *liar) {
	t.Helper()
	operator, err := l.at(ctx)
	require.NoError(t, err)
	require.Equal(t, int64(bonded), operator.OwnStake.Int64(), l.operator)
	require.Empty(t, operator.FaultCounts, l.operator)
	require.False(t, operator.Jailed)
}

// caught waits until the host was punished for the fault, and lost stake by it.
func caught(t *testing.T, ctx context.Context, l *liar, fault stakingext.Fault) catch {
	t.Helper()
	var c catch
	eventually(t, ctx, 6*time.Minute, fmt.Sprintf("%s of host %d", fault, l.hostID), func() (ok bool, err error) {
		c, ok = l.caughtFor(fault)
		return ok, nil
	})
	left := c.operator.OwnStake.Int64()
	require.Less(t, left, int64(bonded))
	t.Logf("%s: %d of %d ugrafi left, jailed until %s", fault, left, int64(bonded), c.operator.JailedUntil)
	return c
}

// unanswered waits until the host was jailed for challenges without an answer.
func unanswered(t *testing.T, ctx context.Context, l *liar) {
	t.Helper()
	c := caught(t, ctx, l, stakingext.FAULT_MISSED_CHALLENGES)
	t.Logf("jailed after %d challenges", c.missed)
	require.EqualValues(t, attestation.DefaultChallengeParams().MissesToJail, c.missed)
	require.Empty(t, c.opened)
	require.EqualValues(t, bonded-bonded/100, c.operator.OwnStake.Int64(), "one percent")
	require.True(t, c.operator.Jailed)
	g, err := l.gpu(ctx, 0)
	require.NoError(t, err)
	require.Zero(t, g.TrustTier)
}
