package rent

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/client"

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
	RentalID uint64   `json:"rental_id,string"`
	State    string   `json:"state"`
	Denom    string   `json:"denom"`
	Escrowed math.Int `json:"escrowed"`
	Total    parts    `json:"total"`
	Refunded math.Int `json:"refunded"`
	Escrow   math.Int `json:"in_escrow"`
	// Moved went to the rental that replaces this one.
	Moved math.Int `json:"moved"`
	// FromStake is what the operator's stake paid, in the stake's denom.
	FromStake   []stakeClaim `json:"from_stake"`
	Settlements []settlement `json:"settlements"`
	// Wrong says in words what does not add up; empty when everything does.
	Wrong []string `json:"wrong"`
}

func ledgerCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "ledger [rental-id]", Short: "Show where every unit of a rental's money went, and check that it adds up",
		Long: `ledger adds up the settlement events of all blocks and compares them with the rental's
record: escrowed = paid + refunded + moved to a replacement + still in escrow, and
every payment is the sum of its parts. It fails when anything is off by one unit.
Below stands what the operator's stake paid: service credits, a forfeited bond,
penalties. The node must keep the indexes of transactions and blocks.`,
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
			story, err := readStory(cmd.Context(), c, id)
			if err != nil {
				return err
			}
			l := newLedger(resp.Rental, story)
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
func newLedger(r markettypes.Rental, events story) ledger {
	zero := parts{math.ZeroInt(), math.ZeroInt(), math.ZeroInt(), math.ZeroInt(), math.ZeroInt(), math.ZeroInt()}
	l := ledger{
		RentalID: r.Id, State: r.State.String(), Denom: r.Price.Denom, Escrowed: r.Escrowed, Refunded: r.Refunded,
		Escrow: r.Escrow, Moved: math.ZeroInt(), Total: zero, Settlements: events.settlements,
		FromStake: events.claims, Wrong: []string{},
	}
	if r.Failover != nil {
		l.Moved = r.Failover.Moved
	}
	for _, s := range events.settlements {
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
	if sum := r.Paid.Add(r.Refunded).Add(r.Escrow).Add(l.Moved); !sum.Equal(r.Escrowed) {
		l.Wrong = append(l.Wrong, fmt.Sprintf("paid + refunded + moved + in escrow is %s, escrowed was %s", sum, r.Escrowed))
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
	if l.Moved.IsPositive() {
		row("-", "moved to the replacement", l.Moved)
	}
	row("-", "still in escrow", l.Escrow)
	row("", "left over", l.Escrowed.Sub(l.Total.sum()).Sub(l.Refunded).Sub(l.Moved).Sub(l.Escrow))
	if err := t.Flush(); err != nil {
		return err
	}
	if len(l.FromStake) > 0 {
		fmt.Fprintln(w, "\nFrom the operator's stake")
		for _, claim := range l.FromStake {
			fmt.Fprintf(w, "  block %d: %s\n", claim.Height, claim)
		}
	}
	if len(l.Wrong) == 0 {
		_, err := fmt.Fprintf(w, "\nevery %s adds up\n", l.Denom)
		return err
	}
	return nil
}
