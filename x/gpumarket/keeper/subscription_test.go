package keeper_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// subscribeMsg pays two periods of an hour on one GPU, 3,600,000 each, and allows
// for three.
func subscribeMsg() *types.MsgSubscribe {
	return &types.MsgSubscribe{
		Renter: str(renter), ListingId: 1, GpuCount: 1, PeriodSeconds: 3_600, Deposit: coin(2 * hourly), Cap: coin(3 * hourly),
		MaxPrice: coin(hourly), ManifestDigest: digest,
	}
}

// subscribed is a running subscription.
func (f *fixture) subscribed() uint64 {
	f.t.Helper()
	resp, err := deliver(f, f.msg.Subscribe, subscribeMsg())
	require.NoError(f.t, err)
	f.confirm(resp.RentalId)
	return resp.RentalId
}

func (f *fixture) topUp(id uint64, amount int64) {
	f.t.Helper()
	_, err := deliver(f, f.msg.TopUpSubscription, &types.MsgTopUpSubscription{Sender: str(stranger), RentalId: id, Amount: coin(amount)})
	require.NoError(f.t, err)
}

func TestSubscribe(t *testing.T) {
	f := newFixture(t)
	f.list()
	f.beginBlock(start)
	want := f.state()

	resp, err := deliver(f, f.msg.Subscribe, subscribeMsg())

	require.NoError(t, err)
	want.Listings[0].RentalsOpened = 1
	want.Rentals = []types.Rental{{
		Id: resp.RentalId, ListingId: 1, HostId: hostID, Operator: str(operator), Renter: str(renter), Gpus: []uint32{0},
		Price: coin(hourly), ManifestDigest: digest, Type: types.RENTAL_TYPE_SUBSCRIPTION, State: types.RENTAL_STATE_PENDING,
		CreatedAt: start, StartBy: after(600), DueAt: after(600), DurationSeconds: 3_600,
		Escrowed: math.NewInt(hourly), Escrow: math.NewInt(hourly), Paid: math.ZeroInt(), Refunded: math.ZeroInt(),
		Subscription: &types.Subscription{
			PeriodSeconds: 3_600, Periods: 1, Balance: math.NewInt(hourly), Cap: math.NewInt(3 * hourly), Spent: math.NewInt(hourly),
		},
	}}
	requireState(t, f, want)
	requireEvents(t, f, &types.EventRentalOpened{
		RentalId: resp.RentalId, ListingId: 1, HostId: hostID, Renter: str(renter), Gpus: []uint32{0}, Escrow: coin(hourly),
		Type: types.RENTAL_TYPE_SUBSCRIPTION, StartAt: start, Bond: "0",
	})
	require.Equal(t, int64(funds-2*hourly), f.balance(renter))
	f.checkInvariants()
}

func TestRenewal(t *testing.T) {
	f := newFixture(t)
	f.list()
	id := f.subscribed()
	f.blocks(after(3_599), 600)
	require.Equal(t, uint64(1), f.rental(id).Subscription.Periods, "a second before the end")
	f.beginBlock(after(3_600))
	want := f.state()
	f.endBlock()

	r := &want.Rentals[0]
	// Slots 1 to 4 are judged: 3,000 s are proven and paid.
	r.PaidUntil, r.Paid, r.Escrow = ptr(after(3_000)), math.NewInt(3_000_000), math.NewInt(600_000+hourly)
	r.Availability = types.NewAvailability(slotAt(start) + 4)
	r.Availability.PeriodPaid = math.NewInt(3_000_000)
	r.EndsAt, r.DurationSeconds, r.Escrowed = ptr(after(7_200)), 7_200, math.NewInt(2*hourly)
	r.Subscription.Balance, r.Subscription.Spent, r.Subscription.Periods = math.ZeroInt(), math.NewInt(2*hourly), 2
	r.DueAt = judged(slotAt(start) + 6)
	requireState(t, f, want)
	p := types.DefaultParams().ContributorFees.Divide(math.NewInt(3_000_000))
	requireEvents(t, f,
		&types.EventRentalSettled{
			RentalId: id, Paid: coin(3_000_000), Provider: p.Provider.String(), Stakers: p.Stakers.String(),
			Treasury: p.Treasury.String(), Burned: p.Burned.String(), Rest: "0", PaidUntil: after(3_000),
		},
		&types.EventSubscriptionRenewed{RentalId: id, Price: coin(hourly), Balance: coin(0), EndsAt: after(7_200)})
	f.checkInvariants()

	// One more period for a top-up by anyone; then the cap is reached.
	f.topUp(id, 10*hourly)
	f.blocks(after(10_800), 600)
	r = ptr(f.rental(id))
	require.Equal(t, types.CLOSE_REASON_END_REACHED, r.CloseReason)
	require.Equal(t, uint64(3), r.Subscription.Periods)
	require.Equal(t, int64(3*hourly), r.Subscription.Spent.Int64())
	require.Equal(t, int64(3*hourly), r.Paid.Int64())
	require.Equal(t, int64(funds-2*hourly+9*hourly), f.balance(renter), "what was topped up is the renter's")
	require.Zero(t, f.moduleBalance(types.ModuleName))
	require.Equal(t, "grafi.gpumarket.v1.EventSubscriptionEnded", f.events()[0].Type)
}

