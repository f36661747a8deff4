package simulation_test

import (
	"encoding/json"
	"math/rand"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	moduletestutil "github.com/cosmos/cosmos-sdk/types/module/testutil"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/bank"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/grafilab/grafi/x/dao/simulation"
	"github.com/grafilab/grafi/x/dao/types"
)

// TestRandomGenesis: valid, and the coins that it commits come out of accounts.
func TestRandomGenesis(t *testing.T) {
	cdc := moduletestutil.MakeTestEncodingConfig(bank.AppModuleBasic{}).Codec
	open := 0
	for seed := range int64(20) {
		r := rand.New(rand.NewSource(seed))
		people := simtypes.RandomAccounts(r, 20)
		var before banktypes.GenesisState
		for _, p := range people {
			before.Balances = append(before.Balances, banktypes.Balance{
				Address: p.Address.String(), Coins: sdk.NewCoins(sdk.NewInt64Coin(sdk.DefaultBondDenom, r.Int63n(1_000_000))),
			})
		}
		state := &module.SimulationState{
			Cdc: cdc, Rand: r, Accounts: people, BondDenom: sdk.DefaultBondDenom, GenTimestamp: time.Unix(1_700_000_000, 0).UTC(),
			GenState: map[string]json.RawMessage{banktypes.ModuleName: cdc.MustMarshalJSON(&before)},
		}

		simulation.RandomizedGenState(state)

		var gs types.GenesisState
		cdc.MustUnmarshalJSON(state.GenState[types.ModuleName], &gs)
		require.NoError(t, gs.Validate(nil))
		var after banktypes.GenesisState
		cdc.MustUnmarshalJSON(state.GenState[banktypes.ModuleName], &after)
		require.Equal(t, total(before.Balances, ""), total(after.Balances, ""))
		held := math.ZeroInt()
		for i, s := range gs.Streams {
			held = held.Add(s.Held().Amount).Add(gs.Grants[i].Held().Amount)
			open++
		}
		require.Equal(t, held.String(), total(after.Balances, authtypes.NewModuleAddress(types.ModuleName).String()))
	}
	require.Greater(t, open, 20)
}

// total adds up the balances of one account, or of all.
func total(balances []banktypes.Balance, address string) string {
	sum := math.ZeroInt()
	for _, b := range balances {
		if address == "" || b.Address == address {
			sum = sum.Add(b.Coins.AmountOf(sdk.DefaultBondDenom))
		}
	}
	return sum.String()
}
