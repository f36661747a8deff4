package attest_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/gpu/gputest"
	"github.com/grafilab/grafi/internal/agentapi"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

// recordingKey is an agent key that remembers what it signed.
type recordingKey struct {
	priv   ed25519.PrivateKey
	mu     sync.Mutex
	signed [][]byte
	before func()      // called before each signature
	dead   func() bool // the signer was killed: what it signs now never was
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
	if domain == attestation.DomainAttestation && (k.dead == nil || !k.dead()) {
		k.signed = append(k.signed, doc)
	}
	return ed25519.Sign(k.priv, attestation.SignBytesOf(domain, doc))
}

// noObserver ignores everything.
type noObserver struct{}

func (noObserver) Sampled(attest.Record, error) {}
func (noObserver) Attested(uint64)              {}
func (noObserver) Delivered(attest.EntryKind)   {}
func (noObserver) Refused(attest.EntryKind)     {}

// fixture is one agent on a fake chain, with 1-minute slots.
type fixture struct {
	t      *testing.T
	path   string
	chain  *fakeChain
	gpus   *gputest.Fake
	keys   []*recordingKey
	agent  *attest.Agent
	cancel context.CancelFunc
	done   chan error
	store  *attest.Store
}

func newFixture(t *testing.T, gpus int) *fixture {
	t.Helper()
	key := newKey("agent")
	return &fixture{
		t: t, path: filepath.Join(t.TempDir(), "state.db"),
		chain: newChain(gpus, key.PublicKey()), gpus: gputest.New(gpus), keys: []*recordingKey{key},
	}
}

// start runs the agent in the background, as after a boot.
func (f *fixture) start() {
	f.t.Helper()
	store, err := attest.OpenStore(f.path)
	require.NoError(f.t, err)
	var signers []attest.Signer
	for _, k := range f.keys {
		signers = append(signers, k)
	}
	f.store = store
	f.agent = attest.New(attest.Config{SampleEvery: 5 * time.Second, DetailEvery: 3}, f.gpus, store, f.chain, signers, noObserver{}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel, f.done = cancel, make(chan error, 1)
	go func() { f.done <- f.agent.Run(ctx) }()
}

// stop ends the agent; nothing of its memory but the state file is left.
func (f *fixture) stop() {
	f.t.Helper()
	f.cancel()
	require.NoError(f.t, <-f.done)
	require.NoError(f.t, f.store.Close())
}

// run is a test in a bubble whose clock begins at the start of a slot.
func run(t *testing.T, gpus int, body func(f *fixture)) {
	synctest.Test(t, func(t *testing.T) { body(newFixture(t, gpus)) })
}

// slot is the slot that block time is in.
func (f *fixture) slot() uint64 { return f.chain.params.SlotAt(f.chain.now()) }

// pass lets time go by while the executor reports these states every 30 seconds.
func (f *fixture) pass(d time.Duration, states ...agentapi.Workload) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		if f.agent != nil && states != nil {
			f.agent.SetWorkloads(agentapi.Workloads{Workloads: states})
		}
		time.Sleep(min(30*time.Second, time.Until(end)))
	}
	synctest.Wait()
}

// silence lets time go by without a word of the executor.
func (f *fixture) silence(d time.Duration) { time.Sleep(d); synctest.Wait() }

var none = []agentapi.Workload{}

// doc returns the slot's document on chain.
func (f *fixture) doc(slot uint64) (attestation.AttestationDoc, bool) {
	f.chain.mu.Lock()
	defer f.chain.mu.Unlock()
	d, ok := f.chain.accepted[slot]
	return d, ok
}

func (f *fixture) requireAttested(slots ...uint64) {
	f.t.Helper()
	for _, s := range slots {
		_, ok := f.doc(s)
		require.True(f.t, ok, "slot %d is attested; order %v refused %v", s, f.chain.order, f.chain.refused)
	}
}

// activeRental puts a rental on chain that runs since now.
func (f *fixture) activeRental(id uint64) {
	now := time.Now()
	f.chain.set(func() {
		f.chain.rentals[id] = market.Rental{Id: id, HostId: hostID, State: market.RENTAL_STATE_ACTIVE, StartedAt: &now, ManifestDigest: make([]byte, 32)}
	})
}

func (f *fixture) pendingRental(id uint64) agentapi.Started {
	digest := sha256.Sum256([]byte{byte(id)})
	f.chain.set(func() {
		f.chain.rentals[id] = market.Rental{Id: id, HostId: hostID, State: market.RENTAL_STATE_PENDING, ManifestDigest: digest[:]}
	})
	return agentapi.Started{RentalID: id, ManifestDigest: digest[:]}
}
