// Package app wires the modules into one ABCI application, by hand. One file
// per job: keepers, hooks, modules, stores, ante, genesis, export, upgrades.
package app

import (
	"fmt"
	"sync"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	reflectionv1 "cosmossdk.io/api/cosmos/reflection/v1"
	"cosmossdk.io/client/v2/autocli"
	"cosmossdk.io/core/appmodule"
	"cosmossdk.io/log/v2"
	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/baseapp/blockexec"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/grpc/cmtservice"
	nodeservice "github.com/cosmos/cosmos-sdk/client/grpc/node"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/runtime"
	runtimeservices "github.com/cosmos/cosmos-sdk/runtime/services"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/server/api"
	"github.com/cosmos/cosmos-sdk/server/config"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/version"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"

	"github.com/grafilab/grafi/internal/chaininfo"
)

// App is the chain's state machine.
type App struct {
	*baseapp.BaseApp
	Keepers

	ModuleManager *module.Manager
	BasicManager  module.BasicManager

	enc          Encoding
	keys         map[string]*storetypes.KVStoreKey
	objKeys      map[string]*storetypes.ObjectStoreKey
	configurator module.Configurator
	sm           *module.SimulationManager
	closeOnce    sync.Once
	closeErr     error
}

var (
	_ runtime.AppI            = (*App)(nil)
	_ servertypes.Application = (*App)(nil)
)

// New builds the application on db. It panics on a wiring mistake or on a
// database that it can't load: a node has no use for half an application.
func New(
	logger log.Logger,
	db dbm.DB,
	loadLatest bool,
	appOpts servertypes.AppOptions,
	baseAppOptions ...func(*baseapp.BaseApp),
) *App {
	enc := NewEncoding()
	base := baseapp.NewBaseApp(chaininfo.AppName, logger, db, enc.TxConfig.TxDecoder(), baseAppOptions...)
	base.SetVersion(version.Version)
	base.SetInterfaceRegistry(enc.Registry)
	base.SetTxEncoder(enc.TxConfig.TxEncoder())

	app := &App{BaseApp: base, enc: enc}
	app.keys, app.objKeys = newStoreKeys()
	if err := app.RegisterStreamingServices(appOpts, app.keys); err != nil {
		panic(fmt.Errorf("streaming services of app.toml: %w", err))
	}
	app.buildKeepers(appOpts)
	app.setHooks()
	app.buildModules()
	app.setUpgrades()
	app.registerReflection()

	app.MountKVStores(app.keys)
	app.MountObjectStores(app.objKeys)
	app.SetInitChainer(app.InitChainer)
	app.SetPreBlocker(app.PreBlocker)
	app.SetBeginBlocker(app.BeginBlocker)
	app.SetEndBlocker(app.EndBlocker)
	app.setHandlers()
	blockexec.Apply(base, appOpts, app.allStoreKeys(), enc.TxConfig.TxDecoder(),
		func(storetypes.MultiStore) string { return chaininfo.BaseDenom })

	if loadLatest {
		if err := app.LoadLatestVersion(); err != nil {
			panic(fmt.Errorf("loading the latest state: %w", err))
		}
	}
	return app
}

// registerReflection lets a client discover messages and commands by gRPC.
func (app *App) registerReflection() {
	autocliv1.RegisterQueryServer(app.GRPCQueryRouter(), runtimeservices.NewAutoCLIQueryService(app.ModuleManager.Modules))
	reflection, err := runtimeservices.NewReflectionService()
	if err != nil {
		panic(err)
	}
	reflectionv1.RegisterReflectionServiceServer(app.GRPCQueryRouter(), reflection)
}

// PreBlocker runs before BeginBlocker and may change the consensus parameters.
func (app *App) PreBlocker(ctx sdk.Context, _ *abci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
	return app.ModuleManager.PreBlock(ctx)
}

// BeginBlocker runs the modules before the transactions of a block.
func (app *App) BeginBlocker(ctx sdk.Context) (sdk.BeginBlock, error) {
	return app.ModuleManager.BeginBlock(ctx)
}

