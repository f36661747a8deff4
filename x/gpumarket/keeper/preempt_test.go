package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

func interruptibleMsg(gpus uint32, secs uint64) *types.MsgRent {
	msg := rentMsg(1)
	msg.Interruptible, msg.GpuCount, msg.DurationSeconds = true, gpus, secs
	return msg
}

// interruptible is a running interruptible rental, at 500 ugrafi per GPU and second.
func (f *fixture) interruptible(gpus uint32, secs uint64) uint64 {
	f.t.Helper()
	resp, err := deliver(f, f.msg.Rent, interruptibleMsg(gpus, secs))
	require.NoError(f.t, err)
	f.confirm(resp.RentalId)
	return resp.RentalId
}

func TestRentInterruptible(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	f.beginBlock(start)
	want := f.state()

	resp, err := deliver(f, f.msg.Rent, interruptibleMsg(2, 3_600))

	require.NoError(t, err)
	want.Listings[0].RentalsOpened = 1
	want.Rentals = []types.Rental{{
		Id: resp.RentalId, ListingId: 1, HostId: hostID, Operator: str(operator), Renter: str(renter), Gpus: []uint32{0, 1},
		Price: coin(hourly / 2), ManifestDigest: digest, Type: types.RENTAL_TYPE_INTERRUPTIBLE, State: types.RENTAL_STATE_PENDING,
		CreatedAt: start, StartBy: after(600), DueAt: after(600), DurationSeconds: 3_600,
		Escrowed: math.NewInt(hourly), Escrow: math.NewInt(hourly), Paid: math.ZeroInt(), Refunded: math.ZeroInt(),
	}}
	requireState(t, f, want)
	require.Zero(t, f.bonded())
	f.checkInvariants()
}

func TestRentInterruptibleRefuses(t *testing.T) {
	f := newFixture(t)
	f.list()
	requireRefused(t, f, types.ErrNotInterruptible, func() error {
		_, err := deliver(f, f.msg.Rent, interruptibleMsg(1, 3_600))
		return err
	})
	f = newFixture(t)
	f.reservable()
	requireRefused(t, f, types.ErrPriceTooHigh, func() error {
		msg := interruptibleMsg(1, 3_600)
		msg.MaxPrice = coin(hourly/2 - 1)
		_, err := deliver(f, f.msg.Rent, msg)
		return err
	})
	f.interruptible(4, 3_600)
	requireRefused(t, f, types.ErrNoFreeGPUs, func() error { // it takes nobody's GPUs
		_, err := deliver(f, f.msg.Rent, interruptibleMsg(1, 3_600))
		return err
	})
}

// A rental that finds too few free GPUs takes those of interruptible ones, and
// begins when their notice is over.
func TestPreemption(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	first := f.interruptible(1, 7_200)
	second := f.interruptible(2, 7_200)
	f.beginBlock(after(100))
	want := f.state()

	resp, err := deliver(f, f.msg.Rent, rentMsg(1)) // two GPUs: one is free, one is the first rental's

	require.NoError(t, err)
	require.Len(t, f.events(), 2)
	v := &want.Rentals[0]
	v.PreemptedBy, v.NoticeEndsAt, v.DueAt = resp.RentalId, ptr(after(160)), after(160)
	want.Listings[0].RentalsOpened = 3
	want.Rentals = append(want.Rentals, types.Rental{
		Id: resp.RentalId, ListingId: 1, HostId: hostID, Operator: str(operator), Renter: str(renter), Gpus: []uint32{0, 3},
		Price: coin(hourly), ManifestDigest: digest, Type: types.RENTAL_TYPE_ON_DEMAND, State: types.RENTAL_STATE_RESERVED,
		CreatedAt: after(100), StartBy: after(760), DueAt: after(160), DurationSeconds: 3_600,
		Escrowed: math.NewInt(7_200_000), Escrow: math.NewInt(7_200_000), Paid: math.ZeroInt(), Refunded: math.ZeroInt(),
		Reservation: &types.Reservation{StartAt: after(160), Bond: math.ZeroInt(), Forfeited: math.ZeroInt()},
	})
	requireState(t, f, want, "the second rental goes on")
	requireEvents(t, f,
		&types.EventRentalPreempted{RentalId: first, HostId: hostID, By: resp.RentalId, EndsAt: after(160)},
		&types.EventRentalOpened{
			RentalId: resp.RentalId, ListingId: 1, HostId: hostID, Renter: str(renter), Gpus: []uint32{0, 3}, Escrow: coin(7_200_000),
			Type: types.RENTAL_TYPE_ON_DEMAND, StartAt: after(160), Bond: "0",
		})
	f.checkInvariants()

	f.blocks(after(159), 1)
	require.Equal(t, types.RENTAL_STATE_ACTIVE, f.rental(first).State)
	require.Equal(t, types.RENTAL_STATE_RESERVED, f.rental(resp.RentalId).State)
	before := f.balance(renter)
	f.blocks(after(160), 1)
	r := f.rental(first)
	require.Equal(t, types.CLOSE_REASON_PREEMPTED, r.CloseReason)
	require.Equal(t, math.NewInt(80_000), r.Paid, "160 s at 500")
	require.Equal(t, math.NewInt(3_520_000), r.Refunded)
	require.Equal(t, before+3_520_000, f.balance(renter))
	require.Equal(t, types.RENTAL_STATE_PENDING, f.rental(resp.RentalId).State)
	require.Equal(t, types.RENTAL_STATE_ACTIVE, f.rental(second).State)
	f.confirm(resp.RentalId)
	f.checkInvariants()
}

