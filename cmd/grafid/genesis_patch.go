package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/grafilab/grafi/cmd/grafid/mergepatch"
)

// patchGenesisCmd changes parameters of a chain that has not started.
func patchGenesisCmd(basics module.BasicManager) *cobra.Command {
	return &cobra.Command{
		Use:   "patch [file]",
		Short: "Merge a JSON document into app_state of the genesis file",
		Long: `Merge a JSON document (RFC 7396) into app_state of the genesis file and validate
the result: objects are merged, null removes a key, everything else replaces what
is there.`,
		Example: `  echo '{"gov":{"params":{"voting_period":"60s"}}}' > patch.json
  grafid genesis patch patch.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			clientCtx := client.GetClientContextFromCmd(cmd)
			cfg := server.GetServerContextFromCmd(cmd).Config
			genesis, err := genutiltypes.AppGenesisFromFile(cfg.GenesisFile())
			if err != nil {
				return err
			}
			patch, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			if genesis.AppState, err = patchAppState(clientCtx, basics, genesis.AppState, patch); err != nil {
				return err
			}
			return genutil.ExportGenesisFile(genesis, cfg.GenesisFile())
		},
	}
}

// patchAppState returns the merged and validated state.
func patchAppState(clientCtx client.Context, basics module.BasicManager, state, patch []byte) (json.RawMessage, error) {
	var target, change map[string]any
	if err := json.Unmarshal(state, &target); err != nil {
		return nil, fmt.Errorf("app_state: %w", err)
	}
	if err := json.Unmarshal(patch, &change); err != nil {
		return nil, fmt.Errorf("patch: want a JSON object by module name: %w", err)
	}
	for name := range change {
		if _, ok := basics[name]; !ok {
			return nil, fmt.Errorf("patch: no module %q on this chain", name)
		}
	}
	merged, err := json.MarshalIndent(mergepatch.Apply(target, change), "", "  ")
	if err != nil {
		return nil, err
	}
	var byModule map[string]json.RawMessage
	if err := json.Unmarshal(merged, &byModule); err != nil {
		return nil, err
	}
	if err := basics.ValidateGenesis(clientCtx.Codec, clientCtx.TxConfig, byModule); err != nil {
		return nil, fmt.Errorf("patched genesis: %w", err)
	}
	return merged, nil
}
