// Package broadcast sends a transaction of grafid's own commands and waits until
// it is in a block.
package broadcast

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/tx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"

	"github.com/grafilab/grafi/internal/chaininfo"
)

// Gas of a transaction: simulated and half more, at the usual price, unless
// the flags say otherwise.
const gasAdjustment = 1.5

// inclusion bounds the wait for a block with the transaction.
const inclusion = 30 * time.Second

// Flags adds the flags of a transaction, with text for people as the default.
func Flags(cmd *cobra.Command) {
	flags.AddTxFlagsToCmd(cmd)
	out := cmd.Flags().Lookup(flags.FlagOutput)
	out.DefValue = flags.OutputFormatText
	_ = out.Value.Set(flags.OutputFormatText) // a string flag takes any string
}

// Send signs and sends one message, waits for its block, and decodes its response.
func Send(cmd *cobra.Command, c client.Context, msg sdk.Msg, response proto.Message) (txHash string, err error) {
	f := cmd.Flags()
	factory, err := tx.NewFactoryCLI(c, f)
	if err != nil {
		return "", err
	}
	if !f.Changed(flags.FlagGasAdjustment) {
		factory = factory.WithGasAdjustment(gasAdjustment)
	}
	if !f.Changed(flags.FlagFees) && !f.Changed(flags.FlagGasPrices) {
		factory = factory.WithGasPrices(chaininfo.DefaultMinGasPrices)
	}
	if factory, err = factory.Prepare(c); err != nil {
		return "", err
	}
	if !f.Changed(flags.FlagGas) || factory.SimulateAndExecute() {
		_, gas, err := tx.CalculateGas(c, factory, msg)
		if err != nil {
			return "", err
		}
		factory = factory.WithGas(gas)
	}
	builder, err := factory.BuildUnsignedTx(msg)
	if err != nil {
		return "", err
	}
	if err := tx.Sign(cmd.Context(), factory, c.FromName, builder, true); err != nil {
		return "", err
	}
	raw, err := c.TxConfig.TxEncoder()(builder.GetTx())
	if err != nil {
		return "", err
	}
	res, err := c.WithBroadcastMode(flags.BroadcastSync).BroadcastTx(raw)
	if err != nil {
		return "", err
	}
	if res.Code != 0 {
		return res.TxHash, fmt.Errorf("chain refused (code %d of %s): %s", res.Code, res.Codespace, res.RawLog)
	}
	return res.TxHash, await(cmd, c, res.TxHash, response)
}

// await polls for the transaction's block.
func await(cmd *cobra.Command, c client.Context, txHash string, response proto.Message) error {
	node, err := c.GetNode()
	if err != nil {
		return err
	}
	hash, err := hex.DecodeString(txHash)
	if err != nil {
		return err
	}
	until := time.Now().Add(inclusion)
	for {
		res, err := node.Tx(cmd.Context(), hash, false)
		switch {
		case err == nil && res.TxResult.Code != 0:
			return fmt.Errorf("chain refused (code %d of %s): %s", res.TxResult.Code, res.TxResult.Codespace, res.TxResult.Log)
		case err == nil:
			return decodeResponse(res.TxResult.Data, response)
		case time.Now().After(until):
			return fmt.Errorf("transaction %s is in no block after %s; look again with: grafid query tx %s: %w", txHash, inclusion, txHash, err)
		}
		select {
		case <-cmd.Context().Done():
			return cmd.Context().Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func decodeResponse(data []byte, response proto.Message) error {
	var msgs sdk.TxMsgData
	if err := proto.Unmarshal(data, &msgs); err != nil {
		return fmt.Errorf("transaction data: %w", err)
	}
	if len(msgs.MsgResponses) != 1 {
		return errors.New("transaction data: want one response")
	}
	return proto.Unmarshal(msgs.MsgResponses[0].Value, response)
}
