// Package device keeps the dies of the host's GPUs registered on chain: it asks
// each card for a report over the chain's nonce, checks it as the chain will, and
// sends it. See agent/README.md for the rules.
package device

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Chain is what the flow asks of the chain.
type Chain interface {
	ChainID() string
	Sender() string
	Clock(ctx context.Context) (attestation.QueryClockResponse, error)
	Proofs(ctx context.Context, hostID uint64) (attestation.QueryProofsResponse, error)
	Device(ctx context.Context, serial []byte) (attestation.Device, error)
	DeviceNonce(ctx context.Context, hostID uint64, ordinal uint32) (attestation.QueryDeviceNonceResponse, error)
	Submit(ctx context.Context, msg sdk.Msg) (chainclient.Result, error)
}

// Host tells what the chain last said of the own host; attest.Agent does.
type Host interface {
	Host() (attest.Identity, attestation.Host, []attestation.Gpu, attestation.Params, bool)
}

// Source is the part of gpu.Source that is needed.
type Source interface {
	Devices(ctx context.Context) ([]gpu.Device, error)
	Attest(ctx context.Context, index int, nonce [32]byte) (gpu.Report, error)
}

// Rules are those of the chain: attestation.DeviceNonce, and device.Verify with
// the pinned root.
type Rules struct {
	Nonce  func(chainID string, operator, agentKey []byte, gpu uint64, blockHash []byte, height int64) [32]byte
	Verify func(report []byte, chain [][]byte, nonce [32]byte) error
}

// Observer is told of what happened, for metrics. It must not block.
type Observer interface {
	DeviceReported(outcome string)
}

// Outcomes, for Observer.
const (
	OutcomeRegistered = "registered"
	OutcomeFailed     = "failed"
)

// Config says how often. Zero values mean the default.
type Config struct {
	// Every is the pause between two looks, 2 minutes by default.
	Every time.Duration
	// Retry is the pause after a failure that may mend itself, 10 minutes by
	// default, and Never that after one that needs other hardware or another setup,
	// a day by default.
	Retry, Never time.Duration
}

func (c Config) withDefaults() Config {
	if c.Every <= 0 {
		c.Every = 2 * time.Minute
	}
	if c.Retry <= 0 {
		c.Retry = 10 * time.Minute
	}
	if c.Never <= 0 {
		c.Never = 24 * time.Hour
	}
	return c
}

// Flow keeps the registrations of one host. Construct it with New, then Run it.
type Flow struct {
	cfg      Config
	chain    Chain
	host     Host
	source   Source
	rules    Rules
	signers  []attest.Signer
	observer Observer
	log      *slog.Logger

	mu        sync.Mutex
	gpus      map[string]*State // by UUID
	tier      uint32
	lastError string
}

// State is what is known of one GPU.
type State struct {
	Ordinal    uint32
	UUID       string
	Serial     string // hex; empty while no die is registered
	ExpiresAt  time.Time
	Why        string // why none is, or why it could not be renewed
	Tier       uint32
	next       time.Time // of the next attempt after a failure
	generation uint64    // of the inventory at the last attempt
}

// New returns a flow that has not started.
func New(cfg Config, chain Chain, host Host, source Source, rules Rules, signers []attest.Signer, observer Observer, log *slog.Logger) *Flow {
	return &Flow{
		cfg: cfg.withDefaults(), chain: chain, host: host, source: source, rules: rules, signers: signers,
		observer: observer, log: log.With("part", "device"), gpus: map[string]*State{},
	}
}

// Run blocks until ctx ends. Whatever goes wrong is logged and tried again.
func (f *Flow) Run(ctx context.Context) error {
	pause := 5 * time.Second // the host is not known at once
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		known, err := f.step(ctx)
		if ctx.Err() != nil {
			return nil
		}
		f.noteError(err)
		if known {
			pause = f.cfg.Every
		}
	}
}

// step looks once at every GPU, and reports those whose time has come.
func (f *Flow) step(ctx context.Context) (known bool, err error) {
	id, host, gpus, params, known := f.host.Host()
	if !known || host.Status != attestation.HOST_STATUS_ACTIVE {
		return false, nil
	}
	proofs, err := f.chain.Proofs(ctx, id.HostID)
	if err != nil {
		return true, err
	}
	clock, err := f.chain.Clock(ctx)
	if err != nil {
		return true, err
	}
	f.mu.Lock()
	f.tier = proofs.TrustTier
	f.mu.Unlock()
	byOrdinal := make(map[uint32]attestation.GpuProofs, len(proofs.Gpus))
	for _, p := range proofs.Gpus {
		byOrdinal[p.Ordinal] = p
	}
	var failures error
	for i := range gpus {
		p := byOrdinal[gpus[i].Ordinal]
		due, err := f.due(ctx, &host, &gpus[i], p, params, clock.Time)
		if err == nil && due {
			err = f.report(ctx, id, &host, &gpus[i], clock.Slot)
		}
		failures = errors.Join(failures, err)
		if ctx.Err() != nil {
			return true, ctx.Err()
		}
	}
	return true, failures
}

// due tells whether the GPU must report now: it has no registration, or one that
// has lived half of its life, or its inventory has changed.
func (f *Flow) due(ctx context.Context, host *attestation.Host, g *attestation.Gpu, p attestation.GpuProofs, params attestation.Params, now time.Time) (bool, error) {
	f.mu.Lock()
	s := f.gpus[g.Inventory.Uuid]
	if s == nil {
		s = &State{UUID: g.Inventory.Uuid}
		f.gpus[s.UUID] = s
	}
	if s.generation != host.Generation {
		s.next, s.generation = time.Time{}, host.Generation
	}
	s.Ordinal, s.Tier = g.Ordinal, p.TrustTier
	waits := time.Now().Before(s.next)
	f.mu.Unlock()

	if !p.DeviceAttested || p.DeviceSerial == "" {
		f.set(s, "", time.Time{})
		return !waits, nil
	}
	serial, err := hex.DecodeString(p.DeviceSerial)
	if err != nil {
		return false, fmt.Errorf("GPU %d: serial %q: %w", g.Ordinal, p.DeviceSerial, err)
	}
	d, err := f.chain.Device(ctx, serial)
	if err != nil {
		return false, fmt.Errorf("device of GPU %d: %w", g.Ordinal, err)
	}
	f.set(s, p.DeviceSerial, d.ExpiresAt)
	return !waits && !now.Before(d.ExpiresAt.Add(-params.Device.MaxAge/2)), nil
}

func (f *Flow) set(s *State, serial string, expires time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.Serial, s.ExpiresAt = serial, expires
}
