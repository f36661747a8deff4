package types_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec/address"

	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/x/staking-ext/types"
)

// genesis has one operator under its requirement, a GPU and an unbonding entry.
func genesis(t *testing.T) types.GenesisState {
	t.Helper()
	operator, err := address.NewBech32Codec(chaininfo.Bech32Prefix).BytesToString([]byte("alice_______________"))
	require.NoError(t, err)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return types.GenesisState{
		Params: types.DefaultParams(),
		Operators: []types.Operator{{
			Address: operator, Moniker: "Alice", Kind: types.OPERATOR_KIND_CONTRIBUTOR,
			OwnStake: math.NewInt(5), Requirement: math.NewInt(7), BelowSince: &at, NextUnbondingId: 4,
			DelegatedTokens: math.ZeroInt(), DelegationShares: math.ZeroInt(), BondedFor: math.ZeroInt(),
			CountedStake: math.NewInt(5), LeftTotal: math.ZeroInt(), NextSlashId: 1,
		}},
		Requirements: []types.GpuRequirement{{Operator: operator, HostId: 1, PricePerHour: math.ZeroInt(), Amount: math.NewInt(7), Target: math.NewInt(7), SteppedAt: at}},
		Unbonding: []types.UnbondingEntry{{
			Operator: operator, Id: 3, Amount: math.NewInt(1), CreatedAt: at, CompletesAt: at.Add(time.Hour),
		}},
	}
}

func TestGenesisValidate(t *testing.T) {
	require.NoError(t, types.DefaultGenesis().Validate(address.NewBech32Codec(chaininfo.Bech32Prefix)))
	huge := math.NewIntWithDecimal(1, 60)
	tests := map[string]struct {
		change func(*types.GenesisState)
		names  string // empty: valid
	}{
		"as it is":             {func(*types.GenesisState) {}, ""},
		"bad params":           {func(gs *types.GenesisState) { gs.Params.UnbondingBudget = 0 }, "unbonding_budget"},
		"foreign prefix":       {func(gs *types.GenesisState) { gs.Operators[0].Address = "cosmos1" }, "cosmos1"},
		"operator twice":       {func(gs *types.GenesisState) { gs.Operators = append(gs.Operators, gs.Operators[0]) }, "appears twice"},
		"bad moniker":          {func(gs *types.GenesisState) { gs.Operators[0].Moniker = "x" }, "moniker"},
		"no kind":              {func(gs *types.GenesisState) { gs.Operators[0].Kind = 0 }, "kind"},
		"no stake":             {func(gs *types.GenesisState) { gs.Operators[0].OwnStake = math.Int{} }, "own_stake <nil>"},
		"negative stake":       {func(gs *types.GenesisState) { gs.Operators[0].OwnStake = math.NewInt(-1) }, "own_stake -1"},
		"huge stake":           {func(gs *types.GenesisState) { gs.Operators[0].OwnStake = huge }, "own_stake 1000"},
		"no requirement":       {func(gs *types.GenesisState) { gs.Operators[0].Requirement = math.Int{} }, "requirement <nil>"},
		"below and not marked": {func(gs *types.GenesisState) { gs.Operators[0].BelowSince = nil }, "below_since set: false"},
		"marked and not below": {func(gs *types.GenesisState) {
			gs.Operators[0].OwnStake, gs.Operators[0].CountedStake = math.NewInt(7), math.NewInt(7)
		}, "below_since set: true"},
		"tombstoned and free":      {func(gs *types.GenesisState) { gs.Operators[0].Tombstoned = true }, "not jailed"},
		"entries count from 1":     {func(gs *types.GenesisState) { gs.Operators[0].NextUnbondingId = 0 }, "next_unbonding_id 0"},
		"requirement of nobody":    {func(gs *types.GenesisState) { gs.Requirements[0].Operator = "x" }, `"x" is not registered`},
		"requirement twice":        {func(gs *types.GenesisState) { gs.Requirements = append(gs.Requirements, gs.Requirements[0]) }, "GPU 1/0 appears twice"},
		"requirement without sum":  {func(gs *types.GenesisState) { gs.Requirements[0].Amount = math.NewInt(6) }, "requirement 7, but its GPUs ask for 6"},
		"requirement gone":         {func(gs *types.GenesisState) { gs.Requirements = nil }, "requirement 7, but its GPUs ask for 0"},
		"requirement unset":        {func(gs *types.GenesisState) { gs.Requirements[0].Amount = math.Int{} }, "amount <nil>"},
		"requirement huge":         {func(gs *types.GenesisState) { gs.Requirements[0].Amount = huge }, "amount 1000"},
		"price unset":              {func(gs *types.GenesisState) { gs.Requirements[0].PricePerHour = math.Int{} }, "price per hour <nil>"},
		"price negative":           {func(gs *types.GenesisState) { gs.Requirements[0].PricePerHour = math.NewInt(-1) }, "price per hour -1"},
		"entry of nobody":          {func(gs *types.GenesisState) { gs.Unbonding[0].Operator = "y" }, `"y" is not registered`},
		"entry twice":              {func(gs *types.GenesisState) { gs.Unbonding = append(gs.Unbonding, gs.Unbonding[0]) }, "entry 3 of"},
		"entry zero":               {func(gs *types.GenesisState) { gs.Unbonding[0].Id = 0 }, "want 1 to 3"},
		"entry of the future":      {func(gs *types.GenesisState) { gs.Unbonding[0].Id = 4 }, "entry 4 of"},
		"empty entry":              {func(gs *types.GenesisState) { gs.Unbonding[0].Amount = math.ZeroInt() }, "amount 0, want 1"},
		"entry unset":              {func(gs *types.GenesisState) { gs.Unbonding[0].Amount = math.Int{} }, "amount <nil>"},
		"entry ends before it was": {func(gs *types.GenesisState) { gs.Unbonding[0].CompletesAt = time.Unix(5, 0) }, "want an end after the start"},
		"entry ends out of range": {func(gs *types.GenesisState) {
			gs.Unbonding[0].CompletesAt = time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)
		}, "1970 to 2262"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			gs := genesis(t)
			tc.change(&gs)
			err := gs.Validate(address.NewBech32Codec(chaininfo.Bech32Prefix))
			if tc.names == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.names)
		})
	}
}
