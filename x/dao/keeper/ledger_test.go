package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// TestLedger sends random messages of the treasury and of pauses at random
// times. After each of them every account adds up, nobody but the recipient has
// gained, nothing was made or lost, and a refused message changed nothing. In
// the end the state goes through an export.
func TestLedger(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		coins := sdk.NewCoins(ugrafi(100_000), sdk.NewInt64Coin("uusdc", 5_000))
		w.fund(treasury, coins...)
		elapsed := time.Duration(0)
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			elapsed += time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(rt, "wait"))
			w.at(worldStart.Add(elapsed))
			gs, money := w.state()

			if err := w.send(randomMessage(rt)); err != nil {
				after, balances := w.state()
				require.Equal(t, gs, after)
				require.Equal(t, money, balances)
			}
			require.NoError(t, w.k.EndBlock(w.ctx))
			w.sound()
			everything := w.bank.GetAllBalances(w.ctx, treasury).
				Add(w.bank.GetAllBalances(w.ctx, daoAccount)...).Add(w.bank.GetAllBalances(w.ctx, alice)...)
			require.Equal(t, coins.String(), everything.String())
		}
		gs, _ := w.state()
		next := newWorld(t)
		next.at(w.ctx.BlockTime())
		if held := w.bank.GetAllBalances(w.ctx, daoAccount); !held.IsZero() {
			next.fund(treasury, held...)
			require.NoError(t, next.bank.SendCoinsFromModuleToModule(next.ctx, types.TreasuryAccount, types.ModuleName, held))
		}
		require.NoError(t, next.k.InitGenesis(next.ctx, gs))
		got, _ := next.state()
		require.Equal(t, gs, got)
	})
}

func randomMessage(rt *rapid.T) sdk.Msg {
	id := rapid.Uint64Range(0, 4).Draw(rt, "id")
	amount := rapid.Int64Range(0, 60_000).Draw(rt, "amount")
	hours := time.Duration(rapid.Int64Range(0, 90).Draw(rt, "hours")) * time.Hour
	sender := rapid.SampledFrom([]sdk.AccAddress{gov1, gov1, gov1, warden, bob}).Draw(rt, "sender")
	url := rapid.SampledFrom([]string{urlSend, urlDelegate, urlEdit, "/cosmos.gov.v1.MsgVote"}).Draw(rt, "url")
	denom := rapid.SampledFrom([]string{sdk.DefaultBondDenom, "uusdc"}).Draw(rt, "denom")
	switch rapid.IntRange(0, 8).Draw(rt, "message") {
	case 0:
		msg := streamMsg(1, hours)
		msg.Authority, msg.Amount = addr(sender), sdk.NewInt64Coin(denom, amount)
		return msg
	case 1:
		return &types.MsgCancelStream{Authority: addr(sender), StreamId: id}
	case 2, 3:
		return &types.MsgWithdrawStream{Sender: addr(sender), StreamId: id}
	case 4:
		msg := grantMsg(amount, amount/2, 7)
		msg.Authority, msg.Denom = addr(sender), denom
		return msg
	case 5:
		return &types.MsgReleaseMilestone{Authority: addr(sender), GrantId: id, Milestone: rapid.Uint32Range(0, 3).Draw(rt, "milestone")}
	case 6:
		return &types.MsgCancelGrant{Authority: addr(sender), GrantId: id}
	case 7:
		return pauseMsg(sender, hours, url)
	default:
		return &types.MsgUnpause{Sender: addr(sender), TypeUrls: []string{url}}
	}
}
