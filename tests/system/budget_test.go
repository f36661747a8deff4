package system

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/testutil/localnet"
)

const (
	budgetPort = 28400
	// The agent's budget beside a renter's work, without the work of challenges.
	budgetMiB   = 64
	budgetShare = 0.01 // of one core
	// The kernel counts a process's time in hundredths of a second.
	userHertz = 100
)

// TestAgentBudget measures the real agent with eight GPUs on a real network for ten
// seconds, or for a minute with GRAFI_LONG_TESTS=1. Slots are of a minute, a tenth of
// what they are on the main chain, so it does ten times the attesting.
func TestAgentBudget(t *testing.T) {
	measured := 10 * time.Second
	if os.Getenv("GRAFI_LONG_TESTS") != "" {
		measured = time.Minute
	}
	ctx := newContext(t, 4*time.Minute)
	genesis, err := localnet.Genesis(localnet.Timing{Slot: time.Minute, StartTimeout: time.Minute})
	require.NoError(t, err)
	n := newNetwork(t, ctx, localnet.Options{
		Validators: 1, BasePort: budgetPort, Genesis: genesis, BlockTime: time.Second, Accounts: []string{"operator"},
	})
	require.NoError(t, n.Start(ctx))
	_, err = n.Tx(ctx, "operator", "stakingext", "register-operator", "operator", "contributor", "5000000000ugrafi")
	require.NoError(t, err)
	h, err := localnet.NewHost(ctx, n, localnet.HostOptions{
		Name: "h", Operator: "operator", Port: budgetPort + 9, Engine: "process", Unisolated: true, SimGPUs: 8,
	})
	require.NoError(t, err)
	agent := localnet.NewProcess(n.Dir, "agent", n.Program("grafi-agent"), "run", "--home", h.AgentHome, "--sample-every", "10s")
	watch(t, agent)
	require.NoError(t, agent.Start())
	client := agentapi.NewClient(h.AgentHome + "/agent.sock")
	// A new host is challenged at once; that work is not in the budget.
	require.NoError(t, localnet.Until(ctx, "the first challenge is over", func() (bool, error) {
		st, err := client.Status(ctx)
		if err != nil || st.Proofs == nil || st.Proofs.Challenge == nil {
			return false, nil
		}
		for _, g := range st.Proofs.Challenge.GPUs {
			if g.Outcome == "PENDING" {
				return false, nil
			}
		}
		return true, nil
	}))

	pid := agent.PID()
	busy, began := processorTime(t, pid), time.Now()
	var most uint64
	for time.Since(began) < measured {
		time.Sleep(500 * time.Millisecond)
		most = max(most, residentKiB(t, pid))
	}
	share := (processorTime(t, pid) - busy).Seconds() / time.Since(began).Seconds()
	t.Logf("8 GPUs over %s: at most %.1f MiB resident, %.2f %% of a core", measured, float64(most)/1024, 100*share)
	t.Logf("at the end: %s", strings.Join(memoryLines(t, pid), ", "))
	require.Less(t, most, uint64(budgetMiB<<10), "KiB resident")
	require.Less(t, share, budgetShare, "share of a core")
}

// processorTime is what the process and its threads have used.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	_, after, ok := strings.Cut(string(raw), ") ") // the name can hold anything else
	require.True(t, ok)
	fields := strings.Fields(after)
	require.Greater(t, len(fields), 12)
	var ticks int64
	for _, f := range fields[11:13] { // utime, stime
		v, err := strconv.ParseInt(f, 10, 64)
		require.NoError(t, err)
		ticks += v
	}
	return time.Duration(ticks) * time.Second / userHertz
}

// residentKiB is the memory that the process has now.
func residentKiB(t *testing.T, pid int) uint64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			v, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			require.NoError(t, err)
			return v
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// memoryLines says what the resident memory is made of.
func memoryLines(t *testing.T, pid int) (out []string) {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, "Rss") {
			out = append(out, strings.Join(strings.Fields(line), " "))
		}
	}
	return out
}
