package app

import (
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/auth"
	authsims "github.com/cosmos/cosmos-sdk/x/auth/simulation"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/auth/vesting"
	vestingtypes "github.com/cosmos/cosmos-sdk/x/auth/vesting/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	authzmodule "github.com/cosmos/cosmos-sdk/x/authz/module"
	"github.com/cosmos/cosmos-sdk/x/bank"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/consensus"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	distr "github.com/cosmos/cosmos-sdk/x/distribution"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	"github.com/cosmos/cosmos-sdk/x/epochs"
	epochstypes "github.com/cosmos/cosmos-sdk/x/epochs/types"
	"github.com/cosmos/cosmos-sdk/x/evidence"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	feegrantmodule "github.com/cosmos/cosmos-sdk/x/feegrant/module"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/cosmos/cosmos-sdk/x/gov"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	"github.com/cosmos/cosmos-sdk/x/mint"
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"
	"github.com/cosmos/cosmos-sdk/x/slashing"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/cosmos/cosmos-sdk/x/upgrade"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/grafilab/grafi/x/attestation"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/dao"
	daotypes "github.com/grafilab/grafi/x/dao/types"
	"github.com/grafilab/grafi/x/gpumarket"
	gpumarkettypes "github.com/grafilab/grafi/x/gpumarket/types"
	"github.com/grafilab/grafi/x/rewards"
	rewardstypes "github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext"
	stakingexttypes "github.com/grafilab/grafi/x/staking-ext/types"
)

// buildModules makes the module manager, the basic manager (the same modules
// with this chain's default genesis) and the simulation manager.
func (app *App) buildModules() {
	cdc := app.enc.Codec
	app.ModuleManager = module.NewManager(
		genutil.NewAppModule(app.AccountKeeper, app.StakingKeeper, app, app.enc.TxConfig),
		auth.NewAppModule(cdc, app.AccountKeeper, authsims.RandomGenesisAccounts),
		vesting.NewAppModule(app.AccountKeeper, app.BankKeeper),
		bank.NewAppModule(cdc, app.BankKeeper, app.AccountKeeper),
		feegrantmodule.NewAppModule(cdc, app.AccountKeeper, app.BankKeeper, app.FeeGrantKeeper, app.enc.Registry),
		authzmodule.NewAppModule(cdc, app.AuthzKeeper, app.AccountKeeper, app.BankKeeper, app.enc.Registry),
		gov.NewAppModule(cdc, app.GovKeeper, app.AccountKeeper, app.BankKeeper),
		mint.NewAppModule(cdc, app.MintKeeper, app.AccountKeeper, nil),
		slashing.NewAppModule(cdc, app.SlashingKeeper, app.AccountKeeper, app.BankKeeper, app.StakingKeeper, app.enc.Registry),
		distr.NewAppModule(cdc, app.DistrKeeper, app.AccountKeeper, app.BankKeeper, app.StakingKeeper),
		staking.NewAppModule(cdc, app.StakingKeeper, app.AccountKeeper, app.BankKeeper),
		upgrade.NewAppModule(app.UpgradeKeeper, app.enc.Accounts),
		evidence.NewAppModule(app.EvidenceKeeper),
		consensus.NewAppModule(cdc, app.ConsensusKeeper),
		epochs.NewAppModule(&app.EpochsKeeper),
		stakingext.NewAppModule(cdc, app.StakingExtKeeper),
		attestation.NewAppModule(cdc, app.AttestationKeeper),
		gpumarket.NewAppModule(cdc, app.GPUMarketKeeper).WithAgentKeys(simulatedAgentKey),
		rewards.NewAppModule(cdc, app.RewardsKeeper),
		dao.NewAppModule(cdc, app.DAOKeeper),
	)
	app.BasicManager = module.NewBasicManagerFromManager(app.ModuleManager, genesisDefaults())
	app.BasicManager.RegisterLegacyAminoCodec(app.enc.Amino)
	app.BasicManager.RegisterInterfaces(app.enc.Registry)
	app.setModuleOrder()

	// Before the services: the router asks the breaker for what it registers.
	app.SetCircuitBreaker(app.DAOKeeper)
	app.configurator = module.NewConfigurator(cdc, app.MsgServiceRouter(), app.GRPCQueryRouter())
	if err := app.ModuleManager.RegisterServices(app.configurator); err != nil {
		panic(err)
	}

	app.sm = module.NewSimulationManagerFromAppModules(app.ModuleManager.Modules, nil)
	app.sm.RegisterStoreDecoders()
}

// setModuleOrder fixes who works when in a block. Changing an order changes the
// app hash.
func (app *App) setModuleOrder() {
	m := app.ModuleManager
	// An upgrade may change any store and comes before all; auth prunes the
	// nonces of unordered transactions.
	m.SetOrderPreBlockers(upgradetypes.ModuleName, authtypes.ModuleName)
	// Distribution pays the fees of the last block before slashing and evidence
	// change who is a validator.
	m.SetOrderBeginBlockers(
		epochstypes.ModuleName,
		minttypes.ModuleName,
		rewardstypes.ModuleName, // the validators' stream is there when distribution looks
		distrtypes.ModuleName,
		slashingtypes.ModuleName,
		evidencetypes.ModuleName,
		stakingtypes.ModuleName,
		authz.ModuleName,
		attestationtypes.ModuleName, // closes the slots that ended before this block
	)
	// Bank credits the fees collected in this block first, so that whoever reads
	// a balance later in the block reads the whole of it. The modules of this
	// repository follow their levels: what is at risk, what exists, what is sold.
	m.SetOrderEndBlockers(
		banktypes.ModuleName,
		govtypes.ModuleName,
		stakingtypes.ModuleName,
		feegrant.ModuleName,
		stakingexttypes.ModuleName,
		attestationtypes.ModuleName,
		gpumarkettypes.ModuleName,
		rewardstypes.ModuleName,
		daotypes.ModuleName,
	)
	// Accounts and balances come first, the genesis transactions after all that
	// they touch.
	genesisOrder := []string{
		authtypes.ModuleName,
		banktypes.ModuleName,
		distrtypes.ModuleName,
		stakingtypes.ModuleName,
		slashingtypes.ModuleName,
		govtypes.ModuleName,
		minttypes.ModuleName,
		evidencetypes.ModuleName,
		authz.ModuleName,
		feegrant.ModuleName,
		upgradetypes.ModuleName,
		vestingtypes.ModuleName,
		consensustypes.ModuleName,
		epochstypes.ModuleName,
		stakingexttypes.ModuleName,
		attestationtypes.ModuleName,
		gpumarkettypes.ModuleName,
		rewardstypes.ModuleName,
		daotypes.ModuleName,
		genutiltypes.ModuleName,
	}
	m.SetOrderInitGenesis(genesisOrder...)
	m.SetOrderExportGenesis(genesisOrder...)
}
