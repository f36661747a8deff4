package system

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/testutil/localnet"
)

const (
	upgradePort = 27300
	// upgradeName is the handler that only a build with this tag has.
	upgradeName = "upgradetest"
	// upgradeIn is blocks from the proposal to the upgrade: more than the vote
	// takes, of which there are about three a second.
	upgradeIn = 60
)

// TestUpgrade votes a new version in. The old program stops where the plan says
// and can't be talked into going on; the new one goes on from there.
func TestUpgrade(t *testing.T) {
	ctx := newContext(t, 8*time.Minute)
	next := buildNextVersion(t, ctx) // links while the chain votes
	n := newNetwork(t, ctx, localnet.Options{
		Validators: 1, BasePort: upgradePort, Accounts: []string{"alice"},
		Genesis: map[string]any{"gov": map[string]any{"params": map[string]any{
			"voting_period": "10s", "expedited_voting_period": "5s",
		}}},
	})
	require.NoError(t, n.Start(ctx))
	node := n.Nodes[0]

	_, latest, err := heights(ctx, node.RPC)
	require.NoError(t, err)
	planned := latest + upgradeIn
	proposed, err := n.Tx(ctx, "validator", "upgrade", "software-upgrade", upgradeName, "--title", "Next version",
		"--summary", "For the test.", "--deposit", "1000000000ugrafi", "--upgrade-height", fmt.Sprint(planned), "--no-validate")
	require.NoError(t, err)
	proposal := proposed.Attribute("submit_proposal", "proposal_id")
	_, err = n.Tx(ctx, "validator", "gov", "vote", proposal, "yes")
	require.NoError(t, err)
	before := balance(t, ctx, n, node.RPC, n.Accounts["alice"])

	needed := fmt.Sprintf(`UPGRADE "%s" NEEDED at height: %d`, upgradeName, planned)
	requireStopsAt(t, ctx, node, planned-1, needed)
	require.NoError(t, node.Kill()) // CometBFT halts and leaves the process to its supervisor
	require.NoError(t, os.Truncate(node.Log(), 0))
	require.NoError(t, node.Start())
	requireStopsAt(t, ctx, node, planned-1, needed)
	require.NoError(t, node.Kill())

	require.NoError(t, next.wait())
	upgraded := localnet.NewProcess(filepath.Join(n.Dir, "logs"), "upgraded", next.path, "start", "--home", node.Home, "--log_no_color")
	watch(t, upgraded)
	require.NoError(t, upgraded.Start())
	waitHeight(t, ctx, node.RPC, planned+3)

	var applied struct{ Height string }
	require.NoError(t, n.Query(ctx, &applied, "upgrade", "applied", upgradeName))
	require.Equal(t, strconv.FormatInt(planned, 10), applied.Height)
	require.Equal(t, before, balance(t, ctx, n, node.RPC, n.Accounts["alice"]))
	var kept struct {
		Proposal struct{ Status string }
	}
	require.NoError(t, n.Query(ctx, &kept, "gov", "proposal", proposal))
	require.Equal(t, "PROPOSAL_STATUS_PASSED", kept.Proposal.Status)
	_, err = n.Tx(ctx, "alice", "bank", "send", "alice", n.Accounts["alice"], "1ugrafi")
	require.NoError(t, err, "the upgraded chain takes transactions")
}

// requireStopsAt waits for the line in the log and sees that no block follows.
func requireStopsAt(t *testing.T, ctx context.Context, node localnet.Node, height int64, line string) {
	t.Helper()
	eventually(t, ctx, time.Minute, line, func() (bool, error) {
		log, err := os.ReadFile(node.Log())
		return strings.Contains(string(log), line), err
	})
	time.Sleep(2 * time.Second) // several blocks' time
	// CometBFT has the next block, but no state after it.
	var info struct {
		Response struct {
			Height int64 `json:"last_block_height,string"`
		}
	}
	switch err := call(ctx, node.RPC, "abci_info", nil, &info); {
	case err == nil:
		require.Equal(t, height, info.Response.Height)
	case node.Running():
		require.NoError(t, err)
	}
}

type build struct {
	path string
	done chan error
}

// buildNextVersion starts to build grafid as the tested one was built, plus one
// tag. Only a few packages differ, so that it is mostly one link.
func buildNextVersion(t *testing.T, ctx context.Context) build {
	t.Helper()
	info, err := buildinfo.ReadFile(filepath.Join(bin, "grafid"))
	require.NoError(t, err)
	tags := upgradeName
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			tags = s.Value + "," + tags
		}
	}
	b := build{path: filepath.Join(t.TempDir(), "grafid"), done: make(chan error, 1)}
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-tags", tags, "-ldflags", "-s -w", "-o", b.path, "./cmd/grafid")
	cmd.Dir = root
	go func() {
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%s: %w\n%s", cmd, err, out)
		}
		b.done <- err
	}()
	return b
}

// wait returns once the program is built.
func (b build) wait() error { return <-b.done }
