package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

const firstRental = 1 << types.RentalIDShift

func TestRent(t *testing.T) {
	f := newFixture(t)
	f.list()
	f.beginBlock(start)
	want := f.state()
	msg := rentMsg(1)
	msg.CloseOnExit = true

	resp, err := deliver(f, f.msg.Rent, msg)

	require.NoError(t, err)
	require.Equal(t, uint64(firstRental), resp.RentalId)
	escrow := math.NewInt(2 * hourly)
	want.Listings[0].RentalsOpened = 1
	want.Rentals = []types.Rental{{
		Id: firstRental, ListingId: 1, HostId: hostID, Operator: str(operator), Renter: str(renter),
		Gpus: []uint32{0, 1}, Price: coin(hourly), ManifestDigest: digest, CloseOnExit: true, Type: types.RENTAL_TYPE_ON_DEMAND,
		State: types.RENTAL_STATE_PENDING, CreatedAt: start, StartBy: after(600), DueAt: after(600),
		DurationSeconds: 3_600, Escrowed: escrow, Escrow: escrow, Paid: math.ZeroInt(), Refunded: math.ZeroInt(),
	}}
	requireState(t, f, want)
	requireEvents(t, f, &types.EventRentalOpened{
		RentalId: firstRental, ListingId: 1, HostId: hostID, Renter: str(renter), Gpus: []uint32{0, 1}, Escrow: coin(2 * hourly),
		Type: types.RENTAL_TYPE_ON_DEMAND, StartAt: start, Bond: "0",
	})
	require.Equal(t, int64(funds-2*hourly), f.balance(renter))
	require.Equal(t, int64(2*hourly), f.moduleBalance(types.ModuleName))
	f.checkInvariants()
}

func TestRentGivesEachRentalItsOwnGPUs(t *testing.T) {
	f := newFixture(t)
	id := f.list()
	require.Equal(t, []uint32{0}, f.rental(f.rent(id, 1, 60)).Gpus)
	second := f.rent(id, 2, 60)
	require.Equal(t, uint64(firstRental+1), second)
	require.Equal(t, []uint32{1, 2}, f.rental(second).Gpus)
	requireRefused(t, f, types.ErrNoFreeGPUs, func() error { _, err := deliver(f, f.msg.Rent, rentMsg(id)); return err })
	require.Equal(t, []uint32{3}, f.rental(f.rent(id, 1, 60)).Gpus)
}

func TestRentSkipsAGPUThatChangedItsClass(t *testing.T) {
	f := newFixture(t)
	id := f.list()
	f.attestation.classes[0] = "sim"
	require.Equal(t, []uint32{1, 2}, f.rental(f.rent(id, 2, 60)).Gpus)
}

// At the very second a rental ends, its GPUs can be rented again, though the
// block's end has not processed the deadline.
func TestRentTakesOverAtTheEnd(t *testing.T) {
	f := newFixture(t)
	first := f.active(4, 60)
	f.beginBlock(after(59))
	requireRefused(t, f, types.ErrNoFreeGPUs, func() error { _, err := deliver(f, f.msg.Rent, rentMsg(1)); return err })
	f.beginBlock(after(60))
	second := f.rent(1, 4, 60)
	require.Equal(t, types.CLOSE_REASON_END_REACHED, f.rental(first).CloseReason)
	require.Equal(t, types.RENTAL_STATE_PENDING, f.rental(second).State)
	f.endBlock()
}

// A rental that cannot be closed keeps its GPUs, and the others can be rented.
func TestRentLeavesTheGPUsOfAParkedRental(t *testing.T) {
	f := newFixture(t)
	stuck := f.active(1, 60)
	f.bank.refuse = operator
	f.blocks(after(60), 60)
	require.True(t, f.rental(stuck).Parked)
	require.Equal(t, []uint32{1, 2}, f.rental(f.rent(1, 2, 60)).Gpus)
	f.checkInvariants()
}

