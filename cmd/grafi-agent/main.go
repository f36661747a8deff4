// Command grafi-agent runs beside a host's GPUs: it reads them, attests them to
// the chain, and signs what the executor reports.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/cosmos/cosmos-sdk/version"
	"github.com/spf13/cobra"

	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/internal/chaininfo"
)

// Exit codes.
const (
	exitFailure = 1 // it ran and failed, or doctor found a fault
	exitUsage   = 2 // the command line or the configuration is wrong
	exitAbsent  = 3 // no agent answers on the socket
)

// usageError makes the exit code exitUsage.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func main() {
	chaininfo.ConfigureSDK()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := rootCmd().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(exitCode(err))
	}
}

func exitCode(err error) int {
	var usage usageError
	switch {
	case errors.As(err, &usage), errors.Is(err, config.ErrInvalid):
		return exitUsage
	case errors.Is(err, errNoAgent):
		return exitAbsent
	}
	return exitFailure
}

func rootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "grafi-agent",
		Short: "Attests a host's GPUs and signs what its executor reports",
		Long: `grafi-agent runs beside a host's GPUs. It reads them, attests every slot to the
chain, and signs the starts and results that the executor reports.

It holds an agent key, which the operator's wallet binds to a host on chain, and a
hot fee key, which pays for transactions. The operator's wallet key is never here.

Every flag that is a setting can also be set in config.yaml in --home and in the
environment (GRAFI_AGENT_ and the name in capitals with _ for -). Flags win over
the environment, which wins over the file.`,
		Example: `  grafi-agent init --chain-id grafi-1 --node https://rpc1.example.com,https://rpc2.example.com
  grafi-agent show-registration --operator grafi1... --region DE --endpoint https://gpu1.example.com:8443
  grafi-agent run
  grafi-agent doctor`,
		SilenceErrors: true, SilenceUsage: true,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(initCmd(), runCmd(), statusCmd(), showRegistrationCmd(), showInventoryCmd(), rotateKeyCmd(), doctorCmd(), serviceCmd(), topCmd(), proveCmd(), versionCmd())
	return root
}

// command is a subcommand with the configuration's flags and --output.
func command(c *cobra.Command, run func(cmd *cobra.Command, cfg config.Config, output string) error) *cobra.Command {
	config.AddFlags(c.Flags())
	addOutput(c)
	c.Args = noArgs
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		output, err := outputOf(cmd)
		if err != nil {
			return err
		}
		cfg, err := config.Load(cmd.Flags(), os.Environ())
		if err != nil {
			return err
		}
		return run(cmd, cfg, output)
	}
	return c
}

func noArgs(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return usageError{err}
	}
	return nil
}

func addOutput(cmd *cobra.Command) { cmd.Flags().StringP("output", "o", "text", "text or json") }

func outputOf(cmd *cobra.Command) (string, error) {
	output, err := cmd.Flags().GetString("output")
	if err != nil {
		return "", err
	}
	if output != "text" && output != "json" {
		return "", usageError{fmt.Errorf("--output: got %q, want text or json", output)}
	}
	return output, nil
}

// show writes v as JSON, or lets text write it for people.
func show(cmd *cobra.Command, output string, v any, text func(*strings.Builder)) error {
	if output == "json" {
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	var b strings.Builder
	text(&b)
	_, err := io.WriteString(cmd.OutOrStdout(), b.String())
	return err
}

// logger writes to stderr, so that stdout is the command's answer alone.
func logger(cfg config.Config) (*slog.Logger, error) { return loggerTo(os.Stderr, cfg) }

func loggerTo(w io.Writer, cfg config.Config) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		return nil, usageError{fmt.Errorf("--log-level: got %q, want debug, info, warn or error", cfg.LogLevel)}
	}
	options := &slog.HandlerOptions{Level: level}
	switch cfg.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, usageError{fmt.Errorf("--log-format: got %q, want text or json", cfg.LogFormat)}
}

func versionCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		Example: "  grafi-agent version --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			output, err := outputOf(cmd)
			if err != nil {
				return err
			}
			info := version.NewInfo()
			return show(cmd, output, map[string]string{
				"version": agentVersion(), "commit": info.GitCommit, "go": info.GoVersion,
			}, func(w *strings.Builder) {
				fmt.Fprintf(w, "grafi-agent %s (commit %s, %s)\n", agentVersion(), orUnknown(info.GitCommit), info.GoVersion)
			})
		},
	}
	addOutput(c)
	return c
}

func agentVersion() string { return orUnknown(version.Version) }

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
