package metrics_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/metrics"
	"github.com/grafilab/grafi/internal/agentapi"
)

func scrape(t *testing.T, addr string) string {
	t.Helper()
	var body string
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + addr + "/metrics")
		if err != nil {
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		raw, err := io.ReadAll(resp.Body)
		body = string(raw)
		return err == nil && resp.StatusCode == http.StatusOK
	}, 5*time.Second, 10*time.Millisecond)
	return body
}

func TestMetrics(t *testing.T) {
	m := metrics.New("sim")
	m.SetStatus(func(context.Context) (agentapi.Status, error) {
		return agentapi.Status{HostID: 7, Outbox: 3, ChainError: "away", GPUs: []agentapi.GPUStatus{
			{Ordinal: 0, UUID: "a", Up: true, Temperature: 55, Power: 350_500},
			{Ordinal: 1, UUID: "b", Unsupported: []string{"temperature", "power", "memory", "utilization"}},
		}}, nil
	})
	m.Sampled(attest.Record{}, nil)
	m.Sampled(attest.Record{}, errors.New("gone"))
	m.Attested(42)
	m.Delivered(attest.KindStart)
	m.Refused(attest.KindAttestation)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Serve(ctx, addr) }()
	body := scrape(t, addr)
	cancel()
	require.NoError(t, <-done)

	for _, want := range []string{
		`grafi_agent_samples_total{outcome="read",source="sim"} 1`,
		`grafi_agent_samples_total{outcome="failed",source="sim"} 1`,
		`grafi_agent_last_attested_slot{source="sim"} 42`,
		`grafi_agent_delivered_total{kind="start",source="sim"} 1`,
		`grafi_agent_refused_total{kind="attestation",source="sim"} 1`,
		`grafi_agent_host_id{source="sim"} 7`,
		`grafi_agent_chain_up{source="sim"} 0`,
		`grafi_agent_executor_age{source="sim"} -1`,
		`grafi_agent_gpu_up{ordinal="0",source="sim",uuid="a"} 1`,
		`grafi_agent_gpu_power_watts{ordinal="0",source="sim",uuid="a"} 350.5`,
		`grafi_agent_gpu_up{ordinal="1",source="sim",uuid="b"} 0`,
	} {
		require.Contains(t, body, want)
	}
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "grafi_agent_gpu_") && strings.Contains(line, `ordinal="1"`) {
			require.Contains(t, line, "gpu_up{", "what a card does not tell is absent, not zero: %s", line)
		}
	}
}
