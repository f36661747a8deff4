package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

const day = 86_400

// reservable offers all GPUs, for two days ahead and also interruptible.
func (f *fixture) reservable() uint64 {
	f.t.Helper()
	msg := createMsg()
	msg.MaxAheadSeconds, msg.InterruptiblePrice = 2*day, ptr(coin(hourly/2))
	resp, err := deliver(f, f.msg.CreateListing, msg)
	require.NoError(f.t, err)
	return resp.ListingId
}

func reserveMsg(at int64) *types.MsgRent {
	msg := rentMsg(1)
	msg.StartAt = ptr(after(at))
	return msg
}

// reserve books two GPUs for an hour from that second on: 7,200,000 in escrow,
// 1,440,000 bonded.
func (f *fixture) reserve(at int64) uint64 {
	f.t.Helper()
	resp, err := deliver(f, f.msg.Rent, reserveMsg(at))
	require.NoError(f.t, err)
	return resp.RentalId
}

func TestReserve(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	f.beginBlock(start)
	want := f.state()

	id := f.reserve(day)

	want.Listings[0].RentalsOpened = 1
	want.Rentals = []types.Rental{{
		Id: id, ListingId: 1, HostId: hostID, Operator: str(operator), Renter: str(renter), Gpus: []uint32{0, 1},
		Price: coin(hourly), ManifestDigest: digest, Type: types.RENTAL_TYPE_RESERVED, State: types.RENTAL_STATE_RESERVED,
		CreatedAt: start, StartBy: after(day + 600), DueAt: after(day), DurationSeconds: 3_600,
		Escrowed: math.NewInt(7_200_000), Escrow: math.NewInt(7_200_000), Paid: math.ZeroInt(), Refunded: math.ZeroInt(),
		Reservation: &types.Reservation{StartAt: after(day), Bond: math.NewInt(1_440_000), Forfeited: math.ZeroInt()},
	}}
	requireState(t, f, want)
	requireEvents(t, f, &types.EventRentalOpened{
		RentalId: id, ListingId: 1, HostId: hostID, Renter: str(renter), Gpus: []uint32{0, 1}, Escrow: coin(7_200_000),
		Type: types.RENTAL_TYPE_RESERVED, StartAt: after(day), Bond: "1440000",
	})
	require.Equal(t, int64(funds-7_200_000), f.balance(renter))
	require.Equal(t, int64(1_440_000), f.bonded())
	f.checkInvariants()
}

func TestReserveRefuses(t *testing.T) {
	tests := map[string]struct {
		given func(*fixture)
		msg   func(*types.MsgRent)
		want  error
	}{
		"now":                {msg: func(m *types.MsgRent) { m.StartAt = ptr(start) }, want: types.ErrInvalidStart},
		"past":               {msg: func(m *types.MsgRent) { m.StartAt = ptr(after(-1)) }, want: types.ErrInvalidStart},
		"year one":           {msg: func(m *types.MsgRent) { m.StartAt = new(time.Time) }, want: types.ErrInvalidStart},
		"too far":            {msg: func(m *types.MsgRent) { m.StartAt = ptr(after(2*day + 1)) }, want: types.ErrNotReservable},
		"interruptible":      {msg: func(m *types.MsgRent) { m.Interruptible = true }, want: types.ErrInvalidStart},
		"no free stake":      {given: func(f *fixture) { f.staking.setOwn(f.ctx, 1_439_999, 0) }, want: types.ErrNoBond},
		"booked":             {given: func(f *fixture) { f.reserve(day); f.reserve(day) }, want: types.ErrNoFreeGPUs},
		"ends in another":    {given: func(f *fixture) { f.reserve(day + 4_199); f.reserve(day + 4_199) }, want: types.ErrNoFreeGPUs},
		"begins in another":  {given: func(f *fixture) { f.reserve(day - 4_199); f.reserve(day - 4_199) }, want: types.ErrNoFreeGPUs},
		"not enough money":   {given: func(f *fixture) { f.drain(renter) }, want: sdkerrors.ErrInsufficientFunds},
		"withdrawn":          {given: func(f *fixture) { require.NoError(f.t, f.setStatus(1, types.LISTING_STATUS_WITHDRAWN)) }, want: types.ErrListingNotOpen},
		"failover too cheap": {msg: func(m *types.MsgRent) { m.FailoverMaxPrice = ptr(coin(hourly - 1)) }, want: types.ErrInvalidFailover},
		"failover denom":     {msg: func(m *types.MsgRent) { m.FailoverMaxPrice = ptr(sdk.NewInt64Coin("uusdc", hourly)) }, want: types.ErrInvalidFailover},
		"no failover amount": {msg: func(m *types.MsgRent) { m.FailoverMaxPrice = &sdk.Coin{Denom: denom} }, want: types.ErrInvalidFailover},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.reservable()
			if tc.given != nil {
				tc.given(f)
			}
			msg := reserveMsg(day)
			if tc.msg != nil {
				tc.msg(msg)
			}
			bonded := f.bonded()
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.Rent, msg); return err })
			require.Equal(t, bonded, f.bonded())
		})
	}
}

