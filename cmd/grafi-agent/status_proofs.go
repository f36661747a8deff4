package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/grafilab/grafi/internal/agentapi"
)

// printProofs shows how far the host is proven.
func printProofs(w *strings.Builder, p *agentapi.Proofs, now time.Time) {
	if p == nil {
		return
	}
	t := &strings.Builder{}
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	problem := func(why string) {
		if why != "" {
			row("", "! %s", why)
		}
	}
	row("trust tier", "%d", p.TrustTier)
	if c := p.Challenge; c == nil {
		row("challenge", "none yet")
	} else {
		row("challenge", "%d %s, %s, %s ago", c.ID, strings.ToLower(c.Reason), strings.ToLower(c.State), now.Sub(c.StartedAt).Round(time.Second))
		for _, g := range c.GPUs {
			measured := ""
			if g.GOPS > 0 {
				measured = fmt.Sprintf(", %d GOPS", g.GOPS)
			}
			row("", "GPU %d %s%s %s", g.Ordinal, strings.ToLower(g.Outcome), measured, g.Detail)
		}
		if c.EndedSlot > 0 {
			row("", "! it ended unanswered in slot %d: its GPUs are attested as down there", c.EndedSlot)
		}
	}
	problem(p.ChallengeError)
	listening := p.Probes.Listening
	if listening == "" {
		listening = "no inbound port"
	}
	row("probes today", "%d made, %d taken, %d failed, %d to deliver (%s)", p.Probes.Made, p.Probes.Taken, p.Probes.Failed, p.Probes.ToDeliver, listening)
	if !p.Probes.LastAt.IsZero() {
		row("", "host %d %s ago: %d Mbit/s up, %d down, %d µs", p.Probes.LastPeer, now.Sub(p.Probes.LastAt).Round(time.Second),
			p.Probes.LastUpMbps, p.Probes.LastDownMbps, p.Probes.LastRTTMicro)
	}
	problem(p.Probes.LastError)
	problem(p.ProbeError)
	for _, d := range p.Devices {
		state := orDash(d.Why)
		if d.Serial != "" {
			state = fmt.Sprintf("die %s until %s", d.Serial, d.ExpiresAt.UTC().Format(time.DateTime))
			if d.Why != "" {
				state += ", not renewed: " + d.Why
			}
		}
		row("device", "GPU %d tier %d: %s", d.Ordinal, d.TrustTier, state)
	}
	problem(p.DeviceError)
	w.WriteString(align(t.String()) + "\n")
}
