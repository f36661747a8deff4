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
	tests := map[string]func(*types.GenesisState){
		"params":           func(gs *types.GenesisState) { gs.Params.SilenceSlots = 0 },
		"listing id zero":  func(gs *types.GenesisState) { gs.NextListingId = 0 },
		"listing id ahead": listing(func(l *types.Listing) { l.Id = 2 }),
		"listing twice":    func(gs *types.GenesisState) { gs.Listings = append(gs.Listings, gs.Listings[0]) },
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
