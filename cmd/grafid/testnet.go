package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/app"
	"github.com/grafilab/grafi/internal/chaininfo"
)

// maxTestnetValidators keeps base-port + 10 × validators inside 16 bits.
const maxTestnetValidators = 100

// testnetOptions are the flags of `testnet init-files`.
type testnetOptions struct {
	validators    int
	outputDir     string
	chainID       string
	basePort      int
	keyring       string
	stake         string
	balance       string
	accounts      []string
	minGasPrices  string
	timeoutCommit time.Duration
	executor      string
	genesisPatch  string
}

// testnetManifest is what init-files prints and writes to testnet.json, so that
// scripts and tests need not guess a path, a port or an address.
type testnetManifest struct {
	ChainID  string           `json:"chain_id"`
	Nodes    []testnetNode    `json:"nodes"`
	Accounts []testnetAccount `json:"accounts"`
}

type testnetNode struct {
	Moniker     string `json:"moniker"`
	Home        string `json:"home"`
	NodeID      string `json:"node_id"`
	KeyName     string `json:"key_name"`
	Address     string `json:"address"`
	Validator   string `json:"validator"`
	Mnemonic    string `json:"mnemonic"`
	P2PAddress  string `json:"p2p"`
	RPCAddress  string `json:"rpc"`
	GRPCAddress string `json:"grpc"`
	APIAddress  string `json:"api"`
}

// testnetAccount is a funded account in the keyring of the first node.
type testnetAccount struct {
	Name     string `json:"name"`
	Address  string `json:"address"`
	Mnemonic string `json:"mnemonic"`
}

func testnetCmd(source *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "testnet",
		Short: "Make networks on this machine, for tests and trials",
		RunE:  client.ValidateCmd,
	}
	cmd.AddCommand(testnetInitFilesCmd(source))
	return cmd
}

func testnetInitFilesCmd(source *app.App) *cobra.Command {
	var o testnetOptions
	cmd := &cobra.Command{
		Use:   "init-files",
		Short: "Write the homes of N validators that run on loopback",
		Long: `Write the homes of N validators that run side by side on this machine. Node i is in
OUTPUT/node<i> and listens at base-port + 10·i: +0 p2p, +1 RPC, +2 gRPC, +3 REST,
+4 metrics, +5 profiles. OUTPUT/testnet.json, also printed, names all of it. Keys are
for tests: their mnemonics are in that file.

Hosts of this network earn without having been probed or challenged: it rarely has the
four operators that probes need. To ask for proofs as the main network does, patch
rewards.params.rules: min_trust_tier 1, unchallenged_performance_ppm and
unprobed_connection_ppm 0.`,
		Example: `  grafid testnet init-files --validators 4 --output-dir ./net --chain-id grafi-test
  grafid testnet init-files --validators 1 --account renter --account operator \
    --timeout-commit 200ms --genesis-patch patch.json
  for i in 0 1 2 3; do grafid start --home ./net/node$i & done`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.chainID, _ = cmd.Flags().GetString(flags.FlagChainID)
			manifest, err := initTestnet(cmd, source, o)
			if err != nil {
				return err
			}
			out, err := json.MarshalIndent(manifest, "", "  ")
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(o.outputDir, "testnet.json"), out, 0o600); err != nil {
				return err
			}
			cmd.Println(string(out))
			return nil
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.validators, "validators", 4, "number of validators")
	f.StringVarP(&o.outputDir, "output-dir", "o", "./testnet", "directory for the homes")
	f.String(flags.FlagChainID, "grafi-test", "chain id")
	f.IntVar(&o.basePort, "base-port", 26600, "first port of the first node")
	f.StringVar(&o.keyring, flags.FlagKeyringBackend, keyring.BackendTest, "keyring of all nodes")
	f.StringVar(&o.stake, "stake", "1000000000000"+chaininfo.BaseDenom, "self-delegation of a validator")
	f.StringVar(&o.balance, "balance", "10000000000000"+chaininfo.BaseDenom, "coins of each account, before a validator's stake")
	f.StringArrayVar(&o.accounts, "account", nil, "name of a further funded account (repeatable)")
	f.StringVar(&o.minGasPrices, "minimum-gas-prices", chaininfo.DefaultMinGasPrices, "what the nodes ask for gas")
	f.DurationVar(&o.timeoutCommit, "timeout-commit", timeoutCommit, "pause after a block")
	f.StringVar(&o.executor, "block-executor", serverconfig.DefaultBlockExecutor, "sequential or block-stm")
	f.StringVar(&o.genesisPatch, "genesis-patch", "", "file with a JSON merge patch of app_state, such as shorter periods")
	return cmd
}

func initTestnet(cmd *cobra.Command, source *app.App, o testnetOptions) (testnetManifest, error) {
	if o.validators < 1 || o.validators > maxTestnetValidators {
		return testnetManifest{}, fmt.Errorf("--validators: got %d, want 1 to %d", o.validators, maxTestnetValidators)
	}
	if o.basePort < 1 || o.basePort+10*o.validators > 1<<16 {
		return testnetManifest{}, fmt.Errorf("--base-port: got %d, want 1 to %d for %d validators",
			o.basePort, 1<<16-10*o.validators, o.validators)
	}
	dir, err := filepath.Abs(o.outputDir)
	if err != nil {
		return testnetManifest{}, err
	}
	if _, err := os.Stat(filepath.Join(dir, "node0")); err == nil {
		return testnetManifest{}, fmt.Errorf("--output-dir %s already holds a testnet", dir)
	}
	o.outputDir = dir
	stake, err := sdk.ParseCoinNormalized(o.stake)
	if err != nil {
		return testnetManifest{}, fmt.Errorf("--stake: %w", err)
	}
	balance, err := sdk.ParseCoinsNormalized(o.balance)
	if err != nil {
		return testnetManifest{}, fmt.Errorf("--balance: %w", err)
	}

	clientCtx := client.GetClientContextFromCmd(cmd)
	b := testnetBuilder{options: o, source: source, clientCtx: clientCtx, stake: stake, balance: balance}
	for i := range o.validators {
		if err := b.addNode(cmd.Context(), i); err != nil {
			return testnetManifest{}, fmt.Errorf("node%d: %w", i, err)
		}
	}
	for _, name := range o.accounts {
		if err := b.addAccount(name); err != nil {
			return testnetManifest{}, fmt.Errorf("account %q: %w", name, err)
		}
	}
	if err := b.writeGenesis(); err != nil {
		return testnetManifest{}, fmt.Errorf("genesis: %w", err)
	}
	if err := b.writeConfigs(); err != nil {
		return testnetManifest{}, err
	}
	return testnetManifest{ChainID: o.chainID, Nodes: b.nodes, Accounts: b.accounts}, nil
}
