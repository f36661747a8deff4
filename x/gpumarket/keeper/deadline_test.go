package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// Each test here lets the chain advance with nobody sending anything.

func TestDeadlineNotStarted(t *testing.T) {
	for _, step := range []int64{1, 599} { // a block every second, and one far too late
		f := newFixture(t)
		id := f.rent(f.list(), 2, 3_600)
		want := f.state()
		f.blocks(after(599), step)
		requireState(t, f, want, "a second before the deadline")

		f.blocks(after(599+step), step)

		want.Rentals[0] = closed(want.Rentals[0], types.CLOSE_REASON_NOT_STARTED, 600, 0)
		requireState(t, f, want)
		require.Equal(t, int64(funds), f.balance(renter), "full refund")
		requireEvents(t, f, &types.EventRentalClosed{
			RentalId: id, HostId: hostID, Reason: types.CLOSE_REASON_NOT_STARTED, Refunded: coin(7_200_000), ClosedAt: after(600),
		})
		f.rent(1, 4, 60)
	}
}

func TestDeadlineEndReached(t *testing.T) {
	for _, step := range []int64{1, 61, 3_600} {
		f := newFixture(t)
		id := f.active(2, 90)
		f.blocks(after(89), 1)
		want := f.state()
		require.Equal(t, types.RENTAL_STATE_ACTIVE, want.Rentals[0].State, "a second before the end")

		f.blocks(after(89+step), step)

		want.Rentals[0] = closed(want.Rentals[0], types.CLOSE_REASON_END_REACHED, 90, 180_000)
		want.Rentals[0].PaidUntil = ptr(after(90))
		requireState(t, f, want, "paid by its own time, however late the block")
		require.Equal(t, int64(funds-180_000), f.balance(renter))
		requireEvents(t, f,
			&types.EventRentalSettled{
				RentalId: id, Paid: coin(180_000), Provider: "158400", Stakers: "9000", Treasury: "7200", Burned: "5400",
				Rest: "0", PaidUntil: after(90),
			},
			&types.EventRentalClosed{
				RentalId: id, HostId: hostID, Reason: types.CLOSE_REASON_END_REACHED, Refunded: coin(0), ClosedAt: after(90),
			})
	}
}

func TestDeadlineNoticeOver(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 3_600)
	f.close(operator, id) // 900 s of notice
	f.blocks(after(899), 1)
	require.Equal(t, types.RENTAL_STATE_ACTIVE, f.rental(id).State)
	f.blocks(after(901), 2)
	r := f.rental(id)
	require.Equal(t, types.CLOSE_REASON_OPERATOR_CLOSED, r.CloseReason)
	require.Equal(t, after(900), *r.ClosedAt)
	require.Equal(t, math.NewInt(900_000), r.Paid)
	require.Equal(t, int64(funds-900_000), f.balance(renter))
}

// The host dies in slot 2. Slots 2, 3 and 4 fail; slot 4 ends at 3,000 and is
// judged 121 s after its closing block.
func TestDeadlineSilence(t *testing.T) {
	tests := map[string]struct {
		marked int // of the three slots, how many the host itself listed as not running
		want   types.CloseReason
	}{
		"no sign of life":          {0, types.CLOSE_REASON_SILENT},
		"listed as not running":    {3, types.CLOSE_REASON_NOT_RUNNING},
		"some of this and of that": {2, types.CLOSE_REASON_SILENT},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			id := f.active(1, 86_400)
			for i := range uint64(3) {
				slot := slotAt(start) + 2 + i
				if int(i) < tc.marked {
					require.NoError(t, f.k.Hooks().AfterRentalsNotRunning(f.ctx, hostID, slot, []uint64{id}))
				} else {
					f.attestation.dead[slot] = true
				}
			}
			f.blocks(after(3_120), 1)
			require.Equal(t, types.RENTAL_STATE_ACTIVE, f.rental(id).State, "a second before")
			f.blocks(after(3_121), 1)

			r := f.rental(id)
			require.Equal(t, tc.want, r.CloseReason)
			require.Equal(t, after(3_121), *r.ClosedAt)
			require.Equal(t, after(1_200), *r.PaidUntil, "paid to the start of the first failed slot")
			require.Equal(t, math.NewInt(1_200_000), r.Paid)
			require.Equal(t, int64(funds), f.balance(renter), "one slot of four: the whole fee is credited")
			require.Equal(t, math.NewInt(1_200_000), r.Availability.Credited)
			// 1,800 s without the free 300: five steps of 0.1 % of the requirement.
			require.Equal(t, int64(ownStake-1_000_000-1_200_000), f.freeStake())
			require.Empty(t, f.state().NotRunning)
			f.rent(1, 4, 60)
		})
	}
}

