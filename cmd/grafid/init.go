package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/grafilab/grafi/app"
)

// otelExample is a telemetry set-up that works as it is with a collector on
// the same machine. Renaming it to otel.yaml switches it on.
//
//go:embed otel.example.yaml
var otelExample []byte

// initCmd is the SDK's init with this chain's consensus parameters.
func initCmd(basics module.BasicManager) *cobra.Command {
	cmd := genutilcli.InitCmd(basics, app.DefaultNodeHome)
	cmd.Example = `  grafid init my-node --chain-id grafi-1
  grafid init local --chain-id grafi-local --home /tmp/grafi`
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := run(cmd, args); err != nil {
			return err
		}
		cfg := server.GetServerContextFromCmd(cmd).Config
		genesis, err := genutiltypes.AppGenesisFromFile(cfg.GenesisFile())
		if err != nil {
			return err
		}
		keyTypes := genesis.Consensus.Params.Validator
		genesis.Consensus.Params = app.DefaultConsensusParams()
		genesis.Consensus.Params.Validator = keyTypes // --consensus-key-algo
		if err := genutil.ExportGenesisFile(genesis, cfg.GenesisFile()); err != nil {
			return err
		}
		return writeOtelExample(client.GetClientContextFromCmd(cmd).HomeDir)
	}
	return cmd
}

func writeOtelExample(home string) error {
	path := filepath.Join(home, "config", "otel.example.yaml")
	if err := os.WriteFile(path, otelExample, 0o644); err != nil {
		return fmt.Errorf("telemetry example: %w", err)
	}
	return nil
}
