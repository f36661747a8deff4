// Package challenge answers the chain's proofs of compute: it works on the GPUs
// that are challenged, commits to what they computed, and opens what is sampled.
// See agent/README.md for the rules.
package challenge

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/prove"
	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/x/attestation/compute"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Prover computes the work on a GPU, by its UUID (agent/prove). It is safe for
// concurrent use: a host's GPUs are all challenged at once.
type Prover interface {
	Prove(ctx context.Context, device string, w compute.Work) (prove.Proof, error)
}

// Verify says whether the chain would take the opening; compute.Verify is the real one.
type Verify func(w compute.Work, commitment, sample compute.Hash, t uint32, opening []byte) error

// Chain is what the flow asks of the chain.
type Chain interface {
	ChainID() string
	Sender() string
	Challenge(ctx context.Context, hostID uint64, atLeast int64) (attestation.QueryChallengeResponse, error)
	Proofs(ctx context.Context, hostID uint64) (attestation.QueryProofsResponse, error)
	Submit(ctx context.Context, msg sdk.Msg) (chainclient.Result, error)
}

// Host tells what the chain last said of the host; attest.Agent does.
type Host interface {
	Host() (attest.Identity, attestation.Host, []attestation.Gpu, attestation.Params, bool)
}

// Ledger keeps what must survive the process; attest.Ledger does.
type Ledger interface {
	Once(key, value []byte) (stored []byte, same bool, err error)
	Get(key []byte) ([]byte, error)
	PutJSON(key []byte, v any) error
	GetJSON(key []byte, v any) (bool, error)
	PruneBelow(prefix, end []byte) error
}

// Observer is told of outcomes, for metrics. It must not block.
type Observer interface {
	ChallengeEnded(outcome string, gops uint64)
}

// Config says how often the chain is asked. Zero values mean the default.
type Config struct {
	// Idle is the pause between two looks, 2 s by default.
	Idle time.Duration
	// Open is the pause while a challenge is open, 1 s by default.
	Open time.Duration
}

func (c Config) withDefaults() Config {
	if c.Idle <= 0 {
		c.Idle = 2 * time.Second
	}
	if c.Open <= 0 {
		c.Open = time.Second
	}
	return c
}

// Flow answers the challenges of one host. Construct it with New, then Run it.
type Flow struct {
	cfg      Config
	chain    Chain
	host     Host
	prover   Prover
	verify   Verify
	ledger   Ledger
	signers  []attest.Signer
	observer Observer
	log      *slog.Logger
	wake     chan struct{} // a GPU is done, or its opening

	// Of the flow's own goroutine alone.
	open     key             // the challenge that the jobs are for
	jobs     map[uint32]*job // by ordinal
	answered map[uint32]bool // the chain took the opening, whatever a lagging node says
	logged   map[string]bool // lines said once for a challenge

	mu    sync.Mutex
	last  *Last
	error error
}

// key tells challenges apart, also across a chain that was begun anew under its
// old id.
type key struct {
	id        attest.Identity
	challenge uint64
	beacon    string
}

// New returns a flow that has not started. What an earlier process knew of the
// last challenge is read from the ledger.
func New(cfg Config, chain Chain, host Host, prover Prover, verify Verify, ledger Ledger, signers []attest.Signer, observer Observer, log *slog.Logger) (*Flow, error) {
	f := &Flow{
		cfg: cfg.withDefaults(), chain: chain, host: host, prover: prover, verify: verify, ledger: ledger, signers: signers,
		observer: observer, log: log.With("part", "challenge"), wake: make(chan struct{}, 1),
		jobs: map[uint32]*job{}, answered: map[uint32]bool{}, logged: map[string]bool{},
	}
	var last Last
	found, err := ledger.GetJSON(keyLast, &last)
	if err != nil {
		return nil, fmt.Errorf("last challenge: %w", err)
	}
	if found {
		f.last = &last
	}
	return f, nil
}

// storeError is a failure of the agent's own disk: it ends the flow, because what
// is not written down must not be signed.
type storeError struct{ err error }

func (e *storeError) Error() string { return "challenge: " + e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// Run blocks until ctx ends (nil) or the state can't be written.
func (f *Flow) Run(ctx context.Context) error {
	defer f.drop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-f.wake:
		}
		busy, err := f.step(ctx)
		var fatal *storeError
		if errors.As(err, &fatal) {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		f.noteError(err)
		pause := f.cfg.Idle
		if busy {
			pause = f.cfg.Open
		}
		timer.Reset(pause)
	}
}

// step looks once and does what is due. busy says that a challenge is open.
func (f *Flow) step(ctx context.Context) (busy bool, err error) {
	id, host, gpus, _, known := f.host.Host()
	if !known {
		return false, nil
	}
	r, err := f.chain.Challenge(ctx, id.HostID, 0)
	if chainclient.IsNotFound(err) {
		f.drop()
		return false, f.gone(id)
	}
	if err != nil {
		return len(f.jobs) > 0, err
	}
	c := &r.Challenge
	now := key{id: id, challenge: c.Id, beacon: string(c.Beacon)}
	if now != f.open {
		f.drop()
		if err := f.gone(id); err != nil {
			return false, err
		}
		f.open, f.answered, f.logged = now, map[uint32]bool{}, map[string]bool{}
		if err := f.prune(id, c.Id); err != nil {
			return false, &storeError{err}
		}
	}
	if err := f.note(id, c); err != nil {
		return false, err
	}
	signer := f.signer(c.AgentKey)
	if signer == nil {
		f.once("challenge asks for a key that this agent does not have", "challenge", c.Id, "agent_key", fmt.Sprintf("%x", c.AgentKey))
		return false, nil
	}
	if c.State == attestation.CHALLENGE_STATE_UNANSWERED {
		f.drop()
		return false, nil
	}
	t := turn{Flow: f, id: id, c: c, r: &r, host: &host, gpus: gpus, signer: signer}
	t.prove(ctx)
	if err := t.commit(ctx); err != nil {
		return true, err
	}
	if c.State == attestation.CHALLENGE_STATE_SAMPLED {
		if err := t.openAll(ctx); err != nil {
			return true, err
		}
	}
	return true, nil
}

func (f *Flow) signer(key []byte) attest.Signer {
	for _, s := range f.signers {
		if s.PublicKey().Equal(ed25519.PublicKey(key)) {
			return s
		}
	}
	return nil
}

// drop stops all work and frees its memory.
func (f *Flow) drop() {
	for ordinal, j := range f.jobs {
		j.stop()
		delete(f.jobs, ordinal)
	}
	f.open = key{}
}

// once logs a line once for a challenge.
func (f *Flow) once(msg string, args ...any) {
	line := msg + fmt.Sprint(args...)
	if f.logged[line] {
		return
	}
	f.logged[line] = true
	f.log.Error(msg, args...)
}

// noteError keeps and logs the first of a row of equal errors.
func (f *Flow) noteError(err error) {
	f.mu.Lock()
	before := f.error
	f.error = err
	f.mu.Unlock()
	if err != nil && (before == nil || before.Error() != err.Error()) {
		f.log.Warn("challenges can't be looked at or answered now", "err", err)
	}
}
