// Package metrics shows what the agent does to a Prometheus on the same machine.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/internal/agentapi"
)

// Metrics counts what happens and, when it is asked, reads the agent's status.
type Metrics struct {
	registry  *prometheus.Registry
	samples   *prometheus.CounterVec
	delivered *prometheus.CounterVec
	refused   *prometheus.CounterVec
	lastSlot  prometheus.Gauge
	status    func(context.Context) (agentapi.Status, error)
	gauges    map[string]*prometheus.Desc
	gpuGauges map[string]*prometheus.Desc
	proofs    proofs
}

var _ attest.Observer = (*Metrics)(nil)

// New returns metrics whose every series is marked with the kind of GPU source,
// so that nobody takes a simulated GPU for a real one.
func New(source string) *Metrics {
	labels := prometheus.Labels{"source": source}
	counter := func(name, help string, by ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "grafi", Subsystem: "agent", Name: name, Help: help, ConstLabels: labels}, by)
	}
	m := &Metrics{
		registry:  prometheus.NewRegistry(),
		samples:   counter("samples_total", "Samples of the GPUs by outcome.", "outcome"),
		delivered: counter("delivered_total", "Statements that are on chain, by kind.", "kind"),
		refused:   counter("refused_total", "Statements that the chain refused for good, by kind.", "kind"),
		lastSlot: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "grafi", Subsystem: "agent", Name: "last_attested_slot",
			Help: "Newest slot that is attested on chain since the start.", ConstLabels: labels}),
		gauges: map[string]*prometheus.Desc{}, gpuGauges: map[string]*prometheus.Desc{}, proofs: newProofs(labels, counter),
	}
	for name, help := range map[string]string{
		"host_id":            "Host on chain; 0 until the agent key is registered.",
		"outbox_entries":     "Statements that wait for delivery.",
		"chain_up":           "1 while the chain answers.",
		"driver_up":          "1 while the GPUs can be read.",
		"chain_height":       "Newest block that was seen.",
		"executor_age":       "Seconds since the executor reported; -1 before its first report.",
		"clock_skew_seconds": "Local clock minus block time.",
	} {
		m.gauges[name] = prometheus.NewDesc("grafi_agent_"+name, help, nil, labels)
	}
	for name, help := range map[string]string{
		"up": "1 while the GPU can work.", "utilization_percent": "Time in which a kernel ran.",
		"memory_used_mib": "Memory in use.", "memory_total_mib": "Memory of the card.",
		"temperature_celsius": "Temperature of the chip.", "power_watts": "Power drawn.",
	} {
		m.gpuGauges[name] = prometheus.NewDesc("grafi_agent_gpu_"+name, help+" Absent when the card does not tell.", []string{"ordinal", "uuid"}, labels)
	}
	m.registry.MustRegister(m.samples, m.delivered, m.refused, m.lastSlot, m,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.proofs.register(m.registry)
	return m
}

// SetStatus says where the gauges are read from.
func (m *Metrics) SetStatus(status func(context.Context) (agentapi.Status, error)) { m.status = status }

// Sampled implements attest.Observer.
func (m *Metrics) Sampled(_ attest.Record, err error) {
	if err != nil {
		m.samples.WithLabelValues("failed").Inc()
		return
	}
	m.samples.WithLabelValues("read").Inc()
}

// Attested implements attest.Observer.
func (m *Metrics) Attested(slot uint64) { m.lastSlot.Set(float64(slot)) }

// Delivered implements attest.Observer.
func (m *Metrics) Delivered(kind attest.EntryKind) { m.delivered.WithLabelValues(string(kind)).Inc() }

// Refused implements attest.Observer.
func (m *Metrics) Refused(kind attest.EntryKind) { m.refused.WithLabelValues(string(kind)).Inc() }

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range m.gauges {
		out <- d
	}
	for _, d := range m.gpuGauges {
		out <- d
	}
	out <- m.proofs.tier
	out <- m.proofs.gops
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	if m.status == nil {
		return
	}
	st, err := m.status(context.Background())
	if err != nil {
		return
	}
	age := -1.0
	if !st.ExecutorSeen.IsZero() {
		age = time.Since(st.ExecutorSeen).Seconds()
	}
	for name, v := range map[string]float64{
		"host_id": float64(st.HostID), "outbox_entries": float64(st.Outbox), "chain_height": float64(st.Height),
		"chain_up": bit(st.ChainError == ""), "driver_up": bit(st.DriverError == ""), "executor_age": age,
		"clock_skew_seconds": st.ClockSkewSeconds,
	} {
		out <- prometheus.MustNewConstMetric(m.gauges[name], prometheus.GaugeValue, v)
	}
	for _, g := range st.GPUs {
		m.collectGPU(out, g)
	}
	m.proofs.collect(out, st.Proofs)
}

func (m *Metrics) collectGPU(out chan<- prometheus.Metric, g agentapi.GPUStatus) {
	unknown := map[string]bool{}
	for _, u := range g.Unsupported {
		unknown[u] = true
	}
	put := func(name string, v float64, missing bool) {
		if !missing {
			out <- prometheus.MustNewConstMetric(m.gpuGauges[name], prometheus.GaugeValue, v, strconv.Itoa(g.Ordinal), g.UUID)
		}
	}
	put("up", bit(g.Up), false)
	put("utilization_percent", float64(g.Utilization), unknown["utilization"])
	put("memory_used_mib", float64(g.MemoryUsed), unknown["memory"])
	put("memory_total_mib", float64(g.MemoryTotal), unknown["memory"])
	put("temperature_celsius", float64(g.Temperature), unknown["temperature"])
	put("power_watts", float64(g.Power)/1000, unknown["power"])
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Serve answers /metrics on a loopback address until ctx ends.
func (m *Metrics) Serve(ctx context.Context, addr string) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2, Timeout: 5 * time.Second}))
	srv := &http.Server{Addr: addr, Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 8 << 10}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}
