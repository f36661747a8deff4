package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// TestRefusedStakers: alice and bob are operators, bob is jailed, carol is
// tombstoned, and dave has 100 at alice.
func TestRefusedStakers(t *testing.T) {
	delegate := func(who, operator sdk.AccAddress, amount sdk.Coin) sdk.Msg {
		return &types.MsgDelegate{Delegator: who.String(), Operator: operator.String(), Amount: amount}
	}
	undelegate := func(who, operator sdk.AccAddress, amount sdk.Coin) sdk.Msg {
		return &types.MsgUndelegate{Delegator: who.String(), Operator: operator.String(), Amount: amount}
	}
	redelegate := func(from, to sdk.AccAddress, amount sdk.Coin) sdk.Msg {
		return &types.MsgRedelegate{Delegator: dave.String(), From: from.String(), To: to.String(), Amount: amount}
	}
	foreign, unset := sdk.NewInt64Coin("uatom", 5), sdk.Coin{Denom: denom}
	huge := sdk.NewCoin(denom, types.MaxAmount.AddRaw(1))
	nobody := sdk.AccAddress("nobody______________")
	tests := map[string]struct {
		msg   sdk.Msg
		err   error
		names string
	}{
		"delegate with a bad delegator": {&types.MsgDelegate{Delegator: "x", Operator: alice.String(), Amount: coin(1)}, sdkerrors.ErrInvalidAddress, `delegator "x"`},
		"delegate with a bad operator":  {&types.MsgDelegate{Delegator: dave.String(), Operator: "x", Amount: coin(1)}, sdkerrors.ErrInvalidAddress, `operator "x"`},
		"delegate to nobody":            {delegate(dave, nobody, coin(1)), types.ErrOperatorNotFound, nobody.String()},
		"delegate to itself":            {delegate(alice, alice, coin(1)), types.ErrSelfDelegation, "want a bond"},
		"delegate to a jailed one":      {delegate(dave, bob, coin(1)), types.ErrJailed, bob.String()},
		"delegate to a tombstoned one":  {delegate(dave, carol, coin(1)), types.ErrTombstoned, carol.String()},
		"delegate nothing":              {delegate(dave, alice, coin(0)), types.ErrInvalidAmount, "0ugrafi"},
		"delegate below nothing":        {delegate(dave, alice, coin(-1)), types.ErrInvalidAmount, "-1ugrafi"},
		"delegate an unset amount":      {delegate(dave, alice, unset), types.ErrInvalidAmount, "<nil>"},
		"delegate another denom":        {delegate(dave, alice, foreign), types.ErrInvalidAmount, "uatom"},
		"delegate an overflowing sum":   {delegate(dave, alice, huge), types.ErrInvalidAmount, "want 1ugrafi to"},
		"delegate more than there is":   {delegate(dave, alice, coin(funds)), sdkerrors.ErrInsufficientFunds, "bond of"},

		"undelegate with a bad delegator": {&types.MsgUndelegate{Delegator: "x", Operator: alice.String(), Amount: coin(1)}, sdkerrors.ErrInvalidAddress, `delegator "x"`},
		"undelegate with a bad operator":  {&types.MsgUndelegate{Delegator: dave.String(), Operator: "x", Amount: coin(1)}, sdkerrors.ErrInvalidAddress, `operator "x"`},
		"undelegate from nobody":          {undelegate(dave, nobody, coin(1)), types.ErrOperatorNotFound, nobody.String()},
		"undelegate what isn't there":     {undelegate(carol, alice, coin(1)), types.ErrNoDelegation, carol.String()},
		"undelegate all of nothing":       {undelegate(carol, alice, coin(0)), types.ErrNoDelegation, carol.String()},
		"undelegate too much":             {undelegate(dave, alice, coin(101)), types.ErrInsufficientDelegation, "take 101 from operator"},
		"undelegate below nothing":        {undelegate(dave, alice, coin(-1)), types.ErrInvalidAmount, "-1ugrafi"},
		"undelegate an unset amount":      {undelegate(dave, alice, unset), types.ErrInvalidAmount, "<nil>"},
		"undelegate another denom":        {undelegate(dave, alice, foreign), types.ErrInvalidAmount, "uatom"},
		"undelegate an overflowing sum":   {undelegate(dave, alice, huge), types.ErrInvalidAmount, "want 1ugrafi to"},

		"redelegate with a bad delegator": {&types.MsgRedelegate{Delegator: "x", From: alice.String(), To: bob.String(), Amount: coin(1)}, sdkerrors.ErrInvalidAddress, `delegator "x"`},
		"redelegate from a bad address":   {&types.MsgRedelegate{Delegator: dave.String(), From: "x", To: bob.String(), Amount: coin(1)}, sdkerrors.ErrInvalidAddress, `from "x"`},
		"redelegate to a bad address":     {&types.MsgRedelegate{Delegator: dave.String(), From: alice.String(), To: "x", Amount: coin(1)}, sdkerrors.ErrInvalidAddress, `to "x"`},
		"redelegate in place":             {redelegate(alice, alice, coin(1)), types.ErrInvalidRedelegation, "to itself"},
		"redelegate to nobody":            {redelegate(alice, nobody, coin(1)), types.ErrOperatorNotFound, nobody.String()},
		"redelegate from nobody":          {redelegate(nobody, alice, coin(1)), types.ErrOperatorNotFound, nobody.String()},
		"redelegate what isn't there":     {redelegate(bob, alice, coin(1)), types.ErrNoDelegation, dave.String()},
		"redelegate too much":             {redelegate(alice, bob, coin(101)), types.ErrInsufficientDelegation, "free is 100"},
		"redelegate to a jailed one":      {redelegate(alice, bob, coin(1)), types.ErrJailed, bob.String()},
		"redelegate to a tombstoned one":  {redelegate(alice, carol, coin(1)), types.ErrTombstoned, carol.String()},
		"redelegate below nothing":        {redelegate(alice, bob, coin(-1)), types.ErrInvalidAmount, "-1ugrafi"},
		"redelegate another denom":        {redelegate(alice, bob, foreign), types.ErrInvalidAmount, "uatom"},
		"redelegate to itself": {&types.MsgRedelegate{
			Delegator: bob.String(), From: alice.String(), To: bob.String(), Amount: coin(0),
		}, types.ErrSelfDelegation, bob.String()},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			for _, operator := range []sdk.AccAddress{alice, bob, carol} {
				f.register(t, operator, 100)
			}
			f.delegate(t, dave, alice, 100)
			f.delegate(t, bob, alice, 100)
			for _, fault := range []struct {
				operator sdk.AccAddress
				id       string
			}{{bob, "a"}, {carol, "b"}, {carol, "c"}} {
				_, err := f.k.SlashEquivocation(f.ctx, types.SlashRequest{Operator: fault.operator, FaultID: fault.id, CommittedAt: start})
				require.NoError(t, err)
			}
			f.at(start.Add(time.Hour))
			before := f.look(t)

			err := f.send(tc.msg)

			require.ErrorIs(t, err, tc.err)
			require.ErrorContains(t, err, tc.names)
			require.Equal(t, before, f.look(t), "a failed message leaves no trace")
			f.requireEvents(t)
		})
	}
}

