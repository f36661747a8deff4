package keeper_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/status"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/dao/types"
)

// TestGenesisRoundTrip: everything that a busy DAO has comes back, and the queue
// of ends with it.
func TestGenesisRoundTrip(t *testing.T) {
	w := newBusyWorld(t)
	require.NoError(t, w.send(&types.MsgReleaseMilestone{Authority: addr(gov1), GrantId: 1, Milestone: 0}))
	require.NoError(t, w.withdraw(1))
	require.NoError(t, w.send(pauseMsg(gov1, time.Minute, urlSend)))
	exported, _ := w.state()
	require.NotEmpty(t, exported.Streams)
	require.NotEmpty(t, exported.Grants)
	require.NotEmpty(t, exported.Pauses)
	require.NotEmpty(t, exported.GuardianPauses)
	require.NotEmpty(t, exported.Decisions)

	next := newWorld(t)
	next.at(w.ctx.BlockTime())
	next.fund(treasury, w.bank.GetAllBalances(w.ctx, daoAccount)...)
	require.ErrorContains(t, next.k.InitGenesis(next.ctx, exported), "the records say", "the account is empty")
	require.NoError(t, next.bank.SendCoinsFromModuleToModule(next.ctx, types.TreasuryAccount, types.ModuleName,
		w.bank.GetAllBalances(w.ctx, daoAccount)))
	require.NoError(t, next.k.InitGenesis(next.ctx, exported))

	got, _ := next.state()
	require.Equal(t, exported, got)
	next.sound()
	next.at(w.ctx.BlockTime().Add(time.Minute))
	require.NoError(t, next.k.EndBlock(next.ctx))
	got, _ = next.state()
	require.Len(t, got.Pauses, 1, "the end of the other one was in the queue")
	next.fund(treasury, ugrafi(1))
	require.NoError(t, next.send(streamMsg(1, time.Second)))
	got, _ = next.state()
	require.Equal(t, uint64(2), got.Streams[1].Id, "ids go on")
}

// TestInvariantsFind what is broken: coins too many, coins too few.
func TestInvariantsFind(t *testing.T) {
	w := newBusyWorld(t)
	require.NoError(t, w.bank.SendCoinsFromModuleToModule(w.ctx, types.TreasuryAccount, types.ModuleName, sdk.NewCoins(sdk.NewInt64Coin("uusdc", 1))))
	resp, err := w.query.Invariants(w.ctx, &types.QueryInvariantsRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"account dao holds 1300stake,1uusdc, the records say 1300stake"}, resp.Broken)

	w = newBusyWorld(t)
	require.NoError(t, w.bank.SendCoinsFromModuleToModule(w.ctx, types.ModuleName, types.TreasuryAccount, sdk.NewCoins(ugrafi(1))))
	broken, err := w.k.CheckInvariants(w.ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"account dao holds 1299stake, the records say 1300stake"}, broken)
}

// TestQueries: pages, the treasury, what is missing and what is malformed.
func TestQueries(t *testing.T) {
	w := newBusyWorld(t)
	require.NoError(t, w.send(streamMsg(2_000, time.Hour)))
	require.NoError(t, w.send(grantMsg(7)))
	gs, _ := w.state()

	treasuryResp, err := w.query.Treasury(w.ctx, &types.QueryTreasuryRequest{})
	require.NoError(t, err)
	require.Equal(t, "6693stake,50uusdc", treasuryResp.Balances.String())
	streams, err := w.query.Streams(w.ctx, &types.QueryStreamsRequest{Pagination: &query.PageRequest{Limit: 1}})
	require.NoError(t, err)
	require.Equal(t, gs.Streams[:1], streams.Streams)
	streams, err = w.query.Streams(w.ctx, &types.QueryStreamsRequest{Pagination: &query.PageRequest{Key: streams.Pagination.NextKey}})
	require.NoError(t, err)
	require.Equal(t, gs.Streams[1:], streams.Streams)
	grants, err := w.query.Grants(w.ctx, &types.QueryGrantsRequest{})
	require.NoError(t, err)
	require.Equal(t, gs.Grants, grants.Grants)
	one, err := w.query.Grant(w.ctx, &types.QueryGrantRequest{GrantId: 2})
	require.NoError(t, err)
	require.Equal(t, gs.Grants[1], one.Grant)
	params, err := w.query.Params(w.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, gs.Params, params.Params)
	w.stake.of[string(alice)] = 12
	w.validator(alice, 30)
	w.elect()
	power, err := w.query.VotingPower(w.ctx, &types.QueryVotingPowerRequest{Voter: addr(alice)})
	require.NoError(t, err)
	require.Equal(t, []math.Int{math.NewInt(0), math.NewInt(12), math.NewInt(12)},
		[]math.Int{power.DelegatedToValidators, power.StakedWithOperators, power.Total}, "too little for a seat")

	for name, call := range map[string]func() error{
		"NotFound: stream": func() error { _, err := w.query.Stream(w.ctx, &types.QueryStreamRequest{StreamId: 9}); return err },
		"NotFound: grant":  func() error { _, err := w.query.Grant(w.ctx, &types.QueryGrantRequest{}); return err },
		"InvalidArgument: voter": func() error {
			_, err := w.query.VotingPower(w.ctx, &types.QueryVotingPowerRequest{Voter: "alice"})
			return err
		},
		"InvalidArgument: nil 1": func() error { _, err := w.query.Params(w.ctx, nil); return err },
		"InvalidArgument: nil 2": func() error { _, err := w.query.VotingPower(w.ctx, nil); return err },
		"InvalidArgument: nil 3": func() error { _, err := w.query.Treasury(w.ctx, nil); return err },
		"InvalidArgument: nil 4": func() error { _, err := w.query.Stream(w.ctx, nil); return err },
		"InvalidArgument: nil 5": func() error { _, err := w.query.Streams(w.ctx, nil); return err },
		"InvalidArgument: nil 6": func() error { _, err := w.query.Grant(w.ctx, nil); return err },
		"InvalidArgument: nil 7": func() error { _, err := w.query.Grants(w.ctx, nil); return err },
		"InvalidArgument: nil 8": func() error { _, err := w.query.Pauses(w.ctx, nil); return err },
		"InvalidArgument: nil 9": func() error { _, err := w.query.Decisions(w.ctx, nil); return err },
		"InvalidArgument: nil":   func() error { _, err := w.query.Invariants(w.ctx, nil); return err },
	} {
		code, _, _ := strings.Cut(name, ":")
		require.Equal(t, code, status.Code(call()).String(), name)
	}
}
