// Package honest runs the agent's own code against the chain's own rules for a
// long time in which everything goes wrong that can go wrong without a lie, and
// requires that nothing is ever slashed.
package honest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/challenge"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/agent/gpu/gputest"
	"github.com/grafilab/grafi/agent/prove"
	"github.com/grafilab/grafi/x/attestation/compute"
	"github.com/grafilab/grafi/x/attestation/types"
)

type agentKey struct{ priv ed25519.PrivateKey }

func (k agentKey) PublicKey() ed25519.PublicKey { return k.priv.Public().(ed25519.PublicKey) }
func (k agentKey) SignDoc(domain string, doc []byte) []byte {
	return ed25519.Sign(k.priv, types.SignBytesOf(domain, doc))
}

// card is the CPU prover with the speed and the faults of a card.
type card struct {
	cpu   prove.CPU
	mu    sync.Mutex
	rng   *rand.Rand
	slow  time.Duration // added to what a proof takes
	fails bool
	lies  bool // it computes wrong openings: a defect, not a fraud
}

func (c *card) Prove(ctx context.Context, device string, w compute.Work) (prove.Proof, error) {
	c.mu.Lock()
	takes := time.Second + rand.N(20*time.Second) + c.slow
	fails, lies := c.fails, c.lies
	c.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(takes):
	}
	if fails {
		return nil, prove.ErrMemory
	}
	p, err := c.cpu.Prove(ctx, device, w)
	if err == nil && lies {
		return defective{p}, nil
	}
	return p, err
}

func (c *card) set(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn()
}

// defective flips a bit of every opening.
type defective struct{ prove.Proof }

func (d defective) Open(sample [32]byte, t int) ([]byte, error) {
	o, err := d.Proof.Open(sample, t)
	if err == nil {
		o[len(o)/2] ^= 1
	}
	return o, err
}

type nobody struct{}

func (nobody) Sampled(attest.Record, error)  {}
func (nobody) Attested(uint64)               {}
func (nobody) Delivered(attest.EntryKind)    {}
func (nobody) Refused(attest.EntryKind)      {}
func (nobody) ChallengeEnded(string, uint64) {}

// machine is the host: its disk, its cards, and the agent while it runs.
type machine struct {
	t     *testing.T
	path  string
	node  *node
	key   agentKey
	gpus  *gputest.Fake
	card  *card
	store *attest.Store
	stop  func()
}

func (m *machine) start() {
	m.t.Helper()
	var err error
	m.store, err = attest.OpenStore(m.path)
	require.NoError(m.t, err)
	ledger, err := m.store.Ledger("challenge")
	require.NoError(m.t, err)
	log := slog.New(slog.DiscardHandler)
	signers := []attest.Signer{m.key}
	a := attest.New(attest.Config{SampleEvery: time.Minute, DetailEvery: 6}, m.gpus, m.store, m.node, signers, nobody{}, log)
	f, err := challenge.New(challenge.Config{Idle: 20 * time.Second, Open: 5 * time.Second}, m.node, a, m.card, compute.Verify, ledger, signers, nobody{}, log)
	require.NoError(m.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- a.Run(ctx) }()
	go func() { done <- f.Run(ctx) }()
	m.stop = func() {
		cancel()
		require.NoError(m.t, <-done)
		require.NoError(m.t, <-done)
		require.NoError(m.t, m.store.Close())
		m.stop = nil
	}
}

