package app

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"cosmossdk.io/math"
	"github.com/spf13/cast"

	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	authzkeeper "github.com/cosmos/cosmos-sdk/x/authz/keeper"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	consensuskeeper "github.com/cosmos/cosmos-sdk/x/consensus/keeper"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	distrkeeper "github.com/cosmos/cosmos-sdk/x/distribution/keeper"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	epochskeeper "github.com/cosmos/cosmos-sdk/x/epochs/keeper"
	epochstypes "github.com/cosmos/cosmos-sdk/x/epochs/types"
	evidencekeeper "github.com/cosmos/cosmos-sdk/x/evidence/keeper"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	feegrantkeeper "github.com/cosmos/cosmos-sdk/x/feegrant/keeper"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	govv1beta1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1beta1"
	mintkeeper "github.com/cosmos/cosmos-sdk/x/mint/keeper"
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"
	slashingkeeper "github.com/cosmos/cosmos-sdk/x/slashing/keeper"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	upgradekeeper "github.com/cosmos/cosmos-sdk/x/upgrade/keeper"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	attestationkeeper "github.com/grafilab/grafi/x/attestation/keeper"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	daokeeper "github.com/grafilab/grafi/x/dao/keeper"
	daotypes "github.com/grafilab/grafi/x/dao/types"
	gpumarketkeeper "github.com/grafilab/grafi/x/gpumarket/keeper"
	gpumarkettypes "github.com/grafilab/grafi/x/gpumarket/types"
	rewardskeeper "github.com/grafilab/grafi/x/rewards/keeper"
	rewardstypes "github.com/grafilab/grafi/x/rewards/types"
	stakingextkeeper "github.com/grafilab/grafi/x/staking-ext/keeper"
	stakingexttypes "github.com/grafilab/grafi/x/staking-ext/types"
)

// Keepers are the modules' keepers, lowest level first.
type Keepers struct {
	AccountKeeper   authkeeper.AccountKeeper
	BankKeeper      bankkeeper.BaseKeeper
	StakingKeeper   *stakingkeeper.Keeper
	SlashingKeeper  slashingkeeper.Keeper
	MintKeeper      mintkeeper.Keeper
	DistrKeeper     distrkeeper.Keeper
	GovKeeper       *govkeeper.Keeper
	UpgradeKeeper   *upgradekeeper.Keeper
	EvidenceKeeper  evidencekeeper.Keeper
	ConsensusKeeper consensuskeeper.Keeper
	EpochsKeeper    epochskeeper.Keeper
	FeeGrantKeeper  feegrantkeeper.Keeper
	AuthzKeeper     authzkeeper.Keeper

	StakingExtKeeper  *stakingextkeeper.Keeper
	AttestationKeeper *attestationkeeper.Keeper
	GPUMarketKeeper   *gpumarketkeeper.Keeper
	RewardsKeeper     *rewardskeeper.Keeper
	DAOKeeper         *daokeeper.Keeper
}

// moduleAccounts are the accounts without a private key, with what each may do
// to the supply. They are closed to transfers from users, see BlockedAddresses.
func moduleAccounts() map[string][]string {
	return map[string][]string{
		authtypes.FeeCollectorName:          nil,
		distrtypes.ModuleName:               nil,
		minttypes.ModuleName:                {authtypes.Minter},
		govtypes.ModuleName:                 {authtypes.Burner},
		stakingtypes.BondedPoolName:         {authtypes.Burner, authtypes.Staking},
		stakingtypes.NotBondedPoolName:      {authtypes.Burner, authtypes.Staking},
		stakingtypes.KeyRotationFeePoolName: {authtypes.Burner},

		stakingexttypes.ModuleName:       {authtypes.Burner}, // the burned share of a slash
		stakingexttypes.UnbondingAccount: {authtypes.Burner}, // and of what leaving stake owes of it
		stakingexttypes.InsuranceAccount: nil,

		gpumarkettypes.ModuleName:      {authtypes.Burner}, // the burned share of the service fee
		gpumarkettypes.TreasuryAccount: nil,

		rewardstypes.ModuleName:     {authtypes.Minter}, // the fixed streams
		rewardstypes.StakersAccount: nil,

		daotypes.ModuleName: {authtypes.Burner}, // forfeited bonds
	}
}

