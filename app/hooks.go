package app

import (
	epochstypes "github.com/cosmos/cosmos-sdk/x/epochs/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	gpumarkettypes "github.com/grafilab/grafi/x/gpumarket/types"
	stakingexttypes "github.com/grafilab/grafi/x/staking-ext/types"
)

// setHooks says who listens to whom, in the order in which they are told. There
// is no other place where a hook is wired.
//
//	x/staking     ▶ x/distribution, x/slashing
//	x/epochs      ▶ nobody
//	x/gov         ▶ x/dao
//	x/staking-ext ▶ x/rewards
//	x/attestation ▶ x/gpumarket, x/rewards
//	x/gpumarket   ▶ x/rewards
func (app *App) setHooks() {
	app.StakingKeeper.SetHooks(stakingtypes.NewMultiStakingHooks(
		app.DistrKeeper.Hooks(),
		app.SlashingKeeper.Hooks(),
	))
	app.EpochsKeeper.SetHooks(epochstypes.NewMultiEpochHooks())
	app.GovKeeper.SetHooks(govtypes.NewMultiGovHooks(app.DAOKeeper.GovHooks(app.GovKeeper)))
	app.StakingExtKeeper.SetHooks(stakingexttypes.MultiHooks{
		app.RewardsKeeper.StakingHooks(),
	})
	app.AttestationKeeper.SetHooks(attestationtypes.MultiHooks{
		app.GPUMarketKeeper.Hooks(),
		app.RewardsKeeper.AttestationHooks(),
	})
	app.GPUMarketKeeper.SetHooks(gpumarkettypes.MultiHooks{
		app.RewardsKeeper.MarketHooks(),
	})
}
