// Package simulation makes random states and messages of x/dao.
package simulation

import (
	"math/rand"
	"time"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/types/module"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"

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

// RandomizedGenState is an empty DAO with random params; one of the simulated
// accounts is the guardian.
func RandomizedGenState(simState *module.SimulationState) {
	guardian, _ := simtypes.RandomAcc(simState.Rand, simState.Accounts)
	gs := types.DefaultGenesis()
	gs.Params = RandomParams(simState.Rand, guardian.Address.String())
	simState.GenState[types.ModuleName] = simState.Cdc.MustMarshalJSON(gs)
}
