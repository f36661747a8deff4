package telemetry

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
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

// position is the newest slot whose batch was made.
type position struct {
	Slot uint64 `json:"slot"`
}

// collect makes the batches of the roots that are new.
func (f *Flow) collect() error {
	id, _, _, params, ok := f.host.Host()
	if !ok {
		return nil
	}
	key := fmt.Appendf(nil, "%s/%d", id.ChainID, id.HostID)
	var at position
	if _, err := f.cursor.GetJSON(key, &at); err != nil {
		return err
	}
	for {
		r, ok, err := f.samples.NextRooted(id, at.Slot)
		if err != nil || !ok {
			return err
		}
		samples, err := f.under(r, params)
		if err != nil {
			return err
		}
		at.Slot = r.Slot
		if len(samples) > 0 {
			b, err := NewBatch(id.ChainID, id.HostID, r.Slot, samples, f.cfg.Recipients)
			if err != nil {
				return err
			}
			dropped, err := f.spool.put(b)
			if err != nil {
				return err
			}
			f.drop(dropped, "the spool is full")
		}
		if err := f.cursor.PutJSON(key, at); err != nil {
			return err
		}
	}
}

// maxRootSlots is how many slots of samples one root covers at most, whatever the
// setting: see the bound of the agent's detail roots.
const maxRootSlots = 4 * 144

// under returns the samples under the root, or none when they are not kept any more.
func (f *Flow) under(r attest.Rooted, params attestation.Params) ([][]byte, error) {
	after := r.From
	if after.IsZero() {
		after = time.Unix(0, 0)
	}
	from := after
	// After a long time without a root the agent leaves the oldest samples out: it
	// begins at the start of a slot then.
	for back := uint64(0); back <= min(maxRootSlots, r.Slot+1); back++ {
		if back > 0 {
			if from = params.SlotStart(r.Slot + 1 - back); !from.After(after) {
				break
			}
		}
		samples, err := f.samples.Raw(from, r.To)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(attest.DetailRoot(samples), r.Root) {
			return samples, nil
		}
	}
	f.log.Warn("samples under a root are not kept any more", "slot", r.Slot)
	return nil, nil
}

// deliver sends the spool, the oldest first, until something does not arrive.
func (f *Flow) deliver(ctx context.Context) error {
	names, err := f.spool.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		raw, err := f.spool.read(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // trimmed
		}
		if err != nil {
			return err
		}
		refused, err := f.post(ctx, raw)
		if err != nil {
			return err
		}
		if refused != "" {
			f.drop(1, refused)
		} else {
			f.sent(name)
		}
		if err := f.spool.remove(name); err != nil {
			return err
		}
	}
	return nil
}

// post sends one batch. The service refuses for good with 400, 409 (it has another
// one for this slot), 413 and 422; everything else is tried again.
func (f *Flow) post(ctx context.Context, raw []byte) (refused string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+f.cfg.Address+Path, bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := f.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("data service: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(resp.Body, 512))
	if err != nil {
		return "", fmt.Errorf("data service: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusNoContent:
		return "", nil
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return fmt.Sprintf("the data service says %s: %q", resp.Status, text), nil
	}
	return "", fmt.Errorf("data service: %s: %q", resp.Status, text)
}

func (f *Flow) sent(name string) {
	var host, slot uint64
	_, err := fmt.Sscanf(name, "%d-%d", &host, &slot)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status.LastSent = time.Now().UTC()
	if err == nil {
		f.status.LastSlot = slot
	}
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
