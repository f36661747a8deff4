package gpumarket

import autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"

func subscriptionTxCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod:      "Subscribe",
			Use:            "subscribe [listing-id] [gpu-count] [period-seconds] [deposit] [cap] [max-price] [manifest-digest]",
			Short:          "Rent period by period from a deposit; see also 'grafid rent subscribe', which reads a manifest",
			Example:        "grafid tx gpumarket subscribe 3 1 86400 50000000ugrafi 200000000ugrafi 2000000ugrafi $DIGEST --from alice",
			PositionalArgs: args("listing_id", "gpu_count", "period_seconds", "deposit", "cap", "max_price", "manifest_digest"),
		},
		{
			RpcMethod: "TopUpSubscription", Use: "top-up-subscription [rental-id] [amount]",
			Short:   "Add to the balance of a subscription; anyone may",
			Example: "grafid tx gpumarket top-up-subscription 50331648 10000000ugrafi --from alice", PositionalArgs: args("rental_id", "amount"),
		},
		{
			RpcMethod: "CancelSubscription", Use: "cancel-subscription [rental-id]",
			Short:   "Take the balance back; the rental goes on to the end of its period",
			Example: "grafid tx gpumarket cancel-subscription 50331648 --from alice", PositionalArgs: args("rental_id"),
		},
	}
}
