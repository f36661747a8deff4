package rewards

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
)

// AutoCLIOptions implements autocli.HasAutoCLIConfig.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service:           "grafi.rewards.v1.Query",
			RpcCommandOptions: queryCommands(),
			// client/cli has "explain".
			EnhanceCustomCommand: true,
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service:           "grafi.rewards.v1.Msg",
			RpcCommandOptions: txCommands(),
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
	return append(miningQueries(), []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "Tranches", Use: "tranches [operator]",
			Short:          "List the mining rewards that are released to an operator over time, and what it can withdraw now",
			Example:        "grafid query rewards tranches $(grafid keys show alice -a)",
			PositionalArgs: args("operator"),
		},
		{
			RpcMethod: "StakerPools", Use: "staker-pools [operator]",
			Short:          "List what the public stakers of an operator earn, per denom",
			Example:        "grafid query rewards staker-pools $(grafid keys show alice -a)",
			PositionalArgs: args("operator"),
		},
		{
			RpcMethod: "StakingRewards", Use: "staking-rewards [delegator] [operator]",
			Short:          "Show what an account could claim of its stake at an operator now; an operator names itself for its own part",
			Example:        "grafid query rewards staking-rewards $(grafid keys show bob -a) $(grafid keys show alice -a)",
			PositionalArgs: args("delegator", "operator"),
		},
		{
			RpcMethod: "ValidatorStream", Use: "validator-stream", Short: "Show where the validators' stream stands",
			Example: "grafid query rewards validator-stream",
		},
		{
			RpcMethod: "Params", Use: "params", Short: "Show the params of mining, release and the validators' stream",
			Example: "grafid query rewards params",
		},
		{
			RpcMethod: "Invariants", Use: "invariants", Short: "Recompute the module's accounts from its records; broken is empty when all is well",
			Example: "grafid query rewards invariants",
		},
	}...)
}

func miningQueries() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "Mining", Use: "mining", Short: "Show which days are open, closed or over, and what is carried over",
			Example: "grafid query rewards mining",
		},
		{
			RpcMethod: "Day", Use: "day [day]", Short: "Show the pools of a day",
			Example: "grafid query rewards day 20454", PositionalArgs: args("day"),
		},
		{
			RpcMethod: "Days", Use: "days", Short: "List the days that are kept",
			Example: "grafid query rewards days --page-limit 10 --page-reverse",
		},
		{
			RpcMethod: "HostDay", Use: "host-day [day] [host]", Short: "List what each GPU of a host earned on a day",
			Example: "grafid query rewards host-day 20454 1", PositionalArgs: args("day", "host_id"),
		},
		{
			RpcMethod: "OperatorDay", Use: "operator-day [day] [operator]",
			Short:          "Show what an operator had at stake at the start of a day, and what it was paid for it",
			Example:        "grafid query rewards operator-day 20454 $(grafid keys show alice -a)",
			PositionalArgs: args("day", "operator"),
		},
		{
			RpcMethod: "Explain", Use: "explain-gpu [day] [host] [gpu]",
			Short:          "Show every number behind the reward of a GPU, for \"grafid query rewards explain\"",
			Example:        "grafid query rewards explain-gpu 20454 1 0 --output json > reward.json",
			PositionalArgs: args("day", "host_id", "ordinal"),
		},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "ClaimMining", Use: "claim-mining [day] [host]",
			Short:          "Claim what a host's GPUs earned on a closed day",
			Long:           "Claim what a host's GPUs earned on a closed day: all of them, or those that --ordinals names. A part is paid at once, the rest is released over time.",
			Example:        "grafid tx rewards claim-mining 20454 1 --from alice",
			PositionalArgs: args("day", "host_id"),
		},
		{
			RpcMethod: "WithdrawReleased", Use: "withdraw-released", Short: "Withdraw what was released of your mining rewards",
			Example: "grafid tx rewards withdraw-released --from alice",
		},
		{
			RpcMethod: "ClaimStakingRewards", Use: "claim-staking-rewards [operators...]",
			Short:          "Claim what your stake earned at one or more operators; an operator names itself for its own part",
			Example:        "grafid tx rewards claim-staking-rewards $(grafid keys show alice -a) --from bob",
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "operators", Varargs: true}},
		},
		{RpcMethod: "UpdateParams", Skip: true}, // by governance only
	}
}