// trouble is one thing that goes wrong for a while, and how it ends.
func (m *machine) trouble(rng *rand.Rand) (what string, lasts time.Duration, end func()) {
	minutes := func(low, high int) time.Duration { return time.Duration(low+rng.IntN(high-low)) * time.Minute }
	n, c := m.node, m.card
	switch rng.IntN(9) {
	case 0:
		m.stop()
		return "restart", time.Duration(rng.IntN(120)) * time.Second, m.start
	case 1:
		m.stop()
		return "machine is off", minutes(5, 3*24*60), m.start
	case 2:
		n.set(func() { n.halted = true })
		return "halt of the chain", minutes(2, 24*60), func() { n.set(func() { n.halted = false }) }
	case 3:
		n.set(func() { n.unreachable = true })
		return "no way to the chain", minutes(1, 6*60), func() { n.set(func() { n.unreachable = false }) }
	case 4:
		n.set(func() { n.skew += time.Duration(rng.IntN(3600)-1800) * time.Second })
		return "clock jump", minutes(1, 60), func() {}
	case 5:
		n.set(func() { n.flaky = 0.3 })
		return "replies are lost", minutes(10, 12*60), func() { n.set(func() { n.flaky = 0 }) }
	case 6:
		i := rng.IntN(gpuCount)
		m.gpus.SetFlags(i, gpu.FlagLost)
		c.set(func() { c.fails = true })
		return "card is lost", minutes(1, 12*60), func() { m.gpus.SetFlags(i, 0); c.set(func() { c.fails = false }) }
	case 7:
		c.set(func() { c.slow = 10 * time.Minute })
		return "cards are too slow", minutes(30, 12*60), func() { c.set(func() { c.slow = 0 }) }
	default:
		c.set(func() { c.lies = true })
		return "cards compute wrongly", minutes(30, 12*60), func() { c.set(func() { c.lies = false }) }
	}
}

func TestAnHonestAgentIsNeverSlashed(t *testing.T) {
	days, seed := 4, uint64(1)
	if os.Getenv("GRAFI_LONG_TESTS") != "" {
		days = 1000
	}
	path := filepath.Join(t.TempDir(), "state.db")
	if dir, err := os.MkdirTemp("/dev/shm", "honest"); err == nil { // a disk that needs no fsync
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		path = filepath.Join(dir, "state.db")
	}
	store := newState(t)
	synctest.Test(t, func(t *testing.T) {
		s := sha256.Sum256([]byte("agent"))
		key := agentKey{ed25519.NewKeyFromSeed(s[:])}
		n := newNode(t, store, seed, key.priv)
		ctx, cancel := context.WithCancel(context.Background())
		var chain sync.WaitGroup
		chain.Go(func() { n.run(ctx) })
		rng := rand.New(rand.NewPCG(seed, 2))
		m := &machine{t: t, path: path, node: n, key: key, gpus: gputest.New(gpuCount), card: &card{cpu: prove.CPU{Workers: 1}, rng: rng}}
		m.start()
		troubles := map[string]int{}
		began, told, passed := time.Now(), 0, 0
		for end := began.Add(time.Duration(days) * 24 * time.Hour); time.Now().Before(end); {
			time.Sleep(time.Duration(1+rng.IntN(8)) * time.Hour)
			what, lasts, over := m.trouble(rng)
			troubles[what]++
			time.Sleep(lasts)
			over()
			day := int(time.Since(began).Hours() / 24)
			require.Empty(t, n.slashes(), "after %s, day %d", what, day)
			if day/50 > told {
				told = day / 50
				t.Logf("day %d: %d answers passed", day, n.passed())
				require.Greater(t, n.passed(), passed, "it answers nothing since day %d", 50*(told-1))
				passed = n.passed()
			}
		}
		time.Sleep(2 * time.Hour) // what is open is judged
		m.stop()
		cancel()
		chain.Wait()
		require.Empty(t, n.slashes())
		t.Logf("%d days: %v; %v", days, troubles, n.seen)
		require.NotZero(t, n.seen[types.CHALLENGE_OUTCOME_PASSED.String()])
		require.Zero(t, n.seen[types.CHALLENGE_OUTCOME_WRONG.String()])
		require.NotZero(t, n.seen["unanswered, attested as down"], "the simulation shows nothing: no challenge ended unanswered in an attested slot")
	})
}

func (n *node) passed() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.seen[types.CHALLENGE_OUTCOME_PASSED.String()]
}

func (n *node) slashes() (out []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.staking.slashes {
		out = append(out, fmt.Sprintf("%s: %+v", s.Fault, s))
	}
	return out
}
