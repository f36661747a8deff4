package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/internal/agentapi"
)

var errNoAgent = errors.New("no agent answers")

func statusCmd() *cobra.Command {
	return command(&cobra.Command{
		Use:   "status",
		Short: "Show what the running agent sees and has attested",
		Long: `Asks the agent on its socket. The exit code is 3 when none answers, and 0 else: what
is wrong with a running agent is in the answer, and "doctor" says how to mend it.`,
		Example: `  grafi-agent status
  grafi-agent status --output json`,
	}, func(cmd *cobra.Command, cfg config.Config, output string) error {
		st, err := agentapi.NewClient(cfg.Socket).Status(cmd.Context())
		if errors.Is(err, agentapi.ErrUnreachable) {
			return fmt.Errorf("%w on %s: is \"grafi-agent run\" running? (%w)", errNoAgent, cfg.Socket, err)
		}
		if err != nil {
			return err
		}
		return show(cmd, output, st, func(w *strings.Builder) { printStatus(w, st, time.Now()) })
	})
}

func printStatus(w *strings.Builder, st agentapi.Status, now time.Time) {
	t := &strings.Builder{}
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	if st.Notice != "" {
		fmt.Fprintf(t, "*** %s ***\n", st.Notice)
	}
	row("agent", "%s, up %s", st.Version, now.Sub(st.StartedAt).Round(time.Second))
	row("chain", "%s, height %d, %s", st.ChainID, st.Height, st.Endpoint)
	if st.ChainError != "" {
		row("", "! %s", st.ChainError)
	}
	if st.HostID == 0 {
		row("host", "not registered on chain yet (grafi-agent show-registration)")
	} else {
		row("host", "%d", st.HostID)
	}
	row("agent key", "%s", st.AgentKey)
	row("fee account", "%s", st.FeePayer)
	if st.LastSlot == 0 {
		row("attested", "no slot yet")
	} else {
		row("attested", "slot %d, %s ago", st.LastSlot, now.Sub(st.LastAttestedAt).Round(time.Second))
	}
	row("to deliver", "%d", st.Outbox)
	if st.OutboxError != "" {
		row("", "! %s", st.OutboxError)
	}
	if st.ExecutorSeen.IsZero() {
		row("executor", "has not reported since the agent started")
	} else {
		row("executor", "reported %s ago", now.Sub(st.ExecutorSeen).Round(time.Second))
	}
	if st.DriverError != "" {
		row("driver", "! %s", st.DriverError)
	}
	w.WriteString(align(t.String()) + "\n")
	printProofs(w, st.Proofs, now)
	topTelemetry(w, st, now)
	printGPUs(w, st)
}

func printGPUs(w *strings.Builder, st agentapi.Status) {
	t := &strings.Builder{}
	fmt.Fprintln(t, "GPU\tSTATE\tCLASS\tNAME\tUTIL\tMEMORY MiB\tTEMP\tPOWER\tUUID")
	for _, g := range st.GPUs {
		ordinal, state := fmt.Sprint(g.Ordinal), "up"
		if g.Ordinal < 0 {
			ordinal = "not declared"
		}
		if !g.Up {
			state = "DOWN"
		}
		if st.Simulated {
			state += " (SIM)"
		}
		if len(g.Flags) > 0 {
			state += " " + strings.Join(g.Flags, ", ")
		}
		unknown := strings.Join(g.Unsupported, " ")
		value := func(reading, format string, args ...any) string {
			if strings.Contains(unknown, reading) {
				return "-"
			}
			return fmt.Sprintf(format, args...)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", ordinal, state, orDash(g.Class), orDash(g.Name),
			value("utilization", "%d %%", g.Utilization), value("memory", "%d / %d", g.MemoryUsed, g.MemoryTotal),
			value("temperature", "%d °C", g.Temperature), value("power", "%d W", g.Power/1000), g.UUID)
	}
	w.WriteString(align(t.String()))
}

// align puts cells that are separated by tabs into columns.
func align(s string) string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	_, err := t.Write([]byte(s))
	if err = errors.Join(err, t.Flush()); err != nil {
		return s // a builder takes everything; unaligned is still readable
	}
	return b.String()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
