package app_test

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/grafilab/grafi/app/apptest"
)

// TestExecutorsAgree runs the same blocks one transaction after another and in
// parallel. An operator may switch at any time, so every result and every app
// hash must be equal. The blocks have what makes parallel execution hard: one
// receiver that everybody pays, several transactions of one sender, and failures.
func TestExecutorsAgree(t *testing.T) {
	const blocks, perBlock = 6, 48
	run := func(o apptest.Options) (hashes [][]byte, results [][]*abci.ExecTxResult) {
		o.Accounts = 16
		c := apptest.New(t, o)
		r := rand.New(rand.NewSource(1))
		for range blocks {
			txs := make([][]byte, perBlock)
			for i := range txs {
				txs[i] = randomSend(t, c, r)
			}
			resp := c.NextBlock(t, time.Second, txs...)
			hashes = append(hashes, resp.AppHash)
			results = append(results, resp.TxResults)
		}
		return hashes, results
	}

	wantHashes, wantResults := run(apptest.Options{Executor: serverconfig.BlockExecutorSequential})
	failed := 0
	for _, block := range wantResults {
		for _, res := range block {
			if res.Code != 0 {
				failed++
			}
		}
	}
	require.Positive(t, failed, "the workload has failures")
	require.Less(t, failed, blocks*perBlock/2, "most of the workload succeeds")

	for _, workers := range []int{1, 2, 8} {
		t.Run(fmt.Sprintf("block-stm with %d workers", workers), func(t *testing.T) {
			hashes, results := run(apptest.Options{Executor: serverconfig.BlockExecutorBlockSTM, Workers: workers})
			require.Equal(t, wantResults, results)
			require.Equal(t, wantHashes, hashes)
		})
	}
}

// randomSend pays a random account, the hot one in a third of the cases, and
// asks for more than there is in one of ten.
func randomSend(t *testing.T, c *apptest.Chain, r *rand.Rand) []byte {
	t.Helper()
	from := c.Accounts[r.Intn(len(c.Accounts))]
	to := c.Accounts[r.Intn(len(c.Accounts))]
	if r.Intn(3) == 0 {
		to = c.Accounts[0]
	}
	amount := int64(1 + r.Intn(1_000_000))
	if r.Intn(10) == 0 {
		amount = 1000 * apptest.Balance
	}
	return c.Tx(t, from, banktypes.NewMsgSend(from.Address, to.Address, ugrafi(amount)))
}