func TestRentRefuses(t *testing.T) {
	huge, _ := math.NewIntFromString("1000000000000000000000000000000000000000000000000000000000000000000000000000")
	tests := map[string]struct {
		given func(*fixture)
		msg   func(*types.MsgRent)
		want  error
	}{
		"bad address":       {msg: func(m *types.MsgRent) { m.Renter = "" }, want: sdkerrors.ErrInvalidAddress},
		"unknown listing":   {msg: func(m *types.MsgRent) { m.ListingId = 9 }, want: types.ErrListingNotFound},
		"paused":            {given: func(f *fixture) { f.mustStatus(types.LISTING_STATUS_PAUSED) }, want: types.ErrListingNotOpen},
		"withdrawn":         {given: func(f *fixture) { f.mustStatus(types.LISTING_STATUS_WITHDRAWN) }, want: types.ErrListingNotOpen},
		"no GPU":            {msg: func(m *types.MsgRent) { m.GpuCount = 0 }, want: types.ErrInvalidGPUs},
		"too many GPUs":     {msg: func(m *types.MsgRent) { m.GpuCount = 5 }, want: types.ErrInvalidGPUs},
		"GPU overflow":      {msg: func(m *types.MsgRent) { m.GpuCount = 1<<32 - 1 }, want: types.ErrInvalidGPUs},
		"GPU taken":         {given: func(f *fixture) { f.rent(1, 3, 60) }, want: types.ErrNoFreeGPUs},
		"class changed":     {given: func(f *fixture) { f.attestation.classes = []string{class, "a", "a", "a"} }, want: types.ErrClassChanged},
		"GPUs removed":      {given: func(f *fixture) { f.attestation.host.GpuCount = 1 }, want: types.ErrClassChanged},
		"zero duration":     {msg: func(m *types.MsgRent) { m.DurationSeconds = 0 }, want: types.ErrInvalidDuration},
		"too short":         {msg: func(m *types.MsgRent) { m.DurationSeconds = 59 }, want: types.ErrInvalidDuration},
		"too long":          {msg: func(m *types.MsgRent) { m.DurationSeconds = 30*86_400 + 1 }, want: types.ErrInvalidDuration},
		"duration overflow": {msg: func(m *types.MsgRent) { m.DurationSeconds = 1<<64 - 1 }, want: types.ErrInvalidDuration},
		"costs nothing": {given: func(f *fixture) {
			_, err := deliver(f, f.msg.ChangeListing, &types.MsgChangeListing{Operator: str(operator), ListingId: 1, Price: coin(1)})
			require.NoError(f.t, err)
		}, msg: func(m *types.MsgRent) { m.DurationSeconds = 60 }, want: types.ErrInvalidDuration},
		"price moved":        {msg: func(m *types.MsgRent) { m.MaxPrice = coin(hourly - 1) }, want: types.ErrPriceTooHigh},
		"negative max price": {msg: func(m *types.MsgRent) { m.MaxPrice.Amount = math.NewInt(-1) }, want: types.ErrPriceTooHigh},
		"no max price":       {msg: func(m *types.MsgRent) { m.MaxPrice = sdk.Coin{Denom: denom} }, want: types.ErrPriceTooHigh},
		"wrong denom":        {msg: func(m *types.MsgRent) { m.MaxPrice = sdk.NewCoin("uusdc", huge) }, want: types.ErrPriceTooHigh},
		"denom not allowed any more": {given: func(f *fixture) { f.setParams(func(p *types.Params) { p.AllowedDenoms = []string{"uusdc"} }) },
			want: types.ErrInvalidPrice},
		"no digest":      {msg: func(m *types.MsgRent) { m.ManifestDigest = nil }, want: types.ErrInvalidDigest},
		"long digest":    {msg: func(m *types.MsgRent) { m.ManifestDigest = make([]byte, 33) }, want: types.ErrInvalidDigest},
		"own listing":    {msg: func(m *types.MsgRent) { m.Renter = str(operator) }, want: types.ErrOwnListing},
		"module account": {msg: func(m *types.MsgRent) { m.Renter = moduleAccount() }, want: types.ErrInvalidRenter},
		"jailed":         {given: func(f *fixture) { f.staking.notRentable = errStake }, want: errStake},
		"revoked host":   {given: func(f *fixture) { f.attestation.host.Status = attestationtypes.HOST_STATUS_REVOKED }, want: types.ErrHostNotActive},
		"no funds":       {msg: func(m *types.MsgRent) { m.Renter = str(poor) }, want: sdkerrors.ErrInsufficientFunds},
		"not invited": {given: func(f *fixture) {
			f.mustStatus(types.LISTING_STATUS_WITHDRAWN)
			msg := createMsg()
			msg.Tier, msg.AllowList = types.TIER_SELECTIVE, []string{str(stranger)}
			_, err := deliver(f, f.msg.CreateListing, msg)
			require.NoError(f.t, err)
		}, msg: func(m *types.MsgRent) { m.ListingId = 2 }, want: types.ErrNotAllowed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.list()
			msg := rentMsg(1)
			if tc.given != nil {
				tc.given(f)
			}
			if tc.msg != nil {
				tc.msg(msg)
			}
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.Rent, msg); return err })
		})
	}
}

func TestRentRefusesWhenTheNumbersAreUsedUp(t *testing.T) {
	f := newEmptyFixture(t)
	gs := types.DefaultGenesis()
	gs.NextListingId = 2
	gs.Listings = []types.Listing{{
		Id: 1, HostId: hostID, Operator: str(operator), Gpus: []uint32{0, 1}, Class: class, Tier: types.TIER_GENERAL,
		Price: coin(hourly), MinDurationSeconds: 60, MaxDurationSeconds: 7_200, Status: types.LISTING_STATUS_OPEN,
		CreatedAt: start, RentalsOpened: 1<<types.RentalIDShift - 1,
	}}
	require.NoError(t, f.k.InitGenesis(f.ctx, *gs))
	require.Equal(t, uint64(firstRental|(1<<types.RentalIDShift-1)), f.rent(1, 1, 60), "the last one")
	msg := rentMsg(1)
	msg.GpuCount = 1
	requireRefused(t, f, types.ErrNoRentalNumber, func() error { _, err := deliver(f, f.msg.Rent, msg); return err })
}

func TestRentOnASelectiveListing(t *testing.T) {
	f := newFixture(t)
	msg := createMsg()
	msg.Tier, msg.AllowList = types.TIER_SELECTIVE, []string{str(stranger), str(renter)}
	_, err := deliver(f, f.msg.CreateListing, msg)
	require.NoError(t, err)
	f.rent(1, 1, 60)
}

func moduleAccount() string { return str(moduleAddress) }

func (f *fixture) mustStatus(status types.ListingStatus) {
	f.t.Helper()
	require.NoError(f.t, f.setStatus(1, status))
}

func (f *fixture) setParams(change func(*types.Params)) {
	f.t.Helper()
	params, err := f.k.Params(f.ctx)
	require.NoError(f.t, err)
	change(&params)
	_, err = deliver(f, f.msg.UpdateParams, &types.MsgUpdateParams{Authority: str(authority), Params: params})
	require.NoError(f.t, err)
}

func ptr[T any](v T) *T { return &v }
