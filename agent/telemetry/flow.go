package telemetry

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/grafilab/grafi/agent/attest"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Path is where the data service takes batches.
const Path = "/v1/telemetry"

// Config says where samples go and who can read them.
type Config struct {
	Address    string            // host:port of the data service
	ServerKey  ed25519.PublicKey // that it must have
	Recipients []Recipient
	SpoolDir   string
	SpoolBytes int64
	// Every is the time between two looks for new batches, 30 s by default.
	Every time.Duration
}

// Host is what the flow asks of the agent; *attest.Agent is the real one.
type Host interface {
	Host() (id attest.Identity, host attestation.Host, gpus []attestation.Gpu, params attestation.Params, ok bool)
	Key() attest.Signer
}

// Samples are the agent's; *attest.Store is the real one.
type Samples interface {
	NextRooted(id attest.Identity, after uint64) (attest.Rooted, bool, error)
	Raw(from, to time.Time) ([][]byte, error)
}

// Cursor remembers up to which slot batches were made; *attest.Ledger is the real one.
type Cursor interface {
	GetJSON(key []byte, v any) (ok bool, err error)
	PutJSON(key []byte, v any) error
}

// Status is what is known of the flow.
type Status struct {
	Waiting  int // batches in the spool
	LastSlot uint64
	LastSent time.Time
	Dropped  int // forgotten for want of space, or refused, since the start
	Error    string
}

// Flow makes batches and sends them. Nothing of it can hold up attestation: it reads
// the samples from the disk, and all its errors stay here.
type Flow struct {
	cfg     Config
	host    Host
	samples Samples
	cursor  Cursor
	spool   *spool
	client  *http.Client
	log     *slog.Logger

	mu     sync.Mutex
	status Status
}

// New returns a flow that has not started.
func New(cfg Config, host Host, samples Samples, cursor Cursor, log *slog.Logger) (*Flow, error) {
	if len(cfg.ServerKey) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w: key of the data service has %d bytes, want %d", ErrPeer, len(cfg.ServerKey), ed25519.PublicKeySize)
	}
	if cfg.Every <= 0 {
		cfg.Every = 30 * time.Second
	}
	s, err := openSpool(cfg.SpoolDir, cfg.SpoolBytes)
	if err != nil {
		return nil, err
	}
	f := &Flow{cfg: cfg, host: host, samples: samples, cursor: cursor, spool: s, log: log.With("part", "telemetry")}
	f.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		TLSClientConfig: ClientTLS(f.certificate, cfg.ServerKey), MaxIdleConns: 1,
		// A connection is used for one look, so that a rotated key is shown soon.
		IdleConnTimeout: cfg.Every / 2, TLSHandshakeTimeout: 10 * time.Second,
	}}
	return f, nil
}

func (f *Flow) certificate() (tls.Certificate, error) {
	key, ok := f.host.Key().(crypto.Signer)
	if !ok {
		return tls.Certificate{}, fmt.Errorf("agent key %T can't sign certificates", f.host.Key())
	}
	return Certificate(key, time.Now())
}

// Run blocks until ctx ends.
func (f *Flow) Run(ctx context.Context) error {
	tick := time.NewTicker(f.cfg.Every)
	defer tick.Stop()
	for {
		err := f.collect()
		if err == nil {
			err = f.deliver(ctx)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.note(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Status returns what is known of the flow.
func (f *Flow) Status() Status {
	names, err := f.spool.names()
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.status
	st.Waiting = len(names)
	if err != nil {
		st.Error = err.Error()
	}
	return st
}

func (f *Flow) drop(n int, why string) {
	if n == 0 {
		return
	}
	f.mu.Lock()
	f.status.Dropped += n
	f.mu.Unlock()
	f.log.Warn("telemetry batches forgotten", "batches", n, "why", why)
}

// note keeps and logs the first of a row of equal errors.
func (f *Flow) note(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	f.mu.Lock()
	before := f.status.Error
	f.status.Error = text
	f.mu.Unlock()
	if text != before && err != nil {
		f.log.Warn("telemetry waits", "err", err)
	}
}
