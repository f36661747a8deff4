package gateway_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/gateway"
	"github.com/grafilab/grafi/offchain/executor/manifest"
	"github.com/grafilab/grafi/offchain/executor/token"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

func TestManifestLogsResultsAndExec(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.client(t)
	ctx := t.Context()
	require.NoError(t, c.Health(ctx))

	st, err := c.Status(ctx)
	require.NoError(t, err)
	require.Equal(t, "waits for the manifest", st.Message)

	accepted, err := c.PutManifest(ctx, []byte(doc))
	require.NoError(t, err)
	require.Equal(t, hex.EncodeToString(f.chain.rental.ManifestDigest), accepted.Digest)
	require.Equal(t, 1, f.executor.wakes)
	rec, ok, err := f.store.Get(rentalID)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, []uint32{2}, rec.GPUs)

	f.executor.obstacle = errors.New("registry is away")
	st, err = c.Status(ctx)
	require.NoError(t, err)
	require.Equal(t, "could not start yet: registry is away", st.Message)

	f.run(t)
	f.engine.WriteLog(rentalID, "hello\nworld\n")
	log, err := c.Logs(ctx, engine.LogOptions{Follow: true, TailBytes: 6})
	require.NoError(t, err)
	got, err := io.ReadAll(log)
	require.NoError(t, err)
	require.NoError(t, log.Close())
	require.Equal(t, "world\n", string(got))

	_, err = c.Results(ctx)
	require.True(t, gateway.HasCode(err, "no_such_file"), err)
	f.engine.WriteResult(rentalID, "/out/a.txt", "A")
	f.engine.WriteResult(rentalID, "/out/b.txt", "BB")
	results, err := c.Results(ctx)
	require.NoError(t, err)
	require.Len(t, results.Files, 2)
	require.EqualValues(t, 2, results.Files[1].Bytes)
	file, err := c.OpenResult(ctx, "/out/b.txt")
	require.NoError(t, err)
	got, err = io.ReadAll(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.Equal(t, "BB", string(got))

	var out, errOut bytes.Buffer
	code, err := c.Exec(ctx, gateway.ExecRequest{Args: []string{"echo", "hi"}}, &out, &errOut)
	require.NoError(t, err)
	require.Zero(t, code)
	require.Equal(t, "echo hi\n", out.String())

	f.engine.Exit(rentalID, 3)
	st, err = c.Status(ctx)
	require.NoError(t, err)
	require.Equal(t, 3, st.ExitCode)
	require.True(t, st.ExitKnown)
	_, err = c.Exec(ctx, gateway.ExecRequest{Args: []string{"echo"}}, &out, &errOut)
	require.True(t, gateway.HasCode(err, "workload_not_running"), err)
}

func TestManifestIsRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		doc    string
		change func(*fixture)
		code   string
		says   string
	}{
		"another manifest than on chain": {doc: `{"image":"localhost:5000/job@sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","resources":{"cpu_millis":1000,"memory_mib":64}}`, code: "digest_mismatch", says: " on chain"},
		"no manifest":                    {doc: `hello`, code: "manifest_invalid"},
		"too large":                      {doc: string(make([]byte, manifest.MaxBytes+1)), code: "too_large"},
		"rental is closed": {doc: doc, code: "rental_closed", change: func(f *fixture) {
			f.chain.rental.State = markettypes.RENTAL_STATE_CLOSED
		}},
		"more GPUs than the rental": {doc: doc, code: "resources_exceeded", says: "resources.gpus", change: func(f *fixture) {
			f.chain.rental.Gpus = nil
		}},
		"more CPU than the share":    {doc: doc, code: "resources_exceeded", says: "wants 1000", change: func(f *fixture) { f.share.CPUMillis = 999 }},
		"more memory than the share": {doc: doc, code: "resources_exceeded", says: "memory_mib", change: func(f *fixture) { f.share.MemoryMiB = 63 }},
		"more disk than the share":   {doc: doc, code: "resources_exceeded", says: "disk_mib", change: func(f *fixture) { f.share.DiskMiB = 1023 }},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			if tc.change != nil {
				tc.change(f)
			}
			_, err := f.client(t).PutManifest(t.Context(), []byte(tc.doc))
			require.True(t, gateway.HasCode(err, tc.code), "%v", err)
			require.ErrorContains(t, err, tc.says)
			if tc.code == "digest_mismatch" {
				require.ErrorContains(t, err, hex.EncodeToString(f.chain.rental.ManifestDigest))
			}
			all, err := f.store.All()
			require.NoError(t, err)
			require.Empty(t, all, "a refused manifest leaves no trace")
			require.Zero(t, f.executor.wakes)
		})
	}
}

