package system

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/testutil/localnet"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
	stakingexttypes "github.com/grafilab/grafi/x/staking-ext/types"
)

// price is per GPU and hour, in ugrafi. No second of it is a whole number, so
// that a wrong rounding shows.
const price = 2_500_001

// market is a chain with one host, whose GPUs are listed.
type market struct {
	*localnet.Network
	host    *localnet.Host
	client  *chainclient.Client
	listing uint64
}

// newMarket starts a chain, an agent and an executor on ten ports. The host has
// one GPU.
func newMarket(t *testing.T, ctx context.Context, port int, timing localnet.Timing) *market {
	t.Helper()
	return newMarketOf(t, ctx, port, timing, 1)
}

func newMarketOf(t *testing.T, ctx context.Context, port int, timing localnet.Timing, gpus int) *market {
	t.Helper()
	began := time.Now()
	genesis, err := localnet.Genesis(timing)
	require.NoError(t, err)
	n := newNetwork(t, ctx, localnet.Options{
		Validators: 1, BasePort: port, Genesis: genesis, BlockTime: 500 * time.Millisecond,
		Accounts: []string{"operator", "renter", "stranger"},
	})
	require.NoError(t, n.Start(ctx))
	_, err = n.Tx(ctx, "operator", "stakingext", "register-operator", "Operator", "contributor", "1000000000ugrafi")
	require.NoError(t, err)
	m := &market{Network: n, client: clientOf(t, n, n.Nodes[0].RPC)}
	m.host, err = localnet.NewHost(ctx, n, localnet.HostOptions{
		Name: "host", Operator: "operator", Port: port + 9, Engine: "auto", Unisolated: true, SimGPUs: gpus,
	})
	require.NoError(t, err)
	watch(t, m.host.Agent)
	watch(t, m.host.Executor)
	require.NoError(t, m.host.Start(ctx))

	listed, err := n.Tx(ctx, "operator", "gpumarket", "create-listing", m.host.ID, fmt.Sprintf("%dugrafi", price), "--tier", "general")
	require.NoError(t, err)
	m.listing, err = strconv.ParseUint(listed.Attribute("grafi.gpumarket.v1.EventListingCreated", "listing_id"), 10, 64)
	require.NoError(t, err)
	t.Logf("chain and host are up after %s, engine: %s", time.Since(began).Round(time.Second), m.host.Engine)
	return m
}

// query returns the market's queries, without a process for each.
func (m *market) query() markettypes.QueryClient { return markettypes.NewQueryClient(m.client) }

func (m *market) rental(ctx context.Context, id uint64) (markettypes.Rental, error) {
	resp, err := m.query().Rental(ctx, &markettypes.QueryRentalRequest{RentalId: id})
	if err != nil {
		return markettypes.Rental{}, err
	}
	return resp.Rental, nil
}

// waitState waits until a rental is in a state.
func (m *market) waitState(t *testing.T, ctx context.Context, limit time.Duration, id uint64, want markettypes.RentalState) markettypes.Rental {
	t.Helper()
	var r markettypes.Rental
	eventually(t, ctx, limit, fmt.Sprintf("rental %d to be %s", id, want), func() (bool, error) {
		var err error
		r, err = m.rental(ctx, id)
		return r.State == want, err
	})
	return r
}

// balance returns an account's ugrafi.
func (m *market) balance(t *testing.T, ctx context.Context, name string) int64 {
	t.Helper()
	resp, err := banktypes.NewQueryClient(m.client).Balance(ctx,
		&banktypes.QueryBalanceRequest{Address: m.Accounts[name], Denom: chaininfo.BaseDenom})
	require.NoError(t, err)
	return resp.Balance.Amount.Int64()
}

// requireSound asks the chain whether its own accounts add up.
func (m *market) requireSound(t *testing.T, ctx context.Context) {
	t.Helper()
	mkt, err := m.query().Invariants(ctx, &markettypes.QueryInvariantsRequest{})
	require.NoError(t, err)
	require.Empty(t, mkt.Broken)
	att, err := attestationtypes.NewQueryClient(m.client).Invariants(ctx, &attestationtypes.QueryInvariantsRequest{})
	require.NoError(t, err)
	require.Empty(t, att.Broken)
	ext, err := stakingexttypes.NewQueryClient(m.client).Invariants(ctx, &stakingexttypes.QueryInvariantsRequest{})
	require.NoError(t, err)
	require.Empty(t, ext.Broken)
}

// renter runs a command of grafid as the renter.
func (m *market) renter(ctx context.Context, args ...string) ([]byte, error) {
	return localnet.Run(ctx, m.Program("grafid"), append(args, m.Signer("renter")...)...)
}

// rent rents one GPU for a manifest as a user does, and returns the rental's id.
func (m *market) rent(t *testing.T, ctx context.Context, manifest string, duration time.Duration, terms ...string) uint64 {
	t.Helper()
	return m.rentBy(t, ctx, append([]string{"rent", fmt.Sprint(m.listing), manifest, "--duration", duration.String()}, terms...)...)
}

// rentBy runs a command that rents, and returns the rental's id.
func (m *market) rentBy(t *testing.T, ctx context.Context, args ...string) uint64 {
	t.Helper()
	out, err := m.renter(ctx, append(args, "--gpus", "1", "--yes", "--output", "json")...)
	require.NoError(t, err)
	var rented struct {
		RentalID uint64 `json:"rental_id,string"`
	}
	require.NoError(t, json.Unmarshal(out, &rented))
	return rented.RentalID
}

// ledger is what grafid says of a rental's money.
type ledger struct {
	State    string
	Escrowed string
	Total    map[string]string
	Refunded string
	InEscrow string `json:"in_escrow"`
	Wrong    []string
}

func (m *market) ledger(t *testing.T, ctx context.Context, id uint64) ledger {
	t.Helper()
	out, err := m.renter(ctx, "ledger", fmt.Sprint(id), "--output", "json")
	require.NoError(t, err)
	var l ledger
	require.NoError(t, json.Unmarshal(out, &l))
	require.Empty(t, l.Wrong)
	return l
}

// counterImage builds the counting workload and serves it as an image.
func counterImage(t *testing.T, ctx context.Context) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "counter")
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", path, "./tests/system/testdata/counter")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0") // static
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	registry, err := localnet.StartRegistry()
	require.NoError(t, err)
	t.Cleanup(func() { _ = registry.Close() })
	image, err := registry.PushProgram("grafilab/counter", path)
	require.NoError(t, err)
	return image
}

// counterManifest writes a manifest whose workload is named id.
func counterManifest(t *testing.T, dir, image, id string) string {
	t.Helper()
	raw, err := json.Marshal(map[string]any{
		"image":              image,
		"args":               []string{"-id", id, "-file", "/data/starts"},
		"resources":          map[string]any{"cpu_millis": 200, "memory_mib": 64, "disk_mib": 16, "pids": 32},
		"volumes":            []map[string]any{{"name": "data", "path": "/data"}},
		"results":            []string{"/data/starts"},
		"stop_grace_seconds": 2,
	})
	require.NoError(t, err)
	path := filepath.Join(dir, id+".json")
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	return path
}

// processes returns the ids of the machine's processes that run the counter of
// this name, from whichever container.
func processes(id string) (map[int]bool, error) {
	found := map[int]bool{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err != nil {
			continue // it has just ended
		}
		args := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
		if len(args) == 5 && args[1] == "-id" && args[2] == id {
			found[pid] = true
		}
	}
	return found, nil
}
