package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/challenge"
	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/agent/device"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/agent/metrics"
	"github.com/grafilab/grafi/agent/probe"
	provers "github.com/grafilab/grafi/agent/prove"
	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/x/attestation/compute"
	rules "github.com/grafilab/grafi/x/attestation/device"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// proofs are the three flows that show the chain what the host is.
type proofs struct {
	challenge *challenge.Flow
	probe     *probe.Flow
	device    *device.Flow
	prover    *lazyProver
	listener  net.Listener
}

// deviceRules are the chain's own, under the root that it pins.
func deviceRules() device.Rules {
	root := rules.NVIDIA()
	return device.Rules{
		Nonce: attestation.DeviceNonce,
		Verify: func(report []byte, chain [][]byte, nonce [32]byte) error {
			_, err := rules.Verify(root, report, chain, nonce)
			return err
		},
	}
}

// newProofs opens what the flows need. What it opened is closed again when it fails.
func newProofs(cfg config.Config, chain *attest.Client, host *attest.Agent, source gpu.Source, store *attest.Store,
	signers []attest.Signer, m *metrics.Metrics, log *slog.Logger,
) (p *proofs, err error) {
	p = &proofs{prover: &lazyProver{open: func() (provers.Prover, error) { return openProver(source.Kind()) }}}
	ledgers := map[string]*attest.Ledger{"challenge": nil, "probe": nil, "receipt": nil}
	for name := range ledgers {
		if ledgers[name], err = store.Ledger(name); err != nil {
			return nil, err
		}
	}
	p.challenge, err = challenge.New(challenge.Config{}, chain, host, p.prover, compute.Verify, ledgers["challenge"], signers, m, log)
	if err != nil {
		return nil, err
	}
	p.device = device.New(device.Config{}, chain, host, source, deviceRules(), signers, m, log)

	keys := make([]probe.Signer, 0, len(signers))
	for _, s := range signers {
		k, ok := s.(probe.Signer)
		if !ok {
			return nil, fmt.Errorf("agent key %T can't issue certificates", s)
		}
		keys = append(keys, k)
	}
	if cfg.ProbeListen != "" {
		if p.listener, err = net.Listen("tcp", cfg.ProbeListen); err != nil {
			return nil, fmt.Errorf("probe listener: %w", err)
		}
	}
	p.probe, err = probe.New(probe.Config{MaxBytes: uint64(cfg.ProbeMaxMiB) << 20}, probeChain{chain}, host, p.listener,
		ledgers["probe"], ledgers["receipt"], keys, m, log)
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// run blocks until ctx ends, or until the state can't be written.
func (p *proofs) run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.challenge.Run(gctx) })
	g.Go(func() error { return p.probe.Run(gctx) })
	g.Go(func() error { return p.device.Run(gctx) })
	return g.Wait()
}

func (p *proofs) close() error {
	var errs []error
	if p.listener != nil {
		if err := p.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, p.prover.Close())...)
}

// status fills in what the flows know.
func (p *proofs) status(st *agentapi.Status) {
	out := &agentapi.Proofs{Devices: []agentapi.DeviceStatus{}}
	last, err := p.challenge.Status()
	if err != nil {
		out.ChallengeError = err.Error()
	}
	if last != nil {
		out.Challenge = &agentapi.ChallengeStatus{ID: last.ID, Reason: last.Reason, State: last.State, StartedAt: last.StartedAt, EndedSlot: last.EndedSlot}
		for _, g := range last.GPUs {
			out.Challenge.GPUs = append(out.Challenge.GPUs, agentapi.ChallengeGPU(g))
		}
	}
	probes, why := p.probe.Status()
	out.ProbeError = why
	out.Probes = agentapi.ProbeStatus{
		Listening: probes.Listening, Day: probes.Day, Made: probes.Made, Taken: probes.Taken, Failed: probes.Failed,
		ToDeliver: probes.ToDeliver, LastAt: probes.LastAt, LastPeer: probes.LastPeer, LastUpMbps: probes.LastUpMbps,
		LastDownMbps: probes.LastDown, LastRTTMicro: probes.LastRTT, LastError: probes.LastError,
	}
	devices, tier, why := p.device.Status()
	out.TrustTier, out.DeviceError = tier, why
	for _, d := range devices {
		out.Devices = append(out.Devices, agentapi.DeviceStatus{
			Ordinal: d.Ordinal, TrustTier: d.Tier, Serial: d.Serial, ExpiresAt: d.ExpiresAt, Why: d.Why,
		})
	}
	st.Proofs = out
}

// probeChain gives the probe flow its assignments.
type probeChain struct{ *attest.Client }

// Assigned implements probe.Chain.
func (c probeChain) Assigned(ctx context.Context, hostID, slot uint64) (probe.Assigned, error) {
	r, err := c.Probers(ctx, hostID, slot)
	if err != nil {
		return probe.Assigned{}, err
	}
	return probe.Assigned{Probers: r.Probers, Targets: r.Targets}, nil
}

// lazyProver opens the prover when the first challenge comes: a host is challenged
// a few times a day, and a loaded driver takes memory all the time.
type lazyProver struct {
	mu     sync.Mutex
	prover provers.Prover
	open   func() (provers.Prover, error)
}

// Prove implements challenge.Prover.
func (l *lazyProver) Prove(ctx context.Context, uuid string, w compute.Work) (provers.Proof, error) {
	p, err := l.get()
	if err != nil {
		return nil, err
	}
	return p.Prove(ctx, uuid, w)
}

func (l *lazyProver) get() (provers.Prover, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.prover == nil {
		p, err := l.open()
		if err != nil {
			return nil, err
		}
		l.prover = p
	}
	return l.prover, nil
}

// Close gives the prover back.
func (l *lazyProver) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.prover == nil {
		return nil
	}
	return l.prover.Close()
}

// simMemory bounds the memory of a simulated GPU's proof.
const simMemory = 64 << 20

// openProver returns the prover of a kind of GPU.
func openProver(kind gpu.Kind) (provers.Prover, error) {
	switch kind {
	case gpu.KindSim:
		return &provers.CPU{MaxBytes: simMemory, Workers: 1}, nil
	case gpu.KindNVML:
		return provers.NewWorker("prove", "--worker") // a process for each proof: the driver's memory and its faults end with it
	}
	return nil, fmt.Errorf("no prover for GPUs of source %q", kind)
}
