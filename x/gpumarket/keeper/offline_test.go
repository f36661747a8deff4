package keeper_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// dead makes the host miss the slots with these numbers, counted from the start.
func (f *fixture) dead(numbers ...uint64) {
	for _, n := range numbers {
		f.attestation.dead[slotAt(start)+n] = true
	}
}

// Missed slots between good ones are not billed, each run of them is punished once,
// and the renter is credited by the availability of the judged slots.
func TestMissedSlots(t *testing.T) {
	tests := map[string]struct {
		dead, fault []uint64
		judged      uint64
		missed      uint64
		unbilled    int64
		penalties   []int64 // of a requirement of 400,000,000
		credit      int64   // PPM of the fee
	}{
		"none":                      {nil, nil, 70, 0, 0, nil, 0},
		"one slot":                  {[]uint64{2}, nil, 70, 1, 600, []int64{400_000}, 250_000},
		"two in a run":              {[]uint64{2, 3}, nil, 70, 2, 1_200, []int64{1_200_000}, 250_000},
		"two apart":                 {[]uint64{2, 4}, nil, 70, 2, 1_200, []int64{400_000, 800_000}, 250_000},
		"four":                      {[]uint64{2, 4, 6, 8}, nil, 70, 4, 2_400, []int64{400_000, 800_000, 800_000, 800_000}, 1_000_000},
		"network fault":             {[]uint64{2}, []uint64{2}, 69, 0, 600, nil, 0},
		"network fault in a run":    {[]uint64{2, 3}, []uint64{3}, 69, 1, 1_200, []int64{400_000}, 250_000},
		"fault of others":           {nil, []uint64{2}, 70, 0, 0, nil, 0},
		"the slot of the start":     {[]uint64{0}, nil, 70, 0, 0, nil, 0},
		"the last slot, not judged": {[]uint64{71}, nil, 70, 0, 0, nil, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			id := f.active(2, 12*3_600)
			f.dead(tc.dead...)
			for _, n := range tc.fault {
				f.attestation.networkFault[slotAt(start)+n] = true
			}
			f.blocks(after(12*3_600), 600)
			r := f.rental(id)
			require.Equal(t, types.CLOSE_REASON_END_REACHED, r.CloseReason)
			require.Equal(t, tc.judged, r.Availability.JudgedSlots)
			require.Equal(t, tc.missed, r.Availability.MissedSlots)
			fee := 2_000 * (12*3_600 - tc.unbilled)
			require.Equal(t, fee, r.Paid.Int64())
			require.Equal(t, 2_000*tc.unbilled, r.Refunded.Int64())
			var penalties []int64
			var credit int64
			for _, s := range f.staking.slashes {
				if s.Fault == stakingext.FAULT_OFFLINE_IN_RENTAL {
					penalties = append(penalties, s.Amount.Int64())
					require.True(t, s.Victim.Empty())
				} else {
					credit += s.Amount.Int64()
					require.Equal(t, stakingext.FAULT_SLA_CREDIT, s.Fault)
					require.Equal(t, slotStart(slotAt(start)+2), s.CommittedAt, "the first missed slot")
				}
			}
			require.Equal(t, tc.penalties, penalties)
			require.Equal(t, fee*tc.credit/1_000_000, credit)
			require.Equal(t, funds-fee+credit, f.balance(renter))
			f.checkInvariants()
		})
	}
}

func TestEventsOfAMissedSlot(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 3_600)
	f.dead(2)
	f.blocks(after(2_400), 600)
	f.beginBlock(after(2_522)) // slot 3 is judged
	_, err := deliver(f, f.msg.Settle, &types.MsgSettle{Sender: str(stranger), RentalIds: []uint64{id}})
	require.NoError(t, err)
	slot := slotAt(start) + 2
	requireEvents(t, f,
		&types.EventOfflinePenalty{RentalId: id, FirstSlot: slot, Seconds: 600, Penalty: "200000", Taken: "200000"},
		&types.EventRentalSettled{
			RentalId: id, Paid: coin(1_800_000), Provider: "1584000", Stakers: "90000", Treasury: "72000", Burned: "54000", Rest: "0",
			PaidUntil: after(2_400),
		})
	require.Equal(t, stakingext.SlashRequest{
		Operator: operator, Fault: stakingext.FAULT_OFFLINE_IN_RENTAL, FaultID: "offline/16777216/2945378",
		Amount: math.NewInt(200_000), CommittedAt: after(1_200),
	}, f.staking.slashes[0])

	f.blocks(after(3_599), 600)
	f.beginBlock(after(3_600))
	f.endBlock()
	requireEvents(t, f,
		&types.EventRentalSettled{
			RentalId: id, Paid: coin(1_200_000), Provider: "1056000", Stakers: "60000", Treasury: "48000", Burned: "36000", Rest: "0",
			PaidUntil: after(3_600),
		},
		// Slots 1 to 4 are judged, one of them missed.
		&types.EventServiceCredit{RentalId: id, JudgedSlots: 4, MissedSlots: 1, Credit: "3000000", ToRenter: "3000000"},
		&types.EventRentalClosed{
			RentalId: id, HostId: hostID, Reason: types.CLOSE_REASON_END_REACHED, Refunded: coin(600_000), ClosedAt: after(3_600),
		})
	require.Equal(t, stakingext.SlashRequest{
		Operator: operator, Fault: stakingext.FAULT_SLA_CREDIT, FaultID: "sla/16777216/1", Amount: math.NewInt(3_000_000),
		CommittedAt: after(1_200), Victim: renter, VictimLoss: math.NewInt(3_000_000),
	}, f.staking.slashes[1])
}

