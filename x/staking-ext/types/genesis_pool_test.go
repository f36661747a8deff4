package types_test

import (
	"strings"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec/address"

	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/x/staking-ext/types"
)

// poolGenesis has two operators, a staker of both, something that leaves in each
// way, and a slash that took half of what left after its fault.
func poolGenesis(t *testing.T) types.GenesisState {
	t.Helper()
	codec := address.NewBech32Codec(chaininfo.Bech32Prefix)
	text := func(s string) string {
		a, err := codec.BytesToString([]byte(s))
		require.NoError(t, err)
		return a
	}
	alice, bob, carol := text("alice_______________"), text("bob_________________"), text("carol_______________")
	at, zero := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), math.ZeroInt()
	operator := func(name string) types.Operator {
		return types.Operator{
			Address: name, Moniker: "Alice", Kind: types.OPERATOR_KIND_CONTRIBUTOR, OwnStake: zero, Requirement: zero,
			DelegatedTokens: zero, DelegationShares: zero, BondedFor: zero, CountedStake: zero, LeftTotal: zero,
			NextUnbondingId: 3, NextSlashId: 2,
		}
	}
	first, second := operator(alice), operator(bob)
	first.DelegatedTokens, first.DelegationShares = math.NewInt(5), math.NewInt(10)
	first.LeftTotal, first.LeavingUntil = math.NewInt(6), at.Add(time.Hour)
	first.FaultCounts = []types.FaultCount{{Fault: types.FAULT_SLA_CREDIT, Count: 1}, {Fault: types.FAULT_DISPUTE, Count: 3}}
	second.DelegatedTokens, second.DelegationShares = math.NewInt(4), math.NewInt(4)
	return types.GenesisState{
		Params: types.DefaultParams(), Operators: []types.Operator{first, second},
		Delegations: []types.Delegation{
			{Delegator: carol, Operator: alice, Shares: math.NewInt(10)},
			{Delegator: carol, Operator: bob, Shares: math.NewInt(4)},
		},
		Undelegations: []types.UnbondingDelegation{{
			Delegator: carol, Operator: alice, Id: 2, Amount: math.NewInt(3), CreatedAt: at, CompletesAt: at.Add(time.Hour), NextSlash: 1,
		}},
		Redelegations: []types.Redelegation{{
			Delegator: carol, From: alice, To: bob, Id: 2, Shares: math.NewInt(4), CreatedAt: at, CompletesAt: at.Add(time.Hour), NextSlash: 2,
		}},
		Slashes: []types.SlashRecord{{
			Operator: alice, Id: 1, Fault: types.FAULT_SLA_CREDIT, FaultId: "sla/1", CommittedAt: at.Add(-time.Minute), ExecutedAt: at.Add(time.Minute),
			KeptUntil: at.Add(time.Hour), RateNum: math.NewInt(1), RateDen: math.NewInt(2), LeftBefore: math.NewInt(2),
			FromRewards: zero, FromOwnStake: zero, FromUnbonding: zero, FromDelegated: zero, Owed: zero,
			ToVictim: zero, ToReporter: zero, ToInsurance: zero, Burned: zero, Held: zero,
		}},
		Left: []types.LeftMark{
			{Operator: alice, At: time.Unix(0, 0).UTC(), Total: zero, NextSlash: 1},
			{Operator: alice, At: at.Add(-time.Hour), Total: math.NewInt(2), NextSlash: 1},
			{Operator: alice, At: at, Total: math.NewInt(10), NextSlash: 1}, // 2 + (10 - 2) / 2 = 6
		},
		Punished:       []types.PunishedFault{{Id: "sla/1", CommittedAt: at.Add(-time.Minute)}},
		ForgottenUntil: at.Add(-time.Hour),
	}
}

