package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/agent/service"
)

// memoryLimit keeps the heap small beside the renter's work: the agent's budget is
// 64 MiB resident, of which the program's own code takes a part.
const memoryLimit = 24 << 20

// gcPercent collects twice as often as usual, which this program hardly notices.
const gcPercent = 50

func runCmd() *cobra.Command {
	c := command(&cobra.Command{
		Use:   "run",
		Short: "Sample, attest and serve the executor until stopped",
		Long: `Runs the agent in the foreground, as a service manager wants it. It ends with code 0
on SIGINT and SIGTERM. When the NVIDIA driver was updated, it starts itself anew,
because a process can't load a library twice.`,
		Example: `  grafi-agent run
  grafi-agent run --home /var/lib/grafi-agent --log-format json
  grafi-agent run --gpu-source sim --sim-gpus 2   # local and test chains only`,
	}, func(cmd *cobra.Command, cfg config.Config, _ string) error {
		if os.Getenv("GOMEMLIMIT") == "" {
			debug.SetMemoryLimit(memoryLimit)
			debug.SetGCPercent(gcPercent)
		}
		if underManager() {
			return runHosted(cmd.Context(), cfg)
		}
		log, err := logger(cfg)
		if err != nil {
			return err
		}
		err = run(cmd.Context(), cfg, log)
		if errors.Is(err, gpu.ErrDriverUpdated) {
			log.Warn("starting anew to load the updated driver", "err", err)
			return restart(err)
		}
		return err
	})
	return c
}

// runHosted runs the agent as a service of Windows, where nobody reads stderr: it
// logs to agent.log in the home folder.
func runHosted(ctx context.Context, cfg config.Config) error {
	file, err := openLog(filepath.Join(cfg.Home, "agent.log"))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // every line was written
	log, err := loggerTo(file, cfg)
	if err != nil {
		return err
	}
	return host(ctx, func(ctx context.Context) error { return run(ctx, cfg, log) }, func(err error) {
		log.Error("the agent ends", "err", err)
		crash(err)
	})
}

func run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	client, err := service.Chain(cfg, log)
	if err != nil {
		return fmt.Errorf("%w: %w", config.ErrInvalid, err)
	}
	keys, err := service.LoadKeys(cfg)
	if err != nil {
		return err
	}
	chain, err := attest.NewChain(client, keys.Fee)
	if err != nil {
		return err
	}
	timeout, cancel := context.WithTimeout(ctx, 10*time.Second)
	err = service.FinishRotation(timeout, cfg, chain, log)
	cancel()
	if err != nil {
		return err
	}
	s, err := service.New(ctx, cfg, agentVersion(), log)
	if err != nil {
		return err
	}
	go keepSmall(ctx, log)
	return errors.Join(s.Run(ctx), s.Close())
}
