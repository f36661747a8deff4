package rent

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/input"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/offchain/executor/gateway"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

const (
	flagGPUs        = "gpus"
	flagDuration    = "duration"
	flagMaxPrice    = "max-price"
	flagCloseOnExit = "close-on-exit"
	flagWait        = "wait"
)

// rented is what rent prints.
type rented struct {
	RentalID       uint64     `json:"rental_id,string"`
	ListingID      uint64     `json:"listing_id,string"`
	HostID         uint64     `json:"host_id,string"`
	GPUs           []uint32   `json:"gpus"`
	Escrow         string     `json:"escrow"`
	ManifestDigest string     `json:"manifest_digest"`
	TxHash         string     `json:"tx_hash"`
	State          string     `json:"state"`
	StartedAt      *time.Time `json:"started_at,omitempty"`
	EndsAt         *time.Time `json:"ends_at,omitempty"`
}

func rentCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rent [listing-id] [manifest]",
		Short: "Rent GPUs of a listing and run a manifest on them",
		Long: `rent asks the chain for a quote, checks that the host answers, locks the whole price
in escrow, and sends the manifest to the host. Billing begins when the host has
confirmed the start, per second; what is not used comes back at the close. A host
that does not start in time costs nothing.`,
		Example: `  grafid rent 1 job.yaml --gpus 1 --duration 2h --from renter
  grafid rent 1 job.yaml --duration 10m --max-price 2500000ugrafi --close-on-exit --wait --yes --from renter --output json`,
		Args: cobra.ExactArgs(2),
		RunE: runRent,
	}
	flags.AddTxFlagsToCmd(cmd)
	out := cmd.Flags().Lookup(flags.FlagOutput)
	out.DefValue = flags.OutputFormatText
	_ = out.Value.Set(flags.OutputFormatText) // a string flag takes any string
	f := cmd.Flags()
	f.Uint32(flagGPUs, 1, "number of GPUs")
	f.Duration(flagDuration, time.Hour, "how long, in whole seconds")
	f.String(flagMaxPrice, "", "most to pay per GPU and hour, such as 2500000ugrafi; the listing's price when empty")
	f.Bool(flagCloseOnExit, false, "close the rental, and stop paying, as soon as the workload has ended")
	f.Bool(flagWait, false, "wait until the workload has started")
	addGatewayFlag(cmd)
	return cmd
}

func runRent(cmd *cobra.Command, args []string) error {
	c, err := client.GetClientTxContext(cmd)
	if err != nil {
		return err
	}
	if c.FromName == "" {
		return errNoFrom
	}
	if c.GenerateOnly || c.Offline {
		return fmt.Errorf("rent speaks to the host and can't work with --%s or --%s; use: grafid tx gpumarket rent",
			flags.FlagGenerateOnly, flags.FlagOffline)
	}
	msg, listing, quote, doc, err := prepare(cmd, c, args)
	if err != nil {
		return err
	}
	// Before money moves: is the host there, and is it the host on chain?
	probe, err := openGateway(cmd, c, listing.HostId, 0)
	if err != nil {
		return err
	}
	if err := probe.Health(cmd.Context()); err != nil {
		return fmt.Errorf("nothing was rented: gateway of host %d: %w", listing.HostId, err)
	}
	if ok, err := confirm(cmd, c, msg, listing, quote); err != nil || !ok {
		return err
	}

	var resp markettypes.MsgRentResponse
	txHash, err := submit(cmd, c, msg, &resp)
	if err != nil {
		return err
	}
	id := resp.RentalId
	cmd.PrintErrf("rental %d: %s in escrow\n", id, quote.Escrow)
	g, err := openGateway(cmd, c, listing.HostId, id)
	if err == nil {
		_, err = sendManifest(cmd, g, doc, 30*time.Second)
	}
	if err != nil {
		return fmt.Errorf("rental %d is open, but its host does not have the manifest: %w\ntry: grafid manifest send %d %s --from %s\nor:  grafid tx gpumarket close %d --from %s",
			id, err, id, args[1], c.FromName, id, c.FromName)
	}
	cmd.PrintErrf("rental %d: host %d has the manifest\n", id, listing.HostId)

	rental, err := awaitStart(cmd, c, g, id)
	if err != nil {
		return err
	}
	v := rented{
		RentalID: id, ListingID: listing.Id, HostID: listing.HostId, GPUs: rental.Gpus,
		Escrow: sdk.NewCoin(rental.Price.Denom, rental.Escrowed).String(), ManifestDigest: fmt.Sprintf("%x", rental.ManifestDigest),
		TxHash: txHash, State: rental.State.String(), StartedAt: rental.StartedAt, EndsAt: rental.EndsAt,
	}
	return output(cmd, c, v, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "rental %d: %s\n\n  grafid logs %d --follow --from %s\n  grafid rental %d\n", id, v.State, id, c.FromName, id)
		return err
	})
}

