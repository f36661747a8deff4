package rent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/input"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/offchain/executor/gateway"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// rented is what the renting commands print of each rental.
type rented struct {
	RentalID       uint64     `json:"rental_id,string"`
	ListingID      uint64     `json:"listing_id,string"`
	HostID         uint64     `json:"host_id,string"`
	GPUs           []uint32   `json:"gpus"`
	Type           string     `json:"type"`
	Escrow         string     `json:"escrow"`
	Bond           string     `json:"bond,omitempty"`
	ManifestDigest string     `json:"manifest_digest"`
	TxHash         string     `json:"tx_hash"`
	State          string     `json:"state"`
	StartAt        *time.Time `json:"start_at,omitempty"`
	StartedAt      *time.Time `json:"started_at,omitempty"`
	EndsAt         *time.Time `json:"ends_at,omitempty"`
}

func newRented(r markettypes.Rental, txHash string) rented {
	v := rented{
		RentalID: r.Id, ListingID: r.ListingId, HostID: r.HostId, GPUs: r.Gpus, Type: r.Type.String(),
		Escrow: sdk.NewCoin(r.Price.Denom, r.Escrowed).String(), ManifestDigest: fmt.Sprintf("%x", r.ManifestDigest),
		TxHash: txHash, State: r.State.String(), StartedAt: r.StartedAt, EndsAt: r.EndsAt,
	}
	if r.Reservation != nil {
		v.StartAt, v.Bond = &r.Reservation.StartAt, r.Reservation.Bond.String()
	}
	return v
}

func (v rented) print(w io.Writer, from string) error {
	_, err := fmt.Fprintf(w, "rental %d: %s\n\n  grafid logs %d --follow --from %s\n  grafid rental %d\n",
		v.RentalID, short(v.State, "RENTAL_STATE_"), v.RentalID, from, v.RentalID)
	return err
}

// probe asks, before money moves: is the host there, and is it the host on chain?
func probe(cmd *cobra.Command, c client.Context, hostID uint64) error {
	g, err := openGateway(cmd, c, hostID, 0)
	if err != nil {
		return err
	}
	if err := g.Health(cmd.Context()); err != nil {
		return fmt.Errorf("nothing was rented: gateway of host %d: %w", hostID, err)
	}
	return nil
}

// confirm asks the person, unless --yes is given.
func confirm(cmd *cobra.Command, c client.Context, question string) error {
	if c.SkipConfirm {
		return nil
	}
	ok, err := input.GetConfirmation(question, bufio.NewReader(cmd.InOrStdin()), cmd.ErrOrStderr())
	if err == nil && !ok {
		err = errors.New("nothing was done: not confirmed")
	}
	return err
}

// deliver hands the manifest to a new rental's host and waits as --wait says.
func deliver(cmd *cobra.Command, c client.Context, id uint64, doc []byte, path, txHash string) (rented, error) {
	resp, err := getRental(cmd.Context(), c, id)
	if err != nil {
		return rented{}, err
	}
	r := resp.Rental
	cmd.PrintErrf("rental %d: %s in escrow\n", id, sdk.NewCoin(r.Price.Denom, r.Escrow))
	g, err := openGateway(cmd, c, r.HostId, id)
	if err == nil {
		_, err = sendManifest(cmd, g, doc, 30*time.Second)
	}
	if err != nil {
		return rented{}, fmt.Errorf("rental %d is open, but its host does not have the manifest: %w\ntry: grafid manifest send %d %s --from %s\nor:  grafid tx gpumarket close %d --from %s",
			id, err, id, path, c.FromName, id, c.FromName)
	}
	cmd.PrintErrf("rental %d: host %d has the manifest\n", id, r.HostId)
	if r, err = awaitStart(cmd, c, g, id); err != nil {
		return rented{}, err
	}
	return newRented(r, txHash), nil
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
