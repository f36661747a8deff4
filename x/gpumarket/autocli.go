package gpumarket

import (
	"slices"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
)

// AutoCLIOptions implements autocli.HasAutoCLIConfig.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service:           "grafi.gpumarket.v1.Query",
			RpcCommandOptions: append(queryCommands(), matchQueryCommands()...),
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service:           "grafi.gpumarket.v1.Msg",
			RpcCommandOptions: slices.Concat(txCommands(), subscriptionTxCommands(), matchTxCommands()),
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
			RpcMethod: "Params", Use: "params", Short: "Show the market's params",
			Example: "grafid query gpumarket params",
		},
		{
			RpcMethod: "Listing", Use: "listing [listing-id]", Short: "Show a listing and its GPUs that are free now",
			Example: "grafid query gpumarket listing 1", PositionalArgs: args("listing_id"),
		},
		{
			RpcMethod: "Listings", Use: "listings", Short: "List all listings, or those of one class, operator or host",
			Example: "grafid query gpumarket listings --class nvidia-h100-80gb-sxm",
		},
		{
			RpcMethod: "Quote", Use: "quote [listing-id] [gpu-count] [duration-seconds]",
			Short:          "Tell what a rental would cost now, which GPUs it would get, or why it can't be had",
			Example:        "grafid query gpumarket quote 1 2 3600",
			PositionalArgs: args("listing_id", "gpu_count", "duration_seconds"),
		},
		{
			RpcMethod: "Rental", Use: "rental [rental-id]", Short: "Show a rental and what a settlement would pay now",
			Example: "grafid query gpumarket rental 16777216", PositionalArgs: args("rental_id"),
		},
		{
			RpcMethod: "OpenRentalsByHost", Use: "open-rentals [host-id]",
			Short:   "List the open rentals of a host: what its executor must be running",
			Example: "grafid query gpumarket open-rentals 1", PositionalArgs: args("host_id"),
		},
		{
			RpcMethod: "RentalsByRenter", Use: "rentals-by-renter [renter]", Short: "List the rentals of a renter",
			Example: "grafid query gpumarket rentals-by-renter $(grafid keys show alice -a)", PositionalArgs: args("renter"),
		},
		{
			RpcMethod: "RentalsByOperator", Use: "rentals-by-operator [operator]", Short: "List the rentals of an operator's GPUs",
			Example: "grafid query gpumarket rentals-by-operator $(grafid keys show olga -a)", PositionalArgs: args("operator"),
		},
		{
			RpcMethod: "Calendar", Use: "calendar [host-id] [ordinal]", Short: "List the bookings of one GPU",
			Example: "grafid query gpumarket calendar 1 0", PositionalArgs: args("host_id", "ordinal"),
		},
		{
			RpcMethod: "Invariants", Use: "invariants", Short: "Check that the market's money and calendar add up (reads the whole state)",
			Example: "grafid query gpumarket invariants",
		},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "CreateListing", Use: "create-listing [host-id] [price]",
			Short: "Offer GPUs of a host at a price per GPU and hour; all of its GPUs unless --gpus names some",
			Example: "grafid tx gpumarket create-listing 1 1000000ugrafi --tier general --gpus 0,1 --from olga\n" +
				"grafid tx gpumarket create-listing 1 1000000ugrafi --tier selective --allow-list grafi1... --from olga",
			PositionalArgs: args("host_id", "price"),
		},
		{
			RpcMethod: "ChangeListing", Use: "change-listing [listing-id] [price]",
			Short: "Set the terms for new rentals; each flag that is left out means what it means for create-listing",
			Example: "grafid tx gpumarket change-listing 1 1200000ugrafi --from olga\n" +
				"grafid tx gpumarket change-listing 1 1200000ugrafi --interruptible-price 400000ugrafi --max-ahead-seconds 604800 --from olga",
			PositionalArgs: args("listing_id", "price"),
		},
		{
			RpcMethod: "SetListingStatus", Use: "set-listing-status [listing-id] [open|paused|withdrawn]",
			Short:          "Pause, reopen or withdraw a listing; withdrawn is for good",
			Example:        "grafid tx gpumarket set-listing-status 1 paused --from olga",
			PositionalArgs: args("listing_id", "status"),
		},
		{
			RpcMethod: "Rent", Use: "rent [listing-id] [gpu-count] [duration-seconds] [max-price] [manifest-digest]",
			Short: "Rent GPUs: book them and lock the whole price in escrow",
			Example: "grafid tx gpumarket rent 1 2 3600 1000000ugrafi $(sha256sum manifest.json | cut -c1-64) " +
				"--close-on-exit --from alice",
			PositionalArgs: args("listing_id", "gpu_count", "duration_seconds", "max_price", "manifest_digest"),
		},
		{
			RpcMethod: "ConfirmStart", Use: "confirm-start [rental-id] [agent-signature]",
			Short:          "Hand in an agent's signed report that a rental's workload has started (the executor does this)",
			Example:        "grafid tx gpumarket confirm-start 16777216 $SIGNATURE_HEX --from relayer",
			PositionalArgs: args("rental_id", "agent_signature"),
		},
		{
			RpcMethod: "ReportResult", Use: "report-result [rental-id] [result] [agent-signature]",
			Short: "Hand in an agent's signed report of how a workload ended (the executor does this)",
			Example: `grafid tx gpumarket report-result 16777216 '{"exit_known":true,"exit_code":0,"seconds":"120"}' ` +
				"$SIGNATURE_HEX --from relayer",
			PositionalArgs: args("rental_id", "result", "agent_signature"),
		},
		{
			RpcMethod: "ExtendRental", Use: "extend [rental-id] [seconds]", Short: "Add time and escrow to a rental at its own price",
			Example: "grafid tx gpumarket extend 16777216 1800 --from alice", PositionalArgs: args("rental_id", "seconds"),
		},
		{
			RpcMethod: "CloseRental", Use: "close [rental-id]",
			Short:   "End a rental: at once for its renter, after the notice for its operator",
			Example: "grafid tx gpumarket close 16777216 --from alice", PositionalArgs: args("rental_id"),
		},
		{
			RpcMethod: "ProveRental", Use: "prove [rental-id]",
			Short:   "Ask the host to prove in your rental that its GPUs compute, at most once an hour",
			Example: "grafid tx gpumarket prove 16777216 --from alice", PositionalArgs: args("rental_id"),
		},
		{
			RpcMethod: "Settle", Use: "settle [rental-id]...", Short: "Pay what is due of the named rentals; anyone may",
			Example:        "grafid tx gpumarket settle 16777216 16777217 --from anyone",
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "rental_ids", Varargs: true}},
		},
		{RpcMethod: "UpdateParams", Skip: true}, // for the authority only: by proposal
	}
}
