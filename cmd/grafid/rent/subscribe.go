package rent

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/cmd/grafid/broadcast"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

const (
	flagPeriod  = "period"
	flagDeposit = "deposit"
	flagCap     = "cap"
)

func subscribeCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "subscribe [listing-id] [manifest]",
		Short: "Rent period by period, renewed by the chain from a deposit",
		Long: `subscribe pays the first period from the deposit and keeps the rest as a balance. At
the end of each period the chain renews the rental at its own price, in place and
without a pause, as long as the balance covers it, the GPUs are free and the cap is
not reached. Anyone can top it up; cancelled, it runs to the end of its period and the
balance comes back at once. Events warn 24 hours and one hour before the money ends.`,
		Example: `  grafid rent subscribe 1 serve.yaml --gpus 2 --period 168h --deposit 2000000000ugrafi --cap 10000000000ugrafi --from renter
  grafid rent subscribe 1 serve.yaml --period 24h --deposit 60000000ugrafi --wait --yes --from renter --output json`,
		Args: cobra.ExactArgs(2),
		RunE: runSubscribe,
	}
	addOrderFlags(cmd)
	f := cmd.Flags()
	f.Duration(flagPeriod, 24*time.Hour, "length of a period, in whole seconds")
	f.String(flagDeposit, "", "pays the first period, and the next ones as far as it goes")
	f.String(flagCap, "", "most that all periods together may cost; the deposit when empty")
	f.String(flagMaxPrice, "", "most to pay per GPU and hour, such as 2500000ugrafi; the listing's price when empty")
	return cmd
}

func runSubscribe(cmd *cobra.Command, args []string) error {
	c, err := client.GetClientTxContext(cmd)
	if err != nil {
		return err
	}
	if err := chainOnly(cmd, c, "subscribe"); err != nil {
		return err
	}
	o, err := readOrder(cmd, args[1])
	if err != nil {
		return err
	}
	period, err := wholeSeconds(cmd.Flags(), flagPeriod)
	if err != nil {
		return err
	}
	deposit, err := coinFlag(cmd.Flags(), flagDeposit)
	if err != nil {
		return err
	}
	limit, err := coinFlag(cmd.Flags(), flagCap)
	if err != nil {
		return err
	}
	if deposit == nil {
		return fmt.Errorf("--%s: an amount is needed that covers at least one period", flagDeposit)
	}
	if limit == nil {
		limit = deposit
	}
	offer, err := quote(cmd, c, args[0], o, terms{seconds: period})
	if err != nil {
		return err
	}
	if err := probe(cmd, c, offer.listing.HostId); err != nil {
		return err
	}
	cmd.PrintErrf("%d GPU(s) %s of host %d at %s per GPU and hour: %s for each %s, from %s, in all at most %s\n", o.gpus,
		offer.listing.Class, offer.listing.HostId, offer.price, offer.quote.Escrow, time.Duration(period)*time.Second, deposit, limit)
	if err := confirm(cmd, c, "subscribe?"); err != nil {
		return err
	}
	var resp markettypes.MsgSubscribeResponse
	txHash, err := broadcast.Send(cmd, c, &markettypes.MsgSubscribe{
		Renter: c.FromAddress.String(), ListingId: offer.listing.Id, GpuCount: o.gpus, PeriodSeconds: period,
		Deposit: *deposit, Cap: *limit, MaxPrice: offer.maxPrice, ManifestDigest: o.digest, CloseOnExit: o.closeOnExit,
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

// changed is what topup and cancel print.
type changed struct {
	RentalID uint64 `json:"rental_id,string"`
	TxHash   string `json:"tx_hash"`
	State    string `json:"state"`
	Balance  string `json:"balance,omitempty"`
	Returned string `json:"returned,omitempty"`
	Paid     string `json:"paid,omitempty"`
}

func topUpCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "topup [rental-id] [amount]", Short: "Add to the balance that a subscription is renewed from; anyone may",
		Example: "  grafid rent topup 16777216 500000000ugrafi --from renter",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := client.GetClientTxContext(cmd)
			if err != nil {
				return err
			}
			if c.FromName == "" {
				return errNoFrom
			}
			id, err := parseID("rental", args[0])
			if err != nil {
				return err
			}
			amount, err := sdk.ParseCoinNormalized(args[1])
			if err != nil {
				return fmt.Errorf("amount: got %q, want one such as 500000000ugrafi: %w", args[1], err)
			}
			txHash, err := broadcast.Send(cmd, c, &markettypes.MsgTopUpSubscription{
				Sender: c.FromAddress.String(), RentalId: id, Amount: amount,
			}, &markettypes.MsgTopUpSubscriptionResponse{})
			if err != nil {
				return err
			}
			resp, err := getRental(cmd.Context(), c, id)
			if err != nil {
				return err
			}
			r := resp.Rental
			v := changed{RentalID: id, TxHash: txHash, State: r.State.String()}
			if r.Subscription != nil {
				v.Balance = sdk.NewCoin(r.Price.Denom, r.Subscription.Balance).String()
			}
			return output(cmd, c, v, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "rental %d has %s for its next periods\n", id, v.Balance)
				return err
			})
		},
	}
	broadcast.Flags(cmd)
	return cmd
}
