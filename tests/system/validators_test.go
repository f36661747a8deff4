package system

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/testutil/localnet"
)

const (
	validatorsPort = 27100
	// parallelNode is the validator that executes blocks in parallel.
	parallelNode = 1
	// snapshotEvery is in blocks.
	snapshotEvery = 10
)

// TestFourValidators runs one network through what a real one lives through:
// load on nodes that execute differently, the loss of one, a newcomer.
func TestFourValidators(t *testing.T) {
	ctx := newContext(t, 4*time.Minute)
	r := random(t)
	payers := accountNames(12)
	n := newNetwork(t, ctx, localnet.Options{Validators: 4, BasePort: validatorsPort, Accounts: payers})
	setTOML(t, n.Nodes[parallelNode].Home, "app.toml", "", "block-executor", `"block-stm"`)
	for _, node := range n.Nodes {
		setTOML(t, node.Home, "app.toml", "state-sync", "snapshot-interval", fmt.Sprint(snapshotEvery))
		setTOML(t, node.Home, "app.toml", "state-sync", "snapshot-keep-recent", "20")
	}
	require.NoError(t, n.Start(ctx))
	for _, node := range n.Nodes {
		waitHeight(t, ctx, node.RPC, 2)
	}

	t.Run("executors agree under load", func(t *testing.T) {
		requireExecutor(t, n, parallelNode, "installing block-stm tx runner")
		requireExecutor(t, n, 0, "installing sequential tx runner")
		good, bad := pay(t, ctx, n, r.Int63(), payers, 8)
		require.Positive(t, good)
		require.Positive(t, bad, "the load has failures")
		last := waitHeight(t, ctx, n.Nodes[0].RPC, 1)
		full := requireSameResults(t, ctx, n, 1, last)
		require.GreaterOrEqual(t, full, 4, "blocks had something to run in parallel")
	})

	t.Run("one is killed and catches up", func(t *testing.T) {
		victim := n.Nodes[3]
		time.Sleep(between(r, 0, time.Second))
		require.NoError(t, victim.Kill())
		killed := waitHeight(t, ctx, n.Nodes[0].RPC, 1)
		good, _ := pay(t, ctx, &localnet.Network{
			Dir: n.Dir, ChainID: n.ChainID, Accounts: n.Accounts, Nodes: n.Nodes[:3],
		}, r.Int63(), payers, 2)
		require.Positive(t, good)
		missed := waitHeight(t, ctx, n.Nodes[0].RPC, killed+5)

		require.NoError(t, victim.Start())
		last := waitHeight(t, ctx, victim.RPC, missed+2)
		requireSameResults(t, ctx, n, killed, last)
	})

	t.Run("a new node syncs from a snapshot", func(t *testing.T) {
		joined := joinBySnapshot(t, ctx, n)
		require.NoError(t, joined.Start())
		head := waitHeight(t, ctx, n.Nodes[0].RPC, 1)
		last := waitHeight(t, ctx, joined.RPC, head+2)
		first, _, err := heights(ctx, joined.RPC)
		require.NoError(t, err)
		require.Greater(t, first, int64(snapshotEvery), "it has no block from before the snapshot")
		log, err := os.ReadFile(joined.Log())
		require.NoError(t, err)
		require.Contains(t, string(log), "Snapshot restored")

		for h := max(head, first); h <= last; h++ {
			require.Equal(t, resultOf(t, ctx, n.Nodes[0].RPC, h).raw, resultOf(t, ctx, joined.RPC, h).raw, "height %d", h)
		}
		for _, name := range payers[:3] {
			require.Equal(t, balance(t, ctx, n, n.Nodes[0].RPC, n.Accounts[name]), balance(t, ctx, n, joined.RPC, n.Accounts[name]))
		}
	})
}

