package rent

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/gateway"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

func logsCmd() *cobra.Command {
	var follow bool
	var tail int64
	cmd := &cobra.Command{
		Use: "logs [rental-id]", Short: "Print what a rental's workload wrote",
		Example: `  grafid logs 16777216 --follow --from renter
  grafid logs 16777216 --tail-bytes 4096 --from renter`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := openRental(cmd, args[0])
			if err != nil {
				return err
			}
			if follow {
				return followLogs(cmd, s.ctx, s.gateway, s.rental.Id, tail)
			}
			log, err := s.gateway.Logs(cmd.Context(), engine.LogOptions{TailBytes: tail})
			if err != nil {
				return err
			}
			defer log.Close()
			_, err = io.Copy(cmd.OutOrStdout(), log)
			return err
		},
	}
	addQueryFlags(cmd)
	addKeyFlags(cmd)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the workload has ended")
	cmd.Flags().Int64Var(&tail, "tail-bytes", 0, "begin this many bytes before the end; 0 is the whole log")
	return cmd
}

// followLogs waits for the workload and goes on after a broken connection where
// it was, so that a restart of the executor loses no line.
func followLogs(cmd *cobra.Command, c client.Context, g *gateway.Client, id uint64, tail int64) error {
	ctx := cmd.Context()
	var printed int64
	for {
		n, err := followOnce(ctx, cmd.OutOrStdout(), g, tail, printed)
		printed += n
		if err == nil || ctx.Err() != nil {
			return err
		}
		if printed > 0 && tail > 0 {
			return err // where in the whole log it began is not known
		}
		if !passing(err) && !gateway.HasCode(err, gateway.CodeNoWorkload) && !errors.Is(err, errBroken) {
			return err
		}
		resp, rerr := getRental(ctx, c, id)
		if rerr == nil && resp.Rental.State == markettypes.RENTAL_STATE_CLOSED && gateway.HasCode(err, gateway.CodeNoWorkload) {
			return err
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

var errBroken = errors.New("connection to the gateway broke")

func followOnce(ctx context.Context, out io.Writer, g *gateway.Client, tail, skip int64) (int64, error) {
	log, err := g.Logs(ctx, engine.LogOptions{Follow: true, TailBytes: tail})
	if err != nil {
		return 0, err
	}
	defer log.Close()
	if _, err := io.CopyN(io.Discard, log, skip); err != nil && !errors.Is(err, io.EOF) {
		return 0, errors.Join(errBroken, err)
	}
	n, err := io.Copy(out, log)
	if err != nil {
		err = errors.Join(errBroken, err)
	}
	return n, err
}
