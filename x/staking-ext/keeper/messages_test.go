package keeper_test

import (
	"strings"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// send delivers any message of the module.
func (f *fixture) send(msg sdk.Msg) error {
	var err error
	switch m := msg.(type) {
	case *types.MsgRegisterOperator:
		_, err = f.msgs.RegisterOperator(f.ctx, m)
	case *types.MsgEditOperator:
		_, err = f.msgs.EditOperator(f.ctx, m)
	case *types.MsgBond:
		_, err = f.msgs.Bond(f.ctx, m)
	case *types.MsgUnbond:
		_, err = f.msgs.Unbond(f.ctx, m)
	case *types.MsgUnjail:
		_, err = f.msgs.Unjail(f.ctx, m)
	case *types.MsgDelegate:
		_, err = f.msgs.Delegate(f.ctx, m)
	case *types.MsgUndelegate:
		_, err = f.msgs.Undelegate(f.ctx, m)
	case *types.MsgRedelegate:
		_, err = f.msgs.Redelegate(f.ctx, m)
	case *types.MsgUpdateParams:
		_, err = f.msgs.UpdateParams(f.ctx, m)
	}
	return err
}

// TestRefusedMessages sends messages that must fail: alice is an operator with
// 1,000 GRAFI of stake and a requirement of 600, bob is jailed for seven days, carol is none.
func TestRefusedMessages(t *testing.T) {
	register := func(change func(*types.MsgRegisterOperator)) sdk.Msg {
		msg := registration(carol, 5*grafi)
		change(msg)
		return msg
	}
	params := func(change func(*types.MsgUpdateParams)) sdk.Msg {
		msg := &types.MsgUpdateParams{Authority: authority.String(), Params: types.DefaultParams()}
		change(msg)
		return msg
	}
	foreign := sdk.NewInt64Coin("uatom", 5)
	tests := map[string]struct {
		msg   sdk.Msg
		err   error
		names string // what the error must name
	}{
		"register twice":               {&types.MsgRegisterOperator{Operator: alice.String(), Moniker: "again", Kind: types.OPERATOR_KIND_DATACENTER}, types.ErrOperatorExists, alice.String()},
		"register with a bad address":  {register(func(m *types.MsgRegisterOperator) { m.Operator = "grafi1nobody" }), sdkerrors.ErrInvalidAddress, "grafi1nobody"},
		"register with a short name":   {register(func(m *types.MsgRegisterOperator) { m.Moniker = "ab" }), types.ErrInvalidOperator, "3 to 70"},
		"register with a bad website":  {register(func(m *types.MsgRegisterOperator) { m.Website = "ftp://a.example" }), types.ErrInvalidOperator, "ftp://a.example"},
		"register without a kind":      {register(func(m *types.MsgRegisterOperator) { m.Kind = 0 }), types.ErrInvalidOperator, "OPERATOR_KIND_UNSPECIFIED"},
		"register an unknown kind":     {register(func(m *types.MsgRegisterOperator) { m.Kind = 9 }), types.ErrInvalidOperator, "9"},
		"register over all commission": {register(func(m *types.MsgRegisterOperator) { m.CommissionPpm = types.PPM + 1 }), types.ErrInvalidOperator, "1000001"},
		"register with another denom":  {register(func(m *types.MsgRegisterOperator) { m.Bond = foreign }), types.ErrInvalidAmount, "uatom"},
		"register below nothing":       {register(func(m *types.MsgRegisterOperator) { m.Bond = coin(-1) }), types.ErrInvalidAmount, "-1"},
		"register with too much":       {register(func(m *types.MsgRegisterOperator) { m.Bond = coin(funds + 1) }), sdkerrors.ErrInsufficientFunds, "bond of 10000000001ugrafi"},

		"edit nobody":              {&types.MsgEditOperator{Operator: carol.String(), Moniker: "Carol"}, types.ErrOperatorNotFound, carol.String()},
		"edit with a bad address":  {&types.MsgEditOperator{Operator: "", Moniker: "Carol"}, sdkerrors.ErrInvalidAddress, `""`},
		"edit to a long name":      {&types.MsgEditOperator{Operator: alice.String(), Moniker: strings.Repeat("é", 71)}, types.ErrInvalidOperator, "71 characters"},
		"edit to a hidden name":    {&types.MsgEditOperator{Operator: alice.String(), Moniker: "Ali\u200bce"}, types.ErrInvalidOperator, "U+200B"},
		"edit over all commission": {&types.MsgEditOperator{Operator: alice.String(), Moniker: "Alice", CommissionPpm: 1 << 63}, types.ErrInvalidOperator, "9223372036854775808"},

		"bond by nobody":            {&types.MsgBond{Operator: carol.String(), Amount: coin(5)}, types.ErrOperatorNotFound, carol.String()},
		"bond with a bad address":   {&types.MsgBond{Operator: "x", Amount: coin(5)}, sdkerrors.ErrInvalidAddress, `"x"`},
		"bond nothing":              {&types.MsgBond{Operator: alice.String(), Amount: coin(0)}, types.ErrInvalidAmount, "0ugrafi, want 1ugrafi"},
		"bond an unset amount":      {&types.MsgBond{Operator: alice.String(), Amount: sdk.Coin{Denom: denom}}, types.ErrInvalidAmount, "<nil>"},
		"bond below nothing":        {&types.MsgBond{Operator: alice.String(), Amount: coin(-5)}, types.ErrInvalidAmount, "-5ugrafi"},
		"bond another denom":        {&types.MsgBond{Operator: alice.String(), Amount: foreign}, types.ErrInvalidAmount, `"uatom", want "ugrafi"`},
		"bond more than there is":   {&types.MsgBond{Operator: alice.String(), Amount: coin(funds)}, sdkerrors.ErrInsufficientFunds, "bond of"},
		"bond an overflowing sum":   {&types.MsgBond{Operator: alice.String(), Amount: sdk.NewCoin(denom, types.MaxAmount.MulRaw(1<<40))}, types.ErrInvalidAmount, "1000000000000000000000000ugrafi"},
		"unbond by nobody":          {&types.MsgUnbond{Operator: carol.String(), Amount: coin(5)}, types.ErrOperatorNotFound, carol.String()},
		"unbond with a bad address": {&types.MsgUnbond{Operator: "x", Amount: coin(5)}, sdkerrors.ErrInvalidAddress, `"x"`},
		"unbond nothing":            {&types.MsgUnbond{Operator: alice.String(), Amount: coin(0)}, types.ErrInvalidAmount, "0ugrafi"},
		"unbond below nothing":      {&types.MsgUnbond{Operator: alice.String(), Amount: coin(-1)}, types.ErrInvalidAmount, "-1ugrafi"},
		"unbond another denom":      {&types.MsgUnbond{Operator: alice.String(), Amount: foreign}, types.ErrInvalidAmount, "uatom"},
		"unbond the requirement":    {&types.MsgUnbond{Operator: alice.String(), Amount: coin(400*grafi + 1)}, types.ErrInsufficientStake, "unbond 400000001, free is 400000000: own stake 1000000000, delegated 0, requirement 600000000, bonds 0"},

		"unjail nobody":             {&types.MsgUnjail{Operator: carol.String()}, types.ErrOperatorNotFound, carol.String()},
		"unjail with a bad address": {&types.MsgUnjail{Operator: "x"}, sdkerrors.ErrInvalidAddress, `"x"`},
		"unjail a free one":         {&types.MsgUnjail{Operator: alice.String()}, types.ErrNotJailed, alice.String()},
		"unjail too early":          {&types.MsgUnjail{Operator: bob.String()}, types.ErrJailed, "may unjail from 2026-01-08T00:00:00Z"},

		"params by alice":             {params(func(m *types.MsgUpdateParams) { m.Authority = alice.String() }), sdkerrors.ErrUnauthorized, alice.String()},
		"params out of range":         {params(func(m *types.MsgUpdateParams) { m.Params.UnbondingBudget = 0 }), types.ErrInvalidParams, "unbonding_budget 0, want 1 to 10000"},
		"params of another denom":     {params(func(m *types.MsgUpdateParams) { m.Params.StakeDenom = "uatom" }), types.ErrInvalidParams, `stake_denom "uatom", want "ugrafi"`},
		"params without a least bond": {params(func(m *types.MsgUpdateParams) { m.Params.MinStakePerGpu = math.Int{} }), types.ErrInvalidParams, "min_stake_per_gpu"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.register(t, alice, 1_000*grafi)
			require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, 3*types.PPM))
			f.register(t, bob, 100*grafi)
			_, err := f.k.SlashEquivocation(f.ctx, types.SlashRequest{Operator: bob, FaultID: "a", CommittedAt: start})
			require.NoError(t, err)
			f.at(start.Add(time.Hour))
			before := f.look(t)

			err = f.send(tc.msg)

			require.ErrorIs(t, err, tc.err)
			require.ErrorContains(t, err, tc.names)
			require.Equal(t, before, f.look(t), "a failed message leaves no trace")
			f.requireEvents(t)
		})
	}
}

