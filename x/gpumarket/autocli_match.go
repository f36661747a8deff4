package gpumarket

import autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"

func matchQueryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "MatchCompute", Use: "match-compute [request]",
			Short: "Tell what a request for compute would rent, what it would cost, and why other offers were passed over",
			Example: `grafid query gpumarket match-compute '{"class":"nvidia-h100-80gb-sxm","gpu_count":8,"duration_seconds":"3600",` +
				`"max_price":{"denom":"ugrafi","amount":"4000000"},"placement":"PLACEMENT_GANG"}'`,
			PositionalArgs: args("request"),
		},
		{
			RpcMethod: "PriceIndex", Use: "price-index [class] [denom]",
			Short:   "Show the volume-weighted median price of a class over the last 24 hours",
			Example: "grafid query gpumarket price-index nvidia-h100-80gb-sxm ugrafi", PositionalArgs: args("class", "denom"),
		},
		{
			RpcMethod: "Invitations", Use: "invitations", Short: "List the open invitations of a listing or of an account",
			Example: "grafid query gpumarket invitations --listing-id 3\ngrafid query gpumarket invitations --account grafi1...",
		},
	}
}

func matchTxCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "RequestCompute", Use: "request-compute [request]",
			Short: "Rent the cheapest GPUs of the General Cloud that fit; on several hosts all or nothing",
			Example: `grafid tx gpumarket request-compute '{"class":"nvidia-h100-80gb-sxm","gpu_count":8,"duration_seconds":"3600",` +
				`"max_price":{"denom":"ugrafi","amount":"4000000"},"placement":"PLACEMENT_GANG","manifest_digest":"$BASE64"}' --from alice`,
			PositionalArgs: args("request"),
		},
		{
			RpcMethod: "InviteRenter", Use: "invite-renter [listing-id] [account]",
			Short:   "Offer an account a place on the allow-list of a selective listing",
			Example: "grafid tx gpumarket invite-renter 3 grafi1... --from olga", PositionalArgs: args("listing_id", "account"),
		},
		{
			RpcMethod: "RequestAccess", Use: "request-access [listing-id]",
			Short:   "Ask the operator of a selective listing for a place on its allow-list",
			Example: "grafid tx gpumarket request-access 3 --from alice", PositionalArgs: args("listing_id"),
		},
		{
			RpcMethod: "AnswerInvitation", Use: "answer-invitation [listing-id] [account]",
			Short:          "Accept (with --accept) or decline an invitation or a request for access",
			Example:        "grafid tx gpumarket answer-invitation 3 grafi1... --accept --from alice",
			PositionalArgs: args("listing_id", "account"),
		},
		{
			RpcMethod: "RevokeAccess", Use: "revoke-access [listing-id] [account]",
			Short:   "Take an account off the allow-list, or an invitation back; its rentals go on",
			Example: "grafid tx gpumarket revoke-access 3 grafi1... --from olga", PositionalArgs: args("listing_id", "account"),
		},
	}
}
