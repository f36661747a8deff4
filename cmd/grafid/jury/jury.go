// Package jury has the juror's commands of grafid: a vote that is hidden first
// and shown later needs a salt, and the salt must not be lost in between.
package jury

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"

	"github.com/grafilab/grafi/cmd/grafid/broadcast"
	daotypes "github.com/grafilab/grafi/x/dao/types"
)

// Command returns the command for grafid's root.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "jury",
		Short: "Vote in the panel of a dispute",
		Long: `A panel votes in two steps, so that no juror follows another: commit puts a hash of
the vote on chain, reveal shows the vote once everybody has committed. The salt between
the two is kept in jury/ under --home; without it the vote can't be shown, and a juror
that doesn't show its vote loses a part of its bond.`,
		Example: `  grafid tx dao join-jury --from juror
  grafid query dao dispute 7
  grafid jury commit 7 upheld --from juror
  grafid jury reveal 7 --from juror`,
		RunE: client.ValidateCmd,
	}
	cmd.AddCommand(commitCmd(), revealCmd())
	return cmd
}

// verdicts are what a juror can vote.
var verdicts = map[string]daotypes.Verdict{
	"upheld":    daotypes.VERDICT_UPHELD,
	"dismissed": daotypes.VERDICT_DISMISSED,
}

// voted is what both commands print.
type voted struct {
	DisputeID uint64 `json:"dispute_id,string"`
	Round     uint32 `json:"round"`
	Vote      string `json:"vote"`
	TxHash    string `json:"tx_hash"`
	// Kept is the file with the salt.
	Kept string `json:"kept"`
}

func commitCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "commit [dispute-id] [upheld|dismissed]", Short: "Commit to a vote without showing it; once more replaces it",
		Example: "  grafid jury commit 7 upheld --from juror",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			vote, ok := verdicts[args[1]]
			if !ok {
				return fmt.Errorf("vote: got %q, want upheld (for the claimant) or dismissed", args[1])
			}
			s, err := openSeat(cmd, args[0])
			if err != nil {
				return err
			}
			salt := make([]byte, daotypes.SaltSize)
			if _, err := rand.Read(salt); err != nil {
				return fmt.Errorf("salt: %w", err)
			}
			// On disk before it is on chain: a crash in between loses nothing.
			b := ballot{Vote: args[1], Salt: salt}
			if err := s.keep(b); err != nil {
				return err
			}
			hash := s.commitment(vote, salt)
			txHash, err := broadcast.Send(cmd, s.ctx, &daotypes.MsgCommitVote{
				Juror: s.ctx.FromAddress.String(), DisputeId: s.dispute, Commitment: hash[:],
			}, &daotypes.MsgCommitVoteResponse{})
			if err != nil {
				return err
			}
			return s.print(cmd, voted{DisputeID: s.dispute, Round: s.round, Vote: args[1], TxHash: txHash, Kept: s.file})
		},
	}
	broadcast.Flags(cmd)
	return cmd
}

func revealCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "reveal [dispute-id]", Short: "Show the vote that was committed to",
		Example: "  grafid jury reveal 7 --from juror",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := openSeat(cmd, args[0])
			if err != nil {
				return err
			}
			b, err := s.find()
			if err != nil {
				return err
			}
			txHash, err := broadcast.Send(cmd, s.ctx, &daotypes.MsgRevealVote{
				Juror: s.ctx.FromAddress.String(), DisputeId: s.dispute, Vote: verdicts[b.Vote], Salt: b.Salt,
			}, &daotypes.MsgRevealVoteResponse{})
			if err != nil {
				return err
			}
			return s.print(cmd, voted{DisputeID: s.dispute, Round: s.round, Vote: b.Vote, TxHash: txHash, Kept: s.file})
		},
	}
	broadcast.Flags(cmd)
	return cmd
}

func (s seat) print(cmd *cobra.Command, v voted) error {
	out := cmd.OutOrStdout()
	if s.ctx.OutputFormat == flags.OutputFormatJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	_, err := fmt.Fprintf(out, "dispute %d, panel %d: %s (salt in %s)\n", v.DisputeID, v.Round, v.Vote, v.Kept)
	return err
}

var errNoFrom = errors.New("--from: no key named; a juror votes with its own")

// askDispute returns a dispute with the seats of its panels.
func askDispute(ctx context.Context, c client.Context, id uint64) (*daotypes.QueryDisputeResponse, error) {
	resp, err := daotypes.NewQueryClient(c).Dispute(ctx, &daotypes.QueryDisputeRequest{DisputeId: id})
	if err != nil {
		return nil, fmt.Errorf("dispute %d: %w", id, err)
	}
	return resp, nil
}
