// Package simulation makes random states and messages of x/gpumarket.
package simulation

import (
	"math/rand"
	"time"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/types/module"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// RandomParams returns valid params: budgets so small that work carries over,
// and times that fit the hours between two simulated blocks.
func RandomParams(r *rand.Rand, denom string) types.Params {
	between := func(least, most int) uint64 { return uint64(simtypes.RandIntBetween(r, least, most+1)) }
	p := types.DefaultParams()
	p.AllowedDenoms = []string{denom}
	p.MaxPrice = math.NewIntFromUint64(between(1_000, 1_000_000_000))
	p.MinDurationSeconds = between(1, 3_600)
	p.MaxDurationSeconds = p.MinDurationSeconds + between(3_600, 10*86_400)
	p.MaxNoticeSeconds = between(0, 86_400)
	p.StartTimeout = time.Duration(between(600, 86_400)) * time.Second
	p.SilenceSlots = uint32(between(1, 144))
	if r.Intn(2) == 0 {
		p.SilenceSlots = uint32(between(1, 6))
	}
	p.MinChargeSeconds = between(0, 3_600)
	p.ContributorFees, p.DatacenterFees = randomFees(r), randomFees(r)
	p.DeadlineBudget = uint32(between(1, 5))
	p.ClosedRetention = time.Duration(between(60, 5*86_400)) * time.Second
	p.MaxAheadSeconds = between(0, 3*86_400)
	p.ReservationBondPpm = between(0, types.PPM)
	p.FreeCancel = time.Duration(between(0, 86_400)) * time.Second
	p.LateCancelPpm = between(0, types.PPM)
	p.PreemptNotice = time.Duration(between(1, 3_600)) * time.Second
	p.OfflineFreeSeconds, p.OfflineStepSeconds = between(0, 3_600), between(1, 3_600)
	p.OfflineStepPpm, p.OfflineCapPpm = between(0, 10_000), between(0, 100_000)
	return p
}

func randomFees(r *rand.Rand) types.FeeSplit {
	left := types.PPM - types.MinProviderPPM
	draw := func() uint64 {
		part := r.Intn(left + 1)
		left -= part
		return uint64(part)
	}
	f := types.FeeSplit{StakersPpm: draw(), TreasuryPpm: draw(), BurnPpm: draw(), RestPpm: draw()}
	f.ProviderPpm = types.PPM - f.StakersPpm - f.TreasuryPpm - f.BurnPpm - f.RestPpm
	return f
}

// RandomizedGenState is an empty market with random params: hosts, and so
// listings, come from messages.
func RandomizedGenState(simState *module.SimulationState) {
	gs := types.DefaultGenesis()
	gs.Params = RandomParams(simState.Rand, simState.BondDenom)
	simState.GenState[types.ModuleName] = simState.Cdc.MustMarshalJSON(gs)
}
