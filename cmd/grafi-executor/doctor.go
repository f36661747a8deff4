package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/offchain/executor/chain"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
)

// maxSkew is how far the local clock may be from the newest block's.
const maxSkew = 30 * time.Second

// finding is one thing that doctor looked at.
type finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	// Mend says what to do about it.
	Mend string `json:"mend,omitempty"`
}

func doctorCmd() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say what is wrong on this host and how to mend it", Args: noArgs,
		Long: `doctor looks at what run needs, with the same flags: the state directory, the engine,
the agent, every chain endpoint, the host on chain, the clock and the gateway's
port. It changes nothing and ends with 1 when something is wrong.`,
		Example: "  grafi-executor doctor --node http://localhost:26657 --agent-socket /run/grafi-agent/agent.sock",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd.Flags(), os.Environ())
			if err != nil {
				return err
			}
			list := diagnose(cmd.Context(), c)
			err = print(cmd.OutOrStdout(), output, list, func(w io.Writer) error {
				for _, f := range list {
					mark := "ok  "
					if !f.OK {
						mark = "FAIL"
					}
					fmt.Fprintf(w, "%s  %-10s %s\n", mark, f.Name, f.Detail)
					if f.Mend != "" {
						fmt.Fprintf(w, "      %-10s → %s\n", "", f.Mend)
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			for _, f := range list {
				if !f.OK {
					return errors.New("something is wrong, see above")
				}
			}
			return nil
		},
	}
	addConfigFlags(cmd.Flags())
	addOutput(cmd, &output)
	return cmd
}

func diagnose(ctx context.Context, c config) []finding {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	list := []finding{checkHome(c), checkEngine(ctx, c)}
	st, agent := checkAgent(ctx, c)
	list = append(list, agent)
	if c.ChainID == "" {
		c.ChainID = st.ChainID
	}
	if c.HostID == 0 {
		c.HostID = st.HostID
	}
	list = append(list, checkNodes(ctx, c)...)
	list = append(list, checkHost(ctx, c), checkListen(c))
	return list
}

func checkHome(c config) finding {
	f := finding{Name: "home", Detail: c.Home}
	probe := filepath.Join(c.Home, ".doctor")
	err := os.MkdirAll(c.Home, 0o711)
	if err == nil {
		if err = os.WriteFile(probe, nil, 0o600); err == nil {
			err = os.Remove(probe)
		}
	}
	if err != nil {
		return finding{Name: f.Name, Detail: err.Error(), Mend: "give this user the directory, or choose another with --home"}
	}
	free, err := freeMiB(c.Home)
	if err != nil {
		return finding{Name: f.Name, Detail: err.Error()}
	}
	f.OK, f.Detail = true, fmt.Sprintf("%s, %d MiB free", c.Home, free)
	return f
}

func checkEngine(ctx context.Context, c config) finding {
	picked, err := pick(probeEngines(ctx, c), c)
	if err != nil {
		return finding{Name: "engine", Detail: err.Error(), Mend: "run: grafi-executor engines"}
	}
	isolation := "isolated"
	if !picked.Isolated {
		isolation = "NOT isolated"
	}
	return finding{Name: "engine", OK: true, Detail: picked.Kind + ", " + isolation}
}

func checkAgent(ctx context.Context, c config) (agentapi.Status, finding) {
	f := finding{Name: "agent"}
	st, err := agentapi.NewClient(c.AgentSocket).Status(ctx)
	switch {
	case err != nil:
		f.Detail, f.Mend = err.Error(), "start grafi-agent as the same user, or name its socket with --agent-socket"
	case st.HostID == 0:
		f.Detail = "key " + st.AgentKey + " is not registered on chain"
		f.Mend = "register the host with this key: grafid tx attestation register-host --help"
	case c.ChainID != "" && c.ChainID != st.ChainID:
		f.Detail, f.Mend = fmt.Sprintf("agent is on %s, --chain-id is %s", st.ChainID, c.ChainID), "use the same chain for both"
	default:
		f.OK, f.Detail = true, fmt.Sprintf("host %d on %s", st.HostID, st.ChainID)
	}
	return st, f
}

// checkNodes looks at each endpoint alone: run hides a broken one behind the others.
func checkNodes(ctx context.Context, c config) []finding {
	if c.ChainID == "" {
		return []finding{{Name: "chain", Detail: "chain id is not known", Mend: "start the agent, or set --chain-id"}}
	}
	var list []finding
	for _, node := range c.Node {
		f := finding{Name: "node", Detail: node}
		st, err := statusOf(ctx, c.ChainID, node)
		skew := time.Since(st.BlockTime).Round(time.Second)
		switch {
		case err != nil:
			f.Detail, f.Mend = err.Error(), "correct --node, or start the node"
		case st.CatchingUp:
			f.Detail, f.Mend = node+" is catching up", "wait, or use another node"
		case skew.Abs() > maxSkew:
			f.Detail = fmt.Sprintf("%s: newest block is %s away from this clock", node, skew)
			f.Mend = "synchronise the clock (timedatectl), or use a node that is not behind"
		default:
			f.OK, f.Detail = true, fmt.Sprintf("%s, height %d", node, st.Height)
		}
		list = append(list, f)
	}
	return list
}

func statusOf(ctx context.Context, chainID, node string) (chainclient.Status, error) {
	client, err := chainclient.New(chainclient.Config{ChainID: chainID, Endpoints: []string{node}}, slog.New(slog.DiscardHandler))
	if err != nil {
		return chainclient.Status{}, err
	}
	return client.Status(ctx)
}

func checkHost(ctx context.Context, c config) finding {
	f := finding{Name: "host"}
	if c.ChainID == "" || c.HostID == 0 {
		f.Detail, f.Mend = "host is not known", "start the agent, or set --chain-id and --host-id"
		return f
	}
	client, err := chainclient.New(chainclient.Config{ChainID: c.ChainID, Endpoints: c.Node}, slog.New(slog.DiscardHandler))
	if err != nil {
		f.Detail = err.Error()
		return f
	}
	host, gpus, err := chain.NewReader(client).Host(ctx, c.HostID)
	switch {
	case err != nil:
		f.Detail = err.Error()
	case host.Status != attestationtypes.HOST_STATUS_ACTIVE:
		f.Detail, f.Mend = fmt.Sprintf("host %d is %s", c.HostID, host.Status), "bind a new agent key, or register the host again"
	case host.Endpoint == "":
		f.Detail, f.Mend = fmt.Sprintf("host %d has no endpoint on chain: renters can't find the gateway", c.HostID),
			"set it: grafid tx attestation update-host --help"
	default:
		f.OK, f.Detail = true, fmt.Sprintf("host %d of %s, %d GPUs, gateway %s", c.HostID, host.Operator, len(gpus), host.Endpoint)
	}
	return f
}

func checkListen(c config) finding {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return finding{Name: "gateway", Detail: err.Error(), Mend: "choose another address with --listen (a running executor has this one)"}
	}
	return finding{Name: "gateway", OK: l.Close() == nil, Detail: c.Listen + " is free"}
}
