package service

import (
	"fmt"
	"log/slog"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/agent/telemetry"
	"github.com/grafilab/grafi/internal/agentapi"
)

// newTelemetry returns the flow that sends samples to a data service, or nil when
// none is configured.
//
// Errors: config.ErrInvalid.
func newTelemetry(cfg config.Config, host *attest.Agent, store *attest.Store, log *slog.Logger) (*telemetry.Flow, error) {
	if cfg.TelemetryAddress == "" {
		return nil, nil
	}
	to, err := telemetry.ParseRecipients(cfg.TelemetryRecipients)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", config.ErrInvalid, err)
	}
	cursor, err := store.Ledger("telemetry")
	if err != nil {
		return nil, err
	}
	return telemetry.New(telemetry.Config{
		Address: cfg.TelemetryAddress, ServerKey: cfg.ServerKey(), Recipients: to,
		SpoolDir: cfg.TelemetryPath(), SpoolBytes: int64(cfg.TelemetrySpoolMiB) << 20,
	}, host, store, cursor, log)
}

// telemetryStatus fills in what the flow knows.
func (s *Service) telemetryStatus(st *agentapi.Status) {
	if s.telemetry == nil {
		return
	}
	t := s.telemetry.Status()
	st.Telemetry = &agentapi.TelemetryStatus{
		Address: s.cfg.TelemetryAddress, Waiting: t.Waiting, LastSlot: t.LastSlot, LastSentAt: t.LastSent, Dropped: t.Dropped, Error: t.Error,
	}
}
