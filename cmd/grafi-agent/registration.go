package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/spf13/cobra"

	"github.com/grafilab/grafi/agent/attest"
	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/agent/gpu"
	"github.com/grafilab/grafi/agent/keystore"
	"github.com/grafilab/grafi/agent/service"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

const registrationHelp = `The operator signs it with its own wallet, on any machine:
  %s --tx > tx.json
  grafid tx sign tx.json --from OPERATOR --chain-id CHAIN > signed.json
  grafid tx broadcast signed.json
The wallet's key never comes near the agent.`

func showRegistrationCmd() *cobra.Command {
	c := command(&cobra.Command{
		Use:   "show-registration",
		Short: "Print the message that registers this host, for the operator to sign",
		Long: `Prints MsgRegisterHost with the GPUs of this machine and the proof that it has the
agent key. ` + fmt.Sprintf(registrationHelp, "grafi-agent show-registration ..."),
		Example: `  grafi-agent show-registration --operator grafi1... --region DE --endpoint https://gpu1.example.com:8443
  grafi-agent show-registration --operator grafi1... --region US-CA --endpoint https://gpu1.example.com:8443 --tx > tx.json`,
	}, runShowRegistration)
	c.Flags().String("operator", "", "the operator's account (required)")
	c.Flags().String("region", "", "ISO 3166 code of where the host stands, such as DE or US-CA (required)")
	c.Flags().String("endpoint", "", "https address of the executor's gateway (required)")
	c.Flags().String("probe-endpoint", "", "host:port at which probe-listen is reached from outside; empty without an inbound port")
	c.Flags().Uint32("capacity", 0, "most GPUs that the host will ever have; 0 for those it has now")
	addTxFlags(c)
	return c
}

func addTxFlags(c *cobra.Command) {
	c.Flags().Bool("tx", false, "print an unsigned transaction for \"grafid tx sign\" in place of the message")
	c.Flags().Uint64("gas", 500_000, "gas limit of the unsigned transaction")
}

func runShowRegistration(cmd *cobra.Command, cfg config.Config, _ string) error {
	log, err := logger(cfg)
	if err != nil {
		return err
	}
	keys, err := service.LoadKeys(cfg)
	if err != nil {
		return err
	}
	var r service.Registration
	f := cmd.Flags()
	for name, into := range map[string]*string{"operator": &r.Operator, "region": &r.Region, "endpoint": &r.Endpoint} {
		if *into, err = f.GetString(name); err != nil {
			return err
		}
		if *into == "" {
			return usageError{fmt.Errorf("--%s is required", name)}
		}
	}
	if r.ProbeEndpoint, err = f.GetString("probe-endpoint"); err != nil {
		return err
	}
	if r.Capacity, err = f.GetUint32("capacity"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 20*time.Second)
	defer cancel()
	source, err := service.Source(ctx, cfg, keys.Seed, log)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // only read
	msg, err := service.RegisterHost(ctx, cfg.ChainID, keys, source, r)
	if err != nil {
		return usageError{err}
	}
	return printMsg(cmd, cfg, msg, source.Kind() == gpu.KindSim)
}

func showInventoryCmd() *cobra.Command {
	c := command(&cobra.Command{
		Use:   "show-inventory",
		Short: "Print the message that declares this machine's GPUs anew",
		Long: `Prints MsgUpdateInventory, needed after a card was added, removed or replaced, or after
a driver update that should show. ` + fmt.Sprintf(registrationHelp, "grafi-agent show-inventory ..."),
		Example: `  grafi-agent show-inventory --operator grafi1... --host-id 7 --tx > tx.json`,
	}, func(cmd *cobra.Command, cfg config.Config, _ string) error {
		log, err := logger(cfg)
		if err != nil {
			return err
		}
		keys, err := service.LoadKeys(cfg)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), 20*time.Second)
		defer cancel()
		operator, hostID, err := hostFlags(ctx, cmd, cfg, keys)
		if err != nil {
			return err
		}
		source, err := service.Source(ctx, cfg, keys.Seed, log)
		if err != nil {
			return err
		}
		defer func() { _ = source.Close() }() // only read
		devices, err := source.Devices(ctx)
		if err != nil {
			return err
		}
		return printMsg(cmd, cfg, &attestation.MsgUpdateInventory{
			Operator: operator, HostId: hostID, Gpus: service.Inventory(devices),
		}, source.Kind() == gpu.KindSim)
	})
	addHostFlags(c)
	addTxFlags(c)
	return c
}

