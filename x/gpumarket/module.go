// Package gpumarket sells GPU time: listings, rentals with exact bookings and
// escrow, per-second settlement, and deadlines that enforce themselves.
// README.md in this folder is its specification.
package gpumarket

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

	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/simulation"
	"github.com/grafilab/grafi/x/gpumarket/types"
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

// AppModule is x/gpumarket as the application sees it.
type AppModule struct {
	cdc       codec.Codec
	keeper    *keeper.Keeper
	agentKeys simulation.AgentKeys
}

// NewAppModule returns the module on its keeper.
func NewAppModule(cdc codec.Codec, k *keeper.Keeper) AppModule {
	return AppModule{cdc: cdc, keeper: k, agentKeys: simulation.NoKeys}
}

// WithAgentKeys tells simulations where the agent keys of simulated hosts are:
// the module that registers the hosts makes them.
func (am AppModule) WithAgentKeys(keys simulation.AgentKeys) AppModule {
	am.agentKeys = keys
	return am
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
	return gs.Validate()
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
	reg.Add(weights.Get("gpumarket_create_listing", 30), simulation.CreateListingFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_change_listing", 10), simulation.ChangeListingFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_set_listing_status", 10), simulation.SetListingStatusFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_rent", 80), simulation.RentFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_subscribe", 20), simulation.SubscribeFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_top_up_subscription", 10), simulation.TopUpFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_cancel_subscription", 5), simulation.CancelSubscriptionFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_confirm_start", 80), simulation.ConfirmStartFactory(am.keeper, am.agentKeys))
	reg.Add(weights.Get("gpumarket_report_result", 20), simulation.ReportResultFactory(am.keeper, am.agentKeys))
	reg.Add(weights.Get("gpumarket_extend_rental", 20), simulation.ExtendRentalFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_close_rental", 20), simulation.CloseRentalFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_prove_rental", 80), simulation.ProveRentalFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_settle", 40), simulation.SettleFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_request_compute", 40), simulation.RequestComputeFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_invite_renter", 10), simulation.InviteRenterFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_request_access", 10), simulation.RequestAccessFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_answer_invitation", 20), simulation.AnswerInvitationFactory(am.keeper))
	reg.Add(weights.Get("gpumarket_revoke_access", 5), simulation.RevokeAccessFactory(am.keeper))
}

// ProposalMsgsX registers the message of governance.
func (am AppModule) ProposalMsgsX(weights simsx.WeightSource, reg simsx.Registry) {
	reg.Add(weights.Get("gpumarket_update_params", 50), simulation.UpdateParamsFactory(am.keeper))
}