func TestGenesisValidatePool(t *testing.T) {
	type change = func(gs *types.GenesisState)
	zero := math.ZeroInt()
	tests := map[string]struct {
		change change
		names  string // empty: valid
	}{
		"as it is":                    {func(*types.GenesisState) {}, ""},
		"tokens over shares":          {func(gs *types.GenesisState) { gs.Operators[0].DelegatedTokens = math.NewInt(11) }, "11 tokens, want at most its 10"},
		"tokens unset":                {func(gs *types.GenesisState) { gs.Operators[0].DelegatedTokens = math.Int{} }, "delegated_tokens <nil>"},
		"negative bonds":              {func(gs *types.GenesisState) { gs.Operators[0].BondedFor = math.NewInt(-1) }, "bonded_for -1"},
		"counts too much":             {func(gs *types.GenesisState) { gs.Operators[1].CountedStake = math.NewInt(5) }, "counted_stake 5, want 0 to 4"},
		"no slash id":                 {func(gs *types.GenesisState) { gs.Operators[1].NextSlashId = 0 }, "next_slash_id 0"},
		"a fault never committed":     {func(gs *types.GenesisState) { gs.Operators[0].FaultCounts[0].Count = 0 }, "FAULT_SLA_CREDIT counted 0"},
		"faults out of order":         {func(gs *types.GenesisState) { gs.Operators[0].FaultCounts[1].Fault = types.FAULT_EQUIVOCATION }, "in their order"},
		"an unknown fault":            {func(gs *types.GenesisState) { gs.Operators[0].FaultCounts[1].Fault = 99 }, "fault 99"},
		"shares without a delegation": {func(gs *types.GenesisState) { gs.Operators[0].DelegationShares = math.NewInt(11) }, "but its delegations have 10"},
		"delegation twice":            {func(gs *types.GenesisState) { gs.Delegations = append(gs.Delegations, gs.Delegations[0]) }, "appears twice"},
		"delegation of nothing":       {func(gs *types.GenesisState) { gs.Delegations[0].Shares = zero }, "shares 0, want 1"},
		"delegation to nobody":        {func(gs *types.GenesisState) { gs.Delegations[0].Operator = "x" }, `"x" is not registered`},
		"delegation by nobody":        {func(gs *types.GenesisState) { gs.Delegations[0].Delegator = "x" }, `delegator "x"`},
		"delegation to itself":        {func(gs *types.GenesisState) { gs.Delegations[0].Delegator = gs.Operators[0].Address }, "delegates to itself"},
		"undelegation twice":          {func(gs *types.GenesisState) { gs.Undelegations = append(gs.Undelegations, gs.Undelegations[0]) }, "undelegation 2 of"},
		"undelegation of the future":  {func(gs *types.GenesisState) { gs.Undelegations[0].Id = 3 }, "want 1 to 2"},
		"undelegation of nothing":     {func(gs *types.GenesisState) { gs.Undelegations[0].Amount = zero }, "amount 0, want 1"},
		"undelegation owes too late":  {func(gs *types.GenesisState) { gs.Undelegations[0].NextSlash = 3 }, "next_slash 3, want 1 to 2"},
		"undelegation backwards":      {func(gs *types.GenesisState) { gs.Undelegations[0].CompletesAt = time.Unix(5, 0) }, "want an end after the start"},
		"redelegation from nobody":    {func(gs *types.GenesisState) { gs.Redelegations[0].From = "x" }, `from "x"`},
		"redelegation to itself":      {func(gs *types.GenesisState) { gs.Redelegations[0].From = gs.Redelegations[0].To }, "want another registered operator"},
		"redelegation twice":          {func(gs *types.GenesisState) { gs.Redelegations = append(gs.Redelegations, gs.Redelegations[0]) }, "appears twice"},
		"redelegation of the future":  {func(gs *types.GenesisState) { gs.Redelegations[0].Id = 3 }, "want 1 to 2"},
		"redelegation locks too much": {func(gs *types.GenesisState) { gs.Redelegations[0].Shares = math.NewInt(5) }, "shares 5, want 1 to 4"},
		"redelegation owes too late":  {func(gs *types.GenesisState) { gs.Redelegations[0].NextSlash = 3 }, "next_slash 3, want 1 to 2"},
		"redelegation backwards":      {func(gs *types.GenesisState) { gs.Redelegations[0].CompletesAt = time.Unix(5, 0) }, "want an end after the start"},
		"slash of nobody":             {func(gs *types.GenesisState) { gs.Slashes[0].Operator = "x" }, `"x" is not registered`},
		"slash twice":                 {func(gs *types.GenesisState) { gs.Slashes = append(gs.Slashes, gs.Slashes[0]) }, "slash record 1 of"},
		"slash of the future":         {func(gs *types.GenesisState) { gs.Slashes[0].Id = 2 }, "want 1 to 1"},
		"slash before the fault":      {func(gs *types.GenesisState) { gs.Slashes[0].CommittedAt = gs.Slashes[0].ExecutedAt.Add(1) }, "before the fault"},
		"slash kept backwards":        {func(gs *types.GenesisState) { gs.Slashes[0].KeptUntil = time.Unix(5, 0) }, "want an end after the start"},
		"slash of more than all":      {func(gs *types.GenesisState) { gs.Slashes[0].RateNum = math.NewInt(3) }, "rate 3/2"},
		"slash by zero":               {func(gs *types.GenesisState) { gs.Slashes[0].RateDen = zero }, "rate 1/0"},
		"slash amount unset":          {func(gs *types.GenesisState) { gs.Slashes[0].Held = math.Int{} }, "amount <nil>"},
		"mark of nobody":              {func(gs *types.GenesisState) { gs.Left[0].Operator = "x" }, `"x" is not registered`},
		"mark owes too late":          {func(gs *types.GenesisState) { gs.Left[0].NextSlash = 3 }, "next_slash 3"},
		"marks out of order":          {func(gs *types.GenesisState) { gs.Left[1].At = gs.Left[2].At }, "want marks that grow"},
		"marks that shrink":           {func(gs *types.GenesisState) { gs.Left[0].Total = math.NewInt(3) }, "want marks that grow"},
		"last mark off":               {func(gs *types.GenesisState) { gs.Left[2].NextSlash = 2 }, "left_total 6"},
		"no marks":                    {func(gs *types.GenesisState) { gs.Left = nil }, "left_total 6"},
		"fault without an id":         {func(gs *types.GenesisState) { gs.Punished[0].Id = "" }, "1 to 128 bytes"},
		"fault with a long id":        {func(gs *types.GenesisState) { gs.Punished[0].Id = strings.Repeat("x", 129) }, "1 to 128 bytes"},
		"fault twice":                 {func(gs *types.GenesisState) { gs.Punished = append(gs.Punished, gs.Punished[0]) }, "appears twice"},
		"fault that is forgotten":     {func(gs *types.GenesisState) { gs.ForgottenUntil = gs.Punished[0].CommittedAt.Add(1) }, "older ones are forgotten"},
		"fault at the last forgotten": {func(gs *types.GenesisState) { gs.ForgottenUntil = gs.Punished[0].CommittedAt }, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			gs := poolGenesis(t)
			tc.change(&gs)
			err := gs.Validate(address.NewBech32Codec(chaininfo.Bech32Prefix))
			if tc.names == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, types.ErrInvalidGenesis)
			require.ErrorContains(t, err, tc.names)
		})
	}
}
