package rent

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/grafilab/grafi/offchain/executor/gateway"
)

func execCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "exec [rental-id] -- [program] [args...]", Short: "Run a command inside a rental's workload",
		Example: "  grafid exec 16777216 --from renter -- nvidia-smi -L",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := openRental(cmd, args[0])
			if err != nil {
				return err
			}
			code, err := s.gateway.Exec(cmd.Context(), gateway.ExecRequest{Args: args[1:]}, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err == nil && code != 0 {
				err = fmt.Errorf("%s ended with exit code %d", args[1], code)
			}
			return err
		},
	}
	addQueryFlags(cmd)
	addKeyFlags(cmd)
	return cmd
}
