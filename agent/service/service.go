// Package service puts the agent's parts together: keys, GPU source, state, chain,
// loop, local API and metrics.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"golang.org/x/sync/errgroup"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/agent/keystore"
	"github.com/grafilab/grafi/agent/metrics"
	"github.com/grafilab/grafi/agent/telemetry"
	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/internal/chainclient"
)

// SimNotice is shown wherever simulated GPUs are.
const SimNotice = "SIM: these GPUs do not exist; only local and test chains accept them"

// Service is one agent. Construct it with New, Run it, then Close it.
type Service struct {
	cfg       config.Config
	version   string
	source    gpu.Source
	store     *attest.Store
	agent     *attest.Agent
	client    *chainclient.Client
	metrics   *metrics.Metrics
	socket    net.Listener
	proofs    *proofs
	telemetry *telemetry.Flow
	log       *slog.Logger
}

// Chain returns the chain access that the configuration describes.
func Chain(cfg config.Config, log *slog.Logger) (*chainclient.Client, error) {
	return chainclient.New(chainclient.Config{
		ChainID: cfg.ChainID, Endpoints: cfg.Node, GasPrices: cfg.GasPrices, FeeGranter: cfg.FeeGranter,
	}, log)
}

// Source opens the GPUs that the configuration describes. The seed of simulated
// UUIDs is the first agent key's public part, so that they stay what they are.
func Source(ctx context.Context, cfg config.Config, seed []byte, log *slog.Logger) (gpu.Source, error) {
	return gpu.Open(ctx, gpu.Options{
		Source: cfg.GPUSource, NVMLPath: cfg.NVMLLibrary, SimGPUs: cfg.SimGPUs, SimSeed: seed,
	}, log)
}

// New opens everything. What it opened is closed again when it fails.
func New(ctx context.Context, cfg config.Config, version string, log *slog.Logger) (s *Service, err error) {
	keys, err := LoadKeys(cfg)
	if err != nil {
		return nil, err
	}
	s = &Service{cfg: cfg, version: version}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
			s = nil
		}
	}()
	if s.source, err = Source(ctx, cfg, keys.Seed, log); err != nil {
		return s, err
	}
	if s.Simulated() {
		log = log.With("mode", "SIM") // on every line from here on
		log.Warn(SimNotice)
	}
	s.log = log
	if s.store, err = attest.OpenStore(cfg.StatePath()); err != nil {
		return s, err
	}
	if s.client, err = Chain(cfg, log); err != nil {
		return s, err
	}
	chain, err := attest.NewChain(s.client, keys.Fee)
	if err != nil {
		return s, err
	}
	s.metrics = metrics.New(string(s.source.Kind()))
	s.agent = attest.New(attest.Config{SampleEvery: cfg.SampleEvery, DetailEvery: cfg.DetailEvery},
		s.source, s.store, chain, keys.Agent, s.metrics, log)
	if s.proofs, err = newProofs(cfg, chain, s.agent, s.source, s.store, keys.Agent, s.metrics, log); err != nil {
		return s, err
	}
	if s.telemetry, err = newTelemetry(cfg, s.agent, s.store, log); err != nil {
		return s, err
	}
	s.metrics.SetStatus(s.Status)
	s.socket, err = agentapi.Listen(cfg.Socket)
	return s, err
}

// Run blocks until ctx ends, which is a clean stop, or until a part fails. The
// error is gpu.ErrDriverUpdated when the process must be started anew.
func (s *Service) Run(ctx context.Context) error {
	s.log.Info("agent runs", "version", s.version, "chain", s.cfg.ChainID, "source", s.source.Kind(),
		"socket", s.cfg.Socket, "metrics", s.cfg.MetricsListen, "agent_key", fmt.Sprintf("%x", s.agent.Key().PublicKey()))
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.agent.Run(gctx) })
	g.Go(func() error { return s.proofs.run(gctx) })
	if s.telemetry != nil {
		g.Go(func() error { return s.telemetry.Run(gctx) })
	}
	g.Go(func() error { return agentapi.Serve(gctx, s.socket, s, s.log) })
	if s.cfg.MetricsListen != "" {
		g.Go(func() error { return s.serveMetrics(gctx) })
	}
	err := g.Wait()
	if ctx.Err() != nil {
		s.log.Info("agent stops")
		return nil
	}
	return err
}

// serveMetrics never stops the agent: a taken port costs the metrics only.
func (s *Service) serveMetrics(ctx context.Context) error {
	if err := s.metrics.Serve(ctx, s.cfg.MetricsListen); err != nil {
		s.log.Error("no metrics", "err", err)
	}
	return nil
}

// Close gives everything back.
func (s *Service) Close() error {
	var errs []error
	if s.socket != nil {
		if err := s.socket.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.proofs != nil {
		errs = append(errs, s.proofs.close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.source != nil {
		errs = append(errs, s.source.Close())
	}
	return errors.Join(errs...)
}

// Simulated implements agentapi.Handler.
func (s *Service) Simulated() bool { return s.source != nil && s.source.Kind() == gpu.KindSim }

// ErrNoKeys means that "grafi-agent init" was not run.
var ErrNoKeys = errors.New("no keys")

func noKeys(err error, cfg config.Config) error {
	if errors.Is(err, keystore.ErrNotFound) {
		return fmt.Errorf("%w: run \"grafi-agent init --home %s\" first: %w", ErrNoKeys, cfg.Home, err)
	}
	return err
}