// What keeps a subscription from its next period: it closes at the end of the one
// that is paid for, and the balance returns.
func TestNotRenewed(t *testing.T) {
	tests := map[string]struct {
		given func(*fixture, uint64)
		why   error
	}{
		"balance one short": {func(f *fixture, _ uint64) {}, types.ErrInvalidDeposit},
		"listing paused": {func(f *fixture, _ uint64) {
			require.NoError(f.t, f.setStatus(1, types.LISTING_STATUS_PAUSED))
		}, types.ErrListingNotOpen},
		"operator not rentable": {func(f *fixture, _ uint64) { f.staking.notRentable = errStake }, errStake},
		"host retired": {func(f *fixture, _ uint64) {
			f.attestation.host.Status = attestationtypes.HOST_STATUS_RETIRED
		}, types.ErrHostNotActive},
		"GPUs booked": {func(f *fixture, _ uint64) {
			msg := reserveMsg(3_600)
			msg.GpuCount = 4
			_, err := deliver(f, f.msg.Rent, msg)
			require.NoError(f.t, err)
		}, types.ErrNoFreeGPUs},
		"notice": {func(f *fixture, id uint64) {
			f.blocks(after(3_000), 600)
			f.close(operator, id) // 900 s, beyond the end
		}, types.ErrNoticeGiven},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.reservable()
			msg := subscribeMsg()
			if errors.Is(tc.why, types.ErrInvalidDeposit) {
				msg.Deposit = coin(2*hourly - 1)
			}
			resp, err := deliver(f, f.msg.Subscribe, msg)
			require.NoError(t, err)
			f.confirm(resp.RentalId)
			tc.given(f, resp.RentalId)
			f.blocks(after(3_599), 600)
			balance := f.rental(resp.RentalId).Subscription.Balance
			before := f.balance(renter)
			f.beginBlock(after(3_600))
			f.endBlock()
			r := f.rental(resp.RentalId)
			require.Equal(t, types.CLOSE_REASON_END_REACHED, r.CloseReason)
			require.Equal(t, uint64(1), r.Subscription.Periods)
			require.True(t, r.Subscription.Balance.IsZero())
			require.Equal(t, before+balance.Int64(), f.balance(renter))
			reason := f.events()[0].Attributes[0].Value + f.events()[0].Attributes[1].Value + f.events()[0].Attributes[2].Value
			require.Contains(t, reason, tc.why.Error())
			f.checkInvariants()
		})
	}
}

