package system

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/hd"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/testutil/localnet"
)

// sendGas covers a transaction of sendsPerTx transfers, so that none is
// simulated: one that fails shall fail in a block.
const (
	sendGas    = 500_000
	sendsPerTx = 4
)

// accountNames returns n names of accounts that pay one another.
func accountNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("payer%d", i)
	}
	return names
}

// keyOf returns the private key of a network's account.
func keyOf(t *testing.T, n *localnet.Network, name string) cryptotypes.PrivKey {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(n.Dir, "net", "testnet.json"))
	require.NoError(t, err)
	var manifest struct {
		Accounts []struct{ Name, Mnemonic string }
	}
	require.NoError(t, json.Unmarshal(raw, &manifest))
	for _, a := range manifest.Accounts {
		if a.Name == name {
			key, err := hd.Secp256k1.Derive()(a.Mnemonic, "", fmt.Sprintf("m/44'/%d'/0'/0/0", chaininfo.CoinType))
			require.NoError(t, err)
			return &secp256k1.PrivKey{Key: key}
		}
	}
	t.Fatalf("no account %q", name)
	return nil
}

// clientOf returns a client that knows only this node.
func clientOf(t *testing.T, n *localnet.Network, rpc string) *chainclient.Client {
	t.Helper()
	c, err := chainclient.New(chainclient.Config{
		ChainID: n.ChainID, Endpoints: []string{rpc}, GasPrices: chaininfo.DefaultMinGasPrices,
		PollInterval: 100 * time.Millisecond,
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return c
}

// pay has every payer send rounds transactions, each through the node that is
// next in line. Blocks get what makes parallel execution hard: one receiver whom
// many pay, transfers among the same few accounts, and failures. It returns how
// many transactions succeeded and how many failed in a block.
func pay(t *testing.T, ctx context.Context, n *localnet.Network, seed int64, names []string, rounds int) (good, bad int) {
	t.Helper()
	type count struct{ good, bad int }
	counts := make([]count, len(names))
	group, ctx := errgroup.WithContext(ctx)
	for i, name := range names {
		client, key := clientOf(t, n, n.Nodes[i%len(n.Nodes)].RPC), keyOf(t, n, name)
		r := rand.New(rand.NewSource(seed + int64(i)))
		group.Go(func() error {
			for range rounds {
				_, err := client.SubmitWith(ctx, key, chainclient.Options{GasLimit: sendGas}, transfers(r, n, name, names)...)
				switch refused, ok := chainclient.AsRejected(err); {
				case err == nil:
					counts[i].good++
				case ok && refused.Stage == chainclient.StageDeliver:
					counts[i].bad++
				default:
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	for _, c := range counts {
		good, bad = good+c.good, bad+c.bad
	}
	return good, bad
}

// transfers are the messages of one transaction; one in eight asks for more
// than there is.
func transfers(r *rand.Rand, n *localnet.Network, from string, names []string) []sdk.Msg {
	msgs := make([]sdk.Msg, sendsPerTx)
	for i := range msgs {
		to := names[r.Intn(len(names))]
		if r.Intn(3) == 0 {
			to = names[0]
		}
		amount := 1 + r.Int63n(1_000_000)
		if r.Intn(8*sendsPerTx) == 0 {
			amount = chaininfo.SupplyCap
		}
		msgs[i] = &banktypes.MsgSend{
			FromAddress: n.Accounts[from], ToAddress: n.Accounts[to],
			Amount: sdk.NewCoins(sdk.NewInt64Coin(chaininfo.BaseDenom, amount)),
		}
	}
	return msgs
}
