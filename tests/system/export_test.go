package system

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/testutil/localnet"
)

const exportPort = 27400

// countsBlocks are parts of a module's state that change with blocks and their
// time, whatever is in them.
var countsBlocks = map[string][]string{
	"attestation": {"challenge_clock", "recent_blocks", "probe_beacons", "anchors", "last_closed_slot"},
	"slashing":    {"missed_blocks", "signing_infos"},
}

// TestExportStartsAgain writes the state of a stopped chain as a genesis and
// starts a chain from it: the same state, at the next height.
func TestExportStartsAgain(t *testing.T) {
	ctx := newContext(t, 2*time.Minute)
	n := newNetwork(t, ctx, localnet.Options{Validators: 1, BasePort: exportPort, Accounts: []string{"alice", "bob"}})
	node := n.Nodes[0]
	require.NoError(t, n.Start(ctx))
	_, err := n.Tx(ctx, "alice", "bank", "send", "alice", n.Accounts["bob"], "5000000ugrafi")
	require.NoError(t, err)
	_, err = n.Tx(ctx, "alice", "stakingext", "register-operator", "Alice", "contributor", "1000000ugrafi")
	require.NoError(t, err)
	_, latest, err := heights(ctx, node.RPC)
	require.NoError(t, err)
	waitHeight(t, ctx, node.RPC, latest+2) // the fee has been distributed
	bob := balance(t, ctx, n, node.RPC, n.Accounts["bob"])
	require.NoError(t, node.Stop())

	file := filepath.Join(n.Dir, "export.json")
	before := export(t, ctx, n, node.Home, file)
	require.Greater(t, before.InitialHeight, int64(3))
	home := restart(t, n, file)

	again := localnet.NewProcess(filepath.Join(n.Dir, "logs"), "again", n.Program("grafid"), "start", "--home", home, "--log_no_color")
	watch(t, again)
	require.NoError(t, again.Start())
	waitHeight(t, ctx, node.RPC, before.InitialHeight+2)
	first, _, err := heights(ctx, node.RPC)
	require.NoError(t, err)
	require.Equal(t, before.InitialHeight, first, "the first block is the next one of the old chain")
	require.Equal(t, bob, balance(t, ctx, n, node.RPC, n.Accounts["bob"]))
	require.NoError(t, again.Stop())

	after := export(t, ctx, n, home, filepath.Join(n.Dir, "export-again.json"))
	require.Len(t, after.AppState, len(before.AppState))
	for module, want := range before.AppState {
		got := after.AppState[module]
		for _, key := range countsBlocks[module] {
			require.Contains(t, want, key)
			delete(want, key)
			delete(got, key)
		}
		require.Equal(t, want, got, "state of %s", module)
	}

	require.NoError(t, again.Start())
	waitHeight(t, ctx, node.RPC, after.InitialHeight)
	_, err = n.Tx(ctx, "bob", "bank", "send", "bob", n.Accounts["alice"], "1ugrafi")
	require.NoError(t, err, "the new chain takes transactions")
}

// exported is a genesis file, as far as the test reads it.
type exported struct {
	InitialHeight int64                     `json:"initial_height"`
	AppState      map[string]map[string]any `json:"app_state"`
}

func export(t *testing.T, ctx context.Context, n *localnet.Network, home, file string) exported {
	t.Helper()
	_, err := localnet.Run(ctx, n.Program("grafid"), "export", "--home", home, "--output-document", file)
	require.NoError(t, err)
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var state exported
	require.NoError(t, json.Unmarshal(raw, &state))
	return state
}

// restart makes a home with the validator's keys, an empty database and the
// exported genesis, whose time an operator sets to the day of the new start:
// the first block has the time of the genesis, and time must not run backwards.
func restart(t *testing.T, n *localnet.Network, file string) string {
	t.Helper()
	home := filepath.Join(n.Dir, "net", "again")
	require.NoError(t, os.CopyFS(home, os.DirFS(n.Nodes[0].Home)))
	data := filepath.Join(home, "data")
	require.NoError(t, os.RemoveAll(data))
	require.NoError(t, os.MkdirAll(data, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(data, "priv_validator_state.json"),
		[]byte(`{"height":"0","round":0,"step":0}`), 0o600))

	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var genesis map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &genesis))
	genesis["genesis_time"] = json.RawMessage(fmt.Sprintf("%q", time.Now().UTC().Format(time.RFC3339Nano)))
	raw, err = json.Marshal(genesis)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(home, "config", "genesis.json"), raw, 0o600))
	return home
}
