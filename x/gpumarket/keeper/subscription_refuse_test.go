package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

func TestSubscribeRefuses(t *testing.T) {
	tests := map[string]struct {
		msg  func(*types.MsgSubscribe)
		want error
	}{
		"bad address":       {func(m *types.MsgSubscribe) { m.Renter = "x" }, sdkerrors.ErrInvalidAddress},
		"unknown listing":   {func(m *types.MsgSubscribe) { m.ListingId = 9 }, types.ErrListingNotFound},
		"own listing":       {func(m *types.MsgSubscribe) { m.Renter = str(operator) }, types.ErrOwnListing},
		"no GPU":            {func(m *types.MsgSubscribe) { m.GpuCount = 0 }, types.ErrInvalidGPUs},
		"no period":         {func(m *types.MsgSubscribe) { m.PeriodSeconds = 0 }, types.ErrInvalidDuration},
		"period overflows":  {func(m *types.MsgSubscribe) { m.PeriodSeconds = 1 << 63 }, types.ErrInvalidDuration},
		"deposit too small": {func(m *types.MsgSubscribe) { m.Deposit = coin(hourly - 1) }, types.ErrInvalidDeposit},
		"deposit of none":   {func(m *types.MsgSubscribe) { m.Deposit = sdk.Coin{} }, types.ErrInvalidDeposit},
		"deposit denom":     {func(m *types.MsgSubscribe) { m.Deposit.Denom = "uusdc" }, types.ErrInvalidDeposit},
		"cap too small":     {func(m *types.MsgSubscribe) { m.Cap = coin(hourly - 1) }, types.ErrInvalidDeposit},
		"no cap":            {func(m *types.MsgSubscribe) { m.Cap = sdk.Coin{} }, types.ErrInvalidDeposit},
		"price":             {func(m *types.MsgSubscribe) { m.MaxPrice = coin(hourly - 1) }, types.ErrPriceTooHigh},
		"digest":            {func(m *types.MsgSubscribe) { m.ManifestDigest = nil }, types.ErrInvalidDigest},
		"funds":             {func(m *types.MsgSubscribe) { m.Renter = str(poor) }, sdkerrors.ErrInsufficientFunds},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.list()
			msg := subscribeMsg()
			tc.msg(msg)
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.Subscribe, msg); return err })
		})
	}
}

func TestSubscriptionMessagesRefuse(t *testing.T) {
	topUp := func(sender string, id uint64, amount sdk.Coin) func(*fixture) error {
		return call((*fixture).messages, types.MsgServer.TopUpSubscription, &types.MsgTopUpSubscription{Sender: sender, RentalId: id, Amount: amount})
	}
	cancel := func(sender string, id uint64) func(*fixture) error {
		return call((*fixture).messages, types.MsgServer.CancelSubscription, &types.MsgCancelSubscription{Renter: sender, RentalId: id})
	}
	const subscription, plain = firstRental, firstRental + 1
	tests := map[string]struct {
		given func(*fixture)
		do    func(*fixture) error
		want  error
	}{
		"top up, bad address":      {nil, topUp("x", subscription, coin(1)), sdkerrors.ErrInvalidAddress},
		"top up, unknown rental":   {nil, topUp(str(stranger), 9, coin(1)), types.ErrRentalNotFound},
		"top up, no subscription":  {nil, topUp(str(stranger), plain, coin(1)), types.ErrNotSubscription},
		"top up by nothing":        {nil, topUp(str(stranger), subscription, coin(0)), types.ErrInvalidDeposit},
		"top up by less":           {nil, topUp(str(stranger), subscription, sdk.Coin{Denom: denom, Amount: math.NewInt(-1)}), types.ErrInvalidDeposit},
		"top up without an amount": {nil, topUp(str(stranger), subscription, sdk.Coin{}), types.ErrInvalidDeposit},
		"top up in another denom":  {nil, topUp(str(stranger), subscription, sdk.NewInt64Coin("uusdc", 1)), types.ErrInvalidDeposit},
		"top up without funds":     {nil, topUp(str(poor), subscription, coin(1)), sdkerrors.ErrInsufficientFunds},
		"cancel, bad address":      {nil, cancel("", subscription), sdkerrors.ErrInvalidAddress},
		"cancel, stranger":         {nil, cancel(str(stranger), subscription), types.ErrNotOwner},
		"cancel, operator":         {nil, cancel(str(operator), subscription), types.ErrNotOwner},
		"cancel, no subscription":  {nil, cancel(str(renter), plain), types.ErrNotSubscription},
		"cancel twice": {func(f *fixture) { require.NoError(f.t, cancel(str(renter), subscription)(f)) },
			cancel(str(renter), subscription), types.ErrNotSubscription},
		"cancel, closed": {func(f *fixture) { f.close(renter, subscription) }, cancel(str(renter), subscription), types.ErrRentalClosed},
		"cancel, bank":   {func(f *fixture) { f.bank.refuse = renter }, cancel(str(renter), subscription), errBank},
		"extend": {nil, call((*fixture).messages, types.MsgServer.ExtendRental,
			&types.MsgExtendRental{Renter: str(renter), RentalId: subscription, Seconds: 60}), types.ErrIsSubscription},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.list()
			f.subscribed()
			f.confirm(f.rent(1, 1, 3_600))
			if tc.given != nil {
				tc.given(f)
			}
			requireRefused(t, f, tc.want, func() error { return tc.do(f) })
		})
	}
}

func (f *fixture) messages() types.MsgServer { return f.msg }

// call is the delivery of one message.
func call[Req, Resp any](
	server func(*fixture) types.MsgServer, handle func(types.MsgServer, context.Context, Req) (Resp, error), msg Req,
) func(*fixture) error {
	return func(f *fixture) error {
		_, err := deliver(f, func(ctx context.Context, m Req) (Resp, error) { return handle(server(f), ctx, m) }, msg)
		return err
	}
}
