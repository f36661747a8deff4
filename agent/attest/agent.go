package attest

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/grafilab/grafi/agent/gpu"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Signer is an agent key; keystore.AgentKey is the real one.
type Signer interface {
	PublicKey() ed25519.PublicKey
	SignDoc(domain string, doc []byte) []byte
}

// Config says how the agent works. Zero values mean the default named beside them.
type Config struct {
	// SampleEvery is the time between two samples, 10 s by default. On chains
	// with short slots it is at most a fifth of a slot.
	SampleEvery time.Duration
	// DetailEvery is after how many slots a detail root is attested, 6 by default:
	// it costs 34 bytes of block, so not every slot has one.
	DetailEvery uint64
	// KeepSamples is how long raw samples stay on disk, 48 h by default.
	KeepSamples time.Duration
}

// keepSlots is how long documents are kept, in slots of 10 minutes: 30 days. The
// chain forgets a slot's window after hours and evidence after two weeks.
const keepSlots = 30 * 144

func (c Config) withDefaults() Config {
	if c.SampleEvery <= 0 {
		c.SampleEvery = 10 * time.Second
	}
	if c.DetailEvery == 0 {
		c.DetailEvery = 6
	}
	if c.KeepSamples <= 0 {
		c.KeepSamples = 48 * time.Hour
	}
	return c
}

// Observer is told of what happened, for metrics. Its methods must not block.
type Observer interface {
	Sampled(r Record, err error)
	Attested(slot uint64)
	Delivered(kind EntryKind)
	Refused(kind EntryKind)
}

// Agent samples, attests and delivers. Construct it with New, then Run it.
type Agent struct {
	cfg      Config
	source   gpu.Source
	store    *Store
	chain    Chain
	signers  []Signer // newest first
	observer Observer
	log      *slog.Logger

	started   time.Time
	workloads *workloads
	clock     *blockClock
	wake      chan struct{} // something is in the outbox
	deferred  deferred      // of the delivery alone

	mu         sync.Mutex
	view       *view
	chainErr   error
	outboxErr  error
	last       Record
	nextSlot   uint64 // first slot that was not looked at
	skipLogged uint64 // slots up to here were reported as not observed
}

// view is what the chain last said of the host.
type view struct {
	id     Identity
	host   attestation.Host
	gpus   []attestation.Gpu
	params attestation.Params
	at     time.Time
}

// New returns an agent that has not started. The signers are the agent keys, the
// newest first: two while a key is being rotated.
func New(cfg Config, source gpu.Source, store *Store, chain Chain, signers []Signer, observer Observer, log *slog.Logger) *Agent {
	now := time.Now()
	return &Agent{
		cfg: cfg.withDefaults(), source: source, store: store, chain: chain, signers: signers, observer: observer,
		log: log.With("part", "attest"), started: now, workloads: newWorkloads(now), clock: newBlockClock(), wake: make(chan struct{}, 1),
		deferred: deferred{},
	}
}

// Run blocks until ctx ends, which is a clean stop (nil), or until the state can't
// be written or the driver's library must be loaded anew (gpu.ErrDriverUpdated):
// then the process has to be started again.
func (a *Agent) Run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.sampleLoop(gctx) })
	g.Go(func() error { return a.attestLoop(gctx) })
	g.Go(func() error { return a.deliverLoop(gctx) })
	if err := g.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("agent: %w", err)
	}
	return nil
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// snapshot returns the newest view, or nil before the first.
func (a *Agent) snapshot() *view {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.view
}

// slotLength is that of the chain, or 10 minutes until it is known.
func (a *Agent) slotLength() time.Duration {
	if v := a.snapshot(); v != nil && v.params.SlotSeconds > 0 {
		return time.Duration(v.params.SlotSeconds) * time.Second
	}
	return 10 * time.Minute
}

// SignerFor returns the key that signs for the host in the slot, or nil.
func SignerFor(host *attestation.Host, slot uint64, signers []Signer) Signer {
	return signerFor(host, slot, signers)
}

// signerFor returns the key that signs for the slot, or nil. Of two keys that may,
// the newest one signs.
func signerFor(host *attestation.Host, slot uint64, signers []Signer) Signer {
	for _, key := range host.SigningKeys(slot) {
		for _, s := range signers {
			if s.PublicKey().Equal(ed25519.PublicKey(key)) {
				return s
			}
		}
	}
	return nil
}