func requireExecutor(t *testing.T, n *localnet.Network, node int, line string) {
	t.Helper()
	log, err := os.ReadFile(n.Nodes[node].Log())
	require.NoError(t, err)
	require.Contains(t, string(log), line)
}

// requireSameResults compares what each node computed for each block, and
// returns the number of transactions in the fullest one.
func requireSameResults(t *testing.T, ctx context.Context, n *localnet.Network, first, last int64) (fullest int) {
	t.Helper()
	for _, node := range n.Nodes {
		waitHeight(t, ctx, node.RPC, last)
	}
	for h := first; h <= last; h++ {
		want := resultOf(t, ctx, n.Nodes[0].RPC, h)
		fullest = max(fullest, len(want.Txs))
		for i, node := range n.Nodes[1:] {
			got := resultOf(t, ctx, node.RPC, h)
			require.Equal(t, want.AppHash, got.AppHash, "app hash of node %d at height %d", i+1, h)
			require.Equal(t, want.raw, got.raw, "results of node %d at height %d", i+1, h)
		}
	}
	return fullest
}

// joinBySnapshot makes the home of a node that isn't a validator and gets its
// first state from the others' snapshots.
func joinBySnapshot(t *testing.T, ctx context.Context, n *localnet.Network) localnet.Node {
	t.Helper()
	home := filepath.Join(n.Dir, "net", "joined")
	_, err := localnet.Run(ctx, n.Program("grafid"), "init", "joined", "--chain-id", n.ChainID, "--home", home)
	require.NoError(t, err)
	genesis, err := os.ReadFile(filepath.Join(n.Nodes[0].Home, "config", "genesis.json"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(home, "config", "genesis.json"), genesis, 0o600))

	peers := ""
	for i, node := range n.Nodes {
		var status struct {
			NodeInfo struct{ ID string } `json:"node_info"`
		}
		require.NoError(t, call(ctx, node.RPC, "status", nil, &status))
		peers += fmt.Sprintf(",%s@127.0.0.1:%d", status.NodeInfo.ID, validatorsPort+10*i)
	}
	// The anchor of trust that an operator takes from somebody they believe. It
	// must be older than the snapshot.
	var trusted struct {
		BlockID struct{ Hash string } `json:"block_id"`
	}
	waitHeight(t, ctx, n.Nodes[0].RPC, 2*snapshotEvery)
	require.NoError(t, call(ctx, n.Nodes[0].RPC, "block", atHeight(2), &trusted))
	require.NotEmpty(t, trusted.BlockID.Hash)

	port := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", validatorsPort+40+i) }
	for _, c := range []struct{ section, key, value string }{
		{"p2p", "laddr", `"tcp://` + port(0) + `"`},
		{"p2p", "persistent_peers", `"` + peers[1:] + `"`},
		{"p2p", "addr_book_strict", "false"},
		{"p2p", "allow_duplicate_ip", "true"},
		{"rpc", "laddr", `"tcp://` + port(1) + `"`},
		{"rpc", "pprof_laddr", `"` + port(5) + `"`},
		{"statesync", "enable", "true"},
		{"statesync", "rpc_servers", fmt.Sprintf("%q", n.Nodes[0].RPC+","+n.Nodes[1].RPC)},
		{"statesync", "trust_height", "2"},
		{"statesync", "trust_hash", `"` + trusted.BlockID.Hash + `"`},
		{"statesync", "discovery_time", `"5s"`},
	} {
		setTOML(t, home, "config.toml", c.section, c.key, c.value)
	}
	setTOML(t, home, "app.toml", "grpc", "address", `"`+port(2)+`"`)
	setTOML(t, home, "app.toml", "api", "address", `"tcp://`+port(3)+`"`)

	p := localnet.NewProcess(filepath.Join(n.Dir, "logs"), "joined", n.Program("grafid"), "start", "--home", home, "--log_no_color")
	watch(t, p)
	return localnet.Node{Process: p, Home: home, RPC: "tcp://" + port(1)}
}
