package rent

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/spf13/cobra"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/client"
	sdk "github.com/cosmos/cosmos-sdk/types"

	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// parts is where a payment went, in base units of the rental's denom.
type parts struct {
	Paid     math.Int `json:"paid"`
	Provider math.Int `json:"provider"`
	Stakers  math.Int `json:"stakers"`
	Treasury math.Int `json:"treasury"`
	Burned   math.Int `json:"burned"`
	Rest     math.Int `json:"rest"`
}

// settlement is one payment as its event tells it.
type settlement struct {
	Height    int64     `json:"height,string"`
	PaidUntil time.Time `json:"paid_until"`
	parts
}

// ledger is the whole story of a rental's money.
type ledger struct {
	RentalID    uint64       `json:"rental_id,string"`
	State       string       `json:"state"`
	Denom       string       `json:"denom"`
	Escrowed    math.Int     `json:"escrowed"`
	Total       parts        `json:"total"`
	Refunded    math.Int     `json:"refunded"`
	Escrow      math.Int     `json:"in_escrow"`
	Settlements []settlement `json:"settlements"`
	// Wrong says in words what does not add up; empty when everything does.
	Wrong []string `json:"wrong"`
}

func ledgerCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "ledger [rental-id]", Short: "Show where every unit of a rental's money went, and check that it adds up",
		Long: `ledger adds up the settlement events of all blocks and compares them with the rental's
record: escrowed = paid + refunded + still in escrow, and every payment is the sum
of its parts. It fails when anything is off by one unit. The node must keep the
indexes of transactions and blocks.`,
		Example: `  grafid ledger 16777216
  grafid ledger 16777216 --output json`,
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
			list, err := settlements(cmd.Context(), c, id)
			if err != nil {
				return err
			}
			l := newLedger(resp.Rental, list)
			if err := output(cmd, c, l, l.print); err != nil {
				return err
			}
			if len(l.Wrong) > 0 {
				return fmt.Errorf("the ledger of rental %d does not add up: %v", id, l.Wrong)
			}
			return nil
		},
	}
	addQueryFlags(cmd)
	addKeyFlags(cmd)
	return cmd
}

// newLedger adds up and checks.
func newLedger(r markettypes.Rental, list []settlement) ledger {
	zero := parts{math.ZeroInt(), math.ZeroInt(), math.ZeroInt(), math.ZeroInt(), math.ZeroInt(), math.ZeroInt()}
	l := ledger{
		RentalID: r.Id, State: r.State.String(), Denom: r.Price.Denom, Escrowed: r.Escrowed, Refunded: r.Refunded,
		Escrow: r.Escrow, Total: zero, Settlements: list, Wrong: []string{},
	}
	for _, s := range list {
		if sum := s.sum(); !sum.Equal(s.Paid) {
			l.Wrong = append(l.Wrong, fmt.Sprintf("the parts paid at height %d add up to %s, not %s", s.Height, sum, s.Paid))
		}
		t := &l.Total
		t.Paid, t.Provider, t.Stakers = t.Paid.Add(s.Paid), t.Provider.Add(s.Provider), t.Stakers.Add(s.Stakers)
		t.Treasury, t.Burned, t.Rest = t.Treasury.Add(s.Treasury), t.Burned.Add(s.Burned), t.Rest.Add(s.Rest)
	}
	if !l.Total.Paid.Equal(r.Paid) {
		l.Wrong = append(l.Wrong, fmt.Sprintf("the settlements paid %s, the rental says %s", l.Total.Paid, r.Paid))
	}
	if sum := r.Paid.Add(r.Refunded).Add(r.Escrow); !sum.Equal(r.Escrowed) {
		l.Wrong = append(l.Wrong, fmt.Sprintf("paid + refunded + in escrow is %s, escrowed was %s", sum, r.Escrowed))
	}
	return l
}

func (p parts) sum() math.Int {
	return p.Provider.Add(p.Stakers).Add(p.Treasury).Add(p.Burned).Add(p.Rest)
}

