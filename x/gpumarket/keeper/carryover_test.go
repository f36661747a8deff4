package keeper_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/types/address"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// importRentals starts the market with n active rentals of 1,000 ugrafi a
// second and one GPU, on listings of 1,000 GPUs, one host each. They started at
// start, the first due of them end after 100 s and the others after a day.
func importRentals(f *fixture, n, due int, params types.Params) {
	f.t.Helper()
	gs := types.GenesisState{Params: params, NextListingId: 1}
	perListing := 1_000
	escrows := int64(0)
	for i := range n {
		if i%perListing == 0 {
			l := types.Listing{
				Id: gs.NextListingId, HostId: gs.NextListingId, Operator: str(operator), Class: class, Tier: types.TIER_GENERAL,
				Price: coin(hourly), MinDurationSeconds: 60, MaxDurationSeconds: 86_400, Status: types.LISTING_STATUS_OPEN,
				CreatedAt: start,
			}
			for ordinal := range uint32(perListing) {
				l.Gpus = append(l.Gpus, ordinal)
			}
			gs.Listings = append(gs.Listings, l)
			gs.NextListingId++
		}
		l := &gs.Listings[len(gs.Listings)-1]
		r := types.Rental{
			Id: l.Id<<types.RentalIDShift | l.RentalsOpened, ListingId: l.Id, HostId: l.HostId, Operator: l.Operator,
			Renter: str(renter), Gpus: []uint32{uint32(i % perListing)}, Price: coin(hourly), ManifestDigest: digest,
			State: types.RENTAL_STATE_ACTIVE, CreatedAt: start, StartBy: after(600), DurationSeconds: 86_400,
			StartedAt: ptr(start), PaidUntil: ptr(start), CheckSlot: slotAt(start) + 3, DueAt: judged(slotAt(start) + 3),
			Paid: math.ZeroInt(), Refunded: math.ZeroInt(),
			Type: types.RENTAL_TYPE_ON_DEMAND, Availability: types.NewAvailability(slotAt(start)),
		}
		if i < due {
			r.DurationSeconds, r.DueAt = 100, after(100)
		}
		r.EndsAt = ptr(after(int64(r.DurationSeconds)))
		r.Escrowed = math.NewInt(1_000 * int64(r.DurationSeconds))
		r.Escrow = r.Escrowed
		escrows += 1_000 * int64(r.DurationSeconds)
		l.RentalsOpened++
		gs.Rentals = append(gs.Rentals, r)
	}
	f.fund(renter, coin(escrows))
	require.NoError(f.t, f.bank.SendCoinsFromAccountToModule(f.ctx, renter, types.ModuleName, sdk.NewCoins(coin(escrows))))
	require.NoError(f.t, f.k.InitGenesis(f.ctx, gs))
}

// Ten thousand rentals end in one second (a hundred thousand with
// GRAFI_LONG_TESTS=1): no block closes more than the budget, and each rental is
// paid by its own time, whichever block it has to wait for.
func TestCarryOver(t *testing.T) {
	n, budget := 10_000, 1_000
	if os.Getenv("GRAFI_LONG_TESTS") != "" {
		n = 100_000
	}
	f := newEmptyFixture(t)
	params := types.DefaultParams()
	params.DeadlineBudget = uint32(budget)
	importRentals(f, n, n, params)

	f.beginBlock(after(100))
	for block := int64(0); ; block++ {
		f.beginBlock(after(100 + block))
		require.NoError(t, f.k.EndBlock(f.ctx))
		count := 0
		for _, e := range f.events() {
			if e.Type == "grafi.gpumarket.v1.EventRentalClosed" {
				count++
			}
		}
		require.LessOrEqual(t, count, budget)
		if count == 0 {
			require.Equal(t, int64(n/budget), block, "the queue is worked off as fast as the budget allows")
			break
		}
	}

	f.checkInvariants()
	for _, r := range f.state().Rentals {
		require.Equal(t, types.CLOSE_REASON_END_REACHED, r.CloseReason)
		require.Equal(t, after(100), *r.ClosedAt)
		require.Equal(t, "100000", r.Paid.String())
	}
	require.Zero(t, f.moduleBalance(types.ModuleName))
	require.Equal(t, int64(funds)+int64(n)*88_000, f.balance(operator))
}

// While rentals wait for their turn, messages see them as processed.
func TestMessagesOnARentalThatCarriedOver(t *testing.T) {
	f := newEmptyFixture(t)
	params := types.DefaultParams()
	params.DeadlineBudget = 1
	importRentals(f, 3, 3, params)
	f.beginBlock(after(130))
	require.NoError(t, f.k.EndBlock(f.ctx))
	last := uint64(firstRental + 2)
	require.Equal(t, types.RENTAL_STATE_ACTIVE, f.rental(last).State)

	require.Equal(t, []string{"100000ugrafi"}, f.settle(last))

	require.Equal(t, after(100), *f.rental(last).ClosedAt)
	f.checkInvariants()
}

// One rental that cannot be paid stops nobody else; it is parked with an event
// and taken up again by a settlement.
func TestBadRecordIsParked(t *testing.T) {
	for _, panics := range []bool{false, true} {
		f := newFixture(t)
		f.list()
		bad := sdk.AccAddress(address.Module("bad"))
		f.fund(bad, coin(funds))
		msg := rentMsg(1)
		msg.Renter, msg.GpuCount = str(bad), 1
		resp, err := deliver(f, f.msg.Rent, msg)
		require.NoError(t, err)
		good := f.rent(1, 2, 3_600)
		f.bank.refuse, f.bank.panics = bad, panics
		f.blocks(after(599), 599)
		want := f.state()

		f.blocks(after(600), 1)

		want.Rentals[0].Parked = true
		want.Rentals[1] = closed(want.Rentals[1], types.CLOSE_REASON_NOT_STARTED, 600, 0)
		requireState(t, f, want)
		require.Equal(t, types.RENTAL_STATE_CLOSED, f.rental(good).State)
		require.Len(t, f.events(), 2)
		require.Equal(t, "grafi.gpumarket.v1.EventDeadlineFailed", f.events()[0].Type)

		f.blocks(after(700), 1)
		requireState(t, f, want, "a parked rental waits")
		f.bank.refuse = nil
		f.settle(resp.RentalId)
		want.Rentals[0] = closed(want.Rentals[0], types.CLOSE_REASON_NOT_STARTED, 600, 0)
		want.Rentals[0].Parked = false
		requireState(t, f, want, "closed as of its own deadline")
		require.Equal(t, int64(funds), f.balance(bad))
		f.checkInvariants()
	}
}
