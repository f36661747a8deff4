package system

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/testutil/localnet"
)

// logTail is how much of each log a failed test prints.
const logTail = 4000

// newContext bounds a test. It ends before the test does.
func newContext(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// newNetwork writes a network's homes; nothing runs yet. Whatever runs at the
// end of the test is killed, and a failed test prints the logs' last lines.
func newNetwork(t *testing.T, ctx context.Context, o localnet.Options) *localnet.Network {
	t.Helper()
	o.Dir, o.Bin = t.TempDir(), bin
	if o.ChainID == "" {
		o.ChainID = "grafi-system"
	}
	if o.BlockTime == 0 {
		o.BlockTime = 300 * time.Millisecond
	}
	t.Cleanup(func() { // after the processes' own cleanup: also ends what outlives them, such as workloads
		if err := localnet.Clear(o.Dir); err != nil {
			t.Errorf("clear: %v", err)
		}
	})
	n, err := localnet.New(ctx, o)
	require.NoError(t, err)
	for _, node := range n.Nodes {
		watch(t, node.Process)
	}
	return n
}

// watch kills a process with the test and prints its log if the test failed.
func watch(t *testing.T, p *localnet.Process) {
	t.Helper()
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Errorf("kill %s: %v", p.Name, err)
		}
		if t.Failed() {
			t.Logf("end of %s:\n%s", p.Log(), p.LogTail(logTail))
		}
	})
}

// eventually waits until done says yes. An error means "not yet" and is named
// when the time is over.
func eventually(t *testing.T, ctx context.Context, limit time.Duration, what string, done func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last error
	err := localnet.Until(ctx, what, func() (bool, error) {
		var ok bool
		ok, last = done()
		return ok && last == nil, nil
	})
	require.NoError(t, err, "last answer: %v", last)
}

// call asks a node's RPC and decodes the result into out.
func call(ctx context.Context, rpc, method string, params url.Values, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	address := strings.Replace(rpc, "tcp://", "http://", 1) + "/" + method + "?" + params.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message, Data string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("%s: %s: %s", method, answer.Error.Message, answer.Error.Data)
	}
	return json.Unmarshal(answer.Result, out)
}

func atHeight(height int64) url.Values { return url.Values{"height": {fmt.Sprint(height)}} }

// heights returns the first and the last block that a node keeps.
func heights(ctx context.Context, rpc string) (earliest, latest int64, err error) {
	var status struct {
		SyncInfo struct {
			Earliest   int64 `json:"earliest_block_height,string"`
			Latest     int64 `json:"latest_block_height,string"`
			CatchingUp bool  `json:"catching_up"`
		} `json:"sync_info"`
	}
	if err := call(ctx, rpc, "status", nil, &status); err != nil {
		return 0, 0, err
	}
	if status.SyncInfo.CatchingUp {
		return 0, 0, fmt.Errorf("catching up at height %d", status.SyncInfo.Latest)
	}
	return status.SyncInfo.Earliest, status.SyncInfo.Latest, nil
}

// waitHeight waits until a node is in step and has the height; it returns the one it has.
func waitHeight(t *testing.T, ctx context.Context, rpc string, height int64) int64 {
	t.Helper()
	var latest int64
	eventually(t, ctx, time.Minute, fmt.Sprintf("height %d at %s", height, rpc), func() (bool, error) {
		var err error
		_, latest, err = heights(ctx, rpc)
		return latest >= height, err
	})
	return latest
}

// blockResult is what a node itself computed for a block: app hash, results of
// the transactions, events, validator updates. Nodes must agree to the last byte.
type blockResult struct {
	AppHash string            `json:"app_hash"`
	Txs     []json.RawMessage `json:"txs_results"`
	raw     string
}

func resultOf(t *testing.T, ctx context.Context, rpc string, height int64) blockResult {
	t.Helper()
	var raw json.RawMessage
	require.NoError(t, call(ctx, rpc, "block_results", atHeight(height), &raw))
	result := blockResult{raw: string(raw)}
	require.NoError(t, json.Unmarshal(raw, &result))
	require.NotEmpty(t, result.AppHash)
	return result
}

// setTOML changes one key of a section ("" for the top) in a node's file.
func setTOML(t *testing.T, home, file, section, key, value string) {
	t.Helper()
	path := filepath.Join(home, "config", file)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	assign := regexp.MustCompile(`^\s*` + regexp.QuoteMeta(key) + `\s*=`)
	lines, in, changed := strings.Split(string(raw), "\n"), "", 0
	for i, line := range lines {
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "[") {
			in = strings.Trim(trimmed, "[]")
		}
		if in == section && assign.MatchString(line) {
			lines[i] = key + " = " + value
			changed++
		}
	}
	require.Equal(t, 1, changed, "%s: [%s] %s", path, section, key)
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600))
}

// balance returns an account's ugrafi as one node sees it.
func balance(t *testing.T, ctx context.Context, n *localnet.Network, rpc, address string) string {
	t.Helper()
	var got struct {
		Balance struct{ Amount string }
	}
	raw, err := localnet.Run(ctx, n.Program("grafid"), "query", "bank", "balance", address, "ugrafi",
		"--node", rpc, "--home", n.Nodes[0].Home, "--output", "json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &got))
	require.NotEmpty(t, got.Balance.Amount)
	return got.Balance.Amount
}
