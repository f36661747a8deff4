package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// warnings runs blocks every step seconds until the second to and returns those of
// them in which a warning came.
func (f *fixture) warnings(to, step int64) []int64 {
	f.t.Helper()
	var at []int64
	for now := f.ctx.BlockTime().Unix() - start.Unix() + step; now <= to; now += step {
		f.beginBlock(after(now))
		f.endBlock()
		for _, e := range f.events() {
			if e.Type == "grafi.gpumarket.v1.EventBalanceLow" {
				at = append(at, now)
			}
		}
	}
	return at
}

// The renter is told a day and an hour before the end, to the second.
func TestLowBalance(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, day+3_600)
	f.blocks(after(3_599), 600)
	require.Zero(t, f.rental(id).BalanceWarnings)
	f.beginBlock(after(3_600))
	f.endBlock()
	requireEvents(t, f, &types.EventBalanceLow{RentalId: id, Renter: str(renter), EndsAt: after(day + 3_600)})
	require.Equal(t, uint32(1), f.rental(id).BalanceWarnings)
	f.blocks(after(day-1), 600)
	require.Equal(t, uint32(1), f.rental(id).BalanceWarnings)
	f.blocks(after(day), 1)
	require.Equal(t, uint32(2), f.rental(id).BalanceWarnings)
	require.Empty(t, f.warnings(day+3_600, 600))
	require.Equal(t, types.CLOSE_REASON_END_REACHED, f.rental(id).CloseReason)
}

func TestShortRentalsHaveNoWarning(t *testing.T) {
	for secs, want := range map[uint64][]int64{3_600: nil, 3_660: {60}, 7_200: {3_600}} {
		f := newFixture(t)
		f.active(1, secs)
		require.Equal(t, want, f.warnings(int64(secs), 60), "%d s", secs)
	}
}

// A longer rental is told again of its new end, but not of what lies behind.
func TestWarningAfterAnExtension(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 7_200)
	require.Equal(t, []int64{3_600}, f.warnings(4_200, 600))
	_, err := deliver(f, f.msg.ExtendRental, &types.MsgExtendRental{Renter: str(renter), RentalId: id, Seconds: 3_600})
	require.NoError(t, err)
	require.Equal(t, []int64{7_200}, f.warnings(10_800, 600))
}

// A subscription is told only when its next period is not covered.
func TestWarningOfASubscription(t *testing.T) {
	f := newFixture(t)
	f.list()
	msg := subscribeMsg()
	msg.PeriodSeconds, msg.Deposit, msg.Cap = 7_200, coin(4*hourly), coin(100*hourly)
	resp, err := deliver(f, f.msg.Subscribe, msg)
	require.NoError(t, err)
	f.confirm(resp.RentalId)
	require.Equal(t, []int64{10_800}, f.warnings(10_800, 600), "the first period has a second one, the second none")
	f.topUp(resp.RentalId, 2*hourly)
	require.Equal(t, []int64{18_000}, f.warnings(21_600, 600))
	require.Equal(t, types.CLOSE_REASON_END_REACHED, f.rental(resp.RentalId).CloseReason)
	f.checkInvariants()
}
