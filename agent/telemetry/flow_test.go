package telemetry_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hpke"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/keystore"
	"github.com/grafilab/grafi/agent/telemetry"
	"github.com/grafilab/grafi/agent/telemetry/telemetrytest"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

const slotSeconds = 60

var genesis = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// fixture is an agent's real state with samples and roots, and what reads it.
type fixture struct {
	t        *testing.T
	store    *attest.Store
	key      *keystore.AgentKey
	id       attest.Identity
	params   attestation.Params
	operator hpke.PrivateKey
	cfg      telemetry.Config
	service  *telemetrytest.Receiver
	last     uint64 // newest slot with a root
}

func (f *fixture) Host() (attest.Identity, attestation.Host, []attestation.Gpu, attestation.Params, bool) {
	return f.id, attestation.Host{}, nil, f.params, true
}

func (f *fixture) Key() attest.Signer { return f.key }

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, id: attest.Identity{ChainID: "grafi-test-1", HostID: 7}, params: attestation.DefaultParams()}
	f.params.SlotSeconds = slotSeconds
	var err error
	f.key, err = keystore.CreateAgentKey(keystore.Files{Dir: t.TempDir()}, "agent.key")
	require.NoError(t, err)
	f.store, err = attest.OpenStore(filepath.Join(t.TempDir(), "state.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.store.Close()) })
	var op string
	f.operator, op = newKey(t, "mlkem768x25519", "operator")
	to, err := telemetry.ParseRecipients([]string{op})
	require.NoError(t, err)
	f.service = telemetrytest.NewReceiver(t, f.key.PublicKey())
	f.cfg = telemetry.Config{
		Address: f.service.Address, ServerKey: f.service.Key, Recipients: to,
		SpoolDir: filepath.Join(t.TempDir(), "telemetry"), SpoolBytes: 1 << 20, Every: 20 * time.Millisecond,
	}
	f.last = uint64(genesis.Unix()) / slotSeconds
	return f
}

// root samples three slots and commits the root over them, as the agent does.
func (f *fixture) root() (samples [][]byte) {
	f.t.Helper()
	from, err := f.store.LastRoot(f.id)
	require.NoError(f.t, err)
	f.last += 3
	end := f.params.SlotStart(f.last + 1)
	for at := end.Add(-3 * slotSeconds * time.Second); at.Before(end); at = at.Add(10 * time.Second) {
		require.NoError(f.t, f.store.PutRecord(attest.Record{TakenAt: at, Kind: "sim"}))
	}
	if from.IsZero() {
		from = time.Unix(0, 0)
	}
	samples, err = f.store.Raw(from, end)
	require.NoError(f.t, err)
	_, err = f.store.Commit(attestation.AttestationDoc{
		ChainId: f.id.ChainID, HostId: f.id.HostID, Slot: f.last, DetailRoot: attest.DetailRoot(samples),
	}, end, end)
	require.NoError(f.t, err)
	return samples
}

func (f *fixture) start() (*telemetry.Flow, func()) {
	f.t.Helper()
	cursor, err := f.store.Ledger("telemetry")
	require.NoError(f.t, err)
	flow, err := telemetry.New(f.cfg, f, f.store, cursor, slog.New(slog.DiscardHandler))
	require.NoError(f.t, err)
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = flow.Run(ctx) }()
	return flow, func() { cancel(); <-done }
}

func (f *fixture) eventually(why string, ok func() bool) {
	f.t.Helper()
	require.Eventually(f.t, ok, 10*time.Second, 5*time.Millisecond, why)
}

func TestSamplesReachTheOperator(t *testing.T) {
	f := newFixture(t)
	want := [][][]byte{f.root(), f.root()}
	flow, stop := f.start()
	f.eventually("two batches", func() bool { return len(f.service.Batches()) == 2 })
	for i, b := range f.service.Batches() {
		got, err := b.Open(f.operator)
		require.NoError(t, err)
		require.Equal(t, want[i], got)
		require.Equal(t, attest.DetailRoot(want[i]), b.DetailRoot, "what the chain has")
	}
	f.eventually("nothing waits", func() bool { return flow.Status().Waiting == 0 })
	stop()

	third := f.root()
	_, stop = f.start() // a restart sends what is new, and nothing twice
	defer stop()
	f.eventually("the third", func() bool { return len(f.service.Batches()) == 3 })
	got, err := f.service.Batches()[2].Open(f.operator)
	require.NoError(t, err)
	require.Equal(t, third, got)
	require.Equal(t, 3, f.service.Calls())
}

func TestOutagesAndRestartsLoseNothing(t *testing.T) {
	f := newFixture(t)
	f.service.Answer(http.StatusServiceUnavailable)
	f.root()
	flow, stop := f.start()
	f.eventually("it waits", func() bool { st := flow.Status(); return st.Waiting == 1 && st.Error != "" })
	stop()
	f.root()
	flow, stop = f.start()
	defer stop()
	f.eventually("both wait", func() bool { return flow.Status().Waiting == 2 })
	f.service.Answer(0)
	f.eventually("both arrive", func() bool { return len(f.service.Batches()) == 2 })
	require.Less(t, f.service.Batches()[0].Slot, f.service.Batches()[1].Slot, "the oldest first")
	f.eventually("no error stays", func() bool { return flow.Status().Error == "" })
}

func TestTheSpoolIsBounded(t *testing.T) {
	f := newFixture(t)
	f.service.Answer(http.StatusServiceUnavailable)
	f.cfg.SpoolBytes = 12 << 10 // a batch has about 3 KiB
	for range 20 {
		f.root()
	}
	flow, stop := f.start()
	defer stop()
	f.eventually("old ones are forgotten", func() bool { return flow.Status().Dropped > 5 })
	var size int64
	entries, err := os.ReadDir(f.cfg.SpoolDir)
	require.NoError(t, err)
	for _, e := range entries {
		fi, err := e.Info()
		require.NoError(t, err)
		size += fi.Size()
	}
	require.LessOrEqual(t, size, f.cfg.SpoolBytes)
	f.service.Answer(0)
	f.eventually("the newest arrive", func() bool {
		b := f.service.Batches()
		return len(b) > 0 && b[len(b)-1].Slot == f.last
	})
}

func TestARefusalForGoodLeavesTheSpool(t *testing.T) {
	f := newFixture(t)
	f.service.Answer(http.StatusUnprocessableEntity)
	f.root()
	flow, stop := f.start()
	defer stop()
	f.eventually("forgotten", func() bool { st := flow.Status(); return st.Dropped == 1 && st.Waiting == 0 })
}

func TestBothSidesMustHaveTheirKeys(t *testing.T) {
	f := newFixture(t)
	f.root()
	other, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	f.cfg.ServerKey = other
	flow, stop := f.start()
	f.eventually("another server's key", func() bool { return flow.Status().Error != "" })
	require.Zero(t, f.service.Calls(), "nothing was said to it")
	stop()

	f.cfg.ServerKey = f.service.Key
	f.key, err = keystore.CreateAgentKey(keystore.Files{Dir: t.TempDir()}, "agent.key")
	require.NoError(t, err)
	flow, stop = f.start()
	defer stop()
	f.eventually("an agent key that no host has", func() bool { return flow.Status().Error != "" && f.service.Calls() > 0 })
	require.Empty(t, f.service.Batches())
}
