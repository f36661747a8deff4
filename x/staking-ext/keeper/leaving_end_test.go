package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// TestUndelegationCompletesAtItsSecond, once, and the budget carries over.
func TestUndelegationCompletesAtItsSecond(t *testing.T) {
	gs := types.DefaultGenesis()
	gs.Params.UnbondingBudget = 2
	f := newFixtureWith(t, gs)
	f.register(t, alice, 0)
	var last types.UnbondingDelegation
	for _, who := range []sdk.AccAddress{dave, bob, carol} {
		f.delegate(t, who, alice, 100)
		entry, err := f.k.Undelegate(f.ctx, who, alice, coin(10))
		require.NoError(t, err)
		last = entry
	}
	completed := func(who sdk.AccAddress, id uint64) *types.EventUndelegationCompleted {
		return &types.EventUndelegationCompleted{Delegator: who.String(), Operator: alice.String(), EntryId: id, Amount: "10"}
	}
	f.at(last.CompletesAt.Add(-time.Second))
	before := f.look(t)
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, before, f.look(t))

	f.at(last.CompletesAt)
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.requireEvents(t, completed(bob, 2), completed(carol, 3)) // by address at one time
	f.after(time.Second)
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.requireEvents(t, completed(dave, 1))
	paid := f.look(t)
	f.after(time.Second)
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, paid, f.look(t))
	f.requireInvariants(t)
}

// TestRefusedPaymentKeepsWhatWasCollected: x/bank refuses dave. The debt is paid
// all the same, once; the rest waits a day.
func TestRefusedPaymentKeepsWhatWasCollected(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 0)
	f.delegate(t, dave, alice, 1_000)
	f.after(time.Hour)
	entry, err := f.k.Undelegate(f.ctx, dave, alice, coin(400))
	require.NoError(t, err)
	f.slashAmount(t, alice, 500, start)
	f.blocked[dave.String()] = true
	before, money := f.export(t), f.look(t).Money
	f.at(entry.CompletesAt)

	require.NoError(t, f.k.EndBlock(f.ctx))

	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		gs.Undelegations[0].Amount, gs.Undelegations[0].NextSlash = math.NewInt(200), 2
		gs.Undelegations[0].CompletesAt = entry.CompletesAt.Add(day)
		gs.Punished, gs.ForgottenUntil = nil, start // the fault is over 21 days old
	}, map[string]int64{"unbonding": -200, "insurance": 40, "supply": -160},
		&types.EventDebtCollected{
			Delegator: dave.String(), Operator: alice.String(), EntryId: 1, Amount: "200", ToInsurance: "40", Burned: "160",
		},
		&types.EventQueueRecordParked{
			Delegator: dave.String(), Operator: alice.String(), EntryId: 1,
			Error: "undelegation 1 of " + dave.String() + ": " + dave.String() +
				" is not allowed to receive funds: unauthorized: unbonding entry can't complete",
		})

	delete(f.blocked, dave.String())
	f.after(day)
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.requireEvents(t, &types.EventUndelegationCompleted{Delegator: dave.String(), Operator: alice.String(), EntryId: 1, Amount: "200"})
	f.requireInvariants(t)
}

// TestManySlashesAreCollectedOverBlocks: an entry answers for 100 slashes at a
// time, and is paid when it answered for all.
func TestManySlashesAreCollectedOverBlocks(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 0)
	f.delegate(t, dave, alice, 1_000_000)
	f.after(time.Hour)
	entry, err := f.k.Undelegate(f.ctx, dave, alice, coin(400_000))
	require.NoError(t, err)
	want := int64(400_000)
	for i := range 250 {
		_, err := f.k.Slash(f.ctx, types.SlashRequest{
			Operator: alice, Fault: types.FAULT_SLA_CREDIT, Amount: math.NewInt(1_000), CommittedAt: start, FaultID: fmt.Sprint(i),
		})
		require.NoError(t, err)
		record, err := f.k.SlashRecord(f.ctx, alice, uint64(i+1))
		require.NoError(t, err)
		want -= want * record.RateNum.Int64() / record.RateDen.Int64()
	}
	f.requireInvariants(t)
	for i, blocks := 0, 3; i < blocks; i++ {
		require.Len(t, f.undelegated(t), 1)
		f.at(entry.CompletesAt.Add(time.Duration(i) * time.Second))
		require.NoError(t, f.k.EndBlock(f.ctx))
		f.requireInvariants(t)
	}
	require.Empty(t, f.undelegated(t))
	require.Equal(t, funds-1_000_000+want, f.look(t).Money["dave"])
}