func TestRegisterOperator(t *testing.T) {
	for name, bond := range map[string]sdk.Coin{
		"with a bond": coin(300 * grafi), "with a zero bond": coin(0), "with no bond": {},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.after(time.Hour)
			before, money := f.export(t), f.look(t).Money
			msg := registration(alice, 0)
			msg.Bond = bond
			amount := int64(0)
			events := []proto.Message{&types.EventOperatorRegistered{Operator: alice.String(), Kind: msg.Kind}}
			if bond.Denom != "" && bond.IsPositive() {
				amount = bond.Amount.Int64()
				events = append(events, &types.EventBonded{Operator: alice.String(), Amount: "300000000"})
			}

			require.NoError(t, f.send(msg))

			f.requireChange(t, before, money, func(gs *types.GenesisState) {
				gs.Operators = append(gs.Operators, newOperator(alice, amount, start.Add(time.Hour)))
			}, map[string]int64{"alice": -amount, "stake": amount}, events...)
		})
	}
}

func TestEditOperator(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 5*grafi)
	f.after(day)
	before, money := f.export(t), f.look(t).Money

	require.NoError(t, f.send(&types.MsgEditOperator{Operator: alice.String(), Moniker: "Nachbar Übung", CommissionPpm: 100_000}))

	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		o := &gs.Operators[0]
		o.Moniker, o.Website, o.CommissionPpm, o.CommissionChangedAt = "Nachbar Übung", "", 100_000, start.Add(day)
	}, nil, &types.EventOperatorEdited{Operator: alice.String()})
}

func TestBond(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 5*grafi)
	before, money := f.export(t), f.look(t).Money

	require.NoError(t, f.send(&types.MsgBond{Operator: alice.String(), Amount: coin(7)}))

	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		gs.Operators[0].OwnStake = math.NewInt(5*grafi + 7)
	}, map[string]int64{"alice": -7, "stake": 7}, &types.EventBonded{Operator: alice.String(), Amount: "7"})
}

func TestUpdateParams(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000*grafi)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, types.PPM))
	f.at(start)
	before, money := f.export(t), f.look(t).Money
	params := types.DefaultParams()
	params.MinStakePerGpu = math.NewInt(300 * grafi)

	require.NoError(t, f.send(&types.MsgUpdateParams{Authority: authority.String(), Params: params}))

	// What the GPU asks for stays until it is set the next time.
	f.requireChange(t, before, money, func(gs *types.GenesisState) { gs.Params = params }, nil,
		&types.EventParamsUpdated{Authority: authority.String()})
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, types.PPM))
	require.Equal(t, "200000000", f.operator(t, alice).Requirement.String(), "a step is a day away")
	f.after(day)
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, "220000000", f.operator(t, alice).Requirement.String())
	f.requireInvariants(t)
}
