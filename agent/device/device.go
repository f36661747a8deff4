// Package device keeps the dies of the host's GPUs registered on chain: it asks
// each card for a report over the chain's nonce, checks it as the chain will, and
// sends it. See agent/README.md for the rules.
package device

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/bech32"

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

// report asks the card, checks what it says, and sends it.
func (f *Flow) report(ctx context.Context, id attest.Identity, host *attestation.Host, g *attestation.Gpu, slot uint64) error {
	s, err := f.ask(ctx, id, host, g, slot)
	wait := f.cfg.Retry
	if errors.Is(err, gpu.ErrUnsupported) || errors.Is(err, gpu.ErrConfidentialComputingOff) {
		wait = f.cfg.Never
	}
	var refused *chainclient.RejectedError
	if err != nil && !errors.As(err, &refused) && chainGone(err) {
		return err // nothing is known of the card
	}
	f.mu.Lock()
	state := f.gpus[g.Inventory.Uuid]
	before := state.Why
	state.Why, state.next = "", time.Time{}
	if err != nil {
		state.Why, state.next = explain(err), time.Now().Add(wait)
	}
	why := state.Why
	f.mu.Unlock()
	if err == nil {
		f.observer.DeviceReported(OutcomeRegistered)
		f.log.Info("device is registered", "gpu", g.Ordinal, "serial", s)
		return nil
	}
	f.observer.DeviceReported(OutcomeFailed)
	if why != before { // said once for each reason
		f.log.Warn("GPU has no device attestation, so its trust tier stays below 3", "gpu", g.Ordinal, "name", g.Inventory.Name, "why", why)
	}
	return nil
}

// ask returns the serial of the die that the chain has registered.
func (f *Flow) ask(ctx context.Context, id attest.Identity, host *attestation.Host, g *attestation.Gpu, slot uint64) (string, error) {
	if f.rules.Nonce == nil || f.rules.Verify == nil {
		return "", fmt.Errorf("%w: this agent has no rules of the chain for them", gpu.ErrUnsupported)
	}
	index, err := f.index(ctx, g.Inventory.Uuid)
	if err != nil {
		return "", err
	}
	signer := attest.SignerFor(host, slot, f.signers)
	if signer == nil {
		return "", fmt.Errorf("no key of this agent signs for slot %d", slot)
	}
	now, err := f.chain.DeviceNonce(ctx, id.HostID, g.Ordinal)
	if err != nil {
		return "", err
	}
	// The nonce is the agent's own computation and not the node's: a card that signs
	// any nonce it is given would sign for another operator's GPU.
	_, operator, err := bech32.DecodeAndConvert(host.Operator)
	if err != nil {
		return "", fmt.Errorf("operator %q: %w", host.Operator, err)
	}
	nonce := f.rules.Nonce(id.ChainID, operator, signer.PublicKey(), host.FirstGpu+uint64(g.Ordinal), now.BlockHash, now.Height)
	r, err := f.source.Attest(ctx, index, nonce)
	if err != nil {
		return "", err
	}
	// What the chain would call forged costs its operator stake: it never leaves.
	if err := f.rules.Verify(r.SPDM, r.Chain, nonce); err != nil {
		return "", fmt.Errorf("report of the card does not verify: %w", err)
	}
	report := attestation.DeviceReport{
		HostId: id.HostID, Ordinal: g.Ordinal, AgentKey: signer.PublicKey(), NonceHeight: now.Height, BlockHash: now.BlockHash,
		Report: r.SPDM, Certificates: r.Chain,
	}
	canonical, err := report.Marshal()
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(canonical)
	doc, err := (&attestation.DeviceReportDoc{ChainId: id.ChainID, ReportDigest: digest[:]}).Marshal()
	if err != nil {
		return "", err
	}
	res, err := f.chain.Submit(ctx, &attestation.MsgRegisterDevice{
		Submitter: f.chain.Sender(), Report: report, Signature: signer.SignDoc(attestation.DomainReport, doc),
	})
	if err != nil {
		return "", err
	}
	var answer attestation.MsgRegisterDeviceResponse
	if err := res.Response(0, &answer); err != nil {
		return "", err
	}
	if !answer.Accepted {
		return "", fmt.Errorf("chain calls the report forged: %s", answer.Detail)
	}
	return hex.EncodeToString(answer.Serial), nil
}

func (f *Flow) index(ctx context.Context, uuid string) (int, error) {
	devices, err := f.source.Devices(ctx)
	if err != nil {
		return 0, err
	}
	for _, d := range devices {
		if d.UUID == uuid {
			return d.Index, nil
		}
	}
	return 0, fmt.Errorf("%w: %s is declared and not in this machine", gpu.ErrNoGPU, uuid)
}
