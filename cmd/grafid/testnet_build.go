package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"cosmossdk.io/math"
	cmtcfg "github.com/cometbft/cometbft/config"

	"github.com/cosmos/cosmos-sdk/client"
	clienttx "github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/crypto/hd"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/grafilab/grafi/app"
	"github.com/grafilab/grafi/internal/chaininfo"
	rewardstypes "github.com/grafilab/grafi/x/rewards/types"
)

const validatorKeyName = "validator"

// testnetBuilder collects what the nodes have in common while they are made.
type testnetBuilder struct {
	options   testnetOptions
	source    *app.App
	clientCtx client.Context
	stake     sdk.Coin
	balance   sdk.Coins

	nodes    []testnetNode
	configs  []*cmtcfg.Config
	keyrings []keyring.Keyring
	accounts []testnetAccount
	funded   []sdk.AccAddress
	genTxs   []json.RawMessage
}

// addNode makes the keys of node i and its transaction for genesis.
func (b *testnetBuilder) addNode(ctx context.Context, i int) error {
	moniker := fmt.Sprintf("node%d", i)
	home := filepath.Join(b.options.outputDir, moniker)
	for _, sub := range []string{"config", "data"} {
		if err := os.MkdirAll(filepath.Join(home, sub), 0o755); err != nil {
			return err
		}
	}
	cfg := b.cometConfig(home, moniker, i)
	nodeID, pubKey, err := genutil.InitializeNodeValidatorFiles(cfg)
	if err != nil {
		return err
	}
	kr, err := keyring.New(chaininfo.AppName, b.options.keyring, home, b.clientCtx.Input, b.clientCtx.Codec)
	if err != nil {
		return err
	}
	addr, mnemonic, err := newKey(kr, validatorKeyName)
	if err != nil {
		return err
	}
	genTx, err := b.createValidatorTx(ctx, kr, addr, pubKey, moniker)
	if err != nil {
		return err
	}
	b.nodes = append(b.nodes, testnetNode{
		Moniker: moniker, Home: home, NodeID: nodeID, KeyName: validatorKeyName,
		Address: addr.String(), Validator: sdk.ValAddress(addr).String(), Mnemonic: mnemonic,
		P2PAddress:  nodeID + "@" + b.address(i, 0),
		RPCAddress:  "tcp://" + b.address(i, 1),
		GRPCAddress: b.address(i, 2),
		APIAddress:  "http://" + b.address(i, 3),
	})
	b.configs = append(b.configs, cfg)
	b.keyrings = append(b.keyrings, kr)
	b.funded = append(b.funded, addr)
	b.genTxs = append(b.genTxs, genTx)
	return nil
}

// addAccount makes a funded key in the keyring of the first node.
func (b *testnetBuilder) addAccount(name string) error {
	addr, mnemonic, err := newKey(b.keyrings[0], name)
	if err != nil {
		return err
	}
	b.accounts = append(b.accounts, testnetAccount{Name: name, Address: addr.String(), Mnemonic: mnemonic})
	b.funded = append(b.funded, addr)
	return nil
}

func newKey(kr keyring.Keyring, name string) (sdk.AccAddress, string, error) {
	if _, err := kr.Key(name); err == nil {
		return nil, "", fmt.Errorf("key %q exists", name)
	}
	path := sdk.GetConfig().GetFullBIP44Path()
	record, mnemonic, err := kr.NewMnemonic(name, keyring.English, path, keyring.DefaultBIP39Passphrase, hd.Secp256k1)
	if err != nil {
		return nil, "", err
	}
	addr, err := record.GetAddress()
	return addr, mnemonic, err
}

func (b *testnetBuilder) createValidatorTx(
	ctx context.Context, kr keyring.Keyring, addr sdk.AccAddress, pubKey cryptotypes.PubKey, moniker string,
) (json.RawMessage, error) {
	msg, err := stakingtypes.NewMsgCreateValidator(sdk.ValAddress(addr).String(), pubKey, b.stake,
		stakingtypes.NewDescription(moniker, "", "", "", ""),
		stakingtypes.NewCommissionRates(math.LegacyNewDecWithPrec(5, 2), math.LegacyOneDec(), math.LegacyOneDec()),
		math.OneInt())
	if err != nil {
		return nil, err
	}
	txConfig := b.source.TxConfig()
	builder := txConfig.NewTxBuilder()
	if err := builder.SetMsgs(msg); err != nil {
		return nil, err
	}
	factory := clienttx.Factory{}.WithChainID(b.options.chainID).WithKeybase(kr).WithTxConfig(txConfig)
	if err := clienttx.Sign(ctx, factory, validatorKeyName, builder, true); err != nil {
		return nil, err
	}
	return txConfig.TxJSONEncoder()(builder.GetTx())
}