func TestTokensAreRefused(t *testing.T) {
	t.Parallel()
	other := secp256k1.GenPrivKey()
	tests := map[string]struct {
		rental uint64
		change func(*token.Request)
		signer *secp256k1.PrivKey
		code   string
	}{
		"expired":        {change: func(r *token.Request) { r.IssuedAt = r.IssuedAt.Add(-2 * time.Minute) }, code: "token_expired"},
		"before start":   {change: func(r *token.Request) { r.IssuedAt = r.IssuedAt.Add(-30 * time.Second) }, code: "token_stale"},
		"wrong audience": {change: func(r *token.Request) { r.Audience = token.Audience(chainID, 5, rentalID) }, code: "token_wrong_audience"},
		"foreign renter": {change: func(r *token.Request) { r.Renter = "grafi1other" }, signer: other, code: "token_foreign_renter"},
		"wrong key":      {signer: other, code: "token_wrong_key"},
		"missing scope":  {change: func(r *token.Request) { r.Scopes = []token.Scope{token.ScopeLogs} }, code: "token_missing_scope"},
		"lives too long": {change: func(r *token.Request) { r.Lifetime = time.Hour }, code: "token_lives_too_long"},
		"unknown rental": {rental: 78, code: "unknown_rental"},
		"rental id zero": {rental: 1 << 63, code: "unknown_rental"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			if tc.rental == 0 {
				tc.rental = rentalID
			}
			signer := f.renter
			if tc.signer != nil {
				signer = tc.signer
			}
			c := f.clientWith(t, tc.rental, func(scope token.Scope) (string, error) {
				req := request(scope)
				if tc.change != nil {
					tc.change(&req)
				}
				return token.New(req, token.ES256K, signer.Sign)
			})
			_, err := c.Status(t.Context())
			require.True(t, gateway.HasCode(err, tc.code), "%v", err)
		})
	}
}

func TestAReplayedTokenIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw, err := token.New(request(token.ScopeStatus), token.ADR36, f.renter.Sign)
	require.NoError(t, err)
	c := f.clientWith(t, rentalID, func(token.Scope) (string, error) { return raw, nil })

	_, err = c.Results(t.Context())
	require.True(t, gateway.HasCode(err, "token_missing_scope"), "%v", err)
	_, err = c.Status(t.Context())
	require.NoError(t, err, "a refused call does not use the token up")
	_, err = c.Status(t.Context())
	require.True(t, gateway.HasCode(err, "token_replayed"), "%v", err)
}

func TestCouldNotLookIsNotARefusal(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.chain.err = errors.New("no route")
	_, err := f.client(t).Status(t.Context())
	require.True(t, gateway.HasCode(err, gateway.CodeChainAway), "%v", err)
	require.NotContains(t, err.Error(), "no route", "what is inside stays inside")
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.client(t)
	var limited bool
	for range 120 {
		if _, err := c.Status(t.Context()); err != nil {
			require.True(t, gateway.HasCode(err, "rate_limited"), "%v", err)
			limited = true
		}
	}
	require.True(t, limited)
	f.chain.mu.Lock()
	defer f.chain.mu.Unlock()
	require.Less(t, f.chain.lookups, 10, "requests do not become queries")
}

func TestOnlyTheAgentKeysGatewayIsSpokenTo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	stranger, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	c, err := gateway.NewClient(f.endpoint, rentalID, func(token.Scope) (string, error) {
		return token.New(request(token.ScopeStatus), token.ES256K, f.renter.Sign)
	}, stranger)
	require.NoError(t, err)
	_, err = c.Status(t.Context())
	require.ErrorIs(t, err, agentapi.ErrWrongGateway)

	_, err = tls.Dial("tcp", f.endpoint[len("https://"):], &tls.Config{MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true})
	require.Error(t, err, "TLS 1.3 only")
}

func TestTheGatewayOutlivesTheAgent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.issuer.err = errors.New("agent is away")
	require.ErrorIs(t, f.client(t).Health(t.Context()), gateway.ErrUnreachable, "no certificate yet")
	f.issuer.mu.Lock()
	f.issuer.err = nil
	f.issuer.mu.Unlock()
	require.NoError(t, f.client(t).Health(t.Context()))
	f.issuer.mu.Lock()
	f.issuer.err = errors.New("agent is away")
	f.issuer.mu.Unlock()
	require.NoError(t, f.client(t).Health(t.Context()), "the certificate is still good")
}