func TestListingInAnotherDenomCannotBeReserved(t *testing.T) {
	f := newFixture(t)
	msg := createMsg()
	msg.Price.Denom, msg.MaxAheadSeconds = "uusdc", 60
	requireRefused(t, f, types.ErrNotReservable, func() error { _, err := deliver(f, f.msg.CreateListing, msg); return err })
	msg = createMsg()
	msg.MaxAheadSeconds = 30*day + 1
	requireRefused(t, f, types.ErrInvalidStart, func() error { _, err := deliver(f, f.msg.CreateListing, msg); return err })
}

// A GPU is free up to the second in which a reservation begins, and not one longer.
func TestReservationAndRentalsBeforeIt(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	f.reserve(4_200)
	f.reserve(4_200)
	require.Equal(t, []uint32{0, 1}, f.rental(f.rent(1, 2, 3_600)).Gpus, "600 s for the start and 3,600 s")
	requireRefused(t, f, types.ErrNoFreeGPUs, func() error {
		msg := rentMsg(1)
		msg.DurationSeconds = 3_601
		_, err := deliver(f, f.msg.Rent, msg)
		return err
	})
	f.checkInvariants()
}

func TestReservedStart(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	id := f.reserve(7_200)
	f.blocks(after(7_199), 60)
	require.Equal(t, types.RENTAL_STATE_RESERVED, f.rental(id).State)
	requireRefused(t, f, types.ErrNotPending, func() error { _, err := deliver(f, f.msg.ConfirmStart, confirmMsg(id)); return err })

	f.beginBlock(after(7_200))
	want := f.state()
	f.endBlock()
	want.Rentals[0].State, want.Rentals[0].DueAt = types.RENTAL_STATE_PENDING, after(7_800)
	requireState(t, f, want)
	requireEvents(t, f, &types.EventStartDue{RentalId: id, HostId: hostID, StartBy: after(7_800)})

	f.blocks(after(7_799), 60)
	f.confirm(id)
	r := f.rental(id)
	require.Equal(t, after(7_799), *r.StartedAt)
	require.Equal(t, after(7_799+3_600), *r.EndsAt)
	f.checkInvariants()
}

// A start in the very second in which the time comes needs no block in between.
func TestConfirmStartInTheSecondOfTheReservation(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	id := f.reserve(7_200)
	f.beginBlock(after(7_200))
	f.confirm(id)
	require.Equal(t, types.RENTAL_STATE_ACTIVE, f.rental(id).State)
	f.checkInvariants()
}

