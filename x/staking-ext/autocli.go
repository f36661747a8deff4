package stakingext

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
)

// AutoCLIOptions implements autocli.HasAutoCLIConfig.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service:           "grafi.stakingext.v1.Query",
			RpcCommandOptions: queryCommands(),
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service:           "grafi.stakingext.v1.Msg",
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
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "Params", Use: "params", Short: "Show the params of stake and slashing",
			Example: "grafid query stakingext params",
		},
		{
			RpcMethod: "Operator", Use: "operator [address]",
			Short:          "Show an operator, and whether its GPUs can be rented now",
			Example:        "grafid query stakingext operator $(grafid keys show alice -a)",
			PositionalArgs: args("operator"),
		},
		{
			RpcMethod: "Operators", Use: "operators", Short: "List all operators",
			Example: "grafid query stakingext operators --output json",
		},
		{
			RpcMethod: "Requirements", Use: "requirements [address]",
			Short:          "List what each GPU of an operator asks of its stake",
			Example:        "grafid query stakingext requirements $(grafid keys show alice -a)",
			PositionalArgs: args("operator"),
		},
		{
			RpcMethod: "Unbonding", Use: "unbonding [address]", Short: "List the stake of an operator that is on its way out",
			Example:        "grafid query stakingext unbonding $(grafid keys show alice -a)",
			PositionalArgs: args("operator"),
		},
		{
			RpcMethod: "Delegation", Use: "delegation [delegator] [operator]", Short: "Show what an account has in an operator's pool, and its value now",
			Example:        "grafid query stakingext delegation $(grafid keys show bob -a) $(grafid keys show alice -a)",
			PositionalArgs: args("delegator", "operator"),
		},
		{
			RpcMethod: "Delegations", Use: "delegations [delegator]", Short: "List what an account delegates",
			Example:        "grafid query stakingext delegations $(grafid keys show bob -a)",
			PositionalArgs: args("delegator"),
		},
		{
			RpcMethod: "OperatorDelegations", Use: "operator-delegations [operator]", Short: "List who delegates to an operator",
			Example:        "grafid query stakingext operator-delegations $(grafid keys show alice -a)",
			PositionalArgs: args("operator"),
		},
		{
			RpcMethod: "Undelegations", Use: "undelegations [delegator]", Short: "List an account's stake on its way out, and what slashes ask of it",
			Example:        "grafid query stakingext undelegations $(grafid keys show bob -a)",
			PositionalArgs: args("delegator"),
		},
		{
			RpcMethod: "Redelegations", Use: "redelegations [delegator]", Short: "List an account's stake that still answers for its last operator",
			Example:        "grafid query stakingext redelegations $(grafid keys show bob -a)",
			PositionalArgs: args("delegator"),
		},
		{
			RpcMethod: "SlashRecords", Use: "slashes [operator]", Short: "List the slashes of an operator, and where each ugrafi went",
			Example:        "grafid query stakingext slashes $(grafid keys show alice -a)",
			PositionalArgs: args("operator"),
		},
		{
			RpcMethod: "SlashRecord", Use: "slash [operator] [id]", Short: "Show one slash",
			Example:        "grafid query stakingext slash $(grafid keys show alice -a) 1",
			PositionalArgs: args("operator", "id"),
		},
		{
			RpcMethod: "Pool", Use: "pool", Short: "Show all bonded and unbonding stake, and the insurance account",
			Example: "grafid query stakingext pool",
		},
		{
			RpcMethod: "VotingStake", Use: "voting-stake [account]", Short: "Show the operator stake that an account votes with",
			Example:        "grafid query stakingext voting-stake $(grafid keys show bob -a)",
			PositionalArgs: args("account"),
		},
		{
			RpcMethod: "Invariants", Use: "invariants", Short: "Recompute the stake accounts from their records; broken is empty when all is well",
			Example: "grafid query stakingext invariants",
		},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "RegisterOperator", Use: "register-operator [moniker] [kind] [bond]",
			Short:          "Become an operator, with a first bond (0ugrafi for none)",
			Long:           "Become an operator. The kind is contributor or datacenter, and never changes.",
			Example:        "grafid tx stakingext register-operator \"Alice's GPUs\" contributor 1000000000ugrafi --from alice",
			PositionalArgs: args("moniker", "kind", "bond"),
		},
		{
			RpcMethod: "EditOperator", Use: "edit-operator [moniker]", Short: "Change the moniker, website and commission",
			Example:        "grafid tx stakingext edit-operator \"Alice's GPUs\" --website https://alice.example --commission-ppm 50000 --from alice",
			PositionalArgs: args("moniker"),
		},
		{
			RpcMethod: "Bond", Use: "bond [amount]", Short: "Add to your own stake",
			Example: "grafid tx stakingext bond 500000000ugrafi --from alice", PositionalArgs: args("amount"),
		},
		{
			RpcMethod: "Unbond", Use: "unbond [amount]", Short: "Take own stake out; it arrives after the unbonding time",
			Example: "grafid tx stakingext unbond 100000000ugrafi --from alice", PositionalArgs: args("amount"),
		},
		{
			RpcMethod: "Unjail", Use: "unjail", Short: "End a jail whose term is over",
			Example: "grafid tx stakingext unjail --from alice",
		},
		{
			RpcMethod: "Delegate", Use: "delegate [operator] [amount]", Short: "Stake behind an operator; you share its rewards and its slashes",
			Example:        "grafid tx stakingext delegate $(grafid keys show alice -a) 100000000ugrafi --from bob",
			PositionalArgs: args("operator", "amount"),
		},
		{
			RpcMethod: "Undelegate", Use: "undelegate [operator] [amount]", Short: "Take stake out (0ugrafi: all of it); it arrives after the unbonding time",
			Example:        "grafid tx stakingext undelegate $(grafid keys show alice -a) 100000000ugrafi --from bob",
			PositionalArgs: args("operator", "amount"),
		},
		{
			RpcMethod: "Redelegate", Use: "redelegate [from] [to] [amount]", Short: "Move stake to another operator at once (0ugrafi: all of it)",
			Long: "Move stake to another operator at once. It answers for the faults of the first one too, and can't move\n" +
				"again, until the unbonding time is over.",
			Example:        "grafid tx stakingext redelegate $(grafid keys show alice -a) $(grafid keys show carol -a) 100000000ugrafi --from bob",
			PositionalArgs: args("from", "to", "amount"),
		},
		{RpcMethod: "UpdateParams", Skip: true}, // by governance only
	}
}
