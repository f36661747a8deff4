package rent

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/cmd/grafid/broadcast"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

func rentCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rent [listing-id] [manifest]",
		Short: "Rent GPUs and run a manifest on them: now, later, interruptible, by subscription",
		Long: `rent asks the chain for a quote, checks that the host answers, locks the whole price
in escrow, and sends the manifest to the host. Billing begins when the host has
confirmed the start, per second; what is not used comes back at the close. A host
that does not start in time costs nothing.

With --start the GPUs are reserved: the operator's stake answers for a fifth of the
price. With --interruptible the lower price is paid, and another rental may take the
GPUs after a notice. With --failover-max-price the chain moves the rental to another
host when this one fails. "rent request" lets the chain find the cheapest GPUs that
fit, "rent subscribe" renews period by period.`,
		Example: `  grafid rent 1 job.yaml --gpus 1 --duration 2h --from renter
  grafid rent 1 job.yaml --duration 10m --max-price 2500000ugrafi --close-on-exit --wait --yes --from renter --output json
  grafid rent 1 job.yaml --duration 8h --start 2026-12-01T08:00:00Z --from renter
  grafid rent 1 job.yaml --duration 8h --start 36h --from renter
  grafid rent 1 job.yaml --duration 24h --interruptible --from renter
  grafid rent 1 job.yaml --duration 24h --failover-max-price 3000000ugrafi --from renter`,
		Args: cobra.ExactArgs(2),
		RunE: runRent,
	}
	addOrderFlags(cmd)
	addTermsFlags(cmd.Flags())
	cmd.Flags().String(flagMaxPrice, "", "most to pay per GPU and hour, such as 2500000ugrafi; the listing's price when empty")
	cmd.AddCommand(requestCmd(), subscribeCmd(), topUpCmd(), cancelCmd())
	return cmd
}

func runRent(cmd *cobra.Command, args []string) error {
	c, err := client.GetClientTxContext(cmd)
	if err != nil {
		return err
	}
	if err := chainOnly(cmd, c, "rent"); err != nil {
		return err
	}
	o, err := readOrder(cmd, args[1])
	if err != nil {
		return err
	}
	t, err := readTerms(cmd, c)
	if err != nil {
		return err
	}
	offer, err := quote(cmd, c, args[0], o, t)
	if err != nil {
		return err
	}
	if err := probe(cmd, c, offer.listing.HostId); err != nil {
		return err
	}
	offer.print(cmd, o, t)
	if err := confirm(cmd, c, "rent?"); err != nil {
		return err
	}
	var resp markettypes.MsgRentResponse
	txHash, err := broadcast.Send(cmd, c, &markettypes.MsgRent{
		Renter: c.FromAddress.String(), ListingId: offer.listing.Id, GpuCount: o.gpus, DurationSeconds: t.seconds,
		MaxPrice: offer.maxPrice, ManifestDigest: o.digest, CloseOnExit: o.closeOnExit,
		StartAt: t.startAt, Interruptible: t.interruptible, FailoverMaxPrice: t.failover,
	}, &resp)
	if err != nil {
		return err
	}
	v, err := deliver(cmd, c, resp.RentalId, o.doc, args[1], txHash)
	if err != nil {
		return err
	}
	return output(cmd, c, v, func(w io.Writer) error { return v.print(w, c.FromName) })
}

// offer is a listing with what it would cost now.
type offer struct {
	listing  markettypes.Listing
	price    sdk.Coin
	maxPrice sdk.Coin
	quote    markettypes.QueryQuoteResponse
}

// quote reads the listing and asks the chain what the order would cost; an
// obstacle is an error.
func quote(cmd *cobra.Command, c client.Context, listing string, o order, t terms) (offer, error) {
	id, err := parseID("listing", listing)
	if err != nil {
		return offer{}, err
	}
	q := markettypes.NewQueryClient(c)
	got, err := q.Listing(cmd.Context(), &markettypes.QueryListingRequest{ListingId: id})
	if err != nil {
		return offer{}, fmt.Errorf("listing %d: %w", id, err)
	}
	v := offer{listing: got.Listing, price: got.Listing.Price}
	if t.interruptible {
		if v.listing.InterruptiblePrice == nil || v.listing.InterruptiblePrice.IsZero() {
			return offer{}, fmt.Errorf("listing %d is not offered interruptible", id)
		}
		v.price = *v.listing.InterruptiblePrice
	}
	v.maxPrice = v.price
	if limit, err := coinFlag(cmd.Flags(), flagMaxPrice); err != nil {
		return offer{}, err
	} else if limit != nil {
		v.maxPrice = *limit
	}
	answer, err := q.Quote(cmd.Context(), &markettypes.QueryQuoteRequest{
		ListingId: id, GpuCount: o.gpus, DurationSeconds: t.seconds, StartAt: t.startAt, Interruptible: t.interruptible,
	})
	if err != nil {
		return offer{}, fmt.Errorf("quote of listing %d: %w", id, err)
	}
	if answer.Obstacle != "" {
		return offer{}, fmt.Errorf("listing %d can't be rented so: %s", id, answer.Obstacle)
	}
	v.quote = *answer
	return v, nil
}

// print says what the person is about to agree to.
func (v offer) print(cmd *cobra.Command, o order, t terms) {
	cmd.PrintErrf("%d GPU(s) %s of host %d for %s at %s per GPU and hour: at most %s\n", o.gpus, v.listing.Class,
		v.listing.HostId, time.Duration(t.seconds)*time.Second, v.price, v.quote.Escrow)
	if t.startAt != nil {
		cmd.PrintErrf("reserved from %s on; the operator's stake answers for it with %s\n", when(t.startAt), v.quote.Bond)
	}
	if len(v.quote.Preempts) > 0 {
		ids := strings.Trim(fmt.Sprint(v.quote.Preempts), "[]")
		cmd.PrintErrf("interruptible rental(s) %s must make room: it can start at %s\n", ids, when(&v.quote.StartAt))
	}
	if t.interruptible {
		cmd.PrintErrln("interruptible: another rental may take the GPUs after a notice; what is not used comes back")
	}
	if t.failover != nil {
		cmd.PrintErrf("failover: moves to another host at up to %s per GPU and hour; the difference is held in reserve\n", t.failover)
	}
}
