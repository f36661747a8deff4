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

// TestCheaters runs hosts that lie about what they compute beside one that runs
// the real agent, on one chain that challenges everybody all the time. What each
// is caught by, and what it costs him, is the table of docs/security.md.
func TestCheaters(t *testing.T) {
	ctx := newContext(t, 6*time.Minute)
	genesis, err := localnet.Genesis(localnet.Timing{Slot: 10 * time.Second, StartTimeout: time.Minute, DrawEvery: 10 * time.Second})
	require.NoError(t, err)
	n := newNetwork(t, ctx, localnet.Options{
		Validators: 1, BasePort: cheatersPort, Genesis: genesis, BlockTime: 500 * time.Millisecond,
		Accounts: []string{"good", "skipper", "replayer", "latecomer", "mute", "own"},
	})
	require.NoError(t, n.Start(ctx))
	_, err = n.Tx(ctx, "good", "stakingext", "register-operator", "good", "contributor", fmt.Sprintf("%dugrafi", int64(bonded)))
	require.NoError(t, err)
	good, err := localnet.NewHost(ctx, n, localnet.HostOptions{
		Name: "good", Operator: "good", Port: cheatersPort + 9, Engine: "process", Unisolated: true, SimGPUs: 2,
	})
	require.NoError(t, err)
	watch(t, good.Agent)
	require.NoError(t, good.Agent.Start())

	own := newLiar(t, ctx, n, "own", 1, honest) // another program, and no lie
	skipper := newLiar(t, ctx, n, "skipper", 1, skipATenth)
	var first trees
	var root compute.Hash
	replayer := newLiar(t, ctx, n, "replayer", 1, func(ctx context.Context, w compute.Work, ordinal uint32) (trees, compute.Hash) {
		if first == nil {
			first, root = honest(ctx, w, ordinal)
		}
		return first, root
	})
	latecomer := newLiar(t, ctx, n, "latecomer", 1, func(ctx context.Context, w compute.Work, ordinal uint32) (trees, compute.Hash) {
		select {
		case <-ctx.Done():
		case <-time.After(localnet.SimWindow + 3*time.Second):
		}
		return honest(ctx, w, ordinal)
	})
	mute := newLiar(t, ctx, n, "mute", 1, func(context.Context, compute.Work, uint32) (trees, compute.Hash) { return nil, compute.Hash{} })

	t.Run("skips a tenth of the work", func(t *testing.T) {
		caught(t, ctx, skipper, stakingext.FAULT_WRONG_ANSWER, 4*time.Minute)
		opened := skipper.opened.Load()
		t.Logf("caught at the opening %d", opened)
		require.LessOrEqual(t, opened, int64(6), "24 of 32 samples are of the rounds: one opening passes with probability 0.9^24 = 0.08")
	})
	t.Run("replays a root", func(t *testing.T) {
		caught(t, ctx, replayer, stakingext.FAULT_WRONG_ANSWER, 2*time.Minute)
		require.Equal(t, int64(2), replayer.opened.Load(), "the first was true, the second the same again")
	})
	for name, l := range map[string]*liar{"answers late": latecomer, "doesn't answer": mute} {
		t.Run(name, func(t *testing.T) {
			caught(t, ctx, l, stakingext.FAULT_MISSED_CHALLENGES, 4*time.Minute)
			g, err := l.gpu(ctx, 0)
			require.NoError(t, err)
			require.Zero(t, g.TrustTier)
			require.Zero(t, l.opened.Load())
		})
	}
	require.Positive(t, latecomer.refused.Load(), "a late commitment is refused")

	t.Run("honest hosts are proven and not punished", func(t *testing.T) {
		var id uint64
		_, err := fmt.Sscan(good.ID, &id)
		require.NoError(t, err)
		goodLiar := &liar{hostID: id, operator: n.Accounts["good"], client: own.client, queries: own.queries}
		for _, l := range []*liar{own, goodLiar} {
			eventually(t, ctx, time.Minute, "compute proven", func() (bool, error) {
				g, err := l.gpu(ctx, 0)
				return g.ComputeProven && g.TrustTier >= attestation.TierComputed, err
			})
			operator, err := l.at(ctx)
			require.NoError(t, err)
			require.Equal(t, int64(bonded), operator.OwnStake.Int64(), l.operator)
			require.False(t, operator.Jailed)
		}
	})
	var invariants attestation.QueryInvariantsResponse
	got, err := own.queries.Invariants(ctx, &attestation.QueryInvariantsRequest{})
	require.NoError(t, err)
	invariants = *got
	require.Empty(t, invariants.Broken)
}

// caught waits until the operator was punished for the fault, and lost stake by it.
func caught(t *testing.T, ctx context.Context, l *liar, fault stakingext.Fault, limit time.Duration) {
	t.Helper()
	var operator stakingext.Operator
	eventually(t, ctx, limit, fmt.Sprintf("%s of host %d", fault, l.hostID), func() (bool, error) {
		var err error
		operator, err = l.at(ctx)
		return operator.FaultCount(fault) > 0, err
	})
	require.Less(t, operator.OwnStake.Int64(), int64(bonded))
	t.Logf("%s: %d of %d ugrafi left, jailed until %s", fault, operator.OwnStake.Int64(), int64(bonded), operator.JailedUntil)
}