// TestWhoMayLeave: stake leaves a jailed and a tombstoned operator.
func TestWhoMayLeave(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 100)
	f.register(t, bob, 100)
	f.delegate(t, dave, alice, 100)
	for _, id := range []string{"a", "b"} {
		_, err := f.k.SlashEquivocation(f.ctx, types.SlashRequest{Operator: alice, FaultID: id, CommittedAt: start})
		require.NoError(t, err)
		gs := f.export(t)
		gs.Operators[0].DelegatedTokens = math.NewInt(100) // as if the own stake had paid all
		g := newFixtureWith(t, &gs)
		_, err = g.k.Undelegate(g.ctx, dave, alice, coin(30))
		require.NoError(t, err)
		_, err = g.k.Redelegate(g.ctx, dave, alice, bob, coin(30))
		require.NoError(t, err)
		g.requireInvariants(t)
	}
}

func TestTooManyOfAStaker(t *testing.T) {
	gs := types.DefaultGenesis()
	gs.Params.MaxDelegations, gs.Params.MaxUnbondingEntries = 2, 2
	f := newFixtureWith(t, gs)
	for _, operator := range []sdk.AccAddress{alice, bob, carol} {
		f.register(t, operator, 100)
	}
	f.delegate(t, dave, alice, 100)
	f.delegate(t, dave, bob, 100)
	for _, msg := range []sdk.Msg{
		&types.MsgDelegate{Delegator: dave.String(), Operator: carol.String(), Amount: coin(1)},
		&types.MsgRedelegate{Delegator: dave.String(), From: alice.String(), To: carol.String(), Amount: coin(1)},
	} {
		before := f.look(t)
		err := f.send(msg)
		require.ErrorIs(t, err, types.ErrTooManyDelegations)
		require.ErrorContains(t, err, "delegates to 2 operators, want under 2")
		require.Equal(t, before, f.look(t))
	}
	f.delegate(t, dave, alice, 1) // more of the same is fine

	for range 2 {
		_, err := f.k.Undelegate(f.ctx, dave, alice, coin(1))
		require.NoError(t, err)
		_, err = f.k.Redelegate(f.ctx, dave, alice, bob, coin(1))
		require.NoError(t, err)
	}
	f.at(start)
	for _, msg := range []sdk.Msg{
		&types.MsgUndelegate{Delegator: dave.String(), Operator: alice.String(), Amount: coin(1)},
		&types.MsgRedelegate{Delegator: dave.String(), From: alice.String(), To: bob.String(), Amount: coin(1)},
	} {
		before := f.look(t)
		err := f.send(msg)
		require.ErrorIs(t, err, types.ErrTooManyUnbondings)
		require.ErrorContains(t, err, "want under 2")
		require.Equal(t, before, f.look(t))
		f.requireEvents(t)
	}
	// The other way round, and from another operator, there is room.
	_, err := f.k.Undelegate(f.ctx, dave, bob, coin(1))
	require.NoError(t, err)
	f.requireInvariants(t)
}
