package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

func (f *fixture) close(sender sdk.AccAddress, id uint64) time.Time {
	f.t.Helper()
	resp, err := deliver(f, f.msg.CloseRental, &types.MsgCloseRental{Sender: str(sender), RentalId: id})
	require.NoError(f.t, err)
	return resp.ClosesAt
}

func (f *fixture) drain(addr sdk.AccAddress) {
	f.t.Helper()
	require.NoError(f.t, f.bank.SendCoins(f.ctx, addr, poor, sdk.NewCoins(f.bank.GetBalance(f.ctx, addr, denom))))
}

func moduleAddr(name string) sdk.AccAddress { return authtypes.NewModuleAddress(name) }

// closed is what a rental becomes when it closes at a second, with money of
// 1,000 ugrafi per GPU and second.
func closed(r types.Rental, reason types.CloseReason, second, paid int64) types.Rental {
	r.State, r.CloseReason, r.ClosedAt = types.RENTAL_STATE_CLOSED, reason, ptr(after(second))
	r.DueAt = after(second + 30*86_400)
	r.Paid, r.Escrow = math.NewInt(paid), math.ZeroInt()
	r.Refunded = r.Escrowed.Sub(r.Paid)
	return r
}

// goodSlots is a rental that started in the first slot, after so many good ones.
func goodSlots(r types.Rental, n uint64) types.Rental {
	a := types.NewAvailability(slotAt(start))
	a.CountedSlot, a.JudgedSlots = a.CountedSlot+n, n
	r.Availability = a
	return r
}

func TestCloseByRenter(t *testing.T) {
	tests := map[string]struct {
		second    int64
		paidUntil int64
	}{
		"in the second of the start": {0, 60},
		"within the minimum charge":  {59, 60},
		"at the minimum charge":      {60, 60},
		"after it":                   {61, 61},
		"a second before the end":    {3_599, 3_599},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			id := f.active(2, 3_600)
			f.blocks(after(tc.second), 60)
			f.beginBlock(after(tc.second))
			want := f.state()
			paid := 2_000 * tc.paidUntil

			require.Equal(t, after(tc.second), f.close(renter, id))

			want.Rentals[0] = closed(want.Rentals[0], types.CLOSE_REASON_RENTER_CLOSED, tc.second, paid)
			want.Rentals[0].PaidUntil = ptr(after(tc.paidUntil))
			if tc.second == 3_599 {
				want.Rentals[0] = goodSlots(want.Rentals[0], 4)
			}
			requireState(t, f, want)
			require.Equal(t, int64(funds)-paid, f.balance(renter))
			require.Zero(t, f.moduleBalance(types.ModuleName))
			p := types.DefaultParams().ContributorFees.Divide(math.NewInt(paid))
			requireEvents(t, f,
				&types.EventRentalSettled{
					RentalId: id, Paid: coin(paid), Provider: p.Provider.String(), Stakers: p.Stakers.String(),
					Treasury: p.Treasury.String(), Burned: p.Burned.String(), Rest: "0", PaidUntil: after(tc.paidUntil),
				},
				&types.EventRentalClosed{
					RentalId: id, HostId: hostID, Reason: types.CLOSE_REASON_RENTER_CLOSED,
					Refunded: coin(7_200_000 - paid), ClosedAt: after(tc.second),
				})
			f.checkInvariants()
			f.rent(1, 4, 60) // the GPUs are free
		})
	}
}

func TestMinimumChargeIsAtMostTheDuration(t *testing.T) {
	f := newFixture(t)
	f.setParams(func(p *types.Params) { p.MinChargeSeconds = 600 })
	id := f.active(1, 120)
	f.close(renter, id)
	require.Equal(t, math.NewInt(120_000), f.rental(id).Paid)
	f.checkInvariants()
}

