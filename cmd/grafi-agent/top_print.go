package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/grafilab/grafi/internal/agentapi"
)

// printTop writes one picture.
func printTop(w *strings.Builder, st agentapi.Status, now time.Time, paint func(string, colour) string) {
	if st.Notice != "" {
		fmt.Fprintln(w, paint(st.Notice, yellow))
	}
	host := "not registered"
	if st.HostID != 0 {
		host = fmt.Sprintf("host %d", st.HostID)
	}
	tier := ""
	if st.Proofs != nil && st.HostID != 0 {
		tier = fmt.Sprintf(" · trust tier T%d", st.Proofs.TrustTier)
	}
	fmt.Fprintf(w, "%s  %s · %s · height %d · up %s%s\n", paint("grafi-agent "+st.Version, bold), st.ChainID, host, st.Height,
		now.Sub(st.StartedAt).Round(time.Second), tier)
	attested := "no slot attested yet"
	if st.LastSlot != 0 {
		attested = fmt.Sprintf("attested slot %d, %s ago", st.LastSlot, now.Sub(st.LastAttestedAt).Round(time.Second))
	}
	executor := "no executor yet"
	if !st.ExecutorSeen.IsZero() {
		executor = fmt.Sprintf("executor %s ago", now.Sub(st.ExecutorSeen).Round(time.Second))
	}
	fmt.Fprintf(w, "%s · %d to deliver · %s · clock %+.1f s\n\n", attested, st.Outbox, executor, st.ClockSkewSeconds)
	topGPUs(w, st, paint)
	topProofs(w, st, now, paint)
	topTelemetry(w, st, now)
	topProblem(w, paint, "driver", st.DriverError)
	topProblem(w, paint, "chain", st.ChainError)
	topProblem(w, paint, "delivery", st.OutboxError)
	if p := st.Proofs; p != nil {
		topProblem(w, paint, "challenges", p.ChallengeError)
		topProblem(w, paint, "probes", p.ProbeError)
		topProblem(w, paint, "devices", p.DeviceError)
	}
	if st.Telemetry != nil {
		topProblem(w, paint, "telemetry", st.Telemetry.Error)
	}
}

func topProblem(w *strings.Builder, paint func(string, colour) string, name, problem string) {
	if problem != "" {
		fmt.Fprintf(w, "%s %s\n", paint("! "+name+":", red), problem)
	}
}

const barWidth = 20

func topGPUs(w *strings.Builder, st agentapi.Status, paint func(string, colour) string) {
	fmt.Fprintln(w, paint(fmt.Sprintf("%-4s %-6s %-12s %-*s %-*s %7s %7s  %s", "GPU", "STATE", "CLASS",
		barWidth+5, "UTILISATION", barWidth+14, "MEMORY MiB", "TEMP", "POWER", "NAME"), dim))
	for _, g := range st.GPUs {
		ordinal, state, mark := fmt.Sprint(g.Ordinal), "up", green
		if g.Ordinal < 0 {
			ordinal = "-"
		}
		if !g.Up {
			state, mark = "DOWN", red
		}
		unknown := strings.Join(g.Unsupported, " ")
		or := func(reading, value string) string {
			if strings.Contains(unknown, reading) {
				return "-"
			}
			return value
		}
		fmt.Fprintf(w, "%-4s %s %-12s %-*s %-*s %7s %7s  %s %s\n", ordinal, paint(fmt.Sprintf("%-6s", state), mark), orDash(g.Class),
			barWidth+5, or("utilization", fmt.Sprintf("%s %3d%%", bar(uint64(g.Utilization), 100, barWidth), g.Utilization)),
			barWidth+14, or("memory", fmt.Sprintf("%s %6d/%d", bar(g.MemoryUsed, g.MemoryTotal, barWidth), g.MemoryUsed, g.MemoryTotal)),
			or("temperature", fmt.Sprintf("%d °C", g.Temperature)), or("power", fmt.Sprintf("%d W", g.Power/1000)),
			orDash(g.Name), paint(strings.Join(g.Flags, ", "), red))
	}
	fmt.Fprintln(w)
}

func topProofs(w *strings.Builder, st agentapi.Status, now time.Time, paint func(string, colour) string) {
	p := st.Proofs
	if p == nil {
		return
	}
	if c := p.Challenge; c == nil {
		fmt.Fprintln(w, "challenge   none yet")
	} else {
		fmt.Fprintf(w, "challenge   %d %s (%s), %s ago\n", c.ID, c.State, strings.ToLower(c.Reason), now.Sub(c.StartedAt).Round(time.Second))
		for _, g := range c.GPUs {
			mark := green
			switch g.Outcome {
			case "PENDING":
				mark = yellow
			case "MISSED", "WRONG":
				mark = red
			}
			speed := ""
			if g.GOPS > 0 {
				speed = fmt.Sprintf(" at %.1f TOPS", float64(g.GOPS)/1000)
			}
			fmt.Fprintf(w, "            GPU %d %s%s %s\n", g.Ordinal, paint(g.Outcome, mark), speed, g.Detail)
		}
	}
	listening := "no inbound port"
	if p.Probes.Listening != "" {
		listening = "listens on " + p.Probes.Listening
	}
	fmt.Fprintf(w, "probes      %d made, %d taken, %d failed, %d to deliver; %s\n", p.Probes.Made, p.Probes.Taken, p.Probes.Failed, p.Probes.ToDeliver, listening)
	if !p.Probes.LastAt.IsZero() {
		fmt.Fprintf(w, "            host %d, %s ago: up %d, down %d Mbit/s, %.1f ms\n", p.Probes.LastPeer, now.Sub(p.Probes.LastAt).Round(time.Second),
			p.Probes.LastUpMbps, p.Probes.LastDownMbps, float64(p.Probes.LastRTTMicro)/1000)
	}
	if p.Probes.LastError != "" {
		fmt.Fprintf(w, "            %s\n", paint(p.Probes.LastError, yellow))
	}
	for _, d := range p.Devices {
		state := d.Why
		if d.Serial != "" {
			state = fmt.Sprintf("die %s until %s %s", d.Serial, d.ExpiresAt.Format(time.DateOnly), d.Why)
		}
		fmt.Fprintf(w, "device      GPU %d T%d %s\n", d.Ordinal, d.TrustTier, state)
	}
}

func topTelemetry(w *strings.Builder, st agentapi.Status, now time.Time) {
	t := st.Telemetry
	if t == nil {
		return
	}
	sent := "nothing sent yet"
	if !t.LastSentAt.IsZero() {
		sent = fmt.Sprintf("slot %d sent %s ago", t.LastSlot, now.Sub(t.LastSentAt).Round(time.Second))
	}
	fmt.Fprintf(w, "telemetry   %s: %s, %d wait, %d forgotten\n", t.Address, sent, t.Waiting, t.Dropped)
}