func (l ledger) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(sign, name string, n math.Int) {
		if n.IsZero() {
			sign = ""
		}
		fmt.Fprintf(t, "%s\t%s\t %s\t\n", name, sign+n.String(), l.Denom)
	}
	fmt.Fprintf(w, "Ledger of rental %d (%s), %d settlements\n\n", l.RentalID, l.State, len(l.Settlements))
	row("", "escrowed", l.Escrowed)
	row("-", "provider", l.Total.Provider)
	row("-", "stakers", l.Total.Stakers)
	row("-", "treasury", l.Total.Treasury)
	row("-", "burned", l.Total.Burned)
	row("-", "rest", l.Total.Rest)
	row("-", "refunded to the renter", l.Refunded)
	row("-", "still in escrow", l.Escrow)
	row("", "left over", l.Escrowed.Sub(l.Total.sum()).Sub(l.Refunded).Sub(l.Escrow))
	if err := t.Flush(); err != nil {
		return err
	}
	if len(l.Wrong) == 0 {
		_, err := fmt.Fprintf(w, "\nevery %s adds up\n", l.Denom)
		return err
	}
	return nil
}

// settlements reads every EventRentalSettled of the rental, those of
// transactions and those of blocks (deadlines), in the order of the chain.
func settlements(ctx context.Context, c client.Context, id uint64) ([]settlement, error) {
	node, err := c.GetNode()
	if err != nil {
		return nil, err
	}
	heights, err := settledHeights(ctx, node, id)
	if err != nil {
		return nil, err
	}
	list := []settlement{}
	for _, h := range heights {
		res, err := node.BlockResults(ctx, &h)
		if err != nil {
			return nil, fmt.Errorf("results of block %d: %w", h, err)
		}
		var events []abci.Event
		for _, tx := range res.TxsResults {
			if tx.Code == 0 {
				events = append(events, tx.Events...)
			}
		}
		events = append(events, res.FinalizeBlockEvents...)
		for _, e := range events {
			s, ok, err := parseSettled(e, id)
			if err != nil {
				return nil, fmt.Errorf("block %d: %w", h, err)
			}
			if ok {
				s.Height = h
				list = append(list, s)
			}
		}
	}
	return list, nil
}

// settledHeights finds the blocks by the node's two indexes.
func settledHeights(ctx context.Context, node client.CometRPC, id uint64) ([]int64, error) {
	// A typed event's attribute is JSON, in which a uint64 is a string.
	query := fmt.Sprintf(`grafi.gpumarket.v1.EventRentalSettled.rental_id='"%d"'`, id)
	perPage := 100
	var heights []int64
	for page := 1; ; page++ {
		res, err := node.TxSearch(ctx, query, false, &page, &perPage, "asc")
		if err != nil {
			return nil, fmt.Errorf("search transactions: %w", err)
		}
		for _, tx := range res.Txs {
			heights = append(heights, tx.Height)
		}
		if page*perPage >= res.TotalCount {
			break
		}
	}
	for page := 1; ; page++ {
		res, err := node.BlockSearch(ctx, query, &page, &perPage, "asc")
		if err != nil {
			return nil, fmt.Errorf("search blocks: %w", err)
		}
		for _, b := range res.Blocks {
			heights = append(heights, b.Block.Height)
		}
		if page*perPage >= res.TotalCount {
			break
		}
	}
	slices.Sort(heights)
	return slices.Compact(heights), nil
}

func parseSettled(e abci.Event, id uint64) (settlement, bool, error) {
	if e.Type != "grafi.gpumarket.v1.EventRentalSettled" {
		return settlement{}, false, nil
	}
	// What baseapp adds to an event is no field of its message, and no JSON.
	e.Attributes = slices.DeleteFunc(slices.Clone(e.Attributes), func(a abci.EventAttribute) bool {
		return a.Key == "mode" || a.Key == "msg_index"
	})
	msg, err := sdk.ParseTypedEvent(e)
	if err != nil {
		return settlement{}, false, err
	}
	ev, ok := msg.(*markettypes.EventRentalSettled)
	if !ok || ev.RentalId != id {
		return settlement{}, false, nil
	}
	s := settlement{PaidUntil: ev.PaidUntil, parts: parts{Paid: ev.Paid.Amount}}
	for _, p := range []struct {
		to   *math.Int
		text string
	}{{&s.Provider, ev.Provider}, {&s.Stakers, ev.Stakers}, {&s.Treasury, ev.Treasury}, {&s.Burned, ev.Burned}, {&s.Rest, ev.Rest}} {
		n, ok := math.NewIntFromString(p.text)
		if p.text == "" {
			n, ok = math.ZeroInt(), true
		}
		if !ok {
			return settlement{}, false, fmt.Errorf("event of rental %d: amount %q is no number", id, p.text)
		}
		*p.to = n
	}
	return s, true, nil
}