// Another denom is never credited from stake, and an operator without stake stops
// no close.
func TestNoCreditButAClose(t *testing.T) {
	for name, tc := range map[string]struct {
		denom  string
		fails  error
		events int
	}{
		"another denom":     {"uusdc", nil, 0},
		"the stake refuses": {denom, errStake, 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.staking.slashFails = tc.fails
			msg := createMsg()
			msg.Price.Denom = tc.denom
			_, err := deliver(f, f.msg.CreateListing, msg)
			require.NoError(t, err)
			rent := rentMsg(1)
			rent.MaxPrice.Denom = tc.denom
			resp, err := deliver(f, f.msg.Rent, rent)
			require.NoError(t, err)
			f.confirm(resp.RentalId)
			f.dead(2)
			failed := 0
			for at := int64(600); at <= 3_600; at += 600 {
				f.beginBlock(after(at))
				f.endBlock()
				for _, e := range f.events() {
					if e.Type == "grafi.gpumarket.v1.EventSlashFailed" {
						failed++
					}
				}
			}
			r := f.rental(resp.RentalId)
			require.Equal(t, types.CLOSE_REASON_END_REACHED, r.CloseReason)
			require.True(t, r.Availability.Credited.IsZero())
			require.Equal(t, tc.events, failed)
			f.checkInvariants()
		})
	}
}

// Stake that is too small pays what it has.
func TestCreditOfASmallStake(t *testing.T) {
	f := newFixture(t)
	f.staking.setOwn(f.ctx, 1_000, 0)
	id := f.active(1, 3_600)
	f.dead(2)
	f.blocks(after(3_600), 600)
	require.Equal(t, int64(0), f.freeStake(), "the penalty took it all")
	require.True(t, f.rental(id).Availability.Credited.IsZero())
	f.checkInvariants()
}

// hookFunc is a hook that is one function.
type hookFunc func(types.Payment) error

func (h hookFunc) AfterRentalPaid(_ context.Context, p types.Payment) error { return h(p) }

func TestMarketHooks(t *testing.T) {
	f := newFixture(t)
	var got []types.Payment
	f.k.SetHooks(types.MultiHooks{hookFunc(func(p types.Payment) error { got = append(got, p); return nil })})
	id := f.active(2, 3_600)
	f.dead(2)
	f.blocks(after(2_600), 600)
	f.settle(id)
	f.beginBlock(after(2_700))
	f.close(renter, id)
	payment := func(from, to int64, missed uint64, unit int64) types.Payment {
		return types.Payment{
			RentalID: id, Operator: operator, HostID: hostID, GPUs: []uint32{0, 1}, From: after(from), To: after(to), Missed: missed,
			Denom: denom, Stakers: math.NewInt(5 * unit), Treasury: math.NewInt(4 * unit), Burned: math.NewInt(3 * unit),
		}
	}
	require.Equal(t, []types.Payment{payment(0, 2_400, 600, 36_000), payment(2_400, 2_700, 0, 6_000)}, got)
	require.Equal(t, int64(5*42_000), f.moduleBalance(types.StakersAccount))
}

// A hook that fails stops the payment, and leaves no trace.
func TestMarketHookThatFails(t *testing.T) {
	f := newFixture(t)
	f.k.SetHooks(types.MultiHooks{hookFunc(func(types.Payment) error { return errBank })})
	id := f.active(2, 3_600)
	f.blocks(after(1_000), 600)
	requireRefused(t, f, errBank, func() error {
		_, err := deliver(f, f.msg.Settle, &types.MsgSettle{Sender: str(stranger), RentalIds: []uint64{id}})
		return err
	})
	require.Equal(t, int64(funds), f.bank.GetBalance(f.ctx, operator, denom).Amount.Int64())
}

// A slot whose bits are gone proves nothing: the rental doesn't stick, the time
// isn't billed, and nobody is punished for it.
func TestForgottenSlots(t *testing.T) {
	f := newFixture(t)
	id := f.active(2, 12*3_600)
	for at := start; at.Before(after(4 * 86_400)); at = at.Add(slotLen * time.Second) {
		f.beginBlock(at) // slots are closed, but the queue never comes to the rental
	}
	f.attestation.keptFrom = slotAt(after(86_400))

	_, err := f.k.Settle(f.ctx, []uint64{id})

	require.NoError(t, err)
	r := f.rental(id)
	require.Equal(t, types.CLOSE_REASON_SILENT, r.CloseReason)
	require.Empty(t, f.staking.slashes)
	require.Equal(t, slotStart(slotAt(start)+1), *r.PaidUntil)
	require.Equal(t, funds-r.Paid.Int64(), f.balance(renter))
}

// A credit for a slot that is older than all stake that answers for it is paid
// from what there is.
func TestCreditForAnOldSlot(t *testing.T) {
	f := newFixture(t)
	f.staking.unbonding = 3_600 * time.Second
	id := f.active(2, 12*3_600)
	f.dead(2)

	f.blocks(after(12*3_600), 600)

	require.Positive(t, f.rental(id).Availability.Credited.Int64())
	credit := f.staking.slashes[len(f.staking.slashes)-1]
	require.Equal(t, stakingext.FAULT_SLA_CREDIT, credit.Fault)
	require.Equal(t, f.ctx.BlockTime().Add(-3_599*time.Second), credit.CommittedAt)
}
