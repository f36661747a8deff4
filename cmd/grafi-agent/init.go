package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/spf13/cobra"

	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/agent/keystore"
	"github.com/grafilab/grafi/agent/service"
	"github.com/grafilab/grafi/internal/chainclient"
)

// initResult is what init made.
type initResult struct {
	Home          string   `json:"home"`
	Config        string   `json:"config"`
	AgentKey      string   `json:"agent_key"`
	EncryptionKey string   `json:"encryption_key"`
	FeeAddress    string   `json:"fee_address"`
	Kept          []string `json:"kept,omitempty"` // what was there already
}

func initCmd() *cobra.Command {
	c := command(&cobra.Command{
		Use:   "init",
		Short: "Make the keys and the configuration",
		Long: `Makes three keys (agent, encryption, fee) and config.yaml under --home. What is
there already is kept: a key is never overwritten, so init can be repeated.

The fee key is a hot account of its own that pays for the agent's transactions. Send
it a little, or let the operator grant it fees:
  grafid tx feegrant grant OPERATOR FEE_ADDRESS --spend-limit 10000000ugrafi
and set fee-granter to the operator. Never put the operator's own key here.`,
		Example: `  grafi-agent init --chain-id grafi-1 --node https://rpc1.example.com,https://rpc2.example.com
  grafid keys export hot --unarmored-hex --unsafe | grafi-agent init --chain-id grafi-1 --import-fee-key -`,
	}, runInit)
	c.Flags().String("import-fee-key", "", "file with a secp256k1 key in hex to use as fee key; - reads standard input")
	return c
}

func runInit(cmd *cobra.Command, cfg config.Config, output string) error {
	if cfg.ChainID == "" {
		return usageError{errors.New("--chain-id is empty: the agent's signatures are for one chain")}
	}
	if _, err := logger(cfg); err != nil {
		return err
	}
	res, store := initResult{Home: cfg.Home}, service.KeyStore(cfg)
	agent, err := keep(&res, store, service.AgentKeyName, keystore.CreateAgentKey, keystore.LoadAgentKey)
	if err != nil {
		return err
	}
	encryption, err := keep(&res, store, service.EncryptionKeyName, keystore.CreateEncryptionKey, keystore.LoadEncryptionKey)
	if err != nil {
		return err
	}
	createFee := keystore.CreateFeeKey
	if from, err := cmd.Flags().GetString("import-fee-key"); err != nil {
		return err
	} else if from != "" {
		hexKey, err := readKey(cmd, from)
		if err != nil {
			return err
		}
		createFee = func(s keystore.Store, name string) (*secp256k1.PrivKey, error) {
			return keystore.ImportFeeKey(s, name, hexKey)
		}
	}
	fee, err := keep(&res, store, service.FeeKeyName, createFee, keystore.LoadFeeKey)
	if err != nil {
		return err
	}
	res.Config, err = cfg.Write()
	if errors.Is(err, config.ErrExists) {
		res.Kept = append(res.Kept, res.Config)
	} else if err != nil {
		return err
	}
	res.AgentKey = fmt.Sprintf("%x", agent.PublicKey())
	res.EncryptionKey = fmt.Sprintf("%x", encryption.PublicKey().Bytes())
	if res.FeeAddress, err = chainclient.Address(fee.PubKey()); err != nil {
		return err
	}
	return show(cmd, output, res, func(w *strings.Builder) {
		fmt.Fprintf(w, "home            %s\nconfiguration   %s\nagent key       %s\nencryption key  %s\nfee account     %s\n",
			res.Home, res.Config, res.AgentKey, res.EncryptionKey, res.FeeAddress)
		for _, k := range res.Kept {
			fmt.Fprintf(w, "kept            %s\n", k)
		}
		fmt.Fprintf(w, "\nNext: fund the fee account (or grant it fees), then register the host:\n  grafi-agent show-registration --home %s --operator ADDRESS --region DE --endpoint https://HOST:8443\n", res.Home)
	})
}

// keep makes a key, or reads the one that is there.
func keep[K any](res *initResult, s keystore.Store, name string, create, load func(keystore.Store, string) (K, error)) (K, error) {
	k, err := create(s, name)
	if errors.Is(err, keystore.ErrExists) {
		res.Kept = append(res.Kept, s.Where(name))
		return load(s, name)
	}
	return k, err
}

func readKey(cmd *cobra.Command, from string) (string, error) {
	in := cmd.InOrStdin()
	if from != "-" {
		f, err := os.Open(from)
		if err != nil {
			return "", usageError{fmt.Errorf("--import-fee-key: %w", err)}
		}
		defer func() { _ = f.Close() }() // only read
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, 1024))
	if err != nil {
		return "", fmt.Errorf("--import-fee-key: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}
