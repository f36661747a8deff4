package app

import (
	"encoding/json"
	"fmt"
	"time"

	"cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/bank"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/cosmos/cosmos-sdk/x/gov"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	"github.com/cosmos/cosmos-sdk/x/mint"
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"
	"github.com/cosmos/cosmos-sdk/x/slashing"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"

	"github.com/grafilab/grafi/internal/chaininfo"
)

// GenesisState is the state of each module at the first block, by module name.
type GenesisState map[string]json.RawMessage

const (
	minDepositGRAFI          = 1_000
	minExpeditedDepositGRAFI = 5_000
	votingPeriod             = 5 * 24 * time.Hour
	depositPeriod            = 14 * 24 * time.Hour
	expeditedVotingPeriod    = 24 * time.Hour

	// signedBlocksWindow is about 2 h 47 min of one-second blocks. The SDK's
	// default of 100 would jail a validator for a restart of one minute.
	signedBlocksWindow = 10_000

	// maxBlockBytes bounds a block on the wire. 10,000,000 bytes hold the
	// attestations of a slot for the largest network of the design many times.
	maxBlockBytes = 10_000_000
	// maxBlockGas bounds the work in a block: about 2,000 bank sends.
	maxBlockGas = 200_000_000
	// evidenceAge is the unbonding time of x/staking: a validator can be
	// punished for as long as its stake can't leave.
	evidenceAge = 21 * 24 * time.Hour
)

// DefaultGenesis returns the genesis of an empty chain.
func (app *App) DefaultGenesis() GenesisState { return app.BasicManager.DefaultGenesis(app.enc.Codec) }

// DefaultConsensusParams returns CometBFT's parameters for one-second blocks.
func DefaultConsensusParams() *cmttypes.ConsensusParams {
	p := cmttypes.DefaultConsensusParams()
	p.Block.MaxBytes = maxBlockBytes
	p.Block.MaxGas = maxBlockGas
	p.Evidence.MaxAgeDuration = evidenceAge
	p.Evidence.MaxAgeNumBlocks = int64(evidenceAge / chaininfo.BlockInterval)
	return p
}

// InitChainer fills the stores from the genesis file. An error stops the node
// before the first block.
func (app *App) InitChainer(ctx sdk.Context, req *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	var state GenesisState
	if err := json.Unmarshal(req.AppStateBytes, &state); err != nil {
		return nil, fmt.Errorf("app_state of the genesis file: %w", err)
	}
	if err := app.UpgradeKeeper.SetModuleVersionMap(ctx, app.ModuleManager.GetVersionMap()); err != nil {
		return nil, err
	}
	resp, err := app.ModuleManager.InitGenesis(ctx, app.enc.Codec, state)
	if err != nil {
		return nil, err
	}
	if err := checkSupplyCap(app.BankKeeper.GetSupply(ctx, chaininfo.BaseDenom).Amount); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	return resp, nil
}

// genesisDefaults are the modules whose default genesis this chain changes.
func genesisDefaults() map[string]module.AppModuleBasic {
	return map[string]module.AppModuleBasic{
		banktypes.ModuleName:     bankBasic{},
		govtypes.ModuleName:      govBasic{AppModuleBasic: gov.NewAppModuleBasic(nil)},
		minttypes.ModuleName:     mintBasic{},
		slashingtypes.ModuleName: slashingBasic{},
		genutiltypes.ModuleName:  genutil.NewAppModuleBasic(genutiltypes.DefaultMessageValidator),
	}
}

type bankBasic struct{ bank.AppModuleBasic }

// DefaultGenesis names the coin, so that wallets show GRAFI and not ugrafi.
func (bankBasic) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	state := banktypes.DefaultGenesisState()
	state.DenomMetadata = []banktypes.Metadata{{
		Description: "The coin of the Grafilab GPU cloud: fees, stake, rent and governance.",
		DenomUnits: []*banktypes.DenomUnit{
			{Denom: chaininfo.BaseDenom, Exponent: 0, Aliases: []string{"micrografi"}},
			{Denom: chaininfo.DisplayDenom, Exponent: chaininfo.DisplayExponent},
		},
		Base:    chaininfo.BaseDenom,
		Display: chaininfo.DisplayDenom,
		Name:    "Grafilab",
		Symbol:  chaininfo.DisplayDenom,
	}}
	return cdc.MustMarshalJSON(state)
}

type govBasic struct{ gov.AppModuleBasic }

// DefaultGenesis sets deposits that a serious proposer can raise and a spammer
// can't spare, and periods in which people of all time zones can vote.
func (govBasic) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	state := govv1.DefaultGenesisState()
	p := state.Params
	p.MinDeposit = grafi(minDepositGRAFI)
	p.ExpeditedMinDeposit = grafi(minExpeditedDepositGRAFI)
	p.MaxDepositPeriod = duration(depositPeriod)
	p.VotingPeriod = duration(votingPeriod)
	p.ExpeditedVotingPeriod = duration(expeditedVotingPeriod)
	// A quarter with the proposal itself: the queue of deposits can't be filled
	// for nothing.
	p.MinInitialDepositRatio = math.LegacyNewDecWithPrec(25, 2).String()
	return cdc.MustMarshalJSON(state)
}

type mintBasic struct{ mint.AppModuleBasic }

// DefaultGenesis has no inflation, as a reader of the parameters will expect of
// a module that mints nothing, and states the cap.
func (mintBasic) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	state := minttypes.DefaultGenesisState()
	state.Minter.Inflation = math.LegacyZeroDec()
	state.Params.InflationRateChange = math.LegacyZeroDec()
	state.Params.InflationMax = math.LegacyZeroDec()
	state.Params.InflationMin = math.LegacyZeroDec()
	state.Params.BlocksPerYear = uint64(365 * 24 * time.Hour / chaininfo.BlockInterval)
	state.Params.MaxSupply = math.NewInt(chaininfo.SupplyCap)
	return cdc.MustMarshalJSON(state)
}

type slashingBasic struct{ slashing.AppModuleBasic }

// DefaultGenesis fits the window to one-second blocks; a validator that signs
// under a twentieth of it is jailed and loses 0.01 %.
func (slashingBasic) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	state := slashingtypes.DefaultGenesisState()
	state.Params.SignedBlocksWindow = signedBlocksWindow
	state.Params.MinSignedPerWindow = math.LegacyNewDecWithPrec(5, 2)
	state.Params.SlashFractionDowntime = math.LegacyNewDecWithPrec(1, 4)
	return cdc.MustMarshalJSON(state)
}

func grafi(n int64) sdk.Coins {
	return sdk.NewCoins(sdk.NewInt64Coin(chaininfo.BaseDenom, n*chaininfo.BasePerDisplay))
}

func duration(d time.Duration) *time.Duration { return &d }
