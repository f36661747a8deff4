package types_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

var genesisTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// goodGenesis has one listing of two GPUs, an active rental and a pending one.
func goodGenesis() types.GenesisState {
	at := func(s int64) *time.Time { v := genesisTime.Add(time.Duration(s) * time.Second); return &v }
	base := types.Rental{
		Id: 1 << 24, ListingId: 1, HostId: 7, Operator: "o", Renter: "r", Gpus: []uint32{0}, Price: sdk.NewInt64Coin("ugrafi", 3_600),
		ManifestDigest: make([]byte, 32), Type: types.RENTAL_TYPE_ON_DEMAND, State: types.RENTAL_STATE_PENDING, CreatedAt: genesisTime, StartBy: *at(600), DueAt: *at(600),
		DurationSeconds: 100, Escrowed: math.NewInt(100), Escrow: math.NewInt(100), Paid: math.ZeroInt(), Refunded: math.ZeroInt(),
	}
	active := base
	active.Id, active.Gpus, active.State = 1<<24+1, []uint32{1}, types.RENTAL_STATE_ACTIVE
	active.StartedAt, active.EndsAt, active.PaidUntil = at(1), at(101), at(11)
	active.Paid, active.Escrow = math.NewInt(10), math.NewInt(90)
	active.Availability = types.NewAvailability(8)
	return types.GenesisState{
		Params: types.DefaultParams(), NextListingId: 2,
		Listings: []types.Listing{{
			Id: 1, HostId: 7, Operator: "o", Gpus: []uint32{0, 1}, Class: "sim", Tier: types.TIER_GENERAL,
			Price: sdk.NewInt64Coin("ugrafi", 3_600), MinDurationSeconds: 60, MaxDurationSeconds: 3_600,
			Status: types.LISTING_STATUS_OPEN, CreatedAt: genesisTime, RentalsOpened: 2,
		}},
		Rentals:    []types.Rental{base, active},
		NotRunning: []types.NotRunningMark{{RentalId: active.Id, Slot: 9}},
	}
}

