package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// candidate is an engine and what it can do on this machine.
type candidate struct {
	Kind string
	engine.Capabilities
	// Allowed is whether the configuration lets it run.
	Allowed bool
	Picked  bool

	open func(context.Context) (engine.Engine, error)
}

var errNoEngine = errors.New("no engine can run workloads here")

// pick chooses the strongest engine that is usable and allowed. The candidates
// are in this order.
func pick(list []candidate, c config) (candidate, error) {
	var why []string
	for i, e := range list {
		if c.Engine != engineAuto && c.Engine != e.Kind {
			continue
		}
		if e.Usable && e.Allowed {
			list[i].Picked = true
			return list[i], nil
		}
		reason := strings.Join(e.Reasons, "; ")
		if e.Usable {
			reason = "is not isolated and runs only with --allow-unisolated"
		}
		why = append(why, e.Kind+": "+reason)
	}
	return candidate{}, fmt.Errorf("%w: %s", errNoEngine, strings.Join(why, ". "))
}

// openEngine opens the engine that run uses.
func openEngine(ctx context.Context, c config, log *slog.Logger) (engine.Engine, bool, error) {
	list := probeEngines(ctx, c)
	picked, err := pick(list, c)
	if err != nil {
		return nil, false, err
	}
	for _, e := range list {
		if e.Kind != picked.Kind && c.Engine == engineAuto && !e.Usable {
			log.Info("engine is not available", "engine", e.Kind, "why", strings.Join(e.Reasons, "; "))
		}
	}
	eng, err := picked.open(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("engine %s: %w", picked.Kind, err)
	}
	return eng, picked.Isolated, nil
}

func enginesCmd() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "engines", Short: "Show which engines work on this machine and which would be picked", Args: noArgs,
		Example: `  grafi-executor engines
  grafi-executor engines --allow-unisolated --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd.Flags(), os.Environ())
			if err != nil {
				return err
			}
			list := probeEngines(cmd.Context(), c)
			_, pickErr := pick(list, c)
			err = print(cmd.OutOrStdout(), output, map[string]any{"engines": views(list)}, func(w io.Writer) error {
				for _, e := range list {
					printEngine(w, e)
				}
				return nil
			})
			return errors.Join(err, pickErr)
		},
	}
	addConfigFlags(cmd.Flags())
	addOutput(cmd, &output)
	return cmd
}

// engineView is a candidate as JSON shows it.
type engineView struct {
	Kind           string   `json:"kind"`
	Picked         bool     `json:"picked"`
	Allowed        bool     `json:"allowed"`
	Usable         bool     `json:"usable"`
	Isolated       bool     `json:"isolated"`
	Root           bool     `json:"root"`
	Cgroup         string   `json:"cgroup"`
	Limits         []string `json:"limits"`
	Seccomp        bool     `json:"seccomp"`
	UserNamespace  bool     `json:"user_namespace"`
	IDMappedMounts bool     `json:"id_mapped_mounts"`
	CDI            bool     `json:"cdi"`
	Reasons        []string `json:"reasons"`
}

func views(list []candidate) []engineView {
	all := make([]engineView, len(list))
	for i, e := range list {
		all[i] = engineView{
			Kind: e.Kind, Picked: e.Picked, Allowed: e.Allowed, Usable: e.Usable, Isolated: e.Isolated, Root: e.Root,
			Cgroup: string(e.Cgroup), Limits: append([]string{}, e.Limits...), Seccomp: e.Seccomp, UserNamespace: e.UserNamespace,
			IDMappedMounts: e.IDMappedMounts, CDI: e.CDI, Reasons: append([]string{}, e.Reasons...),
		}
	}
	return all
}

func printEngine(w io.Writer, e candidate) {
	mark := "  "
	if e.Picked {
		mark = "→ "
	}
	state := "works"
	if !e.Usable {
		state = "does not work"
	} else if !e.Allowed {
		state = "works, but not without --allow-unisolated"
	}
	fmt.Fprintf(w, "%s%s: %s\n", mark, e.Kind, state)
	if e.Usable {
		isolation := "isolated"
		if !e.Isolated {
			isolation = "NOT isolated from this host or from other workloads"
		}
		fmt.Fprintf(w, "    %s; cgroup %s, limits %v; root %t, seccomp %t, user namespace %t, id-mapped mounts %t, CDI %t\n",
			isolation, orNone(string(e.Cgroup)), e.Limits, e.Root, e.Seccomp, e.UserNamespace, e.IDMappedMounts, e.CDI)
	}
	for _, r := range e.Reasons {
		fmt.Fprintf(w, "    - %s\n", r)
	}
}