func TestSilenceFromTheStartPaysTheSlotOfTheStart(t *testing.T) {
	f := newFixture(t)
	f.beginBlock(after(500))
	id := f.active(1, 86_400)
	for i := range uint64(4) {
		f.attestation.dead[slotAt(start)+i] = true
	}
	f.blocks(after(2_600), 1)
	require.Equal(t, types.CLOSE_REASON_SILENT, f.rental(id).CloseReason)
	require.Equal(t, math.NewInt(100_000), f.rental(id).Paid)
}

// Two of three slots fail again and again: the host lives, the rental goes on.
func TestOneGoodSlotInAWindowKeepsTheRental(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 20_000)
	for slot := slotAt(start) + 1; slot < slotAt(start)+40; slot++ {
		f.attestation.dead[slot] = slot%3 != 0
	}
	f.blocks(after(19_999), 7)
	require.Equal(t, types.RENTAL_STATE_ACTIVE, f.rental(id).State)
	f.blocks(after(20_000), 1)
	require.Equal(t, types.CLOSE_REASON_END_REACHED, f.rental(id).CloseReason)
}

// The end of a rental on a host that has just died is billed without the run of
// failed slots.
func TestEndReachedOnAFailingHost(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 2_000)
	f.attestation.dead[slotAt(start)+2] = true // ends at 1,800, judged at 1,921
	f.attestation.dead[slotAt(start)+3] = true
	f.blocks(after(2_000), 10)
	r := f.rental(id)
	require.Equal(t, types.CLOSE_REASON_END_REACHED, r.CloseReason)
	require.Equal(t, math.NewInt(1_200_000), r.Paid)
}

// A chain halt costs an honest host nothing: one block closes the missed slots,
// which can then all be attested, and nothing is judged before.
func TestHaltOfTheChain(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 86_400)
	f.blocks(after(700), 1)
	f.beginBlock(after(50_000))
	f.endBlock()
	require.Equal(t, types.RENTAL_STATE_ACTIVE, f.rental(id).State)
	require.Equal(t, after(50_000+121), f.rental(id).DueAt, "when the missed slots are judged")
	f.blocks(after(50_200), 1)
	require.Equal(t, types.RENTAL_STATE_ACTIVE, f.rental(id).State)
	f.blocks(after(86_400), 60)
	require.Equal(t, math.NewInt(86_400_000), f.rental(id).Paid)
}

// However rarely a block comes, the money is the same.
func TestLateBlocksPayTheSame(t *testing.T) {
	paid := func(step int64) []string {
		f := newFixture(t)
		silent := f.active(1, 86_400)
		ending := f.rent(1, 1, 1_234)
		f.confirm(ending)
		// Ends at 3,700: slot 5, which is judged bad at 3,721, is too late to count.
		justBefore := f.rent(1, 1, 3_700)
		f.confirm(justBefore)
		f.rent(1, 1, 60) // never starts
		for slot := slotAt(start) + 5; slot < slotAt(start)+200; slot++ {
			f.attestation.dead[slot] = true
		}
		// Slots must close in time, or a late block would be a chain halt.
		for now := int64(600); now <= 12_000; now += 600 {
			f.beginBlock(after(now))
			if now%step == 0 {
				f.endBlock()
			}
		}
		f.checkInvariants()
		require.Equal(t, "3700000", f.rental(justBefore).Paid.String())
		return []string{f.rental(silent).Paid.String(), f.rental(ending).Paid.String(), f.rental(silent).ClosedAt.String()}
	}
	require.Equal(t, paid(600), paid(12_000))
	require.Equal(t, "3000000", paid(600)[0])
}

func TestClosedRentalIsPruned(t *testing.T) {
	f := newFixture(t)
	f.setParams(func(p *types.Params) { p.ClosedRetention = time.Hour })
	id := f.active(1, 60)
	f.blocks(after(60), 60)
	f.blocks(after(60+3_599), 3_599)
	require.Equal(t, types.RENTAL_STATE_CLOSED, f.rental(id).State)
	f.blocks(after(60+3_600), 1)
	_, err := f.k.Rental(f.ctx, id)
	require.ErrorIs(t, err, types.ErrRentalNotFound)
	require.Empty(t, f.state().Rentals)
	q, err := queryRenter(f)
	require.NoError(t, err)
	require.Empty(t, q.Rentals)
}

// A longer or shorter window applies from the next check, without closing early
// and without paying what nobody proved.
func TestSilenceWindowChangesDuringARental(t *testing.T) {
	for _, n := range []uint32{1, 6} {
		f := newFixture(t)
		id := f.active(1, 86_400)
		f.blocks(after(700), 10)
		f.setParams(func(p *types.Params) { p.SilenceSlots = n })
		for slot := slotAt(start) + 2; slot < slotAt(start)+100; slot++ {
			f.attestation.dead[slot] = true
		}
		f.blocks(after(10_000), 10)
		r := f.rental(id)
		require.Equal(t, types.CLOSE_REASON_SILENT, r.CloseReason)
		require.Equal(t, after(1_200), *r.PaidUntil)
		if n == 6 {
			require.Equal(t, after(8*600+121), *r.ClosedAt)
		}
	}
}
