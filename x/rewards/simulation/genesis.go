// Package simulation makes random states and messages of x/rewards.
package simulation

import (
	"math/rand"
	"time"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/types/module"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"

	"github.com/grafilab/grafi/x/rewards/types"
)

// RandomParams returns valid params, short enough in time that days close and
// expire, and tranches flow to their end, within a run. Sometimes there is little
// to mint, so that mining and the stream end.
func RandomParams(r *rand.Rand) types.Params {
	seconds := func(lowest, highest int) time.Duration {
		return time.Duration(simtypes.RandIntBetween(r, lowest, highest+1)) * time.Second
	}
	p := types.DefaultParams()
	p.Rules = RandomRules(r)
	p.MiningDays = uint32(simtypes.RandIntBetween(r, 0, 1_000))
	p.EvidenceWindow = seconds(0, 6*3_600)
	p.ClaimDays = uint32(simtypes.RandIntBetween(r, 1, 90))
	p.LiquidPpm = uint64(r.Intn(types.PPM + 1))
	p.ReleaseTime = seconds(1, 30*86_400)
	p.ValidatorSupply = math.NewInt(r.Int63n(1_000_000_000_000))
	p.ValidatorTime = seconds(1, 90*86_400)
	p.ValidatorInterval = seconds(0, 3_600)
	return p
}

// RandomRules returns valid rules of mining. The steps stay those of the
// specification: their values are tested one by one.
func RandomRules(r *rand.Rand) types.Rules {
	rules := types.DefaultRules()
	rules.DailyPool = math.NewInt(r.Int63n(1_000_000_000))
	rules.DatacenterSharePpm = uint64(r.Intn(types.PPM + 1))
	rules.DatacenterTargetWeightPpm = uint64(simtypes.RandIntBetween(r, 0, 100_000_000))
	rules.ContributorTargetWeightPpm = uint64(simtypes.RandIntBetween(r, 0, 100_000_000))
	rules.TargetFloorPpm = uint64(r.Intn(types.PPM + 1))
	rules.OperatorCapPpm = uint64(simtypes.RandIntBetween(r, 1, types.PPM+1))
	rules.MaxStakeRatioPpm = uint64(simtypes.RandIntBetween(r, types.PPM, 10*types.PPM))
	rules.RentedBonusPpm = uint64(r.Intn(types.PPM + 1))
	// Probes and challenges are rare in a simulation: most chains pay without them.
	if r.Intn(4) > 0 {
		rules.MinTrustTier = 0
		rules.UnchallengedPerformancePpm = uint64(simtypes.RandIntBetween(r, 1, types.PPM+1))
		rules.UnprobedConnectionPpm = uint64(simtypes.RandIntBetween(r, 1, types.PPM+1))
	}
	return rules
}

// RandomizedGenState is the start of a chain with random params: days, tranches
// and pools come from what happens in the modules below.
func RandomizedGenState(simState *module.SimulationState) {
	gs := types.DefaultGenesis()
	gs.Params = RandomParams(simState.Rand)
	simState.GenState[types.ModuleName] = simState.Cdc.MustMarshalJSON(gs)
}
