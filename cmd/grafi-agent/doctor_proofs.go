package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/cosmos/cosmos-sdk/version"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/agent/prove"
	"github.com/grafilab/grafi/internal/agentapi"
)

// checkVersion says what runs here, and whether the running agent is the same.
func checkVersion(r *report, st *agentapi.Status) {
	mine := agentVersion()
	switch {
	case st != nil && st.Version != mine:
		r.warn("version", "restart the agent: grafi-agent service stop, then start", "this program is %s, the running agent is %s", mine, st.Version)
	default:
		r.ok("version", "%s, %s", mine, version.NewInfo().GoVersion)
	}
}

// checkProver says whether challenges can be computed here.
func checkProver(r *report, kind gpu.Kind) {
	if kind != gpu.KindNVML {
		r.ok("prover", "this machine's processor, for simulated GPUs")
		return
	}
	p, err := prove.OpenCUDA("")
	if err != nil {
		r.fail("prover", "install the CUDA driver library that belongs to the display driver (libcuda.so.1, package libcuda1 or nvidia-compute-utils; nvcuda.dll on Windows)",
			"no challenge can be answered: %s", err)
		return
	}
	defer func() { _ = p.Close() }() // only looked
	var names []string
	for _, d := range p.Devices() {
		names = append(names, fmt.Sprintf("%s (sm_%d%d)", d.Name, d.Major, d.Minor))
	}
	r.ok("prover", "CUDA driver with %s", strings.Join(names, ", "))
}

// proofMemoryMiB is what the largest class profile needs on the card: C is 2^14 × 2^14
// numbers of 4 bytes, and A and B are 2^14 × 2^15 bytes each.
const proofMemoryMiB = 2560

// checkProofMemory: a GPU that is not rented must have room for its challenge.
func checkProofMemory(r *report, st agentapi.Status) {
	if st.Simulated {
		return
	}
	for _, g := range st.GPUs {
		free := g.MemoryTotal - min(g.MemoryUsed, g.MemoryTotal)
		if g.Up && g.MemoryTotal > 0 && free < proofMemoryMiB {
			r.warn("memory", "end what uses the card outside of a rental (nvidia-smi shows it): a challenge in this state is missed",
				"GPU %d has %d MiB free, a challenge may need %d", g.Ordinal, free, proofMemoryMiB)
		}
	}
}

// checkProofs says how the running agent's proofs do.
func checkProofs(r *report, st agentapi.Status) {
	if skew := time.Duration(st.ClockSkewSeconds * float64(time.Second)); skew.Abs() > attest.MaxSkew {
		r.warn("clock", "synchronise it: timedatectl set-ntp true (w32tm /resync on Windows)", "local time is %s from block time, and the executor goes by it", skew.Round(time.Second))
	}
	p := st.Proofs
	if p == nil {
		return
	}
	checkChallenge(r, p)
	switch {
	case p.ProbeError != "":
		r.warn("probes", "see the message", "%s", p.ProbeError)
	case p.Probes.LastError != "":
		r.warn("probes", "look whether the other hosts' ports are reachable from here", "%d made, %d taken, %d failed, the last: %s",
			p.Probes.Made, p.Probes.Taken, p.Probes.Failed, p.Probes.LastError)
	default:
		r.ok("probes", "%d made, %d taken, %d failed today", p.Probes.Made, p.Probes.Taken, p.Probes.Failed)
	}
	if p.DeviceError != "" {
		r.warn("device", "see the message", "%s", p.DeviceError)
	}
	for _, d := range p.Devices {
		switch {
		case d.Serial != "" && d.Why == "":
			r.ok("device", "GPU %d: die %s is registered until %s", d.Ordinal, d.Serial, d.ExpiresAt.Format(time.DateOnly))
		case d.Serial != "":
			r.warn("device", "mend it before the registration ends", "GPU %d: registered until %s, but: %s", d.Ordinal, d.ExpiresAt.Format(time.DateOnly), d.Why)
		case !st.Simulated:
			r.warn("device", "only trust tier T3 needs it (docs/operators: device attestation)", "GPU %d is not attested as a device: %s", d.Ordinal, d.Why)
		}
	}
	if st.HostID != 0 && p.TrustTier == 0 {
		r.warn("trust", "wait for the first passed challenge: a host of tier T0 earns no mining reward", "the host is T0")
	}
}

func checkChallenge(r *report, p *agentapi.Proofs) {
	if p.ChallengeError != "" {
		r.fail("challenge", "mend it now: unanswered challenges cost", "%s", p.ChallengeError)
	}
	c := p.Challenge
	if c == nil {
		r.ok("challenge", "none yet")
		return
	}
	bad := false
	for _, g := range c.GPUs {
		switch g.Outcome {
		case "MISSED":
			bad = true
			r.warn("challenge", "look whether the GPU was used by something else: grafi-agent prove --selftest",
				"challenge %d, GPU %d: missed %s", c.ID, g.Ordinal, g.Detail)
		case "WRONG":
			bad = true
			r.fail("challenge", "take the card out of service, it computes wrongly: grafi-agent prove --selftest",
				"challenge %d, GPU %d: wrong %s", c.ID, g.Ordinal, g.Detail)
		}
	}
	if !bad {
		r.ok("challenge", "%d %s", c.ID, strings.ToLower(c.State))
	}
}

// checkProbeEndpoint dials what the chain says of this host. A router that does not
// let a machine reach its own outside address makes it fail too.
func checkProbeEndpoint(ctx context.Context, r *report, cfg config.Config, endpoint string) {
	switch {
	case endpoint == "" && cfg.ProbeListen == "":
		r.ok("probe port", "none: this host connects to its probers")
	case endpoint == "":
		r.warn("probe port", "give it to the chain: grafid tx attestation update-host, or leave probe-listen empty",
			"the agent listens on %s, and the chain has no probe endpoint of this host", cfg.ProbeListen)
	case cfg.ProbeListen == "":
		r.fail("probe port", "set probe-listen, or take the endpoint from the chain",
			"the chain says %s and the agent listens nowhere: probers can't reach it", endpoint)
	default:
		timeout, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		var d net.Dialer
		conn, err := d.DialContext(timeout, "tcp", endpoint)
		if err != nil {
			r.warn("probe port", "open the port in the firewall and the router; from inside some routers it fails although it works",
				"%s is not reached from here: %s", endpoint, err)
			return
		}
		_ = conn.Close()
		r.ok("probe port", "%s is reached", endpoint)
	}
}

func checkTelemetry(r *report, st agentapi.Status) {
	t := st.Telemetry
	switch {
	case t == nil:
	case t.Error != "":
		r.warn("telemetry", "check telemetry-address and telemetry-server-key; attestation does not need it", "%d batches wait: %s", t.Waiting, t.Error)
	default:
		r.ok("telemetry", "slot %d sent, %d batches wait, %d forgotten", t.LastSlot, t.Waiting, t.Dropped)
	}
}