// The bond is a fifth of what is not served, at every settlement.
func TestBondIsReleasedWithDelivery(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	id := f.reserve(600)
	f.blocks(after(600), 60)
	f.confirm(id)
	f.blocks(after(700), 60)
	f.settle(id) // 100 s × 2,000
	r := f.rental(id)
	require.Equal(t, math.NewInt(7_000_000), r.Escrow)
	require.Equal(t, math.NewInt(1_400_000), r.Reservation.Bond)
	require.Equal(t, int64(1_400_000), f.bonded())
	require.Equal(t, "grafi.gpumarket.v1.EventBondReleased", f.events()[1].Type)

	f.blocks(after(4_200), 60)
	r = f.rental(id)
	require.Equal(t, types.CLOSE_REASON_END_REACHED, r.CloseReason)
	require.True(t, r.Reservation.Bond.IsZero())
	require.Zero(t, f.bonded())
	require.Equal(t, int64(ownStake), f.freeStake())
	require.Empty(t, f.staking.slashes)
	f.checkInvariants()
}

// Time that is added later is not bonded: the bond waits until the escrow is so
// small that a fifth of it is less.
func TestExtensionIsNotBonded(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	id := f.reserve(600)
	f.blocks(after(600), 60)
	f.confirm(id)
	_, err := deliver(f, f.msg.ExtendRental, &types.MsgExtendRental{Renter: str(renter), RentalId: id, Seconds: 3_600})
	require.NoError(t, err)
	require.Equal(t, int64(1_440_000), f.bonded())
	f.blocks(after(600+3_600), 60)
	f.settle(id) // a slot short of the hour: it ends within one that is not judged
	require.Equal(t, int64(1_440_000), f.bonded())
	f.blocks(after(600+3_600+721), 60)
	f.settle(id)
	require.Equal(t, f.rental(id).Escrow.QuoRaw(5), f.rental(id).Reservation.Bond)
	require.Less(t, f.bonded(), int64(1_440_000))
	f.checkInvariants()
}

// Who fails to deliver loses the bond that is left to the renter; otherwise it is
// released.
func TestBondAtTheClose(t *testing.T) {
	started := func(f *fixture, id uint64) { f.blocks(after(7_200), 60); f.confirm(id) }
	die := func(f *fixture, id uint64, marked bool) {
		started(f, id)
		for slot := slotAt(after(8_400)); slot < slotAt(after(12_000)); slot++ {
			f.attestation.dead[slot] = !marked
			if marked {
				require.NoError(f.t, f.k.Hooks().AfterRentalsNotRunning(f.ctx, hostID, slot, []uint64{id}))
			}
		}
		f.blocks(after(10_400), 60)
	}
	tests := map[types.CloseReason]struct {
		do        func(*fixture, uint64)
		forfeited int64
	}{
		types.CLOSE_REASON_NOT_STARTED:       {func(f *fixture, _ uint64) { f.blocks(after(7_800), 60) }, 1_440_000},
		types.CLOSE_REASON_OPERATOR_DECLINED: {func(f *fixture, id uint64) { f.close(operator, id) }, 1_440_000},
		types.CLOSE_REASON_OPERATOR_CLOSED: {func(f *fixture, id uint64) {
			started(f, id)
			f.close(operator, id) // 900 s of notice: 5,400,000 are not served
			f.blocks(after(8_100), 60)
		}, 1_080_000},
		types.CLOSE_REASON_SILENT:      {func(f *fixture, id uint64) { die(f, id, false) }, 960_000},
		types.CLOSE_REASON_NOT_RUNNING: {func(f *fixture, id uint64) { die(f, id, true) }, 960_000},
		types.CLOSE_REASON_RENTER_CANCELLED: {func(f *fixture, id uint64) {
			f.blocks(after(7_200), 60)
			f.close(renter, id)
		}, 0},
		types.CLOSE_REASON_RENTER_CLOSED: {func(f *fixture, id uint64) {
			started(f, id)
			f.beginBlock(after(7_300))
			f.close(renter, id)
		}, 0},
		types.CLOSE_REASON_END_REACHED: {func(f *fixture, id uint64) {
			started(f, id)
			f.blocks(after(10_800), 60)
		}, 0},
	}
	for reason, tc := range tests {
		t.Run(reason.String(), func(t *testing.T) {
			f := newFixture(t)
			f.reservable()
			id := f.reserve(7_200)
			tc.do(f, id)
			r := f.rental(id)
			require.Equal(t, reason, r.CloseReason)
			require.Equal(t, tc.forfeited, r.Reservation.Forfeited.Int64())
			require.Zero(t, f.bonded())
			var given int64
			for _, s := range f.staking.slashes {
				if s.Fault == stakingext.FAULT_ABANDONED_RESERVATION {
					given += s.Amount.Int64()
					require.Equal(t, s.Amount, s.VictimLoss)
					require.Equal(t, "reservation/16777216", s.FaultID)
					require.Equal(t, *r.ClosedAt, s.CommittedAt)
				}
			}
			require.Equal(t, tc.forfeited, given)
			require.Equal(t, funds-r.Paid.Int64()+tc.forfeited+credited(r), f.balance(renter))
			f.checkInvariants()
		})
	}
}

