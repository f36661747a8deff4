// Package rent has the renter's commands of grafid: everything between choosing
// a listing and having the results, in one command each.
package rent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
)

// Commands returns the renter's commands for grafid's root.
func Commands() []*cobra.Command {
	return []*cobra.Command{
		manifestCmd(), rentCmd(), rentalCmd(), logsCmd(), resultsCmd(), execCmd(), ledgerCmd(),
	}
}

// addQueryFlags adds what a command needs that only asks the chain.
func addQueryFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String(flags.FlagNode, "tcp://localhost:26657", "CometBFT RPC of a node")
	f.String(flags.FlagChainID, "", "the chain's id; asked of the node when empty")
	f.StringP(flags.FlagOutput, "o", flags.OutputFormatText, "text or json")
}

// addKeyFlags adds what a command needs that speaks to the host as the renter.
func addKeyFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String(flags.FlagFrom, "", "name or address of the renter's key")
	flags.AddKeyringFlags(f)
	addGatewayFlag(cmd)
}

func addGatewayFlag(cmd *cobra.Command) {
	cmd.Flags().String(flagGateway, "", "address of the host's gateway, instead of the one on chain")
}

const flagGateway = "gateway"

// output writes v as JSON, or lets text write it for people.
func output(cmd *cobra.Command, ctx client.Context, v any, text func(io.Writer) error) error {
	switch ctx.OutputFormat {
	case flags.OutputFormatJSON:
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	case flags.OutputFormatText, "":
		return text(cmd.OutOrStdout())
	}
	return fmt.Errorf("--output: got %q, want text or json", ctx.OutputFormat)
}

func parseID(what, s string) (uint64, error) {
	id, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s id: got %q, want a number", what, s)
	}
	return id, nil
}

var errNoFrom = errors.New("--from: no key named; the host must know that the renter asks")