// writeGenesis writes one genesis file to all homes.
func (b *testnetBuilder) writeGenesis() error {
	cdc := b.source.AppCodec()
	state := b.source.DefaultGenesis()

	accounts := make(authtypes.GenesisAccounts, len(b.funded))
	balances := make([]banktypes.Balance, len(b.funded))
	for i, addr := range b.funded {
		accounts[i] = authtypes.NewBaseAccount(addr, nil, 0, 0)
		balances[i] = banktypes.Balance{Address: addr.String(), Coins: b.balance}
	}
	packed, err := authtypes.PackAccounts(authtypes.SanitizeGenesisAccounts(accounts))
	if err != nil {
		return err
	}
	auth := authtypes.GetGenesisStateFromAppState(cdc, state)
	auth.Accounts = packed
	state[authtypes.ModuleName] = cdc.MustMarshalJSON(&auth)
	bank := banktypes.GetGenesisStateFromAppState(cdc, state)
	bank.Balances = banktypes.SanitizeGenesisBalances(balances)
	state[banktypes.ModuleName] = cdc.MustMarshalJSON(bank)
	genutiltypes.SetGenesisStateInAppState(cdc, state, genutiltypes.NewGenesisState(b.genTxs))
	var rewards rewardstypes.GenesisState
	cdc.MustUnmarshalJSON(state[rewardstypes.ModuleName], &rewards)
	rewards.Params.Rules = localRules(rewards.Params.Rules)
	state[rewardstypes.ModuleName] = cdc.MustMarshalJSON(&rewards)

	appState, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return err
	}
	if b.options.genesisPatch != "" {
		patch, err := os.ReadFile(b.options.genesisPatch)
		if err != nil {
			return err
		}
		if appState, err = patchAppState(b.clientCtx, b.source.BasicManager, appState, patch); err != nil {
			return err
		}
	}
	genesis := genutiltypes.NewAppGenesisWithVersion(b.options.chainID, appState)
	genesis.GenesisTime = time.Now().UTC()
	genesis.Consensus = &genutiltypes.ConsensusGenesis{Params: app.DefaultConsensusParams()}
	for _, cfg := range b.configs {
		if err := genutil.ExportGenesisFile(genesis, cfg.GenesisFile()); err != nil {
			return err
		}
	}
	return nil
}

// localRules lets hosts earn from their first day, and without probes: a network on
// one machine rarely has the four operators that probes need, nor a day to wait for
// results of challenges. A genesis patch can ask for proofs again.
func localRules(rules rewardstypes.Rules) rewardstypes.Rules {
	rules.MinTrustTier = 0
	rules.UnchallengedPerformancePpm, rules.UnprobedConnectionPpm = rewardstypes.PPM, rewardstypes.PPM
	return rules
}

// writeConfigs writes config.toml, app.toml and client.toml, now that every
// node's address is known to all.
func (b *testnetBuilder) writeConfigs() error {
	for i, node := range b.nodes {
		peers := make([]string, 0, len(b.nodes)-1)
		for j, other := range b.nodes {
			if i != j {
				peers = append(peers, other.P2PAddress)
			}
		}
		cfg := b.configs[i]
		cfg.P2P.PersistentPeers = strings.Join(peers, ",")
		dir := filepath.Join(node.Home, "config")
		cmtcfg.WriteConfigFile(filepath.Join(dir, "config.toml"), cfg)

		_, appCfg := defaultAppConfig()
		appCfg.MinGasPrices = b.options.minGasPrices
		appCfg.BlockExecutor = b.options.executor
		appCfg.GRPC.Address = node.GRPCAddress
		appCfg.API.Address = "tcp://" + b.address(i, 3)
		if err := appCfg.ValidateBasic(); err != nil {
			return err
		}
		serverconfig.WriteConfigFile(filepath.Join(dir, "app.toml"), appCfg)

		clientToml := fmt.Sprintf("chain-id = %q\nkeyring-backend = %q\noutput = \"text\"\nnode = %q\nbroadcast-mode = \"sync\"\n",
			b.options.chainID, b.options.keyring, node.RPCAddress)
		if err := os.WriteFile(filepath.Join(dir, "client.toml"), []byte(clientToml), 0o644); err != nil {
			return err
		}
		if err := writeOtelExample(node.Home); err != nil {
			return err
		}
	}
	return nil
}

func (b *testnetBuilder) cometConfig(home, moniker string, i int) *cmtcfg.Config {
	cfg := defaultCometConfig()
	cfg.SetRoot(home)
	cfg.Moniker = moniker
	cfg.Consensus.TimeoutCommit = b.options.timeoutCommit
	cfg.P2P.ListenAddress = "tcp://" + b.address(i, 0)
	cfg.P2P.AllowDuplicateIP = true
	cfg.P2P.AddrBookStrict = false
	cfg.RPC.ListenAddress = "tcp://" + b.address(i, 1)
	cfg.RPC.PprofListenAddress = b.address(i, 5)
	cfg.Instrumentation.PrometheusListenAddr = b.address(i, 4)
	return cfg
}

func (b *testnetBuilder) address(node, port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.options.basePort+10*node+port))
}