// EndBlocker runs the modules after the transactions of a block.
func (app *App) EndBlocker(ctx sdk.Context) (sdk.EndBlock, error) {
	return app.ModuleManager.EndBlock(ctx)
}

// Close releases the databases. The server calls it more than once on its way
// out, and pebble panics when it is closed twice.
func (app *App) Close() error {
	app.closeOnce.Do(func() { app.closeErr = app.BaseApp.Close() })
	return app.closeErr
}

// LoadHeight loads the state of a past height, if it was not pruned.
func (app *App) LoadHeight(height int64) error { return app.LoadVersion(height) }

// Encoding returns the codecs with all modules registered.
func (app *App) Encoding() Encoding { return app.enc }

// LegacyAmino implements runtime.AppI.
func (app *App) LegacyAmino() *codec.LegacyAmino { return app.enc.Amino }

// AppCodec returns the protobuf codec.
func (app *App) AppCodec() codec.Codec { return app.enc.Codec }

// TxConfig returns how transactions are encoded and signed.
func (app *App) TxConfig() client.TxConfig { return app.enc.TxConfig }

// Configurator is what an upgrade handler runs migrations with.
func (app *App) Configurator() module.Configurator { return app.configurator }

// StoreKeys returns the persistent stores by name, for tests that compare them.
func (app *App) StoreKeys() map[string]*storetypes.KVStoreKey { return app.keys }

// SimulationManager implements runtime.AppI.
func (app *App) SimulationManager() *module.SimulationManager { return app.sm }

// GetBaseApp is what the simulator drives.
func (app *App) GetBaseApp() *baseapp.BaseApp { return app.BaseApp }

// AutoCLI returns the options from which the commands of all modules are made.
func (app *App) AutoCLI(clientCtx client.Context) autocli.AppOptions {
	mods := make(map[string]appmodule.AppModule, len(app.ModuleManager.Modules))
	for name, m := range app.ModuleManager.Modules {
		if am, ok := m.(appmodule.AppModule); ok {
			mods[name] = am
		}
	}
	return autocli.AppOptions{
		Modules:               mods,
		ModuleOptions:         runtimeservices.ExtractAutoCLIOptions(app.ModuleManager.Modules),
		AddressCodec:          app.enc.Accounts,
		ValidatorAddressCodec: app.enc.Validators,
		ConsensusAddressCodec: app.enc.Consensus,
		ClientCtx:             clientCtx,
	}
}

// RegisterAPIRoutes implements servertypes.Application.
func (app *App) RegisterAPIRoutes(srv *api.Server, cfg config.APIConfig) {
	clientCtx := srv.ClientCtx
	authtx.RegisterGRPCGatewayRoutes(clientCtx, srv.GRPCGatewayRouter)
	cmtservice.RegisterGRPCGatewayRoutes(clientCtx, srv.GRPCGatewayRouter)
	nodeservice.RegisterGRPCGatewayRoutes(clientCtx, srv.GRPCGatewayRouter)
	app.BasicManager.RegisterGRPCGatewayRoutes(clientCtx, srv.GRPCGatewayRouter)
	if err := server.RegisterSwaggerAPI(clientCtx, srv.Router, cfg.Swagger); err != nil {
		panic(err)
	}
}

// RegisterTxService implements servertypes.Application.
func (app *App) RegisterTxService(clientCtx client.Context) {
	authtx.RegisterTxService(app.GRPCQueryRouter(), clientCtx, app.Simulate, app.enc.Registry)
}

// RegisterTendermintService implements servertypes.Application.
func (app *App) RegisterTendermintService(clientCtx client.Context) {
	cmtservice.RegisterTendermintService(clientCtx, app.GRPCQueryRouter(), app.enc.Registry,
		server.NewCometABCIWrapper(app).Query)
}

// RegisterNodeService implements servertypes.Application.
func (app *App) RegisterNodeService(clientCtx client.Context, cfg config.Config) {
	nodeservice.RegisterNodeService(clientCtx, app.GRPCQueryRouter(), cfg,
		func() int64 { return app.CommitMultiStore().EarliestVersion() })
}
