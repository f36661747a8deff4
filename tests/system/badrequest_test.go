package system

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/gateway"
	"github.com/grafilab/grafi/offchain/executor/manifest"
	"github.com/grafilab/grafi/offchain/executor/token"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// testBadRequests speaks to the gateway of a rental that waits for its manifest.
func testBadRequests(t *testing.T, ctx context.Context, m *market, image string) {
	good, other := counterManifest(t, m.Dir, image, "counter-good"), counterManifest(t, m.Dir, image, "counter-other")
	msg := m.rentMsg("renter", 1)
	msg.ManifestDigest = digestOf(t, good)
	id := submitRent(t, ctx, m, msg)
	defer closeRental(t, ctx, m, id)
	pending, err := m.rental(ctx, id)
	require.NoError(t, err)
	renter, stranger := keyOf(t, m.Network, "renter"), keyOf(t, m.Network, "stranger")
	audience := token.Audience(m.ChainID, pending.HostId, id)
	valid := token.Request{
		Renter: m.Accounts["renter"], Audience: audience, Scopes: []token.Scope{token.ScopeStatus}, Lifetime: time.Minute,
	}
	status := func(issue gateway.Issue) (gateway.Status, error) { return gatewayOf(t, ctx, m, id, issue).Status(ctx) }

	t.Run("another manifest", func(t *testing.T) {
		_, err := m.renter(ctx, "manifest", "send", fmt.Sprint(id), other)
		require.ErrorContains(t, err, gateway.CodeDigestMismatch)
		require.ErrorContains(t, err, hex.EncodeToString(digestOf(t, other)))
		require.ErrorContains(t, err, hex.EncodeToString(digestOf(t, good)))
	})
	for name, tc := range map[string]struct {
		key    cryptotypes.PrivKey
		change func(*token.Request)
		code   string
	}{
		"expired token":       {renter, func(r *token.Request) { r.IssuedAt = r.IssuedAt.Add(-2 * time.Minute) }, "token_expired"},
		"token of a stranger": {stranger, func(r *token.Request) { r.Renter = m.Accounts["stranger"] }, "token_foreign_renter"},
		"forged token":        {stranger, func(*token.Request) {}, "token_wrong_key"},
		"token of another rental": {renter, func(r *token.Request) { r.Audience = token.Audience(m.ChainID, pending.HostId, id+1) },
			"token_wrong_audience"},
		"token of another host": {renter, func(r *token.Request) { r.Audience = token.Audience(m.ChainID, pending.HostId+1, id) },
			"token_wrong_audience"},
		"token for logs":     {renter, func(r *token.Request) { r.Scopes = []token.Scope{token.ScopeLogs} }, "token_missing_scope"},
		"token for an hour":  {renter, func(r *token.Request) { r.Lifetime = time.Hour }, "token_lives_too_long"},
		"token of next week": {renter, func(r *token.Request) { r.IssuedAt = r.IssuedAt.Add(7 * 24 * time.Hour) }, "token_not_yet_valid"},
	} {
		t.Run(name, func(t *testing.T) {
			req := valid
			req.IssuedAt = time.Now()
			tc.change(&req)
			_, err := status(func(token.Scope) (string, error) { return token.New(req, token.ES256K, tc.key.Sign) })
			require.True(t, gateway.HasCode(err, tc.code), "want %s, got %v", tc.code, err)
		})
	}
	t.Run("replayed token", func(t *testing.T) {
		req := valid
		req.IssuedAt = time.Now()
		once, err := token.New(req, token.ES256K, renter.Sign)
		require.NoError(t, err)
		again := func(token.Scope) (string, error) { return once, nil }
		_, err = status(again)
		require.NoError(t, err)
		_, err = status(again)
		require.True(t, gateway.HasCode(err, "token_replayed"), "%v", err)
	})

	req := valid
	req.IssuedAt = time.Now()
	st, err := status(func(token.Scope) (string, error) { return token.New(req, token.ES256K, renter.Sign) })
	require.NoError(t, err)
	require.False(t, st.ManifestReceived, "nothing was kept")
	require.Empty(t, st.State, "nothing runs")
	after, err := m.rental(ctx, id)
	require.NoError(t, err)
	require.Equal(t, pending, after)
}

// testBadImage rents with an image whose registry serves other content than the
// digest says. It must not run, and the renter gets everything back.
func testBadImage(t *testing.T, ctx context.Context, m *market, image string) {
	name := fmt.Sprintf("counter-tampered-%d", time.Now().UnixNano())
	path := counterManifest(t, m.Dir, tamper(t, image), name)
	id := m.rent(t, ctx, path, time.Hour)
	renter := keyOf(t, m.Network, "renter")
	r, err := m.rental(ctx, id)
	require.NoError(t, err)
	client := gatewayOf(t, ctx, m, id, func(scope token.Scope) (string, error) {
		return token.New(token.Request{
			Renter: r.Renter, Audience: token.Audience(m.ChainID, r.HostId, id), Scopes: []token.Scope{scope},
			IssuedAt: time.Now(), Lifetime: time.Minute,
		}, token.ES256K, renter.Sign)
	})
	eventually(t, ctx, 30*time.Second, "the host to refuse the image", func() (bool, error) {
		st, err := client.Status(ctx)
		if err == nil && !strings.Contains(st.Message, "sha256") {
			err = fmt.Errorf("status is %+v", st)
		}
		return true, err
	})
	running, err := processes(name)
	require.NoError(t, err)
	require.Empty(t, running)
	r, err = m.rental(ctx, id)
	require.NoError(t, err)
	require.Equal(t, markettypes.RENTAL_STATE_PENDING, r.State)
	closeRental(t, ctx, m, id)
}

// gatewayOf is a renter's client of the host's gateway as the chain names it.
func gatewayOf(t *testing.T, ctx context.Context, m *market, id uint64, issue gateway.Issue) *gateway.Client {
	t.Helper()
	r, err := m.rental(ctx, id)
	require.NoError(t, err)
	host, err := attestationtypes.NewQueryClient(m.client).Host(ctx, &attestationtypes.QueryHostRequest{HostId: r.HostId})
	require.NoError(t, err)
	var keys []ed25519.PublicKey
	for _, k := range host.Host.AgentKeys {
		keys = append(keys, k.PublicKey)
	}
	client, err := gateway.NewClient(host.Host.Endpoint, id, issue, keys...)
	require.NoError(t, err)
	return client
}

func digestOf(t *testing.T, path string) []byte {
	t.Helper()
	doc, err := os.ReadFile(path)
	require.NoError(t, err)
	m, err := manifest.Parse(doc)
	require.NoError(t, err)
	digest, err := m.Digest()
	require.NoError(t, err)
	return digest[:]
}

// tamper returns the image's reference at a registry that changes one byte of
// every layer.
func tamper(t *testing.T, image string) string {
	t.Helper()
	host, rest, ok := strings.Cut(image, "/")
	require.True(t, ok)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host})
	proxy.ModifyResponse = func(resp *http.Response) error {
		if resp.Request.Method != http.MethodGet || !strings.Contains(resp.Request.URL.Path, "/blobs/") {
			return nil
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || len(body) == 0 {
			return err
		}
		body[len(body)/2] ^= 1
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://") + "/" + rest
}