// ModuleAccountNames returns the names of the module accounts in order.
func ModuleAccountNames() []string { return slices.Sorted(maps.Keys(moduleAccounts())) }

// BlockedAddresses are the module accounts that MsgSend may not pay into: coins
// sent there by hand would break the module's accounting. Governance alone is
// open, so that a proposal can be funded to act with its own coins.
func BlockedAddresses() map[string]bool {
	blocked := make(map[string]bool)
	for name := range moduleAccounts() {
		blocked[authtypes.NewModuleAddress(name).String()] = name != govtypes.ModuleName
	}
	return blocked
}

// Authority is the account that may change module parameters: governance.
func Authority() sdk.AccAddress { return authtypes.NewModuleAddress(govtypes.ModuleName) }

// buildKeepers constructs every keeper in the order of its dependencies. Hooks
// are set afterwards, in hooks.go.
func (app *App) buildKeepers(appOpts servertypes.AppOptions) {
	app.buildBaseKeepers()
	app.buildStakingKeepers()
	app.buildServiceKeepers(appOpts)
	app.buildCloudKeepers()
}

func (app *App) buildBaseKeepers() {
	cdc, authority := app.enc.Codec, Authority().String()

	app.ConsensusKeeper = consensuskeeper.NewKeeper(cdc,
		runtime.NewKVStoreService(app.keys[consensustypes.StoreKey]), authority, runtime.EventService{})
	app.SetParamStore(app.ConsensusKeeper.ParamsStore)

	app.AccountKeeper = authkeeper.NewAccountKeeper(cdc,
		runtime.NewKVStoreService(app.keys[authtypes.StoreKey]), authtypes.ProtoBaseAccount,
		moduleAccounts(), app.enc.Accounts, chaininfo.Bech32Prefix, authority,
		authkeeper.WithUnorderedTransactions(true))

	bank := bankkeeper.NewBaseKeeper(cdc,
		runtime.NewKVStoreService(app.keys[banktypes.StoreKey]), app.AccountKeeper,
		BlockedAddresses(), authority, app.Logger()).
		WithObjStoreKey(app.objKeys[banktypes.ObjectStoreKey])
	app.BankKeeper = bank.WithMintCoinsRestriction(capSupply(bank))
}

func (app *App) buildStakingKeepers() {
	cdc, authority := app.enc.Codec, Authority().String()

	app.StakingKeeper = stakingkeeper.NewKeeper(cdc,
		runtime.NewKVStoreService(app.keys[stakingtypes.StoreKey]), app.AccountKeeper, app.BankKeeper,
		authority, app.enc.Validators, app.enc.Consensus)

	app.SlashingKeeper = slashingkeeper.NewKeeper(cdc, app.enc.Amino,
		runtime.NewKVStoreService(app.keys[slashingtypes.StoreKey]), app.StakingKeeper, authority)

	app.MintKeeper = mintkeeper.NewKeeper(cdc,
		runtime.NewKVStoreService(app.keys[minttypes.StoreKey]), app.StakingKeeper, app.AccountKeeper,
		app.BankKeeper, authtypes.FeeCollectorName, authority, mintkeeper.WithMintFn(mintNothing))

	app.DistrKeeper = distrkeeper.NewKeeper(cdc,
		runtime.NewKVStoreService(app.keys[distrtypes.StoreKey]), app.AccountKeeper, app.BankKeeper,
		app.StakingKeeper, authtypes.FeeCollectorName, authority)

	evidence := evidencekeeper.NewKeeper(cdc,
		runtime.NewKVStoreService(app.keys[evidencetypes.StoreKey]), app.StakingKeeper, app.SlashingKeeper,
		app.enc.Accounts, runtime.ProvideCometInfoService())
	evidence.SetRouter(evidencetypes.NewRouter()) // a nil router panics on MsgSubmitEvidence
	app.EvidenceKeeper = *evidence
}

