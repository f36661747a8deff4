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

func (f *fixture) delegate(t testingT, delegator, operator sdk.AccAddress, amount int64) {
	t.Helper()
	_, err := f.k.Delegate(f.ctx, delegator, operator, coin(amount))
	require.NoError(t, err)
	f.at(f.ctx.BlockTime())
}

// slashPool takes everything of the operator's own and a part of the pool, so
// that it keeps left of tokens. The fault is now, so that nothing that left pays.
func (f *fixture) slashPool(t testingT, operator sdk.AccAddress, left int64) {
	t.Helper()
	o := f.operator(t, operator)
	f.slashAmount(t, operator, o.OwnStake.Add(o.DelegatedTokens).SubRaw(left).Int64(), f.ctx.BlockTime())
	require.Equal(t, left, f.operator(t, operator).DelegatedTokens.Int64())
}

// slashAmount takes an amount for a fault at a time.
func (f *fixture) slashAmount(t testingT, operator sdk.AccAddress, amount int64, committed time.Time) types.SlashResult {
	t.Helper()
	result, err := f.k.Slash(f.ctx, types.SlashRequest{
		Operator: operator, Fault: types.FAULT_SLA_CREDIT, Amount: math.NewInt(amount), CommittedAt: committed,
		FaultID: fmt.Sprintf("test/%s/%d", name(operator), f.operator(t, operator).NextSlashId),
	})
	require.NoError(t, err)
	f.at(f.ctx.BlockTime())
	f.requireInvariants(t)
	return result
}

func TestDelegate(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 100)
	f.hooks.told()
	before, money := f.export(t), f.look(t).Money

	resp, err := f.msgs.Delegate(f.ctx, &types.MsgDelegate{Delegator: dave.String(), Operator: alice.String(), Amount: coin(500)})

	require.NoError(t, err)
	require.Equal(t, &types.MsgDelegateResponse{Shares: math.NewInt(500)}, resp)
	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		gs.Operators[0].DelegatedTokens, gs.Operators[0].DelegationShares = math.NewInt(500), math.NewInt(500)
		gs.Delegations = []types.Delegation{{Delegator: dave.String(), Operator: alice.String(), Shares: math.NewInt(500)}}
	}, map[string]int64{"dave": -500, "stake": 500},
		&types.EventDelegated{Delegator: dave.String(), Operator: alice.String(), Amount: "500", Shares: "500"})
	require.Equal(t, []string{"alice had 100+0 of 0", "dave had 0 of alice"}, f.hooks.told())
	require.Equal(t, "400", f.operator(t, alice).CountedStake.String(), "300 of the 500 count")

	// After a slash of half the pool a token buys two shares.
	f.slashPool(t, alice, 250)
	f.hooks.told()
	before, money = f.export(t), f.look(t).Money
	require.NoError(t, f.send(&types.MsgDelegate{Delegator: bob.String(), Operator: alice.String(), Amount: coin(60)}))
	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		gs.Operators[0].DelegatedTokens, gs.Operators[0].DelegationShares = math.NewInt(310), math.NewInt(620)
		gs.Delegations = append([]types.Delegation{{Delegator: bob.String(), Operator: alice.String(), Shares: math.NewInt(120)}}, gs.Delegations...)
	}, map[string]int64{"bob": -60, "stake": 60},
		&types.EventDelegated{Delegator: bob.String(), Operator: alice.String(), Amount: "60", Shares: "120"})
	require.Equal(t, []string{"alice had 0+250 of 0", "bob had 0 of alice"}, f.hooks.told())
}