// A victim of several GPUs ends whole, and only the GPUs that are needed go.
func TestPreemptionOfARentalWithSeveralGPUs(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	first := f.interruptible(3, 7_200)
	second := f.interruptible(1, 7_200)
	id := f.rent(1, 1, 3_600)
	require.Equal(t, []uint32{0}, f.rental(id).Gpus, "the lowest ordinal")
	require.Equal(t, id, f.rental(first).PreemptedBy)
	require.Zero(t, f.rental(second).PreemptedBy)
	// All of the victim's GPUs are free from then on.
	third := f.rent(1, 2, 3_600)
	require.Equal(t, []uint32{1, 2}, f.rental(third).Gpus)
	require.Equal(t, types.RENTAL_STATE_RESERVED, f.rental(third).State, "they are not free now")
	require.Equal(t, id, f.rental(first).PreemptedBy, "it is not ended again")
	f.checkInvariants()
	requireRefused(t, f, types.ErrNoFreeGPUs, func() error { _, err := deliver(f, f.msg.Rent, rentMsg(1)); return err })
}

// A reservation leaves the victim its time until it begins.
func TestPreemptionByAReservation(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	victim := f.interruptible(4, day)
	id := f.reserve(7_200)
	require.Equal(t, after(7_200), *f.rental(victim).NoticeEndsAt)
	require.Equal(t, after(7_200), f.rental(id).Reservation.StartAt)
	require.Equal(t, int64(1_440_000), f.rental(id).Reservation.Bond.Int64(), "this one is bonded")
	f.checkInvariants()
	// The next one needs GPUs sooner: the victim's end moves forward.
	soon := f.rent(1, 1, 60)
	require.Equal(t, after(60), *f.rental(victim).NoticeEndsAt)
	require.Equal(t, soon, f.rental(victim).PreemptedBy)
	f.checkInvariants()
	f.blocks(after(60), 1)
	require.Equal(t, types.CLOSE_REASON_PREEMPTED, f.rental(victim).CloseReason)
}

// A reservation that begins within the notice is moved behind it.
func TestReservationWithinTheNotice(t *testing.T) {
	for second, want := range map[int64]int64{59: 60, 60: 60, 61: 61} {
		f := newFixture(t)
		f.reservable()
		victim := f.interruptible(4, day)
		id := f.reserve(second)
		require.Equal(t, after(want), f.rental(id).Reservation.StartAt)
		require.Equal(t, after(want), *f.rental(victim).NoticeEndsAt)
		f.checkInvariants()
	}
}