func (app *App) buildServiceKeepers(appOpts servertypes.AppOptions) {
	cdc, authority := app.enc.Codec, Authority().String()

	app.FeeGrantKeeper = feegrantkeeper.NewKeeper(cdc,
		runtime.NewKVStoreService(app.keys[feegrant.StoreKey]), app.AccountKeeper)

	app.AuthzKeeper = authzkeeper.NewKeeper(
		runtime.NewKVStoreService(app.keys[authzkeeper.StoreKey]), cdc, app.MsgServiceRouter(), app.AccountKeeper)

	app.EpochsKeeper = epochskeeper.NewKeeper(
		runtime.NewKVStoreService(app.keys[epochstypes.StoreKey]), cdc)

	app.GovKeeper = govkeeper.NewKeeper(cdc,
		runtime.NewKVStoreService(app.keys[govtypes.StoreKey]), app.AccountKeeper, app.BankKeeper,
		app.DistrKeeper, app.MsgServiceRouter(), govtypes.DefaultConfig(), authority, app.tally)
	// A nil router panics on MsgExecLegacyContent.
	app.GovKeeper.SetLegacyRouter(govv1beta1.NewRouter().
		AddRoute(govtypes.RouterKey, govv1beta1.ProposalHandler))

	skipHeights := map[int64]bool{}
	for _, h := range cast.ToIntSlice(appOpts.Get(server.FlagUnsafeSkipUpgrades)) {
		skipHeights[int64(h)] = true
	}
	app.UpgradeKeeper = upgradekeeper.NewKeeper(skipHeights,
		runtime.NewKVStoreService(app.keys[upgradetypes.StoreKey]), cdc,
		cast.ToString(appOpts.Get(flags.FlagHome)), app.BaseApp, authority)
}

// buildCloudKeepers makes the keepers of this repository. Each calls those above
// it in this list and hears from those below it by hooks.
func (app *App) buildCloudKeepers() {
	cdc, accounts, authority := app.enc.Codec, app.enc.Accounts, Authority()

	app.StakingExtKeeper = stakingextkeeper.NewKeeper(
		runtime.NewKVStoreService(app.keys[stakingexttypes.StoreKey]), cdc, accounts, authority, app.BankKeeper)
	app.AttestationKeeper = attestationkeeper.NewKeeper(
		runtime.NewKVStoreService(app.keys[attestationtypes.StoreKey]), cdc, accounts, authority, app.StakingExtKeeper)
	app.GPUMarketKeeper = gpumarketkeeper.NewKeeper(
		runtime.NewKVStoreService(app.keys[gpumarkettypes.StoreKey]), cdc, accounts, authority,
		app.BankKeeper, app.StakingExtKeeper, app.AttestationKeeper)
	app.RewardsKeeper = rewardskeeper.NewKeeper(
		runtime.NewKVStoreService(app.keys[rewardstypes.StoreKey]), cdc, accounts, authority,
		app.BankKeeper, app.StakingExtKeeper, app.AttestationKeeper)
	app.DAOKeeper = daokeeper.NewKeeper(
		runtime.NewKVStoreService(app.keys[daotypes.StoreKey]), cdc, accounts, authority,
		app.BankKeeper, app.StakingKeeper, app.StakingExtKeeper, app.GPUMarketKeeper)
}

// tally counts the votes of a proposal by the electorate of x/dao, which is
// built after x/gov.
func (app *App) tally(ctx context.Context, gov govkeeper.Keeper, proposal govv1.Proposal) (
	voted math.LegacyDec, total math.Int, results map[govv1.VoteOption]math.LegacyDec, err error,
) {
	return app.DAOKeeper.Tally(ctx, gov, proposal)
}

// mintNothing replaces inflation: every ugrafi that will ever exist comes from
// genesis or from the fixed streams of the rewards module.
func mintNothing(sdk.Context, *mintkeeper.Keeper) error { return nil }

// capSupply refuses to mint ugrafi over the cap, whichever module asks.
func capSupply(bank bankkeeper.BaseKeeper) banktypes.MintingRestrictionFn {
	return func(ctx context.Context, amt sdk.Coins) error {
		return checkSupplyCap(bank.GetSupply(ctx, chaininfo.BaseDenom).Amount.Add(amt.AmountOf(chaininfo.BaseDenom)))
	}
}

func checkSupplyCap(supply math.Int) error {
	if limit := math.NewInt(chaininfo.SupplyCap); supply.GT(limit) {
		return fmt.Errorf("supply of %s%s is over the cap of %s%s", supply, chaininfo.BaseDenom, limit, chaininfo.BaseDenom)
	}
	return nil
}
