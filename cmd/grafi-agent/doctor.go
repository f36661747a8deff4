package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/agent/service"
	"github.com/grafilab/grafi/internal/agentapi"
)

// finding is one thing that doctor looked at.
type finding struct {
	Name   string `json:"name"`
	Level  level  `json:"level"`
	Detail string `json:"detail"`
	// Mend says what to do about it.
	Mend string `json:"mend,omitempty"`
}

// level is how bad a finding is.
type level string

const (
	levelOK   level = "ok"
	levelWarn level = "warn" // works, but a person should know
	levelFail level = "fail" // attesting or delivering does not work
)

// report collects findings.
type report struct{ findings []finding }

func (r *report) ok(name, format string, args ...any) {
	r.findings = append(r.findings, finding{Name: name, Level: levelOK, Detail: fmt.Sprintf(format, args...)})
}

func (r *report) warn(name, mend, format string, args ...any) {
	r.findings = append(r.findings, finding{Name: name, Level: levelWarn, Detail: fmt.Sprintf(format, args...), Mend: mend})
}

func (r *report) fail(name, mend, format string, args ...any) {
	r.findings = append(r.findings, finding{Name: name, Level: levelFail, Detail: fmt.Sprintf(format, args...), Mend: mend})
}

var errUnwell = errors.New("something is wrong, see above")

func doctorCmd() *cobra.Command {
	return command(&cobra.Command{
		Use:   "doctor",
		Short: "Say what is wrong on this host and how to mend it",
		Long: `doctor looks at what run needs, with the same flags: the keys, the GPUs, every chain
endpoint, the clock, the host on chain and its inventory, the fee account, the probe
port, the prover, the running agent with its challenges, probes and devices, the
executor and telemetry. It changes nothing and ends with 1 when something
is wrong.`,
		Example: `  grafi-agent doctor
  grafi-agent doctor --output json`,
	}, func(cmd *cobra.Command, cfg config.Config, output string) error {
		ctx, cancel := context.WithTimeout(cmd.Context(), time.Minute)
		defer cancel()
		findings := diagnose(ctx, cfg)
		if err := show(cmd, output, findings, func(w *strings.Builder) { printFindings(w, findings) }); err != nil {
			return err
		}
		for _, f := range findings {
			if f.Level == levelFail {
				return errUnwell
			}
		}
		return nil
	})
}

func printFindings(w *strings.Builder, findings []finding) {
	marks := map[level]string{levelOK: "ok  ", levelWarn: "warn", levelFail: "FAIL"}
	for _, f := range findings {
		fmt.Fprintf(w, "%s  %-12s %s\n", marks[f.Level], f.Name, f.Detail)
		if f.Mend != "" {
			fmt.Fprintf(w, "      %-12s → %s\n", "", f.Mend)
		}
	}
}

func diagnose(ctx context.Context, cfg config.Config) []finding {
	var r report
	keys, err := service.LoadKeys(cfg)
	if err != nil {
		r.fail("keys", "run: grafi-agent init --home "+cfg.Home, "%s", err)
		return r.findings // everything else needs them
	}
	r.ok("keys", "agent key %x, readable by this user only", keys.Current.PublicKey())
	if len(keys.Agent) > 1 {
		r.warn("rotation", "send the message of \"grafi-agent rotate-key\", or remove "+service.KeyStore(cfg).Where(service.NextAgentKeyName), "a next agent key waits")
	}
	devices := checkGPUs(ctx, &r, cfg, keys)
	checkChain(ctx, &r, cfg, keys, devices)
	checkRunning(ctx, &r, cfg)
	return r.findings
}

func checkGPUs(ctx context.Context, r *report, cfg config.Config, keys service.Keys) []gpu.Device {
	log, err := logger(cfg)
	if err != nil {
		r.fail("logging", "see --help", "%s", err)
		return nil
	}
	source, err := service.Source(ctx, cfg, keys.Seed, log)
	if err != nil {
		r.fail("gpus", "update the NVIDIA driver, or choose another --gpu-source", "%s", err)
		return nil
	}
	defer func() { _ = source.Close() }() // only read
	if source.Kind() == gpu.KindSim {
		r.warn("gpus", "install the NVIDIA driver (nvidia-smi must work), then start again", "%s", service.SimNotice)
	}
	checkProver(r, source.Kind())
	devices, err := source.Devices(ctx)
	if err != nil {
		r.fail("gpus", "is the driver loaded? try: nvidia-smi", "%s", err)
		return nil
	}
	sample, err := source.Sample(ctx)
	if err != nil {
		r.fail("gpus", "is the driver healthy? try: nvidia-smi -q", "%s", err)
		return devices
	}
	for _, g := range sample.Readings {
		if g.Flags.Down() {
			r.fail("gpu", "reset or replace the card: nvidia-smi --gpu-reset", "%s: %v", g.UUID, g.Flags.Names())
		} else if g.Flags != 0 {
			r.warn("gpu", "look at: dmesg | grep -i xid", "%s: %v", g.UUID, g.Flags.Names())
		}
	}
	r.ok("gpus", "%d GPUs by %s, driver %s", len(devices), source.Kind(), driverOf(devices))
	return devices
}

func driverOf(devices []gpu.Device) string {
	if len(devices) == 0 {
		return "unknown"
	}
	return devices[0].Driver
}

func checkRunning(ctx context.Context, r *report, cfg config.Config) {
	st, err := agentapi.NewClient(cfg.Socket).Status(ctx)
	if err != nil {
		checkVersion(r, nil)
		r.fail("agent", "start it: grafi-agent run, or grafi-agent service start", "does not answer on %s: %s", cfg.Socket, err)
		return
	}
	checkVersion(r, &st)
	r.ok("agent", "runs since %s on %s", st.StartedAt.Format(time.RFC3339), cfg.Socket)
	switch {
	case st.ExecutorSeen.IsZero() && time.Since(st.StartedAt) < 90*time.Second:
		r.warn("executor", "wait 90 s and look again", "has not reported yet")
	case time.Since(st.ExecutorSeen) > 90*time.Second:
		r.fail("executor", "start it: grafi-executor run --agent-socket "+cfg.Socket,
			"is silent: every rental of this host is attested as not running")
	default:
		r.ok("executor", "reported %s ago", time.Since(st.ExecutorSeen).Round(time.Second))
	}
	if st.OutboxError != "" {
		r.fail("delivery", "see the message; unless it names something else, wait or fund "+st.FeePayer, "%d statements wait: %s", st.Outbox, st.OutboxError)
	} else {
		r.ok("delivery", "%d statements wait, last attested slot %d", st.Outbox, st.LastSlot)
	}
	checkProofs(r, st)
	checkProofMemory(r, st)
	checkTelemetry(r, st)
}
