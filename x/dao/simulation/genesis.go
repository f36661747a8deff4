// Package simulation makes random states and messages of x/dao.
package simulation

import (
	"math/rand"
	"time"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// RandomParams returns valid params: a budget so small that work carries over,
// times that fit the hours between two simulated blocks, and bonds that
// simulated accounts can pay.
func RandomParams(r *rand.Rand, guardian string) types.Params {
	between := func(least, most int) int { return simtypes.RandIntBetween(r, least, most+1) }
	hours := func(least, most int) time.Duration { return time.Duration(between(least, most)) * time.Hour }
	p := types.DefaultParams()
	p.Guardian = guardian
	p.MaxPause = hours(48, 336)
	p.MaxGuardianPause = hours(1, 48)
	p.GuardianInterval = hours(48, 168)
	p.MaxMilestones = uint32(between(1, 10))

	p.DisputeWindow = hours(24, 24*30)
	p.DisputeBond = math.NewInt(int64(between(1, 1_000)))
	p.JurorBond = math.NewInt(int64(between(1, 1_000)))
	p.MinJurorStake = math.NewInt(int64(between(1, 1_000)))
	p.PanelSize = uint32(between(0, 4))*2 + 1
	p.MaxJurors = p.PanelSize + uint32(between(0, 20))
	p.CommitPeriod = hours(1, 72)
	p.RevealPeriod = hours(1, 48)
	p.UnrevealedSlashPpm = uint64(between(0, types.PPM))
	p.HoldPeriod = hours(48, 24*20)
	p.AppealWindow = hours(1, 48)
	p.AppealPeriod = hours(24, 24*10)
	p.DueBudget = uint32(between(1, 5))
	return p
}

// RandomizedGenState has random params, a guardian with a pause, and a treasury
// with open streams and grants, whose coins are taken out of the accounts'
// balances in x/bank's genesis. Disputes come from messages.
func RandomizedGenState(simState *module.SimulationState) {
	r := simState.Rand
	guardian, _ := simtypes.RandomAcc(r, simState.Accounts)
	gs := types.DefaultGenesis()
	gs.Params = RandomParams(r, guardian.Address.String())
	gs.Pauses = []types.Pause{{
		TypeUrl: paused[len(paused)-1], Since: simState.GenTimestamp, Until: simState.GenTimestamp.Add(20 * 24 * time.Hour),
		Reason: "simulated emergency before genesis", PausedBy: guardian.Address.String(),
	}}
	if state, ok := simState.GenState[banktypes.ModuleName]; ok {
		var bank banktypes.GenesisState
		simState.Cdc.MustUnmarshalJSON(state, &bank)
		commitSome(simState, &bank, gs)
		simState.GenState[banktypes.ModuleName] = simState.Cdc.MustMarshalJSON(&bank)
	}
	simState.GenState[types.ModuleName] = simState.Cdc.MustMarshalJSON(gs)
}

// commitSome opens a stream and a grant for a few accounts, each of which has
// paid for its own and as much to the treasury.
func commitSome(simState *module.SimulationState, bank *banktypes.GenesisState, gs *types.GenesisState) {
	r := simState.Rand
	committed, treasury := math.ZeroInt(), math.ZeroInt()
	for _, account := range simState.Accounts {
		if r.Intn(4) > 0 {
			continue
		}
		part := takeBalance(r, bank, account.Address.String(), simState.BondDenom)
		if !part.IsPositive() {
			continue
		}
		gs.Streams = append(gs.Streams, types.Stream{
			Id: gs.NextStreamId, Title: "stream of genesis", Recipient: account.Address.String(),
			Amount: sdk.NewCoin(simState.BondDenom, part), StartsAt: simState.GenTimestamp,
			EndsAt:    simState.GenTimestamp.Add(time.Duration(1+r.Intn(30*86_400)) * time.Second),
			Withdrawn: math.ZeroInt(), Returned: math.ZeroInt(), State: types.STREAM_STATE_OPEN,
		})
		gs.Grants = append(gs.Grants, types.Grant{
			Id: gs.NextGrantId, Title: "grant of genesis", Recipient: account.Address.String(), Denom: simState.BondDenom,
			Milestones: []types.Milestone{{Title: "all of it", Amount: part}}, State: types.GRANT_STATE_OPEN,
			CreatedAt: simState.GenTimestamp,
		})
		gs.NextStreamId++
		gs.NextGrantId++
		committed, treasury = committed.Add(part.MulRaw(2)), treasury.Add(part.MulRaw(2))
	}
	addBalance(bank, authtypes.NewModuleAddress(types.ModuleName).String(), simState.BondDenom, committed)
	addBalance(bank, authtypes.NewModuleAddress(types.TreasuryAccount).String(), simState.BondDenom, treasury)
}

// takeBalance removes four times a random part of an account's balance, at most
// a half of it, and returns the part.
func takeBalance(r *rand.Rand, bank *banktypes.GenesisState, address, denom string) math.Int {
	for i, b := range bank.Balances {
		if b.Address == address {
			part := simtypes.RandomAmount(r, b.Coins.AmountOf(denom).QuoRaw(8))
			bank.Balances[i].Coins = b.Coins.Sub(sdk.NewCoin(denom, part.MulRaw(4)))
			return part
		}
	}
	return math.ZeroInt()
}

func addBalance(bank *banktypes.GenesisState, address, denom string, amount math.Int) {
	if amount.IsPositive() {
		bank.Balances = append(bank.Balances, banktypes.Balance{Address: address, Coins: sdk.NewCoins(sdk.NewCoin(denom, amount))})
	}
}