func TestPreemptionBeforeTheStart(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	resp, err := deliver(f, f.msg.Rent, interruptibleMsg(4, 3_600))
	require.NoError(t, err)
	f.rent(1, 4, 3_600)
	f.checkInvariants()
	f.blocks(after(60), 1)
	r := f.rental(resp.RentalId)
	require.Equal(t, types.CLOSE_REASON_PREEMPTED, r.CloseReason)
	require.True(t, r.Paid.IsZero())
	require.Equal(t, r.Escrowed, r.Refunded)
	f.checkInvariants()
}

// A rental that would end by itself before the new one begins is left alone, and
// a preempted one cannot be extended.
func TestPreemptionLeavesAlone(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	victim := f.interruptible(4, 3_600)
	f.reserve(3_600) // the very second of its end
	require.Zero(t, f.rental(victim).PreemptedBy)
	f.reserve(3_599 + 7_200)
	f.checkInvariants()

	f = newFixture(t)
	f.reservable()
	victim = f.interruptible(4, 3_600)
	f.reserve(3_599)
	require.NotZero(t, f.rental(victim).PreemptedBy)
	requireRefused(t, f, types.ErrNoticeGiven, func() error {
		_, err := deliver(f, f.msg.ExtendRental, &types.MsgExtendRental{Renter: str(renter), RentalId: victim, Seconds: 60})
		return err
	})
	requireRefused(t, f, types.ErrNoticeGiven, func() error {
		_, err := deliver(f, f.msg.CloseRental, &types.MsgCloseRental{Sender: str(operator), RentalId: victim})
		return err
	})
}

// Who ended others and then does not start pays as for a late cancellation.
func TestCancelAfterAPreemption(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	victim := f.interruptible(4, day)
	id := f.rent(1, 2, 3_600)
	f.close(renter, id)
	require.Equal(t, int64(720_000), f.rental(id).Paid.Int64())
	require.Equal(t, types.CLOSE_REASON_RENTER_CANCELLED, f.rental(id).CloseReason)
	f.checkInvariants()
	f.blocks(after(60), 60)
	require.Equal(t, types.CLOSE_REASON_PREEMPTED, f.rental(victim).CloseReason, "its notice stands")
	f.checkInvariants()
}

// Its operator gives an interruptible rental no more notice than a preemption does.
func TestOperatorNoticeOfAnInterruptible(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	id := f.interruptible(1, 3_600)
	require.Equal(t, after(60), f.close(operator, id))
	f.blocks(after(59), 1)
	require.Equal(t, types.RENTAL_STATE_ACTIVE, f.rental(id).State)
	f.blocks(after(60), 1)
	require.Equal(t, types.CLOSE_REASON_OPERATOR_CLOSED, f.rental(id).CloseReason)
	f.checkInvariants()
}

func TestQuoteTellsWhatWouldEnd(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	victim := f.interruptible(4, day)
	resp, err := f.query().Quote(f.ctx, &types.QueryQuoteRequest{ListingId: 1, GpuCount: 2, DurationSeconds: 3_600})
	require.NoError(t, err)
	require.Empty(t, resp.Obstacle)
	require.Equal(t, []uint64{victim}, resp.Preempts)
	require.Equal(t, after(60), resp.StartAt)
	require.Equal(t, coin(0), resp.Bond)

	resp, err = f.query().Quote(f.ctx, &types.QueryQuoteRequest{ListingId: 1, GpuCount: 2, DurationSeconds: 3_600, StartAt: ptr(after(day))})
	require.NoError(t, err)
	require.Equal(t, coin(1_440_000), resp.Bond)
	require.Zero(t, f.bonded(), "nothing stays of a quote")
	f.staking.setOwn(f.ctx, 0, 0)
	resp, err = f.query().Quote(f.ctx, &types.QueryQuoteRequest{ListingId: 1, GpuCount: 2, DurationSeconds: 3_600, StartAt: ptr(after(day))})
	require.NoError(t, err)
	require.Contains(t, resp.Obstacle, types.ErrNoBond.Error())

	resp, err = f.query().Quote(f.ctx, &types.QueryQuoteRequest{ListingId: 1, GpuCount: 1, DurationSeconds: 3_600, Interruptible: true})
	require.NoError(t, err)
	require.Equal(t, coin(hourly/2), resp.Escrow, "though nothing is free")
	require.Contains(t, resp.Obstacle, types.ErrNoFreeGPUs.Error())
}
