package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/agentapi"
)

func picture() agentapi.Status {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	return agentapi.Status{
		Version: "v1", ChainID: "grafi-1", HostID: 7, Height: 99, StartedAt: now.Add(-time.Hour), LastSlot: 5, LastAttestedAt: now.Add(-time.Minute),
		OutboxError: "no funds", ClockSkewSeconds: -1.25,
		GPUs: []agentapi.GPUStatus{
			{Ordinal: 0, Name: "NVIDIA H100", Class: "h100", Up: true, Utilization: 50, MemoryUsed: 40, MemoryTotal: 80, Temperature: 61, Power: 350_000},
			{Ordinal: -1, Name: "X", Flags: []string{"xid 79"}, Unsupported: []string{"temperature", "power"}},
		},
		Proofs: &agentapi.Proofs{
			TrustTier: 2,
			Challenge: &agentapi.ChallengeStatus{ID: 12, State: "OVER", Reason: "DRAW", StartedAt: now.Add(-time.Minute), GPUs: []agentapi.ChallengeGPU{
				{Ordinal: 0, Outcome: "PASSED", GOPS: 1_600_500}, {Ordinal: 1, Outcome: "WRONG", Detail: "row 3"},
			}},
			Probes:  agentapi.ProbeStatus{Made: 3, Taken: 2, LastAt: now, LastPeer: 9, LastUpMbps: 900, LastDownMbps: 800, LastRTTMicro: 1500},
			Devices: []agentapi.DeviceStatus{{Ordinal: 0, TrustTier: 2, Why: "the card is older than NVIDIA Hopper"}},
		},
		Telemetry: &agentapi.TelemetryStatus{Address: "data:1", Waiting: 4},
	}
}

func TestTopShowsEverything(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	var b strings.Builder
	printTop(&b, picture(), now, painter(false))
	for _, want := range []string{
		"host 7", "T2", "height 99", "attested slot 5, 1m0s ago", "clock -1.2 s", " 50%", "40/80", "61 °C", "350 W", "DOWN", "xid 79",
		"challenge   12 OVER", "GPU 0 PASSED at 1600.5 TOPS", "GPU 1 WRONG row 3", "3 made, 2 taken", "up 900, down 800 Mbit/s, 1.5 ms",
		"older than NVIDIA Hopper", "telemetry   data:1: nothing sent yet, 4 wait", "! delivery: no funds",
	} {
		require.Contains(t, b.String(), want)
	}
	require.NotContains(t, b.String(), "\x1b")
	var colours strings.Builder
	printTop(&colours, picture(), now, painter(true))
	require.Contains(t, colours.String(), "\x1b[31mWRONG\x1b[0m")
}

func TestFrameFitsTheTerminal(t *testing.T) {
	text := "a\x1b[31mbcdef\x1b[0m\nsecond\nthird\n"
	require.Equal(t, "\x1b[Ha\x1b[31mbc\x1b[0m\x1b[K\r\nsec\x1b[K\r\n\x1b[J", frame(text, 3, 3))
	require.Equal(t, "°°", cut("°°°", 2), "columns, not bytes")
}

func TestBar(t *testing.T) {
	require.Equal(t, strings.Repeat("░", 4), bar(0, 0, 4))
	require.Equal(t, "██░░", bar(1, 2, 4))
	require.Equal(t, "████", bar(9, 2, 4))
}

func TestTopWithoutAnAgent(t *testing.T) {
	_, stderr, code := do(t, "top", "--once", "--home", newHome(t))
	require.Equal(t, exitAbsent, code, stderr)
	_, _, code = do(t, "top", "--every", "1ms")
	require.Equal(t, exitUsage, code)
}

// TestDoctorOfProofs: whatever is wrong comes with what mends it.
func TestDoctorOfProofs(t *testing.T) {
	st := picture()
	st.ClockSkewSeconds = 42
	st.Telemetry.Error = "no route"
	st.Version = "v0"
	var r report
	checkVersion(&r, &st)
	checkProofs(&r, st)
	checkProofMemory(&r, st)
	checkTelemetry(&r, st)
	got := map[string]level{}
	for _, f := range r.findings {
		got[f.Name] = f.Level
		if f.Level != levelOK {
			require.NotEmpty(t, f.Mend, "%+v", f)
		}
	}
	require.Equal(t, map[string]level{
		"version": levelWarn, "clock": levelWarn, "challenge": levelFail, "probes": levelOK, "device": levelWarn, "memory": levelWarn, "telemetry": levelWarn,
	}, got)
}
