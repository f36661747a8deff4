package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/offchain/executor/chain"
	"github.com/grafilab/grafi/offchain/executor/gateway"
	"github.com/grafilab/grafi/offchain/executor/reconcile"
	"github.com/grafilab/grafi/offchain/executor/store"
)

func runCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "run", Short: "Run the executor until it is told to stop", Args: noArgs,
		Long: `Run reconciles this host with the chain on start, every --reconcile-interval and
whenever the chain tells of a rental. A stop (SIGTERM, Ctrl-C) leaves the
workloads running; the next start finds them again.`,
		Example: `  grafi-executor run --node https://rpc1.example.org,https://rpc2.example.org
  grafi-executor run --engine process --allow-unisolated --reconcile-interval 2s
  GRAFI_EXECUTOR_LISTEN=:9443 grafi-executor run --config /etc/grafi/executor.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd.Flags(), os.Environ())
			if err != nil {
				return err
			}
			log, err := c.logger()
			if err != nil {
				return err
			}
			return run(cmd.Context(), c, log)
		},
	}
	addConfigFlags(cmd.Flags())
	return cmd
}

// run wires everything and blocks until ctx ends, which is a clean stop.
func run(ctx context.Context, c config, log *slog.Logger) (err error) {
	// Others may pass through, to the volumes of workloads that run as another
	// user, and see nothing: every file in it is closed to them.
	if err := os.MkdirAll(c.Home, 0o711); err != nil {
		return err
	}
	if err := writeSimSpec(c.Home); err != nil {
		return err
	}
	db, err := store.Open(filepath.Join(c.Home, "executor.db"))
	if err != nil {
		return err
	}
	defer func() {
		if cerr := db.Close(); err == nil {
			err = cerr
		}
	}()
	eng, isolated, err := openEngine(ctx, c, log)
	if err != nil {
		return err
	}
	images, err := openImages(c)
	if err != nil {
		return err
	}
	if removed, err := pruneImages(ctx, images, eng, db); err != nil {
		log.Warn("images not pruned", "err", err)
	} else if len(removed) > 0 {
		log.Info("images pruned", "images", removed)
	}
	log.Info("engine", "name", eng.Name(), "isolated", isolated)
	if !isolated {
		log.Warn("workloads are NOT isolated from this host or from each other")
	}
	agent := agentapi.NewClient(c.AgentSocket)
	owner, err := identify(ctx, c, db, agent, log)
	if err != nil || ctx.Err() != nil {
		return err
	}
	client, err := chainclient.New(chainclient.Config{ChainID: owner.ChainID, Endpoints: c.Node}, log)
	if err != nil {
		return usageError{err}
	}
	reader := chain.NewReader(client)
	host := &hostInfo{reader: reader, hostID: owner.HostID, config: c}

	loop := reconcile.New(reconcile.Config{
		HostID: owner.HostID, Chain: reader, Engine: eng, Images: images, Devices: host.devices, Agent: agent, Store: db,
		Policy: reconcile.Policy{
			ClockGrace: c.ClockGrace, RenewalGrace: c.RenewalGrace, PrepareAhead: c.PrepareAhead,
			Retention: c.Retention, HandAgain: 30 * time.Second,
		},
		Interval: c.Interval, Now: time.Now, Log: log,
	})
	certificates, err := gateway.NewCertificates(agent, time.Now)
	if err != nil {
		return err
	}
	door := gateway.New(gateway.Config{
		ChainID: owner.ChainID, HostID: owner.HostID, Chain: reader, Engine: eng, Isolated: isolated, Store: db,
		Executor: loop, Share: host.share, Certificate: certificates.Get, Now: time.Now, Log: log,
	})
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	log.Info("executor runs", "chain", owner.ChainID, "host", owner.HostID, "gateway", listener.Addr().String(), "interval", c.Interval)

	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return loop.Run(gctx) })
	g.Go(func() error { return door.Serve(gctx, listener) })
	g.Go(func() error { return chain.Wakeup(gctx, c.Node, owner.HostID, loop.Wake, log) })
	err = g.Wait()
	log.Info("executor stopped; workloads go on")
	return err
}

// identify finds out which host this is: as configured, as remembered, or as the
// agent says, which is waited for.
func identify(ctx context.Context, c config, db *store.Store, agent *agentapi.Client, log *slog.Logger) (store.Owner, error) {
	owner := store.Owner{ChainID: c.ChainID, HostID: c.HostID}
	if remembered, ok, err := db.Owner(); err != nil {
		return owner, err
	} else if ok {
		if owner.ChainID == "" {
			owner.ChainID = remembered.ChainID
		}
		if owner.HostID == 0 {
			owner.HostID = remembered.HostID
		}
	}
	for owner.ChainID == "" || owner.HostID == 0 {
		st, err := agent.Status(ctx)
		switch {
		case err != nil:
			log.Warn("waiting for the agent", "socket", c.AgentSocket, "err", err)
		case c.ChainID != "" && st.ChainID != c.ChainID:
			return owner, usageError{fmt.Errorf("--chain-id: got %q, the agent is on %q", c.ChainID, st.ChainID)}
		case st.HostID == 0:
			log.Warn("waiting for the agent's key to be registered on chain", "agent_key", st.AgentKey)
		default:
			owner.ChainID = st.ChainID
			if owner.HostID == 0 {
				owner.HostID = st.HostID
			}
			continue
		}
		select {
		case <-ctx.Done():
			return owner, nil
		case <-time.After(2 * time.Second):
		}
	}
	return owner, db.Bind(owner)
}
