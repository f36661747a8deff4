package rent

import (
	"context"
	"fmt"
	"time"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/client"
	sdk "github.com/cosmos/cosmos-sdk/types"

	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// slaView is the availability of a rental's current period, and what the
// operator's stake owes for it if it ends as it stands.
type slaView struct {
	JudgedSlots     uint64 `json:"judged_slots,string"`
	MissedSlots     uint64 `json:"missed_slots,string"`
	AvailabilityPPM uint64 `json:"availability_ppm,string"`
	// Owed is the service credit for what the period has cost so far; zero once closed.
	Owed string `json:"owed"`
	// Credited is what the renter got, of all periods.
	Credited string `json:"credited"`
}

// getSLA is nil while no slot was judged.
func getSLA(ctx context.Context, c client.Context, r markettypes.Rental) (*slaView, error) {
	if r.Availability == nil || r.Availability.JudgedSlots == 0 {
		return nil, nil
	}
	params, err := markettypes.NewQueryClient(c).Params(ctx, &markettypes.QueryParamsRequest{})
	if err != nil {
		return nil, fmt.Errorf("params: %w", err)
	}
	v := newSLA(r, params.Params)
	return &v, nil
}

func newSLA(r markettypes.Rental, p markettypes.Params) slaView {
	a, coin := r.Availability, func(n math.Int) string { return sdk.NewCoin(r.Price.Denom, n).String() }
	v := slaView{
		JudgedSlots: a.JudgedSlots, MissedSlots: a.MissedSlots,
		AvailabilityPPM: (a.JudgedSlots - a.MissedSlots) * 1_000_000 / a.JudgedSlots,
		Owed:            coin(math.ZeroInt()), Credited: coin(a.Credited),
	}
	if r.State != markettypes.RENTAL_STATE_CLOSED {
		v.Owed = coin(p.ServiceCredit(r.Paid.Sub(a.PeriodPaid), a.JudgedSlots, a.MissedSlots))
	}
	return v
}

func (v slaView) String() string {
	return fmt.Sprintf("%s, %d of %d judged slots missed; service credit: %s owed, %s paid", percent(v.AvailabilityPPM),
		v.MissedSlots, v.JudgedSlots, v.Owed, v.Credited)
}

// termRows are the lines of a rental that only some kinds have.
func termRows(r markettypes.Rental, sla *slaView) (rows [][2]string) {
	add := func(name, format string, args ...any) {
		rows = append(rows, [2]string{name, fmt.Sprintf(format, args...)})
	}
	coin := func(n interface{ String() string }) string { return n.String() + r.Price.Denom }
	if sla != nil {
		add("availability", "%s", sla)
	}
	if v := r.Reservation; v != nil && r.Type == markettypes.RENTAL_TYPE_RESERVED {
		add("bond", "%s of the operator's stake, %s of it forfeited to the renter", coin(v.Bond), coin(v.Forfeited))
	}
	if r.PreemptedBy != 0 {
		add("preempted by", "rental %d", r.PreemptedBy)
	}
	if v := r.Subscription; v != nil {
		add("subscription", "period %d of %s each, balance %s, spent %s of at most %s", v.Periods,
			time.Duration(v.PeriodSeconds)*time.Second, coin(v.Balance), coin(v.Spent), coin(v.Cap))
		if v.Cancelled {
			add("", "cancelled: it ends with its period")
		}
	}
	if v := r.Failover; v != nil {
		add("failover", "at up to %s per GPU and hour, %s in reserve", v.MaxPrice, coin(v.Reserve))
		if v.Replaces != 0 {
			add("replaces", "rental %d", v.Replaces)
		}
		if v.ReplacedBy != 0 {
			add("replaced by", "rental %d, which got %s of the escrow; send it the manifest: grafid manifest send %d FILE", v.ReplacedBy, coin(v.Moved), v.ReplacedBy)
		}
	}
	if r.GroupId != 0 {
		add("group", "%d", r.GroupId)
	}
	return rows
}

func startAt(r markettypes.Rental) *time.Time {
	if r.Reservation == nil {
		return nil
	}
	return &r.Reservation.StartAt
}
