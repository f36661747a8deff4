package app_test

import (
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/app/apptest"
	"github.com/grafilab/grafi/internal/chaininfo"
)

// TestMempoolAfterRestart: a node that was restarted takes transactions before
// its next block, from accounts whose number is not 0.
func TestMempoolAfterRestart(t *testing.T) {
	o := apptest.Options{DB: dbm.NewMemDB()}
	c := apptest.New(t, o)
	c.NextBlock(t, time.Second)
	from := c.Accounts[len(c.Accounts)-1]
	require.NotZero(t, from.Number())

	c = c.Reload(t, o)
	tx := c.Tx(t, from, &banktypes.MsgSend{
		FromAddress: from.Address.String(), ToAddress: c.Accounts[0].Address.String(),
		Amount: sdk.NewCoins(sdk.NewInt64Coin(chaininfo.BaseDenom, 1)),
	})
	decoded, err := c.TxConfig().TxDecoder()(tx)
	require.NoError(t, err)
	ctx := c.NewContextLegacy(true, cmtproto.Header{ChainID: apptest.ChainID}) // as BaseApp begins
	ctx, _ = ctx.CacheContext()
	ctx, err = c.AnteHandler()(ctx, decoded, true)
	require.NoError(t, err)
	require.Equal(t, c.Height, ctx.BlockHeight())
	require.Equal(t, c.Time.Truncate(time.Millisecond), ctx.BlockTime(), "agent keys are bound from a slot on")
	require.Equal(t, ctx.BlockTime(), ctx.HeaderInfo().Time)

	resp, err := c.CheckTx(&abci.RequestCheckTx{Tx: tx, Type: abci.CheckTxType_New})
	require.NoError(t, err)
	require.Zero(t, resp.Code, resp.Log)
}
