package service

import (
	"context"
	"time"

	"encoding/hex"

	"github.com/grafilab/grafi/agent/keystore"
	"github.com/grafilab/grafi/internal/agentapi"
)

var _ agentapi.Handler = (*Service)(nil)

// SetWorkloads implements agentapi.Handler.
func (s *Service) SetWorkloads(_ context.Context, w agentapi.Workloads) error {
	s.agent.SetWorkloads(w)
	return nil
}

// Started implements agentapi.Handler.
func (s *Service) Started(_ context.Context, r agentapi.Started) (agentapi.Report, error) {
	return s.agent.Started(r)
}

// Result implements agentapi.Handler.
func (s *Service) Result(_ context.Context, r agentapi.Result) (agentapi.Report, error) {
	return s.agent.Result(r)
}

// Certificate implements agentapi.Handler.
func (s *Service) Certificate(_ context.Context, r agentapi.CertificateRequest) (agentapi.Certificate, error) {
	key, ok := s.agent.Key().(*keystore.AgentKey)
	if !ok {
		return agentapi.Certificate{}, agentapi.ErrNotReady
	}
	return agentapi.SignGatewayCertificate(key, r.PublicKey, s.agent.Now())
}

// Status implements agentapi.Handler. It asks the chain for its height, and says
// so when it does not answer.
func (s *Service) Status(ctx context.Context) (agentapi.Status, error) {
	st := agentapi.Status{
		Version: s.version, Simulated: s.Simulated(), Source: string(s.source.Kind()),
		AgentKey: hex.EncodeToString(s.agent.Key().PublicKey()), Endpoint: s.client.Endpoint(),
	}
	if st.Simulated {
		st.Notice = SimNotice
	}
	if err := s.agent.Status(&st); err != nil {
		return st, err
	}
	s.proofs.status(&st)
	s.telemetryStatus(&st)
	timeout, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	chain, err := s.client.Status(timeout)
	if err != nil {
		st.ChainError = err.Error()
		return st, nil
	}
	st.Height, st.Endpoint = chain.Height, chain.Endpoint
	return st, nil
}
