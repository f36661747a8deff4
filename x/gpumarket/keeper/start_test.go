package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

func TestConfirmStart(t *testing.T) {
	f := newFixture(t)
	id := f.rent(f.list(), 2, 3_600)
	f.beginBlock(after(45))
	want := f.state()

	resp, err := deliver(f, f.msg.ConfirmStart, confirmMsg(id))

	require.NoError(t, err)
	require.Equal(t, after(45+3_600), resp.EndsAt)
	r := &want.Rentals[0]
	r.State, r.StartedAt, r.PaidUntil, r.EndsAt = types.RENTAL_STATE_ACTIVE, ptr(after(45)), ptr(after(45)), ptr(after(45+3_600))
	r.CheckSlot = slotAt(start) + 3
	r.DueAt = judged(r.CheckSlot)
	r.Availability = types.NewAvailability(slotAt(start))
	requireState(t, f, want)
	requireEvents(t, f, &types.EventRentalStarted{RentalId: id, HostId: hostID, EndsAt: after(45 + 3_600)})
	require.Equal(t, int64(2*hourly), f.moduleBalance(types.ModuleName), "nothing is paid yet")
	f.checkInvariants()
}

// The start must be confirmed before start_by: one second before it can be, at
// it the rental has already closed.
func TestConfirmStartAtTheDeadline(t *testing.T) {
	for _, tc := range []struct {
		second int64
		want   error
	}{{599, nil}, {600, types.ErrNotPending}, {601, types.ErrNotPending}} {
		f := newFixture(t)
		id := f.rent(f.list(), 1, 60)
		f.beginBlock(after(tc.second))
		_, err := deliver(f, f.msg.ConfirmStart, confirmMsg(id))
		require.ErrorIs(t, err, tc.want, "second %d", tc.second)
	}
}

func TestConfirmStartRefuses(t *testing.T) {
	tests := map[string]struct {
		given func(*fixture)
		msg   func(*types.MsgConfirmStart)
		want  error
	}{
		"unknown rental": {msg: func(m *types.MsgConfirmStart) { m.RentalId++ }, want: types.ErrRentalNotFound},
		"bad address":    {msg: func(m *types.MsgConfirmStart) { m.Sender = "" }, want: sdkerrors.ErrInvalidAddress},
		"bad signature":  {msg: func(m *types.MsgConfirmStart) { m.AgentSignature[0]++ }, want: errBadSignature},
		"no signature":   {msg: func(m *types.MsgConfirmStart) { m.AgentSignature = nil }, want: errBadSignature},
		"of another manifest": {msg: func(m *types.MsgConfirmStart) {
			m.AgentSignature = sign(types.DomainStart, &types.StartReport{
				ChainId: chainID, HostId: hostID, RentalId: m.RentalId, ManifestDigest: sha256Of("other"),
			})
		}, want: errBadSignature},
		"of another chain": {msg: func(m *types.MsgConfirmStart) {
			m.AgentSignature = sign(types.DomainStart, &types.StartReport{
				ChainId: "other", HostId: hostID, RentalId: m.RentalId, ManifestDigest: digest,
			})
		}, want: errBadSignature},
		"under another domain": {msg: func(m *types.MsgConfirmStart) {
			m.AgentSignature = sign(types.DomainResult, &types.StartReport{
				ChainId: chainID, HostId: hostID, RentalId: m.RentalId, ManifestDigest: digest,
			})
		}, want: errBadSignature},
		"replayed": {given: func(f *fixture) { f.confirm(firstRental) }, want: types.ErrNotPending},
		"closed":   {given: func(f *fixture) { f.close(renter, firstRental) }, want: types.ErrNotPending},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			id := f.rent(f.list(), 2, 3_600)
			msg := confirmMsg(id)
			if tc.given != nil {
				tc.given(f)
			}
			if tc.msg != nil {
				tc.msg(msg)
			}
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.ConfirmStart, msg); return err })
		})
	}
}
