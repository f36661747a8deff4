package system

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/testutil/localnet"
	"github.com/grafilab/grafi/x/attestation/compute"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	rewards "github.com/grafilab/grafi/x/rewards/types"
)

// h100 is what a false NVML claims to see.
var h100 = card{name: "NVIDIA H100 80GB HBM3", memoryMiB: 80 << 10}

// shorter divides the work and the window of a class, so that a test ends.
const shorter = 4

// shortH100 is the default class of the claimed card with a quarter of its work and
// of its window.
func shortH100(t *testing.T) attestation.HardwareClass {
	t.Helper()
	class, ok := attestation.MatchClass(attestation.DefaultClasses(), h100.name, h100.memoryMiB)
	require.True(t, ok)
	class.Profile.Rounds /= shorter
	class.Profile.WindowMs /= shorter
	return class
}

// fakeNVML sets what the stand-in for NVML of agent/gpu answers: one H100 that has
// a genuine report, of a die that it does not have. It reads this at each call.
func fakeNVML(t *testing.T) {
	t.Helper()
	state := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.WriteFile(state, []byte("count=1\nname="+h100.name+"\n"), 0o600))
	t.Setenv("NVML_STUB_STATE", state)
	t.Setenv("NVML_STUB_REPORT", evidence("hopper-a.report.hex"))
	t.Setenv("NVML_STUB_CHAIN", evidence("hopper-a.chain.pem"))
}

// buildNVML builds the stand-in as the library that agents load.
func buildNVML(t *testing.T) string {
	t.Helper()
	library := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	out, err := exec.Command("gcc", "-shared", "-fPIC", "-O1", "-Wl,-soname,libnvidia-ml.so.1", "-o", library,
		filepath.Join(root, "agent", "gpu", "testdata", "nvmlstub", "nvmlstub.c")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return library
}

// nothingToProve looks at what the real agent does with GPUs that exist in a false
// NVML only: it says so, keeps silent where it can't answer, and earns nothing
// while others do.
func nothingToProve(t *testing.T, ctx context.Context, n *localnet.Network, h *localnet.Host, honest *liar) {
	require.Equal(t, []string{h100.name}, h.GPUs)
	l := observed(t, n, h, "falsenvml", honest)
	host, err := l.queries.Host(ctx, &attestation.QueryHostRequest{HostId: l.hostID})
	require.NoError(t, err)
	require.Equal(t, shortH100(t).Key, host.Gpus[0].Class, "the chain believes the name as a label")

	agent := agentapi.NewClient(h.AgentHome + "/agent.sock")
	eventually(t, ctx, 2*time.Minute, "the agent to say that it can't answer", func() (bool, error) {
		status, err := agent.Status(ctx)
		if err != nil || status.Proofs == nil || status.Proofs.Challenge == nil || len(status.Proofs.Devices) == 0 {
			return false, err
		}
		return status.Proofs.Challenge.GPUs[0].Outcome == "MISSED" && status.Proofs.Devices[0].Why != "", nil
	})
	status, err := agent.Status(ctx)
	require.NoError(t, err)
	require.Contains(t, status.Proofs.Devices[0].Why, "nonce", "a report that was made for another")
	t.Logf("device: %s", status.Proofs.Devices[0].Why)
	log, err := os.ReadFile(h.Agent.Log())
	require.NoError(t, err)
	require.Regexp(t, `GPU can't compute its answer.*no NVIDIA driver`, string(log))

	// As many misses as jail a host that claims to be up: this one marks the GPU as down.
	misses := attestation.DefaultChallengeParams().MissesToJail
	var day uint64
	eventually(t, ctx, 6*time.Minute, "misses, and a day that pays honest hosts", func() (bool, error) {
		challenge, err := l.queries.Challenge(ctx, &attestation.QueryChallengeRequest{HostId: l.hostID})
		if err != nil || challenge.Challenge.Id <= uint64(misses) {
			return false, err
		}
		day, err = paidDay(ctx, honest)
		return day > 0, err
	})
	g, err := l.gpu(ctx, 0)
	require.NoError(t, err)
	require.Zero(t, g.TrustTier)
	require.False(t, g.ComputeProven)
	require.True(t, g.Compute.ProvenAt.IsZero())
	require.False(t, g.DeviceAttested)
	unpunished(t, ctx, l)
	theirs, err := rewards.NewQueryClient(l.client).HostDay(ctx, &rewards.QueryHostDayRequest{Day: day, HostId: l.hostID})
	require.NoError(t, err)
	require.Len(t, theirs.Gpus, 1)
	require.Positive(t, theirs.Gpus[0].Slots, "it attests what NVML says")
	require.Zero(t, theirs.Gpus[0].WeightPpm)
	require.True(t, theirs.Gpus[0].Reward.IsZero())
	t.Logf("day %d: up in %d slots, reward %s", day, theirs.Gpus[0].Slots, theirs.Gpus[0].Reward)
}

// paidDay returns the newest closed day on which the host's first GPU earned; 0 for none.
func paidDay(ctx context.Context, l *liar) (uint64, error) {
	q := rewards.NewQueryClient(l.client)
	days, err := q.Days(ctx, &rewards.QueryDaysRequest{})
	if err != nil {
		return 0, err
	}
	var paid uint64
	for i := range days.Days {
		d := &days.Days[i]
		if d.Status != rewards.DAY_STATUS_CLOSED {
			continue
		}
		earned, err := q.HostDay(ctx, &rewards.QueryHostDayRequest{Day: d.Day, HostId: l.hostID})
		if err != nil {
			return 0, err
		}
		if len(earned.Gpus) > 0 && earned.Gpus[0].Reward.IsPositive() {
			paid = max(paid, d.Day)
		}
	}
	return paid, nil
}

// processor is the CPU behind a card that doesn't exist. It measures how long it
// would take, and gives up.
type processor struct {
	need atomic.Int64 // nanoseconds for the challenge
}

func (p *processor) prove(_ context.Context, w compute.Work, _ uint32) (trees, compute.Hash) {
	part := compute.Work{N: 1 << 7, M: w.M, Rounds: 1, Seed: w.Seed}
	began := time.Now()
	if _, err := compute.Prove(part); err != nil {
		panic(err) // the chain's own profile, smaller
	}
	p.need.Store(int64(float64(time.Since(began)) * float64(w.Ops()) / float64(part.Ops())))
	return nil, compute.Hash{}
}

// tooSlow waits until a host that attests a card that it doesn't have is jailed.
func tooSlow(t *testing.T, ctx context.Context, l *liar, p *processor) {
	unanswered(t, ctx, l)
	window := time.Duration(shortH100(t).Profile.WindowMs) * time.Millisecond
	need := time.Duration(p.need.Load())
	t.Logf("a core needs %s, the window is %s", need.Round(time.Minute), window)
	require.Greater(t, need, 100*window, "not with all cores of a large server either")
}