func TestCancelSubscription(t *testing.T) {
	f := newFixture(t)
	f.list()
	id := f.subscribed()
	f.beginBlock(after(60))
	want := f.state()

	resp, err := deliver(f, f.msg.CancelSubscription, &types.MsgCancelSubscription{Renter: str(renter), RentalId: id})

	require.NoError(t, err)
	require.Equal(t, coin(hourly), resp.Returned)
	want.Rentals[0].Subscription.Balance, want.Rentals[0].Subscription.Cancelled = math.ZeroInt(), true
	requireState(t, f, want, "the rental goes on")
	requireEvents(t, f, &types.EventSubscriptionEnded{RentalId: id, Returned: coin(hourly), Reason: "cancelled by the renter"})
	require.Equal(t, int64(funds-hourly), f.balance(renter))
	f.blocks(after(3_600), 600)
	require.Equal(t, types.CLOSE_REASON_END_REACHED, f.rental(id).CloseReason)
	require.Equal(t, int64(hourly), f.rental(id).Paid.Int64())
	f.checkInvariants()
}

func TestTopUpSubscription(t *testing.T) {
	f := newFixture(t)
	f.list()
	id := f.subscribed()
	f.beginBlock(after(60))
	want := f.state()
	f.topUp(id, 7)
	want.Rentals[0].Subscription.Balance = math.NewInt(hourly + 7)
	requireState(t, f, want)
	requireEvents(t, f, &types.EventSubscriptionToppedUp{
		RentalId: id, Sender: str(stranger), Amount: coin(7), Balance: coin(hourly + 7),
	})
	require.Equal(t, int64(funds-7), f.balance(stranger))
	f.checkInvariants()
}

// Each period is judged on its own: a dead slot in the first one is credited from
// the first one's fee when it is renewed, and forgotten in the second.
func TestServiceCreditOfEachPeriod(t *testing.T) {
	f := newFixture(t)
	f.list()
	id := f.subscribed()
	f.dead(2)
	f.blocks(after(7_200), 600)
	r := f.rental(id)
	require.Equal(t, types.CLOSE_REASON_END_REACHED, r.CloseReason)
	// 3,000 s less the missed 600 were proven and paid at the renewal.
	require.Equal(t, int64(2_400_000), r.Availability.Credited.Int64())
	require.Equal(t, int64(2_400_000), r.Availability.PeriodPaid.Int64())
	require.Equal(t, uint64(6), r.Availability.JudgedSlots)
	require.Zero(t, r.Availability.MissedSlots)
	var ids []string
	for _, s := range f.staking.slashes {
		if s.Fault == stakingext.FAULT_SLA_CREDIT {
			ids = append(ids, s.FaultID)
		}
	}
	require.Equal(t, []string{"sla/16777216/1"}, ids)
	require.Equal(t, int64(2*hourly-600_000), r.Paid.Int64())
	require.Equal(t, int64(funds-2*hourly+600_000+2_400_000), f.balance(renter))
	f.checkInvariants()
}

// The host that dies with slots of the old period unjudged costs the renter no
// more than what was proven of it.
func TestSilenceAcrossARenewal(t *testing.T) {
	f := newFixture(t)
	f.list()
	id := f.subscribed()
	f.dead(5, 6, 7)
	f.blocks(after(3_600), 600)
	require.Equal(t, uint64(2), f.rental(id).Subscription.Periods)
	f.blocks(after(5_400), 600)
	r := f.rental(id)
	require.Equal(t, types.CLOSE_REASON_SILENT, r.CloseReason)
	require.Equal(t, int64(3_000_000), r.Paid.Int64())
	require.Equal(t, funds-3_000_000+credited(r), f.balance(renter))
	f.checkInvariants()
}

// A subscription that finds its GPUs held by an interruptible rental begins when
// the notice is over.
func TestSubscriptionPreempts(t *testing.T) {
	f := newFixture(t)
	f.reservable()
	victim := f.interruptible(4, day)
	resp, err := deliver(f, f.msg.Subscribe, subscribeMsg())
	require.NoError(t, err)
	r := f.rental(resp.RentalId)
	require.Equal(t, types.RENTAL_STATE_RESERVED, r.State)
	require.Equal(t, types.RENTAL_TYPE_SUBSCRIPTION, r.Type)
	require.Equal(t, r.Id, f.rental(victim).PreemptedBy)
	f.checkInvariants()
	f.blocks(after(60), 60)
	f.confirm(r.Id)
	f.blocks(after(3_660), 600)
	require.Equal(t, uint64(2), f.rental(r.Id).Subscription.Periods)
	f.close(renter, r.Id)
	f.checkInvariants()
}