func credited(r types.Rental) int64 {
	if r.Availability == nil {
		return 0
	}
	return r.Availability.Credited.Int64()
}

// A stake that cannot pay stops no close: the bond is released and the event tells.
func TestBondOfAnOperatorThatCannotBeSlashed(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	id := f.reserve(600)
	f.staking.slashFails = errStake
	f.blocks(after(1_199), 60)
	require.Equal(t, types.RENTAL_STATE_PENDING, f.rental(id).State, "a second before start_by")
	f.beginBlock(after(1_200))
	f.endBlock()
	r := f.rental(id)
	require.Equal(t, types.CLOSE_REASON_NOT_STARTED, r.CloseReason)
	require.True(t, r.Reservation.Bond.IsZero())
	require.True(t, r.Reservation.Forfeited.IsZero())
	require.Zero(t, f.bonded())
	requireEvents(t, f,
		&types.EventSlashFailed{RentalId: id, FaultId: "reservation/16777216", Error: errStake.Error()},
		&types.EventRentalClosed{
			RentalId: id, HostId: hostID, Reason: types.CLOSE_REASON_NOT_STARTED, Refunded: coin(7_200_000), ClosedAt: after(1_200),
		})
}

// Free until a day before the start, a tenth later.
func TestCancelAReservation(t *testing.T) {
	for second, fee := range map[int64]int64{0: 0, day / 2: 0, day/2 + 1: 720_000, day: 720_000} {
		f := newFixture(t)
		f.reservable()
		id := f.reserve(day/2 + day)
		f.blocks(after(second), 3_600)
		f.beginBlock(after(second))
		want := f.state()

		f.close(renter, id)

		want.Rentals[0] = closed(want.Rentals[0], types.CLOSE_REASON_RENTER_CANCELLED, second, fee)
		want.Rentals[0].Reservation = &types.Reservation{StartAt: after(day/2 + day), Bond: math.ZeroInt(), Forfeited: math.ZeroInt()}
		requireState(t, f, want)
		require.Equal(t, funds-fee, f.balance(renter))
		require.Equal(t, funds+fee*88/100, f.balance(operator))
		require.Zero(t, f.moduleBalance(types.ModuleName))
		require.Equal(t, int64(ownStake), f.freeStake())
		f.checkInvariants()
		f.rent(1, 4, 3_600) // the GPUs are free
	}
}

func TestFailoverReserveIsHeldAndReturned(t *testing.T) {
	f := newFixture(t)
	f.list()
	msg := rentMsg(1)
	msg.FailoverMaxPrice = ptr(coin(hourly + 1_800))
	resp, err := deliver(f, f.msg.Rent, msg)
	require.NoError(t, err)
	r := f.rental(resp.RentalId)
	require.Equal(t, int64(3_600), r.Failover.Reserve.Int64(), "1,800 × 2 GPUs for an hour")
	require.Equal(t, int64(funds-7_200_000-3_600), f.balance(renter))
	f.checkInvariants()
	f.close(renter, r.Id)
	require.Equal(t, int64(funds), f.balance(renter))
	require.True(t, f.rental(r.Id).Failover.Reserve.IsZero())
	require.Equal(t, math.NewInt(7_200_000), f.rental(r.Id).Refunded, "the reserve is no part of it")
	f.checkInvariants()
}