func TestUndelegate(t *testing.T) {
	for name, tc := range map[string]struct {
		amount         int64
		paid, tokens   int64 // what leaves, and what the pool keeps
		burned, shares int64
	}{
		"a part":              {amount: 100, paid: 100, tokens: 150, burned: 200, shares: 300},
		"an odd part":         {amount: 1, paid: 1, tokens: 249, burned: 2, shares: 498},
		"all, by the amount":  {amount: 250, paid: 250, tokens: 0, burned: 500, shares: 0},
		"all, without saying": {amount: 0, paid: 250, tokens: 0, burned: 500, shares: 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.register(t, alice, 100)
			f.delegate(t, dave, alice, 500)
			f.slashPool(t, alice, 250)
			f.after(time.Hour)
			f.hooks.told()
			before, money := f.export(t), f.look(t).Money

			resp, err := f.msgs.Undelegate(f.ctx, &types.MsgUndelegate{Delegator: dave.String(), Operator: alice.String(), Amount: coin(tc.amount)})

			require.NoError(t, err)
			now := start.Add(time.Hour)
			end := now.Add(21 * day)
			require.Equal(t, &types.MsgUndelegateResponse{EntryId: 1, Amount: coin(tc.paid), CompletesAt: end}, resp)
			f.requireChange(t, before, money, func(gs *types.GenesisState) {
				o := &gs.Operators[0]
				o.DelegatedTokens, o.DelegationShares = math.NewInt(tc.tokens), math.NewInt(tc.shares)
				o.NextUnbondingId, o.LeftTotal, o.LeavingUntil = 2, math.NewInt(tc.paid), end
				gs.Delegations[0].Shares = math.NewInt(tc.shares)
				if tc.shares == 0 {
					gs.Delegations = nil
				}
				gs.Undelegations = []types.UnbondingDelegation{{
					Delegator: dave.String(), Operator: alice.String(), Id: 1, Amount: math.NewInt(tc.paid),
					CreatedAt: now, CompletesAt: end, NextSlash: 2,
				}}
				gs.Left = []types.LeftMark{
					{Operator: alice.String(), At: time.Unix(0, 0).UTC(), Total: math.ZeroInt(), NextSlash: 2},
					{Operator: alice.String(), At: now, Total: math.NewInt(tc.paid), NextSlash: 2},
				}
			}, map[string]int64{"stake": -tc.paid, "unbonding": tc.paid}, &types.EventUndelegated{
				Delegator: dave.String(), Operator: alice.String(), EntryId: 1,
				Amount: fmt.Sprint(tc.paid), Shares: fmt.Sprint(tc.burned), CompletesAt: end,
			})
			require.Equal(t, []string{"alice had 0+250 of 0", "dave had 500 of alice"}, f.hooks.told())
		})
	}
}

// TestWorthlessSharesLeaveWithoutAnEntry: a slash took the whole pool. It takes
// no new stake until the shares are gone; then it starts at one to one.
func TestWorthlessSharesLeaveWithoutAnEntry(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 100)
	f.delegate(t, dave, alice, 500)
	f.slashPool(t, alice, 0)
	_, err := f.k.Delegate(f.ctx, bob, alice, coin(10))
	require.ErrorIs(t, err, types.ErrEmptyPool)
	_, err = f.k.Undelegate(f.ctx, dave, alice, coin(1))
	require.ErrorIs(t, err, types.ErrEmptyPool)
	before, money := f.export(t), f.look(t).Money

	resp, err := f.msgs.Undelegate(f.ctx, &types.MsgUndelegate{Delegator: dave.String(), Operator: alice.String(), Amount: coin(0)})

	require.NoError(t, err)
	require.Equal(t, &types.MsgUndelegateResponse{Amount: coin(0), CompletesAt: start.Add(21 * day)}, resp)
	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		gs.Operators[0].DelegationShares = math.ZeroInt()
		gs.Delegations = nil
	}, nil, &types.EventUndelegated{
		Delegator: dave.String(), Operator: alice.String(), Amount: "0", Shares: "500", CompletesAt: start.Add(21 * day),
	})
	f.delegate(t, bob, alice, 10)
	require.Equal(t, "10", f.operator(t, alice).DelegationShares.String())
}

