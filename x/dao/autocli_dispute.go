package dao

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
)

func disputeQueryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "Dispute", Use: "dispute [dispute-id]", Short: "Show a dispute and the seats of its panels",
			Example: "grafid query dao dispute 1", PositionalArgs: args("dispute_id"),
		},
		{
			RpcMethod: "Disputes", Use: "disputes", Short: "List all disputes, or those of one claimant",
			Example: "grafid query dao disputes --claimant $(grafid keys show alice -a)",
		},
		{
			RpcMethod: "Juror", Use: "juror [juror]", Short: "Show a juror's bond, weight and open disputes",
			Example: "grafid query dao juror $(grafid keys show alice -a)", PositionalArgs: args("juror"),
		},
		{
			RpcMethod: "Jurors", Use: "jurors", Short: "List the jurors", Example: "grafid query dao jurors --page-limit 10",
		},
	}
}

func disputeTxCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "OpenDispute", Use: "open-dispute [kind] [subject-id] [claim] [statement-digest]",
			Short: "Lock a bond and ask a panel: a renter about a closed rental, an operator about a slash",
			Example: "grafid tx dao open-dispute rental 16777216 25000000 " +
				"$(sha256sum statement.md | cut -d' ' -f1) --from renter",
			PositionalArgs: args("kind", "subject_id", "claim", "statement_digest"),
		},
		{
			RpcMethod: "JoinJury", Use: "join-jury", Example: "grafid tx dao join-jury --from alice",
			Short: "Lock a juror's bond; again: fill the bond up and count with the stake of now",
		},
		{
			RpcMethod: "LeaveJury", Use: "leave-jury", Example: "grafid tx dao leave-jury --from alice",
			Short: "Get a juror's bond back, now or with the last open seat",
		},
		{
			RpcMethod: "CommitVote", Use: "commit-vote [dispute-id] [commitment]",
			Short:          "Bind to a vote without showing it (x/dao's README has the formula)",
			Example:        "grafid tx dao commit-vote 1 5c828e4797... (64 hex digits) --from alice",
			PositionalArgs: args("dispute_id", "commitment"),
		},
		{
			RpcMethod: "RevealVote", Use: "reveal-vote [dispute-id] [vote] [salt]", Short: "Show the vote that was committed to",
			Example:        "grafid tx dao reveal-vote 1 upheld deadbeef00... (64 hex digits) --from alice",
			PositionalArgs: args("dispute_id", "vote", "salt"),
		},
		{
			RpcMethod: "Appeal", Use: "appeal [dispute-id]", Short: "Take a lost dispute to governance, with twice the bond",
			Example: "grafid tx dao appeal 1 --from renter", PositionalArgs: args("dispute_id"),
		},
		{
			RpcMethod: "ResumeDispute", Use: "resume-dispute [dispute-id]", Short: "Put a dispute whose step failed back in the queue",
			Example: "grafid tx dao resume-dispute 1 --from anyone", PositionalArgs: args("dispute_id"),
		},
	}
}
