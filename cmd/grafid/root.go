package main

import (
	"os"

	"cosmossdk.io/log/v2"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/config"
	"github.com/cosmos/cosmos-sdk/server"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	"github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/grafilab/grafi/app"
	"github.com/grafilab/grafi/internal/chaininfo"
)

// newRootCmd returns the whole command tree. The application built here has an
// empty database and serves as the source of codecs, default genesis and
// commands; it never runs.
func newRootCmd() *cobra.Command {
	types.GetConfig().Seal()
	source := app.New(log.NewNopLogger(), dbm.NewMemDB(), false, simtestutil.AppOptionsMap{})
	enc := source.Encoding()
	base := client.Context{}.
		WithCodec(enc.Codec).
		WithInterfaceRegistry(enc.Registry).
		WithLegacyAmino(enc.Amino).
		WithTxConfig(enc.TxConfig).
		WithInput(os.Stdin).
		WithAccountRetriever(authtypes.AccountRetriever{}).
		WithHomeDir(app.DefaultNodeHome).
		WithViper(envPrefix)

	root := &cobra.Command{
		Use:   chaininfo.AppName,
		Short: "Node and wallet of the Grafilab GPU cloud",
		Long: `grafid runs a node of the Grafilab chain, keeps keys, and sends and queries
transactions. All commands of a module are under "tx <module>" and "query <module>".`,
		Example: `  grafid init my-node --chain-id grafi-1
  grafid keys add alice
  grafid start
  grafid query bank balances $(grafid keys show alice -a) --output json`,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(cmd.OutOrStdout())
			cmd.SetErr(cmd.ErrOrStderr())
			cmd.SilenceUsage = true // the usage text hides the error that follows it

			clientCtx := base.WithCmdContext(cmd.Context())
			clientCtx, err := client.ReadPersistentCommandFlags(clientCtx, cmd.Flags())
			if err != nil {
				return err
			}
			if clientCtx, err = config.ReadFromClientConfig(clientCtx); err != nil {
				return err
			}
			if err := client.SetCmdClientContextHandler(clientCtx, cmd); err != nil {
				return err
			}
			return setServerContext(cmd)
		},
	}
	addCommands(root, source)

	autoCtx, err := config.ReadDefaultValuesFromDefaultClientConfig(base)
	if err != nil {
		panic(err)
	}
	if err := source.AutoCLI(autoCtx).EnhanceRootCommand(root); err != nil {
		panic(err)
	}
	return root
}

// setServerContext reads config.toml and app.toml, which it writes when they
// are missing. Only a running node logs to standard output: elsewhere that is
// where the answer goes.
func setServerContext(cmd *cobra.Command) error {
	template, appConfig := defaultAppConfig()
	serverCtx, err := server.InterceptConfigsAndCreateContext(cmd, template, appConfig, defaultCometConfig())
	if err != nil {
		return err
	}
	out := cmd.ErrOrStderr()
	if cmd.Name() == "start" {
		out = cmd.OutOrStdout()
	}
	logger, err := server.CreateSDKLogger(serverCtx, out)
	if err != nil {
		return err
	}
	serverCtx.Logger = logger.With(log.ModuleKey, "server")
	return server.SetCmdServerContext(cmd, serverCtx)
}
