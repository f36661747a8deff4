// Command grafi-executor runs on a host with GPUs what the chain says is rented.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/version"

	"github.com/grafilab/grafi/internal/chaininfo"
)

// Exit codes.
const (
	exitFailure = 1 // it ran and failed
	exitUsage   = 2 // the command line or the configuration is wrong
)

// usageError makes the exit code exitUsage.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func main() {
	reexec() // never returns in a workload's own processes
	chaininfo.ConfigureSDK()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := rootCmd().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	var usage usageError
	if errors.As(err, &usage) {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailure)
}

func rootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "grafi-executor",
		Short: "Runs on a host with GPUs what the chain says is rented",
		Long: `grafi-executor watches the chain for rentals of this host, runs their containers,
and stops them at their deadline. It speaks to the chain through the agent beside
it, and to renters through its gateway.

Every flag of a command can also be set in the file that --config names (YAML, the
flag's name without the dashes) and in the environment (GRAFI_EXECUTOR_ and the
name in capitals with _ for -). Flags win over the environment, which wins over
the file.`,
		Example: `  grafi-executor doctor
  grafi-executor run --node http://localhost:26657 --agent-socket /run/grafi/agent.sock --home /var/lib/grafi-executor`,
		SilenceErrors: true, SilenceUsage: true,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(runCmd(), enginesCmd(), doctorCmd(), versionCmd())
	return root
}

func noArgs(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return usageError{err}
	}
	return nil
}

func versionCmd() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		Example: "  grafi-executor version --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			info := version.NewInfo()
			return print(cmd.OutOrStdout(), output, map[string]string{
				"version": info.Version, "commit": info.GitCommit, "go": info.GoVersion,
			}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "grafi-executor %s (commit %s, %s)\n", orNone(info.Version), orNone(info.GitCommit), info.GoVersion)
				return err
			})
		},
	}
	addOutput(cmd, &output)
	return cmd
}

func orNone(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func addOutput(cmd *cobra.Command, output *string) {
	cmd.Flags().StringVarP(output, "output", "o", "text", "text or json")
}

// print writes v as JSON, or lets text write it for people.
func print(w io.Writer, output string, v any, text func(io.Writer) error) error {
	switch output {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	case "text":
		return text(w)
	}
	return usageError{fmt.Errorf("--output: got %q, want text or json", output)}
}