func TestRedelegate(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 100)
	f.register(t, bob, 40)
	f.delegate(t, carol, bob, 90)
	f.slashPool(t, bob, 30) // three shares for a token
	f.delegate(t, dave, alice, 500)
	f.after(time.Hour)
	f.hooks.told()
	before, money := f.export(t), f.look(t).Money

	resp, err := f.msgs.Redelegate(f.ctx, &types.MsgRedelegate{
		Delegator: dave.String(), From: alice.String(), To: bob.String(), Amount: coin(200),
	})

	require.NoError(t, err)
	now := start.Add(time.Hour)
	end := now.Add(21 * day)
	require.Equal(t, &types.MsgRedelegateResponse{EntryId: 1, Shares: math.NewInt(600), CompletesAt: end}, resp)
	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		from, to := &gs.Operators[0], &gs.Operators[1]
		from.DelegatedTokens, from.DelegationShares = math.NewInt(300), math.NewInt(300)
		from.LeftTotal, from.LeavingUntil = math.NewInt(200), end
		to.DelegatedTokens, to.DelegationShares = math.NewInt(230), math.NewInt(690)
		to.NextUnbondingId = 2
		gs.Delegations[1].Shares = math.NewInt(300) // carol to bob is first
		gs.Delegations = append(gs.Delegations, types.Delegation{Delegator: dave.String(), Operator: bob.String(), Shares: math.NewInt(600)})
		gs.Redelegations = []types.Redelegation{{
			Delegator: dave.String(), From: alice.String(), To: bob.String(), Id: 1, Shares: math.NewInt(600),
			CreatedAt: now, CompletesAt: end, NextSlash: 1,
		}}
		gs.Left = []types.LeftMark{
			{Operator: alice.String(), At: time.Unix(0, 0).UTC(), Total: math.ZeroInt(), NextSlash: 1},
			{Operator: alice.String(), At: now, Total: math.NewInt(200), NextSlash: 1},
		}
	}, nil, &types.EventRedelegated{
		Delegator: dave.String(), From: alice.String(), To: bob.String(), EntryId: 1, Amount: "200",
		FromShares: "200", ToShares: "600", CompletesAt: end,
	})
	require.Equal(t, []string{
		"alice had 100+500 of 0", "bob had 0+30 of 0", "dave had 500 of alice", "dave had 0 of bob",
	}, f.hooks.told())

	t.Run("the moved shares are locked", func(t *testing.T) {
		f.delegate(t, dave, bob, 10) // these are free
		_, err := f.k.Undelegate(f.ctx, dave, bob, coin(11))
		require.ErrorIs(t, err, types.ErrInsufficientDelegation)
		require.ErrorContains(t, err, "take 11 from operator "+bob.String()+", free is 10: 600 of 630 shares are locked")
		_, err = f.k.Redelegate(f.ctx, dave, bob, alice, coin(11))
		require.ErrorIs(t, err, types.ErrInsufficientDelegation)
		_, err = f.k.Undelegate(f.ctx, dave, bob, coin(0))
		require.NoError(t, err, "all that is free")
		_, err = f.k.Undelegate(f.ctx, dave, bob, coin(0))
		require.ErrorIs(t, err, types.ErrInsufficientDelegation)
		f.requireInvariants(t)
	})
	t.Run("until the second of their end", func(t *testing.T) {
		f.at(end.Add(-time.Second))
		require.NoError(t, f.k.EndBlock(f.ctx))
		_, err := f.k.Undelegate(f.ctx, dave, bob, coin(1))
		require.ErrorIs(t, err, types.ErrInsufficientDelegation)
		f.at(end)
		require.NoError(t, f.k.EndBlock(f.ctx))
		f.requireEvents(t, &types.EventUndelegationCompleted{
			Delegator: dave.String(), Operator: bob.String(), EntryId: 2, Amount: "10",
		}, &types.EventRedelegationCompleted{
			Delegator: dave.String(), From: alice.String(), To: bob.String(), EntryId: 1,
		})
		require.Empty(t, f.export(t).Redelegations)
		_, err = f.k.Undelegate(f.ctx, dave, bob, coin(200))
		require.NoError(t, err)
		f.requireInvariants(t)
	})
}
