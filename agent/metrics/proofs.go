package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/grafilab/grafi/agent/challenge"
	"github.com/grafilab/grafi/agent/device"
	"github.com/grafilab/grafi/agent/probe"
	"github.com/grafilab/grafi/internal/agentapi"
)

// proofs counts what the proofs came to.
type proofs struct {
	challenges, probes, devices *prometheus.CounterVec
	tier, gops                  *prometheus.Desc
}

var (
	_ challenge.Observer = (*Metrics)(nil)
	_ probe.Observer     = (*Metrics)(nil)
	_ device.Observer    = (*Metrics)(nil)
)

func newProofs(labels prometheus.Labels, counter func(name, help string, by ...string) *prometheus.CounterVec) proofs {
	return proofs{
		challenges: counter("challenges_total", "Challenged GPUs by outcome.", "outcome"),
		probes:     counter("probes_total", "Probes of connections by outcome.", "outcome"),
		devices:    counter("device_reports_total", "Device reports by outcome.", "outcome"),
		tier:       prometheus.NewDesc("grafi_agent_trust_tier", "Least trust tier of the host's GPUs.", nil, labels),
		gops:       prometheus.NewDesc("grafi_agent_gpu_proven_gops", "Measured 10^9 operations per second in the newest challenge.", []string{"ordinal"}, labels),
	}
}

func (p proofs) register(r *prometheus.Registry) { r.MustRegister(p.challenges, p.probes, p.devices) }

// ChallengeEnded implements challenge.Observer.
func (m *Metrics) ChallengeEnded(outcome string, _ uint64) {
	m.proofs.challenges.WithLabelValues(outcome).Inc()
}

// Probed implements probe.Observer.
func (m *Metrics) Probed(outcome string) { m.proofs.probes.WithLabelValues(outcome).Inc() }

// DeviceReported implements device.Observer.
func (m *Metrics) DeviceReported(outcome string) { m.proofs.devices.WithLabelValues(outcome).Inc() }

// collect shows what the status says of the proofs.
func (p proofs) collect(out chan<- prometheus.Metric, st *agentapi.Proofs) {
	if st == nil {
		return
	}
	out <- prometheus.MustNewConstMetric(p.tier, prometheus.GaugeValue, float64(st.TrustTier))
	if st.Challenge == nil {
		return
	}
	for _, g := range st.Challenge.GPUs {
		if g.GOPS > 0 {
			out <- prometheus.MustNewConstMetric(p.gops, prometheus.GaugeValue, float64(g.GOPS), strconv.Itoa(int(g.Ordinal)))
		}
	}
}
