// Package dao is who decides: it gives x/gov its electorate, spends the
// treasury by streams and grants, pauses messages in an emergency, settles
// disputes by panels and keeps a record of what was decided.
// README.md in this folder is its specification.
package dao

import (
	"context"
	"encoding/json"
	"fmt"

	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"

	"cosmossdk.io/core/appmodule"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"

	"github.com/grafilab/grafi/x/dao/keeper"
	"github.com/grafilab/grafi/x/dao/simulation"
	"github.com/grafilab/grafi/x/dao/types"
)

// ConsensusVersion counts the changes of the store's layout.
const ConsensusVersion = 1

var (
	_ module.AppModuleBasic      = AppModule{}
	_ module.HasGenesis          = AppModule{}
	_ module.HasConsensusVersion = AppModule{}
	_ module.AppModuleSimulation = AppModule{}

	_ appmodule.AppModule     = AppModule{}
	_ appmodule.HasServices   = AppModule{}
	_ appmodule.HasEndBlocker = AppModule{}
)

// AppModule is x/dao as the application sees it.
type AppModule struct {
	cdc    codec.Codec
	keeper *keeper.Keeper
}

// NewAppModule returns the module on its keeper.
func NewAppModule(cdc codec.Codec, k *keeper.Keeper) AppModule {
	return AppModule{cdc: cdc, keeper: k}
}

// IsOnePerModuleType implements depinject.OnePerModuleType.
func (AppModule) IsOnePerModuleType() {}

// IsAppModule implements appmodule.AppModule.
func (AppModule) IsAppModule() {}

// Name implements module.AppModuleBasic.
func (AppModule) Name() string { return types.ModuleName }

// RegisterLegacyAminoCodec implements module.AppModuleBasic.
func (AppModule) RegisterLegacyAminoCodec(cdc *codec.LegacyAmino) {
	types.RegisterLegacyAminoCodec(cdc)
}

// RegisterInterfaces implements module.AppModuleBasic.
func (AppModule) RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	types.RegisterInterfaces(registry)
}

// RegisterGRPCGatewayRoutes implements module.AppModuleBasic.
func (AppModule) RegisterGRPCGatewayRoutes(clientCtx client.Context, mux *gwruntime.ServeMux) {
	if err := types.RegisterQueryHandlerClient(context.Background(), mux, types.NewQueryClient(clientCtx)); err != nil {
		panic(err)
	}
}

// RegisterServices implements appmodule.HasServices.
func (am AppModule) RegisterServices(registrar grpc.ServiceRegistrar) error {
	types.RegisterMsgServer(registrar, keeper.NewMsgServer(am.keeper))
	types.RegisterQueryServer(registrar, keeper.NewQueryServer(am.keeper))
	return nil
}

// ConsensusVersion implements module.HasConsensusVersion.
func (AppModule) ConsensusVersion() uint64 { return ConsensusVersion }

// DefaultGenesis implements module.HasGenesis.
func (AppModule) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	return cdc.MustMarshalJSON(types.DefaultGenesis())
}

// ValidateGenesis implements module.HasGenesis.
func (AppModule) ValidateGenesis(cdc codec.JSONCodec, _ client.TxEncodingConfig, bz json.RawMessage) error {
	var gs types.GenesisState
	if err := cdc.UnmarshalJSON(bz, &gs); err != nil {
		return fmt.Errorf("%s genesis: %w", types.ModuleName, err)
	}
	return gs.Validate(nil)
}

// InitGenesis implements module.HasGenesis. A chain can't start on a bad
// genesis, so an error panics, as the interface has it.
func (am AppModule) InitGenesis(ctx sdk.Context, cdc codec.JSONCodec, bz json.RawMessage) {
	var gs types.GenesisState
	cdc.MustUnmarshalJSON(bz, &gs)
	if err := am.keeper.InitGenesis(ctx, gs); err != nil {
		panic(err)
	}
}

// ExportGenesis implements module.HasGenesis.
func (am AppModule) ExportGenesis(ctx sdk.Context, cdc codec.JSONCodec) json.RawMessage {
	gs, err := am.keeper.ExportGenesis(ctx)
	if err != nil {
		panic(err)
	}
	return cdc.MustMarshalJSON(gs)
}

// EndBlock implements appmodule.HasEndBlocker.
func (am AppModule) EndBlock(ctx context.Context) error { return am.keeper.EndBlock(ctx) }

// GenerateGenesisState implements module.AppModuleSimulation.
func (AppModule) GenerateGenesisState(simState *module.SimulationState) {
	simulation.RandomizedGenState(simState)
}

// RegisterStoreDecoder implements module.AppModuleSimulation.
func (am AppModule) RegisterStoreDecoder(decoders simtypes.StoreDecoderRegistry) {
	decoders[types.StoreKey] = simtypes.NewStoreDecoderFuncFromCollectionsSchema(am.keeper.Schema())
}

// WeightedOperations implements module.AppModuleSimulation; WeightedOperationsX is used instead.
func (AppModule) WeightedOperations(module.SimulationState) []simtypes.WeightedOperation { return nil }

// WeightedOperationsX registers a factory for each message of users.
func (am AppModule) WeightedOperationsX(weights simsx.WeightSource, reg simsx.Registry) {
	reg.Add(weights.Get("dao_withdraw_stream", 30), simulation.WithdrawStreamFactory(am.keeper))
	reg.Add(weights.Get("dao_pause", 20), simulation.PauseFactory(am.keeper))
	reg.Add(weights.Get("dao_unpause", 20), simulation.UnpauseFactory(am.keeper))
	reg.Add(weights.Get("dao_join_jury", 40), simulation.JoinJuryFactory(am.keeper))
	reg.Add(weights.Get("dao_leave_jury", 5), simulation.LeaveJuryFactory(am.keeper))
	reg.Add(weights.Get("dao_open_dispute", 40), simulation.OpenDisputeFactory(am.keeper))
	reg.Add(weights.Get("dao_commit_vote", 80), simulation.CommitVoteFactory(am.keeper))
	reg.Add(weights.Get("dao_reveal_vote", 80), simulation.RevealVoteFactory(am.keeper))
	reg.Add(weights.Get("dao_appeal", 10), simulation.AppealFactory(am.keeper))
	reg.Add(weights.Get("dao_resume_dispute", 10), simulation.ResumeDisputeFactory(am.keeper))
}

// ProposalMsgsX registers the messages of governance.
func (am AppModule) ProposalMsgsX(weights simsx.WeightSource, reg simsx.Registry) {
	reg.Add(weights.Get("dao_create_stream", 80), simulation.CreateStreamFactory(am.keeper))
	reg.Add(weights.Get("dao_cancel_stream", 30), simulation.CancelStreamFactory(am.keeper))
	reg.Add(weights.Get("dao_create_grant", 80), simulation.CreateGrantFactory(am.keeper))
	reg.Add(weights.Get("dao_release_milestone", 60), simulation.ReleaseMilestoneFactory(am.keeper))
	reg.Add(weights.Get("dao_cancel_grant", 20), simulation.CancelGrantFactory(am.keeper))
	reg.Add(weights.Get("dao_pause_by_vote", 20), simulation.PauseByVoteFactory(am.keeper))
	reg.Add(weights.Get("dao_decide_appeal", 30), simulation.DecideAppealFactory(am.keeper))
	reg.Add(weights.Get("dao_update_params", 30), simulation.UpdateParamsFactory(am.keeper))
}