func TestGenesisValidate(t *testing.T) {
	require.NoError(t, types.DefaultGenesis().Validate())
	require.NoError(t, goodGenesis().Validate())
	listing := func(f func(*types.Listing)) func(*types.GenesisState) {
		return func(gs *types.GenesisState) { f(&gs.Listings[0]) }
	}
	pending := func(f func(*types.Rental)) func(*types.GenesisState) {
		return func(gs *types.GenesisState) { f(&gs.Rentals[0]) }
	}
	active := func(f func(*types.Rental)) func(*types.GenesisState) {
		return func(gs *types.GenesisState) { f(&gs.Rentals[1]) }
	}
	future := func(r *types.Rental) {
		r.Type, r.State = types.RENTAL_TYPE_RESERVED, types.RENTAL_STATE_RESERVED
		r.Reservation = &types.Reservation{StartAt: genesisTime.Add(time.Hour), Bond: math.NewInt(20), Forfeited: math.ZeroInt()}
	}
	monthly := func(r *types.Rental) {
		r.Type = types.RENTAL_TYPE_SUBSCRIPTION
		r.Subscription = &types.Subscription{PeriodSeconds: 50, Periods: 2, Balance: math.ZeroInt(), Cap: math.NewInt(100), Spent: math.NewInt(100)}
	}
	guarded := func(r *types.Rental) {
		r.Failover = &types.Failover{MaxPrice: r.Price, Reserve: math.ZeroInt(), Moved: math.ZeroInt()}
	}
	notice := genesisTime.Add(time.Minute)
	for _, good := range []func(*types.Rental){
		future, monthly, guarded, func(r *types.Rental) {
			r.Type, r.PreemptedBy, r.NoticeEndsAt = types.RENTAL_TYPE_INTERRUPTIBLE, 9, &notice
		},
	} {
		gs := goodGenesis()
		pending(good)(&gs)
		require.NoError(t, gs.Validate())
	}
	both := func(first, then func(*types.Rental)) func(*types.GenesisState) {
		return pending(func(r *types.Rental) { first(r); then(r) })
	}
	tests := map[string]func(*types.GenesisState){
		"no type":                  pending(func(r *types.Rental) { r.Type = 0 }),
		"unknown type":             pending(func(r *types.Rental) { r.Type = 5 }),
		"reserved without start":   pending(func(r *types.Rental) { r.State = types.RENTAL_STATE_RESERVED }),
		"type reserved only":       pending(func(r *types.Rental) { r.Type = types.RENTAL_TYPE_RESERVED }),
		"bond on demand":           both(future, func(r *types.Rental) { r.Type = types.RENTAL_TYPE_ON_DEMAND }),
		"bond over escrow":         both(future, func(r *types.Rental) { r.Reservation.Bond = math.NewInt(101) }),
		"no bond":                  both(future, func(r *types.Rental) { r.Reservation.Bond = math.Int{} }),
		"forfeited while open":     both(future, func(r *types.Rental) { r.Reservation.Forfeited = math.NewInt(1) }),
		"reserved for the past":    both(future, func(r *types.Rental) { r.Reservation.StartAt = genesisTime.Add(-1) }),
		"reserved and preempted":   both(future, func(r *types.Rental) { r.PreemptedBy = 1 }),
		"preempted on demand":      pending(func(r *types.Rental) { r.PreemptedBy, r.NoticeEndsAt = 9, &notice }),
		"preempted, no notice":     pending(func(r *types.Rental) { r.Type, r.PreemptedBy = types.RENTAL_TYPE_INTERRUPTIBLE, 9 }),
		"notice before the start":  pending(func(r *types.Rental) { r.NoticeEndsAt = &notice }),
		"no subscription":          pending(func(r *types.Rental) { r.Type = types.RENTAL_TYPE_SUBSCRIPTION }),
		"subscription on demand":   both(monthly, func(r *types.Rental) { r.Type = types.RENTAL_TYPE_ON_DEMAND }),
		"periods don't add up":     both(monthly, func(r *types.Rental) { r.Subscription.Periods = 3 }),
		"periods overflow":         both(monthly, func(r *types.Rental) { r.Subscription.Periods = 1 << 63; r.Subscription.PeriodSeconds = 1 << 63 }),
		"spent differs":            both(monthly, func(r *types.Rental) { r.Subscription.Spent = math.NewInt(99) }),
		"spent over cap":           both(monthly, func(r *types.Rental) { r.Subscription.Cap = math.NewInt(99) }),
		"negative balance":         both(monthly, func(r *types.Rental) { r.Subscription.Balance = math.NewInt(-1) }),
		"cancelled with a balance": both(monthly, func(r *types.Rental) { r.Subscription.Cancelled = true; r.Subscription.Balance = math.OneInt() }),
		"failover in other denom":  both(guarded, func(r *types.Rental) { r.Failover.MaxPrice.Denom = "uusdc" }),
		"failover under price":     both(guarded, func(r *types.Rental) { r.Failover.MaxPrice = sdk.NewInt64Coin("ugrafi", 3_599) }),
		"replaced while open":      both(guarded, func(r *types.Rental) { r.Failover.ReplacedBy = 1 }),
		"negative reserve":         both(guarded, func(r *types.Rental) { r.Failover.Reserve = math.NewInt(-1) }),
		"warnings":                 pending(func(r *types.Rental) { r.BalanceWarnings = 3 }),
		"availability too early":   pending(func(r *types.Rental) { r.Availability = types.NewAvailability(1) }),
		"no availability":          active(func(r *types.Rental) { r.Availability = nil }),
		"bad availability":         active(func(r *types.Rental) { r.Availability.Run = 9 }),
		"paid for missed seconds":  active(func(r *types.Rental) { r.Availability.UnbilledSeconds = 1 }),
		"interruptible price":      listing(func(l *types.Listing) { p := sdk.NewInt64Coin("ugrafi", 3_601); l.InterruptiblePrice = &p }),
		"interruptible denom":      listing(func(l *types.Listing) { p := sdk.NewInt64Coin("uusdc", 1); l.InterruptiblePrice = &p }),
		"ahead":                    listing(func(l *types.Listing) { l.MaxAheadSeconds = 1 << 63 }),
		"params":                   func(gs *types.GenesisState) { gs.Params.SilenceSlots = 0 },
		"listing id zero":          func(gs *types.GenesisState) { gs.NextListingId = 0 },
		"listing id ahead":         listing(func(l *types.Listing) { l.Id = 2 }),
		"listing twice":            func(gs *types.GenesisState) { gs.Listings = append(gs.Listings, gs.Listings[0]) },
		"GPU in two listings": func(gs *types.GenesisState) {
			l := gs.Listings[0]
			l.Id = 2
			gs.NextListingId = 3
			gs.Listings = append(gs.Listings, l)
		},
		"listing without GPU":  listing(func(l *types.Listing) { l.Gpus = nil }),
		"GPUs not ascending":   listing(func(l *types.Listing) { l.Gpus = []uint32{1, 0} }),
		"listing status":       listing(func(l *types.Listing) { l.Status = 0 }),
		"listing tier":         listing(func(l *types.Listing) { l.Tier = 0 }),
		"listing class":        listing(func(l *types.Listing) { l.Class = "" }),
		"listing operator":     listing(func(l *types.Listing) { l.Operator = "" }),
		"listing price":        listing(func(l *types.Listing) { l.Price = sdk.Coin{} }),
		"listing durations":    listing(func(l *types.Listing) { l.MinDurationSeconds = 0 }),
		"listing notice":       listing(func(l *types.Listing) { l.NoticeSeconds = 1 << 40 }),
		"listing allow-list":   listing(func(l *types.Listing) { l.AllowList = []string{"r"} }),
		"rentals opened":       listing(func(l *types.Listing) { l.RentalsOpened = 1 }),
		"rental twice":         func(gs *types.GenesisState) { gs.Rentals = append(gs.Rentals, gs.Rentals[0]) },
		"rental of no listing": pending(func(r *types.Rental) { r.ListingId = 5 }),
		"rental of another":    pending(func(r *types.Rental) { r.Id = 2 << 24 }),
		"rental's host":        pending(func(r *types.Rental) { r.HostId = 8 }),
		"rental's operator":    pending(func(r *types.Rental) { r.Operator = "p" }),
		"rental's renter":      pending(func(r *types.Rental) { r.Renter = "" }),
		"rental's GPUs":        pending(func(r *types.Rental) { r.Gpus = []uint32{0, 0} }),
		"rental's price":       pending(func(r *types.Rental) { r.Price.Amount = math.ZeroInt() }),
		"rental's digest":      pending(func(r *types.Rental) { r.ManifestDigest = nil }),
		"rental's duration":    pending(func(r *types.Rental) { r.DurationSeconds = 0 }),
		"rental's state":       pending(func(r *types.Rental) { r.State = 0 }),
		"reserved":             pending(func(r *types.Rental) { r.State = types.RENTAL_STATE_RESERVED }),
		"pending has started":  pending(func(r *types.Rental) { r.State = types.RENTAL_STATE_ACTIVE }),
		"active has not":       active(func(r *types.Rental) { r.State = types.RENTAL_STATE_PENDING }),
		"half a start":         active(func(r *types.Rental) { r.PaidUntil = nil }),
		"wrong end":            active(func(r *types.Rental) { r.DurationSeconds++ }),
		"closed without time":  active(func(r *types.Rental) { r.State = types.RENTAL_STATE_CLOSED }),
		"open with a reason":   active(func(r *types.Rental) { r.CloseReason = types.CLOSE_REASON_SILENT }),
		"bad result":           active(func(r *types.Rental) { r.Result = &types.WorkloadResult{ExitCode: 1} }),
		"no amount":            pending(func(r *types.Rental) { r.Escrow = math.Int{} }),
		"negative amount":      pending(func(r *types.Rental) { r.Escrow, r.Refunded = math.NewInt(101), math.NewInt(-1) }),
		"wrong escrow":         pending(func(r *types.Rental) { r.Escrowed, r.Escrow = math.NewInt(99), math.NewInt(99) }),
		"sum is off":           pending(func(r *types.Rental) { r.Escrow = math.NewInt(99) }),
		"refunded while open":  pending(func(r *types.Rental) { r.Escrow, r.Refunded = math.NewInt(99), math.NewInt(1) }),
		"paid too much":        active(func(r *types.Rental) { r.Escrow, r.Paid = math.NewInt(89), math.NewInt(11) }),
		"GPU booked twice":     active(func(r *types.Rental) { r.Gpus = []uint32{0} }),
		"mark twice":           func(gs *types.GenesisState) { gs.NotRunning = append(gs.NotRunning, gs.NotRunning[0]) },
		"mark on nothing":      func(gs *types.GenesisState) { gs.NotRunning[0].RentalId = 1 },
		"mark on a pending":    func(gs *types.GenesisState) { gs.NotRunning[0].RentalId = 1 << 24 },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			gs := goodGenesis()
			change(&gs)
			require.Error(t, gs.Validate())
		})
	}
}
