package dao

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
)

// AutoCLIOptions implements autocli.HasAutoCLIConfig.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service:           "grafi.dao.v1.Query",
			RpcCommandOptions: append(queryCommands(), disputeQueryCommands()...),
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service:           "grafi.dao.v1.Msg",
			RpcCommandOptions: append(txCommands(), disputeTxCommands()...),
		},
	}
}

func args(fields ...string) []*autocliv1.PositionalArgDescriptor {
	out := make([]*autocliv1.PositionalArgDescriptor, len(fields))
	for i, field := range fields {
		out[i] = &autocliv1.PositionalArgDescriptor{ProtoField: field}
	}
	return out
}

func queryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "Params", Use: "params", Short: "Show the DAO's params", Example: "grafid query dao params",
		},
		{
			RpcMethod: "VotingPower", Use: "voting-power [voter]",
			Short:   "Show what an account's vote weighs now: delegations to validators and stake with operators",
			Example: "grafid query dao voting-power $(grafid keys show alice -a)", PositionalArgs: args("voter"),
		},
		{
			RpcMethod: "Treasury", Use: "treasury", Short: "Show what the treasury can still commit",
			Example: "grafid query dao treasury",
		},
		{
			RpcMethod: "Stream", Use: "stream [stream-id]", Short: "Show a stream and what it would pay now",
			Example: "grafid query dao stream 1", PositionalArgs: args("stream_id"),
		},
		{
			RpcMethod: "Streams", Use: "streams", Short: "List all streams, open and closed",
			Example: "grafid query dao streams --page-limit 10",
		},
		{
			RpcMethod: "Grant", Use: "grant [grant-id]", Short: "Show a grant and its milestones",
			Example: "grafid query dao grant 1", PositionalArgs: args("grant_id"),
		},
		{
			RpcMethod: "Grants", Use: "grants", Short: "List all grants, open and closed",
			Example: "grafid query dao grants --page-limit 10",
		},
		{
			RpcMethod: "Pauses", Use: "pauses", Short: "List the messages that are paused now, until when and why",
			Example: "grafid query dao pauses",
		},
		{
			RpcMethod: "Decisions", Use: "decisions", Short: "List what was decided, of all kinds or of one",
			Example: "grafid query dao decisions --kind proposal --page-limit 10",
		},
		{
			RpcMethod: "Invariants", Use: "invariants", Short: "Check that the DAO's money adds up (reads the whole state)",
			Example: "grafid query dao invariants",
		},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "WithdrawStream", Use: "withdraw-stream [stream-id]",
			Short:          "Pay what is due of a stream to its recipient; anyone may",
			Example:        "grafid tx dao withdraw-stream 1 --from anyone",
			PositionalArgs: args("stream_id"),
		},
		{
			RpcMethod: "Pause", Use: "pause [duration] [reason] [type-url]...",
			Short: "Stop messages for some time, as the guardian; as governance, by a proposal with the same message",
			Example: "grafid tx dao pause 72h \"prices are wrong\" /grafi.gpumarket.v1.MsgRent " +
				"/grafi.gpumarket.v1.MsgCreateListing --from guardian",
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{
				{ProtoField: "duration"}, {ProtoField: "reason"}, {ProtoField: "type_urls", Varargs: true},
			},
		},
		{
			RpcMethod: "Unpause", Use: "unpause [type-url]...", Short: "End pauses of the guardian before their time",
			Example:        "grafid tx dao unpause /grafi.gpumarket.v1.MsgRent --from guardian",
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "type_urls", Varargs: true}},
		},
		// For the authority only: by proposal.
		{RpcMethod: "CreateStream", Skip: true},
		{RpcMethod: "CancelStream", Skip: true},
		{RpcMethod: "CreateGrant", Skip: true},
		{RpcMethod: "ReleaseMilestone", Skip: true},
		{RpcMethod: "CancelGrant", Skip: true},
		{RpcMethod: "UpdateParams", Skip: true},
		{RpcMethod: "DecideAppeal", Skip: true},
	}
}