func rotateKeyCmd() *cobra.Command {
	c := command(&cobra.Command{
		Use:   "rotate-key",
		Short: "Make the next agent key and print the message that binds it",
		Long: `Makes the next agent key beside the current one (or reads it, when it was made before)
and prints MsgRotateAgentKey. Restart the agent, so that it has both keys, then send
the message: each slot is signed with the key that the chain wants, and at the first
start after the old key's last slot the next key takes its place.
` + fmt.Sprintf(registrationHelp, "grafi-agent rotate-key"),
		Example: `  grafi-agent rotate-key --tx > tx.json
  grafi-agent rotate-key --operator grafi1... --host-id 7   # without asking the chain`,
	}, func(cmd *cobra.Command, cfg config.Config, _ string) error {
		keys, err := service.LoadKeys(cfg)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), 20*time.Second)
		defer cancel()
		operator, hostID, err := hostFlags(ctx, cmd, cfg, keys)
		if err != nil {
			return err
		}
		next, err := keystore.CreateAgentKey(service.KeyStore(cfg), service.NextAgentKeyName)
		if errors.Is(err, keystore.ErrExists) {
			next, err = keystore.LoadAgentKey(service.KeyStore(cfg), service.NextAgentKeyName)
		}
		if err != nil {
			return err
		}
		msg, err := service.RotateKey(cfg.ChainID, operator, hostID, next, keys.Encryption)
		if err != nil {
			return usageError{err}
		}
		return printMsg(cmd, cfg, msg, false)
	})
	addHostFlags(c)
	addTxFlags(c)
	return c
}

func addHostFlags(c *cobra.Command) {
	c.Flags().String("operator", "", "the operator's account; asked of the chain when empty")
	c.Flags().Uint64("host-id", 0, "the host; asked of the chain when 0")
}

// hostFlags returns the host and its operator, as given or as the chain has them.
func hostFlags(ctx context.Context, cmd *cobra.Command, cfg config.Config, keys service.Keys) (operator string, hostID uint64, err error) {
	if operator, err = cmd.Flags().GetString("operator"); err != nil {
		return "", 0, err
	}
	if hostID, err = cmd.Flags().GetUint64("host-id"); err != nil {
		return "", 0, err
	}
	if operator != "" && hostID != 0 {
		return operator, hostID, nil
	}
	log, err := logger(cfg)
	if err != nil {
		return "", 0, err
	}
	client, err := service.Chain(cfg, log)
	if err != nil {
		return "", 0, err
	}
	chain, err := attest.NewChain(client, keys.Fee)
	if err != nil {
		return "", 0, err
	}
	found, err := chain.HostByKey(ctx, keys.Current.PublicKey())
	if err != nil {
		return "", 0, fmt.Errorf("host of this agent (or give --operator and --host-id): %w", err)
	}
	return found.Host.Operator, found.Host.Id, nil
}

// printMsg prints the message, or an unsigned transaction with it, as JSON. The
// notice of simulated GPUs goes to stderr, so that stdout stays JSON.
func printMsg(cmd *cobra.Command, cfg config.Config, msg sdk.Msg, sim bool) error {
	if sim {
		cmd.PrintErrln(service.SimNotice)
	}
	if asTx, err := cmd.Flags().GetBool("tx"); err != nil {
		return err
	} else if !asTx {
		return printProto(cmd.OutOrStdout(), msg)
	}
	gas, err := cmd.Flags().GetUint64("gas")
	if err != nil {
		return err
	}
	prices, err := sdk.ParseDecCoins(cfg.GasPrices)
	if err != nil {
		return usageError{fmt.Errorf("--gas-prices %q: %w", cfg.GasPrices, err)}
	}
	fee := sdk.Coins{}
	for _, p := range prices {
		fee = fee.Add(sdk.NewCoin(p.Denom, p.Amount.MulInt64(int64(gas)).Ceil().TruncateInt()))
	}
	packed, err := codectypes.NewAnyWithValue(msg)
	if err != nil {
		return err
	}
	return printProto(cmd.OutOrStdout(), &txtypes.Tx{
		Body:     &txtypes.TxBody{Messages: []*codectypes.Any{packed}},
		AuthInfo: &txtypes.AuthInfo{Fee: &txtypes.Fee{Amount: fee, GasLimit: gas}},
	})
}

func printProto(w io.Writer, msg sdk.Msg) error {
	registry := codectypes.NewInterfaceRegistry()
	attestation.RegisterInterfaces(registry)
	raw, err := codec.ProtoMarshalJSON(msg, registry)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, string(raw))
	return err
}
