// Package cli has the module's commands that do more than one query.
package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/cosmos/gogoproto/jsonpb"
	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"

	"github.com/grafilab/grafi/x/rewards/types"
)

// maxAnswer bounds what is read as an answer, in bytes.
const maxAnswer = 1 << 20

// QueryCommand is the parent of the module's queries. The generated ones join it.
func QueryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:                        types.ModuleName,
		Short:                      "Query what was mined, what is released and what stake earned",
		DisableFlagParsing:         false,
		SuggestionsMinimumDistance: 2,
		RunE:                       client.ValidateCmd,
	}
	cmd.AddCommand(ExplainCommand())
	return cmd
}

// ExplainCommand recomputes a mining reward from the node's own answer.
func ExplainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain [file | - | day host gpu]",
		Short: "Recompute the mining reward of a GPU, step by step, from the node's answer alone",
		Long: `Every number behind a reward is in one answer of the node. This command computes each
of them again from the ones before it, prints a table, and fails at the first that differs.

With a file, or - for the standard input, it needs no node: the answer is the JSON of
"grafid query rewards explain-gpu". With a day, a host and a GPU it asks the node first.`,
		Example: `  grafid query rewards explain 20454 1 0
  grafid query rewards explain-gpu 20454 1 0 --output json > reward.json
  grafid query rewards explain reward.json
  grafid query rewards explain - < reward.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 && len(args) != 3 {
				return fmt.Errorf("got %d arguments, want a file (or -), or a day, a host and a GPU", len(args))
			}
			return nil
		},
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := readAnswer(cmd, args)
			if err != nil {
				return err
			}
			return Explain(cmd.OutOrStdout(), answer)
		},
	}
	flags.AddQueryFlagsToCmd(cmd)
	return cmd
}

// Explain prints the recomputed steps of the answer. It fails at the first number
// that does not follow from the others.
func Explain(out io.Writer, answer *types.QueryExplainResponse) error {
	steps, differs := answer.Recompute()
	if len(steps) == 0 {
		return differs
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "day %d (%s), host %d, GPU %d of %s, %s\n\n", answer.Day, answer.Status, answer.HostId, answer.Ordinal,
		answer.Operator, types.KindName(answer.Kind))
	fmt.Fprintln(table, "STEP\tANSWER\tRECOMPUTED\t\tFROM")
	for _, s := range steps {
		mark := "ok"
		if !s.Holds() {
			mark = "DIFFERS"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", s.Name, s.Answer, s.Recomputed, mark, s.How)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if differs == nil {
		fmt.Fprintf(out, "\nEvery number follows: %d steps recomputed.\n", len(steps))
	}
	return differs
}

// readAnswer takes the answer from a file, from the standard input, or from a node.
func readAnswer(cmd *cobra.Command, args []string) (*types.QueryExplainResponse, error) {
	if len(args) == 3 {
		return askNode(cmd, args)
	}
	in := cmd.InOrStdin()
	if args[0] != "-" {
		file, err := os.Open(args[0])
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	bz, err := io.ReadAll(io.LimitReader(in, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(bz) > maxAnswer {
		return nil, fmt.Errorf("the answer is larger than %d bytes", maxAnswer)
	}
	return ParseAnswer(bz)
}

// ParseAnswer reads the JSON of an answer. A field that it does not know is refused:
// a number that is not checked must not look as if it were.
func ParseAnswer(bz []byte) (*types.QueryExplainResponse, error) {
	var answer types.QueryExplainResponse
	if err := (&jsonpb.Unmarshaler{}).Unmarshal(bytes.NewReader(bz), &answer); err != nil {
		return nil, fmt.Errorf("not an answer of \"grafid query rewards explain-gpu --output json\": %w", err)
	}
	return &answer, nil
}

func askNode(cmd *cobra.Command, args []string) (*types.QueryExplainResponse, error) {
	numbers := make([]uint64, len(args))
	for i, name := range []string{"day", "host", "gpu"} {
		n, err := strconv.ParseUint(args[i], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s %q: want a number", name, args[i])
		}
		numbers[i] = n
	}
	if numbers[2] > 1<<32-1 {
		return nil, errors.New("gpu: want a number under 2^32")
	}
	clientCtx, err := client.GetClientQueryContext(cmd)
	if err != nil {
		return nil, err
	}
	return types.NewQueryClient(clientCtx).Explain(cmd.Context(), &types.QueryExplainRequest{
		Day: numbers[0], HostId: numbers[1], Ordinal: uint32(numbers[2]),
	})
}
