package challenge_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/challenge"
	"github.com/grafilab/grafi/agent/prove"
	"github.com/grafilab/grafi/x/attestation/compute"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// recordingKey is an agent key that remembers what it signed.
type recordingKey struct {
	priv   ed25519.PrivateKey
	mu     sync.Mutex
	signed []attestation.ChallengeCommitDoc
	before func()
	dead   func() bool
}

func newKey(name string) *recordingKey {
	seed := sha256.Sum256([]byte(name))
	return &recordingKey{priv: ed25519.NewKeyFromSeed(seed[:])}
}

func (k *recordingKey) PublicKey() ed25519.PublicKey { return k.priv.Public().(ed25519.PublicKey) }

func (k *recordingKey) SignDoc(domain string, doc []byte) []byte {
	if k.before != nil {
		k.before()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if domain == attestation.DomainCommit && (k.dead == nil || !k.dead()) {
		var d attestation.ChallengeCommitDoc
		if err := d.Unmarshal(doc); err != nil {
			panic(err)
		}
		k.signed = append(k.signed, d)
	}
	return ed25519.Sign(k.priv, attestation.SignBytesOf(domain, doc))
}

// prover answers after a while with what the work determines, or with what a
// defective GPU would.
type prover struct {
	mu    sync.Mutex
	takes time.Duration
	fault map[string]string // by UUID: "commitment", "opening", "fails"
	runs  int
	live  int // proofs that hold memory
}

type proof struct {
	p          *prover
	commitment [32]byte
	broken     bool
}

var errGPU = errors.New("out of memory")

func (p *prover) Prove(ctx context.Context, uuid string, w compute.Work) (prove.Proof, error) {
	p.mu.Lock()
	takes, fault := p.takes, p.fault[uuid]
	p.runs++
	n := p.runs
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(takes):
	}
	c := sha256.Sum256(fmt.Append(nil, w))
	switch fault {
	case "fails":
		return nil, errGPU
	case "commitment": // another one at each run
		c = sha256.Sum256(fmt.Append(nil, w, n))
	}
	p.mu.Lock()
	p.live++
	p.mu.Unlock()
	return &proof{p: p, commitment: c, broken: fault == "opening"}, nil
}

func (p *proof) Commitment() [32]byte { return p.commitment }

func (p *proof) Open(sample [32]byte, t int) ([]byte, error) {
	if p.broken {
		return []byte("wrong"), nil
	}
	return fmt.Append(nil, p.commitment, sample, t), nil
}

func (p *proof) Close() {
	p.p.mu.Lock()
	p.p.live--
	p.p.mu.Unlock()
}

// verify is the fake's rule of what a right opening is.
func verify(_ compute.Work, commitment, sample compute.Hash, t uint32, opening []byte) error {
	if !bytes.Equal(opening, fmt.Append(nil, commitment, sample, t)) {
		return errors.New("wrong")
	}
	return nil
}

type outcomes struct {
	mu  sync.Mutex
	all []string
}

func (o *outcomes) ChallengeEnded(outcome string, _ uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, outcome)
}

// fixture is one flow on a fake chain.
type fixture struct {
	t        *testing.T
	path     string
	chain    *fakeChain
	prover   *prover
	key      *recordingKey
	outcomes *outcomes
	flow     *challenge.Flow
	store    *attest.Store
	cancel   context.CancelFunc
	done     chan error
	steps    func() // called before each write to the ledger
}

func run(t *testing.T, gpus int, body func(f *fixture)) {
	synctest.Test(t, func(t *testing.T) {
		key := newKey("agent")
		body(&fixture{
			t: t, path: filepath.Join(t.TempDir(), "state.db"), chain: newChain(gpus, key.PublicKey()),
			prover: &prover{takes: 5 * time.Second, fault: map[string]string{}}, key: key, outcomes: &outcomes{},
		})
	})
}

func (f *fixture) start() {
	f.t.Helper()
	var err error
	f.store, err = attest.OpenStore(f.path)
	require.NoError(f.t, err)
	ledger, err := f.store.Ledger("challenge")
	require.NoError(f.t, err)
	f.flow, err = challenge.New(challenge.Config{}, f.chain, f.chain, f.prover, verify, stepping{ledger, f.steps},
		[]attest.Signer{f.key}, f.outcomes, slog.New(slog.DiscardHandler))
	require.NoError(f.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel, f.done = cancel, make(chan error, 1)
	go func() { f.done <- f.flow.Run(ctx) }()
}

func (f *fixture) stop() {
	f.t.Helper()
	f.cancel()
	require.NoError(f.t, <-f.done)
	require.NoError(f.t, f.store.Close())
	require.Zero(f.t, f.prover.live, "proofs are left in memory")
}

// stepping is a ledger that can be stopped before each write.
type stepping struct {
	*attest.Ledger
	step func()
}

func (s stepping) Once(key, value []byte) ([]byte, bool, error) {
	if s.step != nil {
		s.step()
	}
	return s.Ledger.Once(key, value)
}

func (s stepping) PutJSON(key []byte, v any) error {
	if s.step != nil {
		s.step()
	}
	return s.Ledger.PutJSON(key, v)
}

// live runs the flow for so long, or until it is killed at a step (a call of the
// chain, a signature or a write). The disk is left as it was then.
func (f *fixture) live(crashAt int, d time.Duration) {
	f.t.Helper()
	var steps atomic.Int64
	var dead atomic.Bool
	left := f.path + ".left"
	step := func() {
		if crashAt > 0 && steps.Add(1) == int64(crashAt) {
			raw, err := os.ReadFile(f.path) // nothing is being written: steps come before writes
			require.NoError(f.t, err)
			require.NoError(f.t, os.WriteFile(left, raw, 0o600))
			dead.Store(true)
		}
	}
	f.chain.set(func() { f.chain.step, f.chain.dead = step, dead.Load })
	f.key.before, f.key.dead, f.steps = step, dead.Load, step
	f.start()
	for end := time.Now().Add(d); time.Now().Before(end) && !dead.Load(); {
		time.Sleep(500 * time.Millisecond)
	}
	f.stop()
	if dead.Load() {
		require.NoError(f.t, os.Rename(left, f.path))
	}
}
