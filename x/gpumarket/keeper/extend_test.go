package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

func extendMsg() *types.MsgExtendRental {
	return &types.MsgExtendRental{Renter: str(renter), RentalId: firstRental, Seconds: 600}
}

func TestExtendRental(t *testing.T) {
	f := newFixture(t)
	id := f.active(2, 600)
	_, err := deliver(f, f.msg.ChangeListing, &types.MsgChangeListing{Operator: str(operator), ListingId: 1, Price: coin(2 * hourly)})
	require.NoError(t, err)
	f.beginBlock(after(599))
	want := f.state()

	_, err = deliver(f, f.msg.ExtendRental, extendMsg())

	require.NoError(t, err)
	r := &want.Rentals[0]
	r.DurationSeconds, r.EndsAt, r.DueAt = 1_200, ptr(after(1_200)), after(1_200)
	r.BalanceWarnings = 2
	r.Escrowed, r.Escrow = math.NewInt(2_400_000), math.NewInt(2_400_000)
	requireState(t, f, want, "at the rental's own price")
	requireEvents(t, f, &types.EventRentalExtended{RentalId: id, Added: coin(1_200_000), EndsAt: after(1_200)})
	require.Equal(t, int64(funds-2_400_000), f.balance(renter))
	f.blocks(after(1_199), 1)
	require.Equal(t, types.RENTAL_STATE_ACTIVE, f.rental(id).State)
	f.blocks(after(1_200), 1)
	require.Equal(t, types.CLOSE_REASON_END_REACHED, f.rental(id).CloseReason)
	require.Equal(t, math.NewInt(2_400_000), f.rental(id).Paid)
}

func TestExtendRentalRefuses(t *testing.T) {
	tests := map[string]struct {
		given func(*fixture)
		msg   func(*types.MsgExtendRental)
		want  error
	}{
		"unknown rental": {msg: func(m *types.MsgExtendRental) { m.RentalId++ }, want: types.ErrRentalNotFound},
		"bad address":    {msg: func(m *types.MsgExtendRental) { m.Renter = "x" }, want: sdkerrors.ErrInvalidAddress},
		"foreign owner":  {msg: func(m *types.MsgExtendRental) { m.Renter = str(stranger) }, want: types.ErrNotOwner},
		"zero":           {msg: func(m *types.MsgExtendRental) { m.Seconds = 0 }, want: types.ErrInvalidDuration},
		"too long":       {msg: func(m *types.MsgExtendRental) { m.Seconds = 30*86_400 - 600 + 1 }, want: types.ErrInvalidDuration},
		"overflow":       {msg: func(m *types.MsgExtendRental) { m.Seconds = 1<<64 - 1 }, want: types.ErrInvalidDuration},
		"no funds":       {given: func(f *fixture) { f.drain(renter) }, want: sdkerrors.ErrInsufficientFunds},
		"closed":         {given: func(f *fixture) { f.close(renter, firstRental) }, want: types.ErrNotActive},
		"over":           {given: func(f *fixture) { f.beginBlock(after(600)) }, want: types.ErrNotActive},
		"under notice":   {given: func(f *fixture) { f.close(operator, firstRental) }, want: types.ErrNoticeGiven},
		"paused":         {given: func(f *fixture) { f.mustStatus(types.LISTING_STATUS_PAUSED) }, want: types.ErrListingNotOpen},
		"jailed":         {given: func(f *fixture) { f.staking.notRentable = errStake }, want: errStake},
		"host revoked": {given: func(f *fixture) { f.attestation.host.Status = attestationtypes.HOST_STATUS_REVOKED },
			want: types.ErrHostNotActive},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.active(2, 600)
			msg := extendMsg()
			if tc.given != nil {
				tc.given(f)
			}
			if tc.msg != nil {
				tc.msg(msg)
			}
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.ExtendRental, msg); return err })
		})
	}
}

func TestExtendRentalBeforeItsStart(t *testing.T) {
	f := newFixture(t)
	f.rent(f.list(), 1, 600)
	requireRefused(t, f, types.ErrNotActive, func() error { _, err := deliver(f, f.msg.ExtendRental, extendMsg()); return err })
}
