package rent

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/offchain/executor/gateway"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// rentalView joins what the chain says and, when the renter asks, what the host says.
type rentalView struct {
	rental  markettypes.Rental
	Rental  json.RawMessage `json:"rental"` // proto JSON, as every query prints it
	Payable string          `json:"payable"`
	SLA     *slaView        `json:"sla,omitempty"`
	Host    *gateway.Status `json:"host,omitempty"`
}

func rentalCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rental [rental-id]", Short: "Show a rental on chain and, with --from, on its host",
		Example: `  grafid rental 16777216
  grafid rental 16777216 --from renter --output json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := client.GetClientTxContext(cmd)
			if err != nil {
				return err
			}
			id, err := parseID("rental", args[0])
			if err != nil {
				return err
			}
			resp, err := getRental(cmd.Context(), c, id)
			if err != nil {
				return err
			}
			v := rentalView{rental: resp.Rental, Payable: resp.Payable.String()}
			if v.Rental, err = c.Codec.MarshalJSON(&resp.Rental); err != nil {
				return err
			}
			if v.SLA, err = getSLA(cmd.Context(), c, resp.Rental); err != nil {
				return err
			}
			if c.FromName != "" {
				_, g, err := rentalGateway(cmd, c, id)
				if err != nil {
					return err
				}
				st, err := g.Status(cmd.Context())
				if err != nil {
					cmd.PrintErrln("host:", err) // the chain's part is worth printing
				} else {
					v.Host = &st
				}
			}
			return output(cmd, c, v, v.print)
		},
	}
	addQueryFlags(cmd)
	addKeyFlags(cmd)
	return cmd
}

func (v rentalView) print(w io.Writer) error {
	r := v.rental
	coin := func(n interface{ String() string }) string { return n.String() + r.Price.Denom }
	rows := [][2]string{
		{"rental", fmt.Sprintf("%d (listing %d, host %d, GPUs %v)", r.Id, r.ListingId, r.HostId, r.Gpus)},
		{"state", short(r.State.String(), "RENTAL_STATE_")},
		{"type", short(r.Type.String(), "RENTAL_TYPE_")},
		{"renter", r.Renter},
		{"operator", r.Operator},
		{"price", sdk.NewCoin(r.Price.Denom, r.Price.Amount).String() + " per GPU and hour"},
		{"manifest", fmt.Sprintf("%x", r.ManifestDigest)},
		{"escrowed", coin(r.Escrowed)}, {"paid", coin(r.Paid)}, {"refunded", coin(r.Refunded)}, {"in escrow", coin(r.Escrow)},
		{"due now", v.Payable},
		{"created", when(&r.CreatedAt)}, {"reserved from", when(startAt(r))}, {"started", when(r.StartedAt)},
		{"notice until", when(r.NoticeEndsAt)}, {"ends", when(r.EndsAt)}, {"closed", when(r.ClosedAt)},
	}
	rows = append(rows, termRows(r, v.SLA)...)
	if r.State == markettypes.RENTAL_STATE_CLOSED {
		rows = append(rows, [2]string{"reason", fmt.Sprintf("%s (%d)", r.CloseReason, int32(r.CloseReason))})
	}
	if r.Result != nil {
		exit := "lost"
		if r.Result.ExitKnown {
			exit = fmt.Sprint(r.Result.ExitCode)
		}
		rows = append(rows, [2]string{"exit code", exit}, [2]string{"output", fmt.Sprintf("%x", r.Result.OutputDigest)},
			[2]string{"ran", (time.Duration(r.Result.Seconds) * time.Second).String()})
	}
	if h := v.Host; h != nil {
		isolation := "isolated"
		if !h.Isolated {
			isolation = "NOT isolated"
		}
		rows = append(rows, [2]string{"engine", h.Engine + ", " + isolation}, [2]string{"workload", strings.TrimSpace(h.State + " " + h.Reason)},
			[2]string{"message", h.Message})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
	}
	return table.Flush()
}

func when(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
