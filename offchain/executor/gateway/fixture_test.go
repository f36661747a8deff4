package gateway_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/enginetest"
	"github.com/grafilab/grafi/offchain/executor/gateway"
	"github.com/grafilab/grafi/offchain/executor/manifest"
	"github.com/grafilab/grafi/offchain/executor/store"
	"github.com/grafilab/grafi/offchain/executor/token"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

const (
	chainID  = "grafi-test"
	hostID   = 4
	rentalID = 77
	renter   = "grafi1renter"

	doc = `{"image":"localhost:5000/job@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
"resources":{"cpu_millis":1000,"memory_mib":64,"gpus":1},"volumes":[{"name":"out","path":"/out"}],"results":["/out/a.txt","/out/b.txt"]}`
)

// fakeChain has one rental and one account.
type fakeChain struct {
	mu      sync.Mutex
	rental  markettypes.Rental
	pub     cryptotypes.PubKey
	err     error
	lookups int
}

func (c *fakeChain) Rental(_ context.Context, id uint64) (markettypes.Rental, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lookups++
	return c.rental, id == c.rental.Id, c.err
}

func (c *fakeChain) PubKey(context.Context, string) (cryptotypes.PubKey, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pub, c.err
}

// fakeExecutor counts wake-ups.
type fakeExecutor struct {
	mu       sync.Mutex
	wakes    int
	obstacle error
}

func (e *fakeExecutor) Wake() { e.mu.Lock(); e.wakes++; e.mu.Unlock() }

func (e *fakeExecutor) Obstacle(uint64) error { return e.obstacle }

// agentIssuer signs certificates as the agent does.
type agentIssuer struct {
	key ed25519.PrivateKey
	mu  sync.Mutex
	err error
}

func (a *agentIssuer) Certificate(_ context.Context, pub []byte) (agentapi.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return agentapi.Certificate{}, a.err
	}
	return agentapi.SignGatewayCertificate(a.key, pub, time.Now())
}

// fixture is a gateway on a real TLS listener with one pending rental.
type fixture struct {
	chain    *fakeChain
	engine   *enginetest.Fake
	executor *fakeExecutor
	issuer   *agentIssuer
	store    *store.Store
	share    gateway.Share
	renter   *secp256k1.PrivKey
	agentKey ed25519.PublicKey
	endpoint string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	m, err := manifest.Parse([]byte(doc))
	require.NoError(t, err)
	digest, err := m.Digest()
	require.NoError(t, err)
	agentPub, agentKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	db, err := store.Open(filepath.Join(t.TempDir(), "executor.db"))
	require.NoError(t, err)
	f := &fixture{
		engine: enginetest.NewFake(time.Now), executor: &fakeExecutor{}, issuer: &agentIssuer{key: agentKey}, store: db,
		share:  gateway.Share{CPUMillis: 2000, MemoryMiB: 128, DiskMiB: 1024},
		renter: secp256k1.GenPrivKey(), agentKey: agentPub,
	}
	f.chain = &fakeChain{pub: f.renter.PubKey(), rental: markettypes.Rental{
		Id: rentalID, HostId: hostID, Renter: renter, Gpus: []uint32{2}, ManifestDigest: digest[:],
		State: markettypes.RENTAL_STATE_PENDING,
	}}
	certificates, err := gateway.NewCertificates(f.issuer, time.Now)
	require.NoError(t, err)
	server := gateway.New(gateway.Config{
		ChainID: chainID, HostID: hostID, Chain: f.chain, Engine: f.engine, Isolated: true, Store: db, Executor: f.executor,
		Share:       func(context.Context) (gateway.Share, error) { return f.share, nil },
		Certificate: certificates.Get, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f.endpoint = "https://" + l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
		require.NoError(t, db.Close())
	})
	return f
}

// request is the token that a renter's client makes.
func request(scope token.Scope) token.Request {
	return token.Request{
		Renter: renter, Audience: token.Audience(chainID, hostID, rentalID), Scopes: []token.Scope{scope},
		IssuedAt: time.Now(), Lifetime: time.Minute,
	}
}

func (f *fixture) client(t *testing.T) *gateway.Client {
	t.Helper()
	return f.clientWith(t, rentalID, func(scope token.Scope) (string, error) {
		return token.New(request(scope), token.ES256K, f.renter.Sign)
	})
}

func (f *fixture) clientWith(t *testing.T, rental uint64, issue gateway.Issue) *gateway.Client {
	t.Helper()
	c, err := gateway.NewClient(f.endpoint, rental, issue, f.agentKey)
	require.NoError(t, err)
	return c
}

// run starts the rental's workload in the fake engine.
func (f *fixture) run(t *testing.T) {
	t.Helper()
	m, err := manifest.Parse([]byte(doc))
	require.NoError(t, err)
	require.NoError(t, f.engine.Start(t.Context(), engine.Workload{RentalID: rentalID, Manifest: m}))
}