func TestCloseBeforeTheStart(t *testing.T) {
	for sender, reason := range map[string]types.CloseReason{
		str(renter): types.CLOSE_REASON_RENTER_CANCELLED, str(operator): types.CLOSE_REASON_OPERATOR_DECLINED,
	} {
		t.Run(reason.String(), func(t *testing.T) {
			f := newFixture(t)
			id := f.rent(f.list(), 2, 3_600)
			f.beginBlock(after(5))
			want := f.state()

			_, err := deliver(f, f.msg.CloseRental, &types.MsgCloseRental{Sender: sender, RentalId: id})

			require.NoError(t, err)
			want.Rentals[0] = closed(want.Rentals[0], reason, 5, 0)
			requireState(t, f, want)
			require.Equal(t, int64(funds), f.balance(renter), "full refund")
			requireEvents(t, f, &types.EventRentalClosed{
				RentalId: id, HostId: hostID, Reason: reason, Refunded: coin(7_200_000), ClosedAt: after(5),
			})
			f.checkInvariants()
		})
	}
}

func TestCloseByOperatorGivesNotice(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 3_600)
	f.beginBlock(after(10))
	want := f.state()

	require.Equal(t, after(910), f.close(operator, id))

	want.Rentals[0].NoticeEndsAt, want.Rentals[0].DueAt = ptr(after(910)), after(910)
	requireState(t, f, want)
	requireEvents(t, f, &types.EventNoticeGiven{RentalId: id, EndsAt: after(910)})
	requireRefused(t, f, types.ErrNoticeGiven, func() error {
		_, err := deliver(f, f.msg.CloseRental, &types.MsgCloseRental{Sender: str(operator), RentalId: id})
		return err
	})
	f.close(renter, id) // the renter need not wait
}

func TestCloseByOperatorWithoutNotice(t *testing.T) {
	f := newFixture(t)
	msg := createMsg()
	msg.NoticeSeconds = 0
	_, err := deliver(f, f.msg.CreateListing, msg)
	require.NoError(t, err)
	id := f.rent(1, 1, 3_600)
	f.confirm(id)
	f.beginBlock(after(10))
	require.Equal(t, after(10), f.close(operator, id))
	require.Equal(t, types.CLOSE_REASON_OPERATOR_CLOSED, f.rental(id).CloseReason)
	require.Equal(t, math.NewInt(10_000), f.rental(id).Paid, "no minimum charge")
}

func TestCloseByOperatorNearTheEnd(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 600)
	require.Equal(t, after(600), f.close(operator, id), "the end comes before the notice is over")
	f.blocks(after(900), 60)
	require.Equal(t, types.CLOSE_REASON_END_REACHED, f.rental(id).CloseReason)
}

// A renter who leaves a host that fails its slots pays up to the first of them.
func TestCloseByRenterOfAFailingHost(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 7_200)
	for slot := slotAt(start) + 2; slot < slotAt(start)+9; slot++ {
		f.attestation.dead[slot] = true
	}
	f.blocks(after(1_930), 10) // slot 2 is judged, slot 3 runs
	f.close(renter, id)
	require.Equal(t, math.NewInt(1_200_000), f.rental(id).Paid)
	require.Equal(t, after(1_200), *f.rental(id).PaidUntil)
	f.checkInvariants()
}

// A close that comes after the rental's own deadline finds it done.
func TestCloseAfterTheEnd(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 60)
	f.beginBlock(after(75))
	require.Equal(t, after(60), f.close(renter, id))
	require.Equal(t, types.CLOSE_REASON_END_REACHED, f.rental(id).CloseReason)
	require.Equal(t, math.NewInt(60_000), f.rental(id).Paid)
}

func TestCloseRefuses(t *testing.T) {
	tests := map[string]struct {
		given func(*fixture)
		msg   types.MsgCloseRental
		want  error
	}{
		"unknown rental": {msg: types.MsgCloseRental{Sender: str(renter), RentalId: 1}, want: types.ErrRentalNotFound},
		"bad address":    {msg: types.MsgCloseRental{RentalId: firstRental}, want: sdkerrors.ErrInvalidAddress},
		"foreign owner":  {msg: types.MsgCloseRental{Sender: str(stranger), RentalId: firstRental}, want: types.ErrNotOwner},
		"closed": {given: func(f *fixture) { f.close(renter, firstRental) },
			msg: types.MsgCloseRental{Sender: str(renter), RentalId: firstRental}, want: types.ErrRentalClosed},
		"refund refused": {given: func(f *fixture) { f.bank.refuse = renter },
			msg: types.MsgCloseRental{Sender: str(renter), RentalId: firstRental}, want: errBank},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.active(1, 3_600)
			if tc.given != nil {
				tc.given(f)
			}
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.CloseRental, &tc.msg); return err })
		})
	}
}
