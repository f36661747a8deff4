package localnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/internal/chaininfo"
)

// Network is a chain of one or more validators on loopback.
type Network struct {
	// Dir holds everything: homes, keys, logs.
	Dir string
	// Bin is the directory of the built programs.
	Bin string
	// ChainID of the network.
	ChainID string
	// Nodes run the chain; node 0 has the keys of all accounts.
	Nodes []Node
	// Accounts are the funded accounts by name.
	Accounts map[string]string

	client *chainclient.Client // of node 0, for what is asked again and again
}

// Node is one validator.
type Node struct {
	*Process
	Home string
	// RPC is the CometBFT address, such as "tcp://127.0.0.1:26601".
	RPC  string
	GRPC string
	API  string
}

// Options of a new network.
type Options struct {
	Dir, Bin, ChainID string
	Validators        int
	// BasePort is the first of 10 ports per validator.
	BasePort int
	// Accounts are funded at genesis.
	Accounts []string
	// Stake is each validator's own, such as "5000000000ugrafi"; empty for the default.
	Stake string
	// Genesis is a JSON merge patch of app_state; nil for none.
	Genesis map[string]any
	// BlockTime is the pause after a block; 0 for the default of 1 s.
	BlockTime time.Duration
}

// New writes the homes of a network and starts nothing.
func New(ctx context.Context, o Options) (*Network, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o711); err != nil { // who runs below it may pass, not look around
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	n := &Network{Dir: dir, Bin: o.Bin, ChainID: o.ChainID, Accounts: map[string]string{}}

	args := []string{
		"testnet", "init-files", "--output-dir", filepath.Join(dir, "net"), "--chain-id", o.ChainID,
		"--validators", strconv.Itoa(o.Validators), "--base-port", strconv.Itoa(o.BasePort),
		"--home", filepath.Join(dir, "net", "cli"),
	}
	for _, a := range o.Accounts {
		args = append(args, "--account", a)
	}
	if o.Stake != "" {
		args = append(args, "--stake", o.Stake)
	}
	if o.BlockTime > 0 {
		args = append(args, "--timeout-commit", o.BlockTime.String())
	}
	if o.Genesis != nil {
		patch, err := json.Marshal(o.Genesis)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, "genesis-patch.json")
		if err := os.WriteFile(file, patch, 0o600); err != nil {
			return nil, err
		}
		args = append(args, "--genesis-patch", file)
	}
	if _, err := Run(ctx, n.Program("grafid"), args...); err != nil {
		return nil, fmt.Errorf("init network: %w", err)
	}
	return n, n.load()
}

// load reads what init-files wrote.
func (n *Network) load() error {
	raw, err := os.ReadFile(filepath.Join(n.Dir, "net", "testnet.json"))
	if err != nil {
		return err
	}
	var manifest struct {
		Nodes []struct {
			Moniker, Home, RPC, GRPC, API string
		} `json:"nodes"`
		Accounts []struct{ Name, Address string } `json:"accounts"`
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return fmt.Errorf("testnet.json: %w", err)
	}
	for _, node := range manifest.Nodes {
		n.Nodes = append(n.Nodes, Node{
			Process: NewProcess(filepath.Join(n.Dir, "logs"), node.Moniker, n.Program("grafid"), "start", "--home", node.Home, "--log_no_color"),
			Home:    node.Home, RPC: node.RPC, GRPC: node.GRPC, API: node.API,
		})
	}
	for _, a := range manifest.Accounts {
		n.Accounts[a.Name] = a.Address
	}
	n.client, err = chainclient.New(chainclient.Config{
		ChainID: n.ChainID, Endpoints: []string{n.Nodes[0].RPC}, GasPrices: chaininfo.DefaultMinGasPrices,
		PollInterval: 100 * time.Millisecond,
	}, slog.New(slog.DiscardHandler))
	return err
}

// HTTP returns the RPC address of a node as a URL.
func (n *Network) HTTP(node int) string { return "http" + strings.TrimPrefix(n.Nodes[node].RPC, "tcp") }

// Program returns the path of a built program.
func (n *Network) Program(name string) string { return filepath.Join(n.Bin, name) }

// Start starts every node and waits for the first block.
func (n *Network) Start(ctx context.Context) error {
	for _, node := range n.Nodes {
		if err := node.Start(); err != nil {
			return err
		}
	}
	_, err := n.WaitHeight(ctx, 1)
	return err
}

// Stop ends every node that runs.
func (n *Network) Stop() error {
	var errs []error
	for _, node := range n.Nodes {
		if node.Running() {
			errs = append(errs, node.Stop())
		}
	}
	return errors.Join(errs...)
}

// Status returns the height and time of node 0's latest block.
func (n *Network) Status(ctx context.Context) (height int64, blockTime time.Time, err error) {
	status, err := n.client.Status(ctx)
	return status.Height, status.BlockTime, err
}

// WaitHeight waits until node 0 has the height, and returns the one it has.
func (n *Network) WaitHeight(ctx context.Context, height int64) (int64, error) {
	var got int64
	err := Until(ctx, fmt.Sprintf("height %d", height), func() (bool, error) {
		if !n.Nodes[0].Running() {
			return false, fmt.Errorf("node0 ended:\n%s", n.Nodes[0].LogTail(2000))
		}
		h, _, err := n.Status(ctx)
		if err != nil {
			return false, nil //nolint:nilerr // the node is still starting
		}
		got = h
		return h >= height, nil
	})
	return got, err
}

// Until asks every 200 ms until done says yes, fails, or ctx ends.
func Until(ctx context.Context, what string, done func() (bool, error)) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}

// reachable tells whether something listens at the address.
func reachable(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close() // it was only a look
	return true
}

// Clear empties the directory of an earlier network. What still runs on it,
// because its starter was killed, is killed first.
func Clear(dir string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := killLeftovers(abs); err != nil {
		return err
	}
	return os.RemoveAll(abs)
}

// killLeftovers kills every process that was started with a path under dir.
func killLeftovers(dir string) error {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		cmdline, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err != nil {
			continue // it has ended meanwhile
		}
		if strings.Contains(string(cmdline), dir+"/") {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill process %d of an earlier run: %w", pid, err)
			}
		}
	}
	return nil
}
