package chainclient_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/chainclient"
)

var key = secp256k1.GenPrivKeyFromSecret([]byte("chainclient test"))

func addressOf(pub cryptotypes.PubKey) string {
	a, err := chainclient.Address(pub)
	if err != nil {
		panic(err)
	}
	return a
}

func newClient(t *testing.T, chainID string, urls ...string) *chainclient.Client {
	t.Helper()
	c, err := chainclient.New(chainclient.Config{
		ChainID: chainID, Endpoints: urls, GasPrices: "0.025ugrafi",
		RequestTimeout: time.Second, InclusionTimeout: 300 * time.Millisecond, PollInterval: 10 * time.Millisecond,
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return c
}

func send() sdk.Msg {
	return &banktypes.MsgSend{FromAddress: addressOf(key.PubKey()), ToAddress: addressOf(key.PubKey()),
		Amount: sdk.NewCoins(sdk.NewInt64Coin("ugrafi", 1))}
}

const deadURL = "http://127.0.0.1:1"

func TestConfigErrors(t *testing.T) {
	good := chainclient.Config{ChainID: "c", Endpoints: []string{"http://h:1"}}
	tests := map[string]struct {
		change func(*chainclient.Config)
		want   string
	}{
		"no chain id":    {func(c *chainclient.Config) { c.ChainID = "" }, "chain id is empty"},
		"no endpoint":    {func(c *chainclient.Config) { c.Endpoints = nil }, "no endpoint"},
		"not a URL":      {func(c *chainclient.Config) { c.Endpoints = []string{"localhost:26657"} }, `endpoint "localhost:26657"`},
		"price":          {func(c *chainclient.Config) { c.GasPrices = "cheap" }, `gas prices "cheap"`},
		"gas adjustment": {func(c *chainclient.Config) { c.GasAdjustment = 99 }, "gas adjustment 99%"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := good
			tc.change(&cfg)
			_, err := chainclient.New(cfg, slog.New(slog.DiscardHandler))
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestFailover(t *testing.T) {
	chain := newChain(key)
	good := chain.node(t)
	c := newClient(t, chain.id, deadURL, good.url)

	st, err := c.Status(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 3, st.Height)
	require.Equal(t, good.url, c.Endpoint(), "the one that answers is tried first from now on")
}

func TestNobodyAnswers(t *testing.T) {
	_, err := newClient(t, "grafi-test-1", deadURL, "http://127.0.0.1:2").Status(t.Context())
	require.ErrorIs(t, err, chainclient.ErrUnreachable)
	require.ErrorContains(t, err, deadURL)
	_, rejected := chainclient.AsRejected(err)
	require.False(t, rejected)
}

func TestBadEndpointsAreSkipped(t *testing.T) {
	other := newChain(key)
	other.id = "other-1"
	huge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"result":"` + strings.Repeat("a", 17<<20) + `"}`))
	}))
	defer huge.Close()
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html>login</html>"))
	}))
	defer html.Close()
	tests := map[string]struct{ url, want string }{
		"another chain": {other.node(t).url, `got "other-1", want "grafi-test-1"`},
		"huge answer":   {huge.URL, "larger than"},
		"a web page":    {html.URL, "no JSON-RPC"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			chain := newChain(key)
			_, err := newClient(t, chain.id, tc.url).Status(t.Context())
			require.ErrorIs(t, err, chainclient.ErrUnreachable)
			require.ErrorContains(t, err, tc.want)

			_, err = newClient(t, chain.id, tc.url, chain.node(t).url).Status(t.Context())
			require.NoError(t, err)
		})
	}
}

func TestStaleEndpointGivesWay(t *testing.T) {
	stuck, live := newChain(key), newChain(key)
	stuck.blockTime = time.Now().Add(-time.Hour)
	live.blocks = append(live.blocks, nil, nil)
	n := live.node(t)
	c := newClient(t, live.id, stuck.node(t).url, n.url)

	st, err := c.Status(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 5, st.Height)
	require.Equal(t, n.url, c.Endpoint())
}

func TestHeader(t *testing.T) {
	chain := newChain(key)
	c := newClient(t, chain.id, deadURL, chain.node(t).url)

	h, err := c.Header(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, blockHash(2), h.Hash)

	c = newClient(t, chain.id, chain.node(t).url)
	_, err = c.Header(t.Context(), 4)
	require.ErrorIs(t, err, chainclient.ErrHeightNotAvailable)
}

func TestQueryErrors(t *testing.T) {
	chain := newChain(key)
	c := newClient(t, chain.id, chain.node(t).url)
	q := authtypes.NewQueryClient(c)

	_, err := q.AccountInfo(t.Context(), &authtypes.QueryAccountInfoRequest{Address: "grafi1nobody"})
	require.True(t, chainclient.IsNotFound(err), "%v", err)
	require.NotErrorIs(t, err, chainclient.ErrUnreachable)

	_, err = authtypes.NewQueryClient(newClient(t, chain.id, deadURL)).AccountInfo(t.Context(), &authtypes.QueryAccountInfoRequest{})
	require.ErrorIs(t, err, chainclient.ErrUnreachable)
	require.False(t, chainclient.IsNotFound(err))
}

// TestAtLeast: the node answers from height 3.
func TestAtLeast(t *testing.T) {
	chain := newChain(key)
	q := authtypes.NewQueryClient(newClient(t, chain.id, chain.node(t).url))
	req := &authtypes.QueryAccountInfoRequest{Address: "grafi1nobody"}
	_, err := q.AccountInfo(chainclient.AtLeast(t.Context(), 3), req)
	require.True(t, chainclient.IsNotFound(err), "%v", err)
	_, err = q.AccountInfo(chainclient.AtLeast(t.Context(), 4), req)
	require.ErrorIs(t, err, chainclient.ErrUnreachable)
	require.False(t, chainclient.IsNotFound(err), "a lagging node's \"no\" is not the chain's")
}

func TestBalance(t *testing.T) {
	chain := newChain(key)
	c := newClient(t, chain.id, chain.node(t).url)
	got, err := c.Balance(t.Context(), addressOf(key.PubKey()), "ugrafi")
	require.NoError(t, err)
	require.Equal(t, "12345ugrafi", got.String())
	got, err = c.Balance(t.Context(), "grafi1nobody", "ugrafi")
	require.NoError(t, err)
	require.True(t, got.IsZero())
}

func TestSubmit(t *testing.T) {
	for _, noIndex := range []bool{false, true} {
		t.Run(fmt.Sprintf("noIndex=%v", noIndex), func(t *testing.T) {
			chain := newChain(key)
			n := chain.node(t)
			n.noIndex = noIndex
			c := newClient(t, chain.id, n.url)

			for i := range 3 {
				res, err := c.Submit(t.Context(), key, send())
				require.NoError(t, err)
				require.EqualValues(t, 4+i, res.Height)
				require.EqualValues(t, 90000, res.GasUsed)
				require.Equal(t, "fee", res.Events[0].Attributes[0].Key)
				// 100,001 gas × 1.3 = 130,001; × 0.025 = 3,250.025, rounded up
				require.Equal(t, "3251ugrafi", res.Fee.String())
			}
			require.Equal(t, 1, n.calls["abci_query"]-3, "the account is asked for once, each gas simulated")
			var auth txtypes.AuthInfo
			require.NoError(t, proto.Unmarshal(chain.sent[2].AuthInfoBytes, &auth))
			require.EqualValues(t, 130_001, auth.Fee.GasLimit)
			require.EqualValues(t, 5, auth.SignerInfos[0].Sequence)
		})
	}
}

func TestSubmitRefusals(t *testing.T) {
	tests := map[string]struct {
		change func(*fakeChain)
		stage  chainclient.Stage
		code   uint32
	}{
		"in the simulation": {func(c *fakeChain) { c.simCode = 9 }, chainclient.StageSimulate, 9},
		"in the block":      {func(c *fakeChain) { c.deliver = 11 }, chainclient.StageDeliver, 11},
		"bad signature":     {func(c *fakeChain) { c.pub = secp256k1.GenPrivKey().PubKey().(*secp256k1.PubKey) }, chainclient.StageQuery, 22},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			chain := newChain(key)
			tc.change(chain)
			c := newClient(t, chain.id, chain.node(t).url)
			_, err := c.Submit(t.Context(), key, send())
			r, ok := chainclient.AsRejected(err)
			require.True(t, ok, "%v", err)
			require.Equal(t, tc.stage, r.Stage)
			require.Equal(t, tc.code, r.Code)
		})
	}
}

func TestSequenceMismatchIsCorrected(t *testing.T) {
	chain := newChain(key)
	chain.mempool = 5 // two transactions of this account wait in the mempool
	c := newClient(t, chain.id, chain.node(t).url)
	_, err := c.Submit(t.Context(), key, send())
	require.NoError(t, err)

	chain.mempool, chain.committed = 9, 9 // somebody else used the key
	_, err = c.Submit(t.Context(), key, send())
	require.NoError(t, err)
	require.Len(t, chain.sent, 2)
}

func TestLostReplyIsNotSentTwice(t *testing.T) {
	chain := newChain(key)
	first, second := chain.node(t), chain.node(t)
	first.loseReply = true
	c := newClient(t, chain.id, first.url, second.url)

	// The first node takes the transaction and cuts the connection. The second
	// refuses the same bytes by sequence, and the client must not sign another.
	_, err := c.Submit(t.Context(), key, send())
	require.NoError(t, err)
	require.Len(t, chain.sent, 1, "one transaction for one Submit")
}

func TestNotIncluded(t *testing.T) {
	chain := newChain(key)
	chain.hold = true
	c := newClient(t, chain.id, chain.node(t).url)
	_, err := c.Submit(t.Context(), key, send())
	require.ErrorIs(t, err, chainclient.ErrNotIncluded)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.Submit(ctx, key, send())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
