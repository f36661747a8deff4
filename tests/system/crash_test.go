package system

import (
	"context"
	"encoding/hex"
	"errors"
	"net/url"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/testutil/localnet"
)

const (
	crashPort = 27200
	crashes   = 5
)

// TestNodeCrashes kills a lone validator at random moments while it is paid
// through. What the node said is in a block stays there, nothing is done twice,
// and the chain goes on.
func TestNodeCrashes(t *testing.T) {
	ctx := newContext(t, 3*time.Minute)
	r := random(t)
	n := newNetwork(t, ctx, localnet.Options{
		Validators: 1, BasePort: crashPort, Accounts: []string{"payer"}, BlockTime: 50 * time.Millisecond,
	})
	require.NoError(t, n.Start(ctx))
	// One ugrafi per payment to an account that starts with none: its balance
	// counts the payments.
	receiver := sdk.AccAddress("counts the payments_").String()
	p := &payments{client: clientOf(t, n, n.Nodes[0].RPC), send: func(ctx context.Context, c *chainclient.Client) (chainclient.Result, error) {
		return c.SubmitWith(ctx, keyOf(t, n, "payer"), chainclient.Options{GasLimit: sendGas}, &banktypes.MsgSend{
			FromAddress: n.Accounts["payer"], ToAddress: receiver,
			Amount: sdk.NewCoins(sdk.NewInt64Coin(chaininfo.BaseDenom, 1)),
		})
	}}

	var height int64
	for crash := 1; crash <= crashes; crash++ {
		stop := p.start(ctx)
		time.Sleep(between(r, 500*time.Millisecond, 2500*time.Millisecond))
		require.NoError(t, n.Nodes[0].Kill())
		require.NoError(t, stop())
		require.NoError(t, n.Nodes[0].Start())

		var before int64
		if len(p.included) > 0 {
			before = p.included[len(p.included)-1].Height
		}
		height = waitHeight(t, ctx, n.Nodes[0].RPC, max(height, before)+2)
		t.Logf("crash %d: %d payments in blocks, %d of unknown outcome, height %d", crash, len(p.included), p.unknown, height)
		p.requireKept(t, ctx, n, receiver)
	}
	require.GreaterOrEqual(t, len(p.included), 2*crashes, "payments were made between the crashes")
}

// payments are made one after another until the node is gone.
type payments struct {
	client   *chainclient.Client
	send     func(context.Context, *chainclient.Client) (chainclient.Result, error)
	included []chainclient.Result // seen in a block
	unknown  int                  // sent, then the node died
}

// start pays until stop is called, which returns once nothing is under way.
func (p *payments) start(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		for {
			res, err := p.send(ctx, p.client)
			switch {
			case err == nil:
				p.included = append(p.included, res)
			case errors.Is(err, chainclient.ErrUnreachable), ctx.Err() != nil,
				errors.Is(err, chainclient.ErrNotIncluded):
				p.unknown++
				done <- nil
				return
			default:
				done <- err
				return
			}
		}
	}()
	return func() error {
		// A payment that waits for its block sees the node gone only by its own
		// timeout; nothing can come any more.
		cancel()
		return <-done
	}
}

// requireKept checks each payment on the node's own disk.
func (p *payments) requireKept(t *testing.T, ctx context.Context, n *localnet.Network, receiver string) {
	t.Helper()
	rpc := n.Nodes[0].RPC
	for _, want := range p.included {
		hash, err := hex.DecodeString(want.TxHash)
		require.NoError(t, err)
		var got struct {
			Height   int64 `json:"height,string"`
			TxResult struct {
				Code uint32 `json:"code"`
			} `json:"tx_result"`
		}
		require.NoError(t, call(ctx, rpc, "tx", url.Values{"hash": {"0x" + hex.EncodeToString(hash)}}, &got), "payment %s", want.TxHash)
		require.Equal(t, want.Height, got.Height)
		require.Zero(t, got.TxResult.Code)
	}
	amount, err := banktypes.NewQueryClient(p.client).Balance(ctx,
		&banktypes.QueryBalanceRequest{Address: receiver, Denom: chaininfo.BaseDenom})
	require.NoError(t, err)
	have := amount.Balance.Amount.Int64()
	require.GreaterOrEqual(t, have, int64(len(p.included)), "every payment seen in a block was made")
	require.LessOrEqual(t, have, int64(len(p.included)+p.unknown), "no payment was made twice")
}
