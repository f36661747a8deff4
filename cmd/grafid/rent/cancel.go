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

func cancelCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "cancel [rental-id]", Short: "Cancel a subscription or a reservation",
		Long: `A cancelled subscription runs to the end of its period; its balance comes back at
once. A cancelled reservation is closed and its escrow comes back: all of it until the
params' free_cancel before its start, later less late_cancel_ppm of it, which the
operator gets. A rental that runs is ended with: grafid tx gpumarket close`,
		Example: "  grafid rent cancel 16777216 --from renter",
		Args:    cobra.ExactArgs(1),
		RunE:    runCancel,
	}
	broadcast.Flags(cmd)
	return cmd
}

func runCancel(cmd *cobra.Command, args []string) error {
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
	resp, err := getRental(cmd.Context(), c, id)
	if err != nil {
		return err
	}
	r := resp.Rental
	switch {
	case r.State == markettypes.RENTAL_STATE_CLOSED:
		return fmt.Errorf("rental %d is closed already (%s)", id, r.CloseReason)
	case r.Subscription != nil:
		return cancelSubscription(cmd, c, r)
	case r.State == markettypes.RENTAL_STATE_RESERVED && r.Reservation != nil:
		return cancelReservation(cmd, c, r)
	}
	return fmt.Errorf("rental %d is %s and neither reserved nor a subscription; end it with: grafid tx gpumarket close %d --from %s",
		id, short(r.State.String(), "RENTAL_STATE_"), id, c.FromName)
}

func cancelSubscription(cmd *cobra.Command, c client.Context, r markettypes.Rental) error {
	cmd.PrintErrf("rental %d runs to the end of its period, %s, and is not renewed\n", r.Id, when(r.EndsAt))
	if err := confirm(cmd, c, "cancel?"); err != nil {
		return err
	}
	var resp markettypes.MsgCancelSubscriptionResponse
	txHash, err := broadcast.Send(cmd, c, &markettypes.MsgCancelSubscription{Renter: c.FromAddress.String(), RentalId: r.Id}, &resp)
	if err != nil {
		return err
	}
	v := changed{RentalID: r.Id, TxHash: txHash, State: r.State.String(), Returned: resp.Returned.String()}
	return output(cmd, c, v, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "rental %d is not renewed; %s came back\n", r.Id, v.Returned)
		return err
	})
}

func cancelReservation(cmd *cobra.Command, c client.Context, r markettypes.Rental) error {
	params, err := markettypes.NewQueryClient(c).Params(cmd.Context(), &markettypes.QueryParamsRequest{})
	if err != nil {
		return err
	}
	now, err := blockTime(cmd.Context(), c)
	if err != nil {
		return err
	}
	cmd.PrintErrln(cancelTerms(r, params.Params, now))
	if err := confirm(cmd, c, "cancel?"); err != nil {
		return err
	}
	txHash, err := broadcast.Send(cmd, c, &markettypes.MsgCloseRental{Sender: c.FromAddress.String(), RentalId: r.Id}, &markettypes.MsgCloseRentalResponse{})
	if err != nil {
		return err
	}
	resp, err := getRental(cmd.Context(), c, r.Id)
	if err != nil {
		return err
	}
	coin := func(n interface{ String() string }) string { return n.String() + r.Price.Denom }
	v := changed{
		RentalID: r.Id, TxHash: txHash, State: resp.Rental.State.String(),
		Returned: coin(resp.Rental.Refunded), Paid: coin(resp.Rental.Paid),
	}
	return output(cmd, c, v, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "rental %d is cancelled: %s came back, %s was paid\n", r.Id, v.Returned, v.Paid)
		return err
	})
}

// cancelTerms says what cancelling a reservation costs at a time.
func cancelTerms(r markettypes.Rental, p markettypes.Params, now time.Time) string {
	free := r.Reservation.StartAt.Add(-p.FreeCancel)
	fee := p.CancelFee(r.Escrow, r.Reservation.StartAt, now)
	if fee.IsZero() {
		return fmt.Sprintf("free until %s: everything comes back", when(&free))
	}
	return fmt.Sprintf("it was free until %s: the operator gets %s, the rest comes back", when(&free), sdk.NewCoin(r.Price.Denom, fee))
}
