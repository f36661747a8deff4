// Package probe measures connections between hosts: the chain draws who probes
// whom in a slot, the two agents transfer data in both directions over TLS 1.3
// between their agent keys, and both sign one receipt of what they saw. See
// agent/README.md for the rules.
package probe

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"golang.org/x/sync/errgroup"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Signer is an agent key that can also issue a certificate.
type Signer interface {
	attest.Signer
	crypto.Signer
}

// Assigned is who probes the host in a slot, and whom it probes.
type Assigned struct{ Probers, Targets []uint64 }

// Chain is what the flow asks of the chain.
type Chain interface {
	ChainID() string
	Sender() string
	Clock(ctx context.Context) (attestation.QueryClockResponse, error)
	Assigned(ctx context.Context, hostID, slot uint64) (Assigned, error)
	HostByID(ctx context.Context, hostID uint64) (attestation.Host, error)
	Submit(ctx context.Context, msg sdk.Msg) (chainclient.Result, error)
}

// Host tells what the chain last said of the own host; attest.Agent does.
type Host interface {
	Host() (attest.Identity, attestation.Host, []attestation.Gpu, attestation.Params, bool)
	Now() time.Time // block time
}

// Ledger keeps what must survive the process; attest.Ledger does.
type Ledger interface {
	Once(key, value []byte) (stored []byte, same bool, err error)
	Get(key []byte) ([]byte, error)
	Delete(key []byte) error
	Each(prefix []byte, fn func(key, value []byte) bool) error
	PutJSON(key []byte, v any) error
	GetJSON(key []byte, v any) (bool, error)
	PruneBelow(prefix, end []byte) error
}

// Observer is told of what happened, for metrics. It must not block.
type Observer interface {
	Probed(outcome string)
}

// Outcomes of a session, for Observer.
const (
	OutcomeSigned  = "signed"  // both have signed
	OutcomeFailed  = "failed"  // no connection, or it broke
	OutcomeRefused = "refused" // the figures of the two sides don't agree
)

// Config bounds what probes take. Zero values mean the default.
type Config struct {
	// MaxBytes ends a transfer, 128 MiB by default. Both sides use the lower one.
	MaxBytes uint64
	// MaxTime ends a transfer, 3 s by default and at most.
	MaxTime time.Duration
	// Poll is the pause between two looks at the chain, 5 s by default.
	Poll time.Duration
	// Retry is the first pause after an attempt that failed, 5 s by default.
	Retry time.Duration
	// Dial makes connections; TCP by default.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

const (
	defaultMaxBytes = 128 << 20
	maxTime         = 3 * time.Second
)

func (c Config) withDefaults() Config {
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	if c.MaxTime <= 0 || c.MaxTime > maxTime {
		c.MaxTime = maxTime
	}
	if c.Poll <= 0 {
		c.Poll = 5 * time.Second
	}
	if c.Retry <= 0 {
		c.Retry = 5 * time.Second
	}
	if c.Dial == nil {
		c.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", address)
		}
	}
	return c
}

// Flow probes and is probed. Construct it with New, then Run it.
type Flow struct {
	cfg      Config
	chain    Chain
	host     Host
	listener net.Listener // nil: no inbound port
	docs     Ledger       // (host, slot, prober, target) → ProbeDoc: the only one ever signed
	pending  Ledger       // same key → ProbeReceipt that is not delivered
	signers  []Signer
	observer Observer
	log      *slog.Logger

	// busy is held while data is transferred: two transfers at once would measure each other.
	busy chan struct{}

	mu        sync.Mutex
	cert      tls.Certificate
	certKey   string // public key that issued cert
	certUntil time.Time
	pairs     map[pair]*peer
	planned   map[uint64]bool // slots whose pairs are known
	status    Status
	lastError string
}

// New returns a flow that has not started. listener is nil on a host without an
// inbound port; the flow closes it.
func New(cfg Config, chain Chain, host Host, listener net.Listener, docs, pending Ledger, signers []Signer, observer Observer, log *slog.Logger) (*Flow, error) {
	f := &Flow{
		cfg: cfg.withDefaults(), chain: chain, host: host, listener: listener, docs: docs, pending: pending, signers: signers,
		observer: observer, log: log.With("part", "probe"), busy: make(chan struct{}, 1),
		pairs: map[pair]*peer{}, planned: map[uint64]bool{},
	}
	if _, err := docs.GetJSON(keyStatus, &f.status); err != nil {
		return nil, err
	}
	f.status.Listening = ""
	if listener != nil {
		f.status.Listening = listener.Addr().String()
	}
	return f, nil
}

// storeError is a failure of the agent's own disk: what is not written down must
// not be signed.
type storeError struct{ err error }

func (e *storeError) Error() string { return "probe: " + e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// Run blocks until ctx ends (nil) or the state can't be written.
func (f *Flow) Run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return f.loop(gctx) })
	if f.listener != nil {
		g.Go(func() error { return f.serve(gctx) })
	}
	if err := g.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// loop plans, dials and delivers.
func (f *Flow) loop(ctx context.Context) error {
	for {
		err := f.plan(ctx)
		if err == nil {
			err = f.dialDue(ctx)
		}
		if err == nil {
			err = f.deliver(ctx)
		}
		var fatal *storeError
		if errors.As(err, &fatal) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.noteError(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(f.cfg.Poll):
		}
	}
}

// certificate returns the TLS certificate of the key that signs for the host now.
func (f *Flow) certificate(s Signer, now time.Time) (tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.certKey == string(s.PublicKey()) && now.Before(f.certUntil) {
		return f.cert, nil
	}
	c, err := newCertificate(s, now)
	if err != nil {
		return c, err
	}
	f.cert, f.certKey, f.certUntil = c, string(s.PublicKey()), now.Add(24*time.Hour)
	return c, nil
}

// signer returns the key that signs for the own host in the slot, or nil.
func (f *Flow) signer(host *attestation.Host, slot uint64) Signer {
	for _, key := range host.SigningKeys(slot) {
		for _, s := range f.signers {
			if s.PublicKey().Equal(ed25519.PublicKey(key)) {
				return s
			}
		}
	}
	return nil
}

// noteError keeps and logs the first of a row of equal errors.
func (f *Flow) noteError(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	f.mu.Lock()
	before := f.lastError
	f.lastError = text
	f.mu.Unlock()
	if err != nil && before != text {
		f.log.Warn("probes can't be planned or delivered now", "err", err)
	}
}
