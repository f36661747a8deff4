// Package simulation makes random states and messages of x/attestation.
package simulation

import (
	"math/rand"
	"time"

	"github.com/cosmos/cosmos-sdk/types/module"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"

	"github.com/grafilab/grafi/x/attestation/types"
)

// RandomParams returns valid params with slots of this length. Time-locks and
// ages are short enough to end within a run.
func RandomParams(r *rand.Rand, slotSeconds, slotsPerDay uint32) types.Params {
	day := int(slotSeconds * slotsPerDay)
	seconds := func(lowest, highest int) time.Duration {
		return time.Duration(simtypes.RandIntBetween(r, lowest, highest+1)) * time.Second
	}
	bitmapDays := simtypes.RandIntBetween(r, 1, 4)
	return types.Params{
		SlotSeconds:        slotSeconds,
		SlotsPerDay:        slotsPerDay,
		SubmitWindow:       seconds(1, day),
		BitmapDays:         uint32(bitmapDays),
		CounterDays:        uint32(simtypes.RandIntBetween(r, bitmapDays+1, 30)),
		MaxGpusPerHost:     uint32(simtypes.RandIntBetween(r, 1, 17)),
		MaxBatch:           uint32(simtypes.RandIntBetween(r, 1, 300)),
		AttestationGas:     uint64(simtypes.RandIntBetween(r, 1, 2_000)),
		ClassTimeLock:      seconds(1, 86_400),
		MaxWeightChangePpm: uint64(simtypes.RandIntBetween(r, 1, types.PPM)),
		EvidenceMaxAge:     seconds(int(slotSeconds), int(types.MaxEvidenceAge/time.Second)),

		NetworkFaultPpm:      uint64(simtypes.RandIntBetween(r, 1, types.PPM)),
		NetworkFaultMinHosts: uint32(simtypes.RandIntBetween(r, 1, 10)),

		Challenge: RandomChallengeParams(r),
		Device:    types.DefaultDeviceParams(),
		Probe:     RandomProbeParams(r),
	}
}

// RandomChallengeParams returns valid params of proofs of compute: draws come often,
// and a block adds so little to the clock that several fit into a window.
func RandomChallengeParams(r *rand.Rand) types.ChallengeParams {
	between := func(least, most int) uint64 { return uint64(simtypes.RandIntBetween(r, least, most+1)) }
	p := types.DefaultChallengeParams()
	p.MaxBlockMs = between(100, 20_000)
	p.DrawEveryMs = between(1_000, 100_000)
	p.DrawPpm = between(0, types.PPM)
	p.AllowanceMs = between(0, 5_000)
	p.SampleDelay = uint32(between(1, 4))
	p.Samples = uint32(between(1, 40))
	p.OpenWindowMs = between(1_000, 200_000)
	p.ProofMaxAge = time.Duration(between(3_600, 20*86_400)) * time.Second
	p.SlowAnswers = uint32(between(1, 3))
	p.TolerancePpm = between(0, types.PPM-1)
	p.MissesToJail = uint32(between(1, 4))
	p.MissDaysPpm = between(0, 5*types.PPM)
	return p
}

// RandomizedGenState makes random params, and the classes of a local network.
// Hosts come by their messages, since each asks for stake in x/staking-ext.
func RandomizedGenState(simState *module.SimulationState) {
	r := simState.Rand
	gs := types.DefaultGenesis()
	// Days of some hours: a simulated block comes after an hour or two, so that days
	// close in a short run and what was attested mostly outlives its judgement.
	gs.Params = RandomParams(r, uint32(simtypes.RandIntBetween(r, 600, 1_801)), uint32(simtypes.RandIntBetween(r, 4, 37)))
	gs.Classes = append(gs.Classes, types.SimClass())
	if r.Intn(2) == 0 { // some ranges of GPU indexes have to skip to the next bucket
		gs.NextGpu = uint64(types.BucketSize - r.Intn(40))
	}
	simState.GenState[types.ModuleName] = simState.Cdc.MustMarshalJSON(gs)
}