// prepare reads the manifest and the market and returns the message to send.
func prepare(cmd *cobra.Command, c client.Context, args []string) (
	*markettypes.MsgRent, markettypes.Listing, *markettypes.QueryQuoteResponse, []byte, error,
) {
	fail := func(err error) (*markettypes.MsgRent, markettypes.Listing, *markettypes.QueryQuoteResponse, []byte, error) {
		return nil, markettypes.Listing{}, nil, nil, err
	}
	listingID, err := parseID("listing", args[0])
	if err != nil {
		return fail(err)
	}
	m, doc, err := readManifest(cmd, args[1])
	if err != nil {
		return fail(err)
	}
	digest, _, err := digestOf(m)
	if err != nil {
		return fail(err)
	}
	f := cmd.Flags()
	gpus, err := f.GetUint32(flagGPUs)
	if err != nil {
		return fail(err)
	}
	duration, err := f.GetDuration(flagDuration)
	if err != nil {
		return fail(err)
	}
	if duration < time.Second || duration%time.Second != 0 {
		return fail(fmt.Errorf("--duration: got %s, want whole seconds, at least one", duration))
	}
	if m.Resources.GPUs > gpus {
		return fail(fmt.Errorf("--gpus: got %d, the manifest wants %d", gpus, m.Resources.GPUs))
	}
	closeOnExit, err := f.GetBool(flagCloseOnExit)
	if err != nil {
		return fail(err)
	}
	q := markettypes.NewQueryClient(c)
	listing, err := q.Listing(cmd.Context(), &markettypes.QueryListingRequest{ListingId: listingID})
	if err != nil {
		return fail(fmt.Errorf("listing %d: %w", listingID, err))
	}
	maxPrice := listing.Listing.Price
	if s, err := f.GetString(flagMaxPrice); err != nil {
		return fail(err)
	} else if s != "" {
		if maxPrice, err = sdk.ParseCoinNormalized(s); err != nil {
			return fail(fmt.Errorf("--max-price: %w", err))
		}
	}
	seconds := uint64(duration / time.Second)
	quote, err := q.Quote(cmd.Context(), &markettypes.QueryQuoteRequest{ListingId: listingID, GpuCount: gpus, DurationSeconds: seconds})
	if err != nil {
		return fail(fmt.Errorf("quote of listing %d: %w", listingID, err))
	}
	if quote.Obstacle != "" {
		return fail(fmt.Errorf("listing %d can't be rented now: %s", listingID, quote.Obstacle))
	}
	return &markettypes.MsgRent{
		Renter: c.FromAddress.String(), ListingId: listingID, GpuCount: gpus, DurationSeconds: seconds,
		MaxPrice: maxPrice, ManifestDigest: digest, CloseOnExit: closeOnExit,
	}, listing.Listing, quote, doc, nil
}

func confirm(cmd *cobra.Command, c client.Context, msg *markettypes.MsgRent, listing markettypes.Listing, quote *markettypes.QueryQuoteResponse) (bool, error) {
	cmd.PrintErrf("%d GPU(s) %s of host %d for %s at %s per GPU and hour: at most %s\n", msg.GpuCount, listing.Class,
		listing.HostId, time.Duration(msg.DurationSeconds)*time.Second, listing.Price, quote.Escrow)
	if c.SkipConfirm {
		return true, nil
	}
	ok, err := input.GetConfirmation("rent?", bufio.NewReader(cmd.InOrStdin()), cmd.ErrOrStderr())
	if err == nil && !ok {
		err = fmt.Errorf("nothing was rented")
	}
	return ok, err
}

// awaitStart returns the rental at once, or with --wait when it has started.
func awaitStart(cmd *cobra.Command, c client.Context, g *gateway.Client, id uint64) (markettypes.Rental, error) {
	wait, err := cmd.Flags().GetBool(flagWait)
	if err != nil {
		return markettypes.Rental{}, err
	}
	said := ""
	for {
		resp, err := getRental(cmd.Context(), c, id)
		if err != nil {
			return resp.Rental, err
		}
		r := resp.Rental
		switch {
		case !wait, r.StartedAt != nil:
			return r, nil
		case r.State == markettypes.RENTAL_STATE_CLOSED:
			return r, fmt.Errorf("rental %d closed before it started (%s); %s%s came back", id, r.CloseReason, r.Refunded, r.Price.Denom)
		}
		m, failed := hostMessage(cmd.Context(), g)
		if failed {
			return r, fmt.Errorf("rental %d can't start (%s) and will be refunded in full; at once with: grafid tx gpumarket close %d --from %s",
				id, m, id, c.FromName)
		}
		if m != said {
			cmd.PrintErrf("rental %d: %s\n", id, m)
			said = m
		}
		if err := pause(cmd.Context(), time.Second); err != nil {
			return r, err
		}
	}
}

func hostMessage(ctx context.Context, g *gateway.Client) (message string, failed bool) {
	st, err := g.Status(ctx)
	switch {
	case err != nil:
		return "host: " + err.Error(), false
	case st.Message != "":
		return "host: " + st.Message, st.Failed
	}
	return "host: " + st.State, st.Failed
}
