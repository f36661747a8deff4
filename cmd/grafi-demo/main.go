// Grafi-demo shows the whole path of a rental on one machine with the real
// programs: a chain, an operator with stake, a host with agent and executor, a
// listing, a rental, a container, its logs and result, the settlement; a
// reservation that fails and is made good, a vote, a day's rewards.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "grafi-demo:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

func command() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "grafi-demo",
		Short: "Rent a GPU on this machine, with a network of its own",
		Long: `Starts a chain, a host with agent and executor, lists the host's GPUs, rents one,
runs a container on it, follows its logs, fetches the result, settles, and prints
where every ugrafi went. Reserves another one and kills its agent: the chain closes
the rental and pays the renter from the operator's stake. Lets a proposal pass and a
day go by, claims rewards and computes them again. Then it stays up for you to try
things, until Ctrl-C.

With no NVIDIA driver the host offers a simulated GPU, and says so.`,
		Example: `  make demo
  grafi-demo --bin build --exit
  grafi-demo --bin build --dir /tmp/demo --engine process --allow-unisolated`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.bin, "bin", "build", "directory of the built programs")
	f.StringVar(&o.dir, "dir", ".demo", "directory for the network; emptied first")
	f.BoolVar(&o.exit, "exit", false, "end after the last step instead of staying up")
	f.StringVar(&o.engine, "engine", "auto", "container engine: auto, oci or process")
	f.BoolVar(&o.unisolated, "allow-unisolated", false, "fall back to the engine without isolation where namespaces are forbidden")
	f.IntVar(&o.basePort, "base-port", 26600, "first of ten ports of the node; the gateway listens at +9")
	return cmd
}
