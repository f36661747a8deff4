package main

import (
	"errors"

	"cosmossdk.io/log/v2"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cast"
	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/debug"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/keys"
	"github.com/cosmos/cosmos-sdk/client/pruning"
	"github.com/cosmos/cosmos-sdk/client/rpc"
	"github.com/cosmos/cosmos-sdk/client/snapshot"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	authcmd "github.com/cosmos/cosmos-sdk/x/auth/client/cli"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"

	"github.com/grafilab/grafi/app"
	"github.com/grafilab/grafi/cmd/grafid/gctarget"
	"github.com/grafilab/grafi/cmd/grafid/jury"
	"github.com/grafilab/grafi/cmd/grafid/rent"
)

func addCommands(root *cobra.Command, source *app.App) {
	enc := source.Encoding()
	genesis := genutilcli.Commands(enc.TxConfig, source.BasicManager, app.DefaultNodeHome)
	genesis.AddCommand(patchGenesisCmd(source.BasicManager))
	root.AddCommand(
		initCmd(source.BasicManager),
		testnetCmd(source),
		genesis,
		queryCommand(),
		txCommand(),
		keys.Commands(),
		server.StatusCommand(),
		snapshot.Cmd(newApp),
		pruning.Cmd(newApp, app.DefaultNodeHome),
		debug.Cmd(),
	)
	root.AddCommand(rent.Commands()...)
	root.AddCommand(jury.Command())
	server.AddCommands(root, app.DefaultNodeHome, newApp, exportApp, customizeStart)
}

// customizeStart sets the collector's target in the long-running command only.
func customizeStart(start *cobra.Command) {
	start.Example = `  grafid start
  grafid start --home /srv/grafi --block-executor block-stm --log_format json`
	start.PreRun = func(cmd *cobra.Command, _ []string) {
		target := gctarget.Apply()
		server.GetServerContextFromCmd(cmd).Logger.Info("garbage collector", "target", target)
	}
}

func queryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "query",
		Aliases: []string{"q"},
		Short:   "Ask a node about the chain",
		Example: `  grafid query bank balances grafi1...
  grafid query tx 5C1A... --output json`,
		SuggestionsMinimumDistance: 2,
		RunE:                       client.ValidateCmd,
	}
	cmd.AddCommand(
		rpc.WaitTxCmd(),
		server.QueryBlockCmd(),
		server.QueryBlocksCmd(),
		server.QueryBlockResultsCmd(),
		authcmd.QueryTxsByEventsCmd(),
		authcmd.QueryTxCmd(),
	)
	return cmd
}

func txCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:                        "tx",
		Short:                      "Build, sign and send a transaction",
		Example:                    `  grafid tx bank send alice grafi1... 5000000ugrafi --fees 2000ugrafi`,
		SuggestionsMinimumDistance: 2,
		RunE:                       client.ValidateCmd,
	}
	cmd.AddCommand(
		authcmd.GetSignCommand(),
		authcmd.GetSignBatchCommand(),
		authcmd.GetMultiSignCommand(),
		authcmd.GetMultiSignBatchCmd(),
		authcmd.GetValidateSignaturesCommand(),
		flags.LineBreak,
		authcmd.GetBroadcastCommand(),
		authcmd.GetEncodeCommand(),
		authcmd.GetDecodeCommand(),
		authcmd.GetSimulateCmd(),
	)
	return cmd
}

// newApp builds the application that a node runs.
func newApp(logger log.Logger, db dbm.DB, appOpts servertypes.AppOptions) servertypes.Application {
	opts := append(server.DefaultBaseappOptions(appOpts), baseapp.SetOptimisticExecution())
	return app.New(logger, db, true, appOpts, opts...)
}

// exportApp builds the application at a height and writes its state.
func exportApp(
	logger log.Logger, db dbm.DB, height int64, forZeroHeight bool, jailAllowed []string,
	appOpts servertypes.AppOptions, modules []string,
) (servertypes.ExportedApp, error) {
	if cast.ToString(appOpts.Get(flags.FlagHome)) == "" {
		return servertypes.ExportedApp{}, errors.New("no --home given")
	}
	if v, ok := appOpts.(*viper.Viper); ok {
		v.Set(server.FlagInvCheckPeriod, 1)
	}
	a := app.New(logger, db, height == -1, appOpts, server.DefaultBaseappOptions(appOpts)...)
	if height != -1 {
		if err := a.LoadHeight(height); err != nil {
			return servertypes.ExportedApp{}, err
		}
	}
	return a.ExportAppStateAndValidators(forZeroHeight, jailAllowed, modules)
}
