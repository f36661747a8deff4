package service_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/agent/keystore"
	"github.com/grafilab/grafi/agent/service"
	"github.com/grafilab/grafi/internal/agentapi"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

const operator = "grafi1xn3xxga8hx8r3m8pd970xrgljxap95v8xnn5ps"

func newConfig(t *testing.T, args ...string) config.Config {
	t.Helper()
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(f)
	require.NoError(t, f.Parse(append([]string{"--home", t.TempDir(), "--chain-id", "grafi-test-1", "--metrics-listen", "",
		"--node", "http://127.0.0.1:1", "--gpu-source", "sim", "--sim-gpus", "2"}, args...)))
	cfg, err := config.Load(f, nil)
	require.NoError(t, err)
	return cfg
}

func makeKeys(t *testing.T, cfg config.Config) service.Keys {
	t.Helper()
	_, err := keystore.CreateAgentKey(service.KeyStore(cfg), service.AgentKeyName)
	require.NoError(t, err)
	_, err = keystore.CreateEncryptionKey(service.KeyStore(cfg), service.EncryptionKeyName)
	require.NoError(t, err)
	_, err = keystore.CreateFeeKey(service.KeyStore(cfg), service.FeeKeyName)
	require.NoError(t, err)
	keys, err := service.LoadKeys(cfg)
	require.NoError(t, err)
	return keys
}

// TestService runs the whole agent on simulated GPUs while no chain answers.
func TestService(t *testing.T) {
	cfg := newConfig(t)
	_, err := service.New(t.Context(), cfg, "test", slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, service.ErrNoKeys)
	keys := makeKeys(t, cfg)

	var lines strings.Builder
	s, err := service.New(t.Context(), cfg, "test", slog.New(slog.NewTextHandler(&lines, nil)))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()

	c := agentapi.NewClient(cfg.Socket)
	var st agentapi.Status
	require.Eventually(t, func() bool {
		st, err = c.Status(t.Context())
		return err == nil && len(st.GPUs) == 2
	}, 10*time.Second, 20*time.Millisecond)
	require.True(t, st.Simulated)
	require.Equal(t, service.SimNotice, st.Notice)
	require.Contains(t, st.ChainError, "could not be reached")
	require.True(t, st.GPUs[0].Up)

	r, err := c.Started(t.Context(), agentapi.Started{RentalID: 4, ManifestDigest: make([]byte, 32)})
	require.NoError(t, err)
	require.Equal(t, agentapi.ReportQueued, r.State)
	_, err = c.Started(t.Context(), agentapi.Started{RentalID: 4, ManifestDigest: append([]byte{1}, make([]byte, 31)...)})
	require.ErrorIs(t, err, agentapi.ErrConflict)

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	cert, err := c.Certificate(t.Context(), pub)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(cert.DER)
	require.NoError(t, err)
	require.NoError(t, agentapi.VerifyGateway(leaf, time.Now(), keys.Current.PublicKey()))

	cancel()
	require.NoError(t, <-done)
	require.NoError(t, s.Close())
	for line := range strings.Lines(lines.String()) {
		require.Contains(t, line, "mode=SIM", "every line says that the GPUs are simulated")
	}
}

func TestRegistrationProvesPossession(t *testing.T) {
	cfg := newConfig(t)
	keys := makeKeys(t, cfg)
	source, err := service.Source(t.Context(), cfg, keys.Seed, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	good := service.Registration{Operator: operator, Region: "DE", Endpoint: "https://gpu1.example.com:8443"}

	msg, err := service.RegisterHost(t.Context(), cfg.ChainID, keys, source, good)
	require.NoError(t, err)
	binding := attestation.NewAgentKeyBinding(cfg.ChainID, operator, 0, msg.AgentKey, msg.EncryptionKey)
	bytes, err := binding.SignBytes()
	require.NoError(t, err)
	require.True(t, attestation.Verify(msg.AgentKey, bytes, msg.AgentSignature))
	require.Len(t, msg.Gpus, 2)
	class, ok := attestation.MatchClass([]attestation.HardwareClass{attestation.SimClass()}, msg.Gpus[0].Name, msg.Gpus[0].MemoryMib)
	require.True(t, ok, "a simulated GPU is of the sim class")
	require.Equal(t, gpu.SimClass, class.Key)

	tests := map[string]struct {
		change func(*service.Registration)
		want   string
	}{
		"operator": {func(r *service.Registration) { r.Operator = "cosmos1xyz" }, "operator"},
		"region":   {func(r *service.Registration) { r.Region = "Germany" }, "Germany"},
		"endpoint": {func(r *service.Registration) { r.Endpoint = "http://a" }, "http://a"},
		"capacity": {func(r *service.Registration) { r.Capacity = 1 }, "capacity 1"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := good
			tc.change(&r)
			_, err := service.RegisterHost(t.Context(), cfg.ChainID, keys, source, r)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// rotationChain knows one host; nothing else is asked of it.
type rotationChain struct {
	attest.Chain
	host attestation.Host
	slot uint64
	err  error
}

func (c rotationChain) HostByKey(context.Context, []byte) (attestation.QueryHostResponse, error) {
	return attestation.QueryHostResponse{Host: c.host}, c.err
}

func (c rotationChain) Clock(context.Context) (attestation.QueryClockResponse, error) {
	return attestation.QueryClockResponse{OldestAcceptedSlot: c.slot}, c.err
}

func TestRotationFinishesAfterTheOldKeysLastSlot(t *testing.T) {
	cfg := newConfig(t)
	keys := makeKeys(t, cfg)
	log := slog.New(slog.DiscardHandler)
	old := keys.Current.PublicKey()
	require.NoError(t, service.FinishRotation(t.Context(), cfg, rotationChain{}, log), "nothing to rotate")

	next, err := keystore.CreateAgentKey(service.KeyStore(cfg), service.NextAgentKeyName)
	require.NoError(t, err)
	seed := keys.Seed
	keys, err = service.LoadKeys(cfg)
	require.NoError(t, err)
	require.Len(t, keys.Agent, 2)
	require.Equal(t, next.PublicKey(), keys.Agent[0].PublicKey(), "newest first")

	chain := rotationChain{slot: 10, host: attestation.Host{Status: attestation.HOST_STATUS_ACTIVE, AgentKeys: []attestation.AgentKey{
		{PublicKey: old, UntilSlot: 10}, {PublicKey: next.PublicKey(), FromSlot: 10},
	}}}
	current := func() ed25519.PublicKey {
		k, err := service.LoadKeys(cfg)
		require.NoError(t, err)
		require.Equal(t, seed, k.Seed)
		return k.Current.PublicKey()
	}
	unreached := chain
	unreached.err = attest.ErrNotRegistered
	for _, c := range []rotationChain{unreached, chain} {
		require.NoError(t, service.FinishRotation(t.Context(), cfg, c, log))
		require.Equal(t, old, current(), "the old key still signs")
	}
	chain.slot = 11
	require.NoError(t, service.FinishRotation(t.Context(), cfg, chain, log))
	require.Equal(t, next.PublicKey(), current())
	kept, err := filepath.Glob(filepath.Join(cfg.KeysPath(), service.AgentKeyName) + ".*.old")
	require.NoError(t, err)
	require.Len(t, kept, 1)
	_, err = os.Stat(filepath.Join(cfg.KeysPath(), service.NextAgentKeyName))
	require.ErrorIs(t, err, os.ErrNotExist)
}
