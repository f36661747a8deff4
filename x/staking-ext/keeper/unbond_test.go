package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

func TestUnbond(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000*grafi)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, 3*types.PPM))
	f.at(start.Add(time.Hour))
	before, money := f.export(t), f.look(t).Money

	// 400 of 1,000 GRAFI lie above the requirement of 600.
	resp, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Operator: alice.String(), Amount: coin(400 * grafi)})

	require.NoError(t, err)
	end := start.Add(time.Hour + 21*day)
	require.Equal(t, &types.MsgUnbondResponse{EntryId: 1, CompletesAt: end}, resp)
	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		gs.Operators[0].OwnStake = math.NewInt(600 * grafi)
		gs.Operators[0].NextUnbondingId = 2
		gs.Unbonding = []types.UnbondingEntry{{
			Operator: alice.String(), Id: 1, Amount: math.NewInt(400 * grafi),
			CreatedAt: start.Add(time.Hour), CompletesAt: end,
		}}
	}, map[string]int64{"stake": -400 * grafi, "unbonding": 400 * grafi}, &types.EventUnbondingStarted{Operator: alice.String(), EntryId: 1, Amount: "400000000", CompletesAt: end})
}

func TestUnbondWhoMay(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000*grafi)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, types.PPM))
	slash := types.SlashRequest{Operator: alice, FaultID: "a", CommittedAt: start}
	_, err := f.k.SlashEquivocation(f.ctx, slash)
	require.NoError(t, err)

	t.Run("a jailed operator may, above the requirement", func(t *testing.T) {
		_, err := f.k.Unbond(f.ctx, alice, coin(470*grafi+1)) // 670 - 200
		require.ErrorIs(t, err, types.ErrInsufficientStake)
		f.unbond(t, alice, 70*grafi)
	})
	t.Run("a tombstoned one may take what is left", func(t *testing.T) {
		gs := f.export(t)
		gs.Operators[0].Tombstoned = true
		g := newFixtureWith(t, &gs)
		g.unbond(t, alice, 600*grafi)
		require.True(t, g.operator(t, alice).OwnStake.IsZero())
		g.requireInvariants(t)
		require.ErrorIs(t, g.k.Bond(g.ctx, alice, coin(1)), types.ErrTombstoned)
	})
}

func TestUnbondTooManyEntries(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000*grafi)
	most := int(types.DefaultParams().MaxUnbondingEntries)
	for range most {
		f.unbond(t, alice, 1)
		f.after(time.Second)
	}
	before := f.look(t)

	_, err := f.k.Unbond(f.ctx, alice, coin(1))

	require.ErrorIs(t, err, types.ErrTooManyUnbondings)
	require.ErrorContains(t, err, "has 7, want under 7")
	require.Equal(t, before, f.look(t))

	// The first one completes and makes room.
	f.at(start.Add(21 * day))
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.unbond(t, alice, 1)
}

func TestUnbondingCompletesAtItsSecond(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000*grafi)
	entry := f.unbond(t, alice, 300*grafi)

	f.at(entry.CompletesAt.Add(-time.Second))
	before := f.look(t)
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, before, f.look(t), "a second too early nothing happens")
	f.requireEvents(t)

	f.at(entry.CompletesAt)
	gs := f.export(t)
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.requireChange(t, gs, before.Money, func(gs *types.GenesisState) { gs.Unbonding = nil },
		map[string]int64{"alice": 300 * grafi, "unbonding": -300 * grafi},
		&types.EventUnbondingCompleted{Operator: alice.String(), EntryId: 1, Amount: "300000000"})

	paid := f.look(t)
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, paid, f.look(t), "an entry is paid once")
}

func TestUnbondingBudgetCarriesOver(t *testing.T) {
	gs := types.DefaultGenesis()
	gs.Params.UnbondingBudget = 2
	f := newFixtureWith(t, gs)
	// Ends in the order carol, bob, alice, and one more of alice's.
	for _, operator := range []sdk.AccAddress{carol, bob, alice} {
		f.register(t, operator, 100)
		f.unbond(t, operator, 10)
		f.after(time.Minute)
	}
	last := f.unbond(t, alice, 20)
	completed := func(operator sdk.AccAddress, id uint64, amount string) proto.Message {
		return &types.EventUnbondingCompleted{Operator: operator.String(), EntryId: id, Amount: amount}
	}

	f.at(last.CompletesAt.Add(day))
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.requireEvents(t, completed(carol, 1, "10"), completed(bob, 1, "10"))
	f.requireInvariants(t)

	f.after(time.Second)
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.requireEvents(t, completed(alice, 1, "10"), completed(alice, 2, "20"))

	f.after(time.Second)
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.requireEvents(t)
	require.Empty(t, f.export(t).Unbonding)
	f.requireInvariants(t)
}

// TestUnbondingFailureIsParked lets x/bank refuse one payment: the queue goes
// on, the record waits a day, and is paid then.
func TestUnbondingFailureIsParked(t *testing.T) {
	f := newFixture(t)
	for _, operator := range []sdk.AccAddress{alice, bob} {
		f.register(t, operator, 100)
		f.unbond(t, operator, 10)
	}
	f.blocked[alice.String()] = true
	before, money := f.export(t), f.look(t).Money
	end := start.Add(21 * day)
	f.at(end)

	require.NoError(t, f.k.EndBlock(f.ctx))

	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		gs.Unbonding = gs.Unbonding[:1]
		gs.Unbonding[0].CompletesAt = end.Add(day)
	}, map[string]int64{"bob": 10, "unbonding": -10},
		&types.EventQueueRecordParked{
			Operator: alice.String(), EntryId: 1,
			Error: "entry 1 of " + alice.String() + ": " + alice.String() +
				" is not allowed to receive funds: unauthorized: unbonding entry can't complete",
		},
		&types.EventUnbondingCompleted{Operator: bob.String(), EntryId: 1, Amount: "10"})

	f.at(end.Add(day - time.Second))
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.requireEvents(t)

	delete(f.blocked, alice.String())
	f.at(end.Add(day))
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.requireEvents(t, &types.EventUnbondingCompleted{Operator: alice.String(), EntryId: 1, Amount: "10"})
	require.Equal(t, money["alice"]+10, f.look(t).Money["alice"])
	f.requireInvariants(t)
}
