package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// settle returns what was paid, as text: a zero has more than one form in memory.
func (f *fixture) settle(ids ...uint64) []string {
	f.t.Helper()
	resp, err := deliver(f, f.msg.Settle, &types.MsgSettle{Sender: str(stranger), RentalIds: ids})
	require.NoError(f.t, err)
	var paid []string
	for _, c := range resp.Paid {
		paid = append(paid, c.String())
	}
	return paid
}

func TestSettle(t *testing.T) {
	f := newFixture(t)
	id := f.active(2, 3_600)
	supply := f.bank.GetSupply(f.ctx, denom).Amount
	f.beginBlock(after(100))
	want := f.state()

	paid := f.settle(id)

	// 2 GPUs × 1,000 ugrafi × 100 s
	require.Equal(t, []string{"200000ugrafi"}, paid)
	r := &want.Rentals[0]
	r.Escrow, r.Paid, r.PaidUntil = math.NewInt(7_000_000), math.NewInt(200_000), ptr(after(100))
	requireState(t, f, want)
	requireEvents(t, f, &types.EventRentalSettled{
		RentalId: id, Paid: coin(200_000), Provider: "176000", Stakers: "10000", Treasury: "8000", Burned: "6000", Rest: "0",
		PaidUntil: after(100),
	})
	require.Equal(t, int64(funds+176_000), f.balance(operator))
	require.Equal(t, int64(10_000), f.moduleBalance(types.StakersAccount))
	require.Equal(t, int64(8_000), f.moduleBalance(types.TreasuryAccount))
	require.Equal(t, math.NewInt(6_000), supply.Sub(f.bank.GetSupply(f.ctx, denom).Amount))
	f.checkInvariants()

	require.Equal(t, []string{"0ugrafi", "0ugrafi"}, f.settle(id, id), "the same second pays once")
}

func TestSettleByKindDenomAndRest(t *testing.T) {
	tests := map[string]struct {
		kind                                       stakingext.OperatorKind
		denom                                      string
		rest                                       bool
		provider, stakers, treasury, burned, rest1 int64
	}{
		"contributor":                   {stakingext.OPERATOR_KIND_CONTRIBUTOR, denom, true, 88_000, 5_000, 4_000, 3_000, 0},
		"data centre":                   {stakingext.OPERATOR_KIND_DATACENTER, denom, true, 80_000, 5_000, 4_000, 3_000, 8_000},
		"data centre, no rest address":  {stakingext.OPERATOR_KIND_DATACENTER, denom, false, 80_000, 5_000, 12_000, 3_000, 0},
		"another denom is never burned": {stakingext.OPERATOR_KIND_CONTRIBUTOR, "uusdc", true, 88_000, 5_000, 7_000, 0, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.staking.kind = tc.kind
			if tc.rest {
				f.setParams(func(p *types.Params) { p.RestAddress = str(stranger) })
			}
			msg := createMsg()
			msg.Price.Denom = tc.denom
			_, err := deliver(f, f.msg.CreateListing, msg)
			require.NoError(t, err)
			rent := rentMsg(1)
			rent.GpuCount, rent.MaxPrice.Denom = 1, tc.denom
			resp, err := deliver(f, f.msg.Rent, rent)
			require.NoError(t, err)
			f.confirm(resp.RentalId)
			balance := func(addr sdk.AccAddress) int64 { return f.bank.GetBalance(f.ctx, addr, tc.denom).Amount.Int64() }
			supply := f.bank.GetSupply(f.ctx, tc.denom).Amount.Int64()
			f.beginBlock(after(100))

			f.settle(resp.RentalId)

			require.Equal(t, funds+tc.provider, balance(operator))
			require.Equal(t, tc.stakers, balance(moduleAddr(types.StakersAccount)))
			require.Equal(t, tc.treasury, balance(moduleAddr(types.TreasuryAccount)))
			require.Equal(t, tc.burned, supply-f.bank.GetSupply(f.ctx, tc.denom).Amount.Int64())
			require.Equal(t, funds+tc.rest1, balance(stranger))
			f.checkInvariants()
		})
	}
}

// Whatever a lazy settlement pays is proven: it stops at the first slot after
// the newest good one, though the rental goes on.
func TestSettlePaysNothingUnproven(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 7_200)
	f.blocks(after(1_250), 10)
	// Slot 0, of the start, counts. Slot 1 ended at 1,200 and is judged at 1,321.
	require.Equal(t, []string{"600000ugrafi"}, f.settle(id))
	f.blocks(after(1_321), 10)
	require.Equal(t, []string{"600000ugrafi"}, f.settle(id), "slot 1 is good")
	f.attestation.dead[slotAt(start)+2] = true
	f.blocks(after(1_921), 10)
	require.Equal(t, []string{"0ugrafi"}, f.settle(id), "slot 2 failed")
	f.blocks(after(2_530), 10)
	require.Equal(t, []string{"600000ugrafi"}, f.settle(id), "slot 3 is good, the gap before it is not paid")
	r := f.rental(id)
	require.Equal(t, after(2_400), *r.PaidUntil)
	require.Equal(t, uint64(600), r.Availability.UnbilledSeconds)
	f.checkInvariants()
}

func TestSettleOfRentalsThatAreNotActive(t *testing.T) {
	f := newFixture(t)
	pending := f.rent(f.list(), 1, 3_600)
	closed := f.rent(1, 1, 3_600)
	f.close(renter, closed)
	require.Equal(t, []string{"0ugrafi", "0ugrafi"}, f.settle(pending, closed))
}

func TestSettleRefuses(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 3_600)
	f.beginBlock(after(60))
	for name, tc := range map[string]struct {
		msg  *types.MsgSettle
		want error
	}{
		"no rental":      {&types.MsgSettle{Sender: str(stranger)}, types.ErrInvalidSettle},
		"too many":       {&types.MsgSettle{Sender: str(stranger), RentalIds: make([]uint64, 101)}, types.ErrInvalidSettle},
		"unknown rental": {&types.MsgSettle{Sender: str(stranger), RentalIds: []uint64{id, id + 1}}, types.ErrRentalNotFound},
		"bad address":    {&types.MsgSettle{RentalIds: []uint64{id}}, sdkerrors.ErrInvalidAddress},
	} {
		t.Run(name, func(t *testing.T) {
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.Settle, tc.msg); return err })
		})
	}
	f.bank.refuse = operator
	requireRefused(t, f, errBank, func() error {
		_, err := deliver(f, f.msg.Settle, &types.MsgSettle{Sender: str(stranger), RentalIds: []uint64{id}})
		return err
	})
}

// Any sequence of settlements pays the same total as none at all.
func TestSettlementsDontChangeTheTotal(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		duration := rapid.Uint64Range(60, 3_000).Draw(rt, "duration")
		closeAt := rapid.Int64Range(1, int64(duration)+100).Draw(rt, "close at")
		times := rapid.SliceOfN(rapid.Int64Range(0, 400), 0, 8).Draw(rt, "gaps between settlements")
		price := rapid.Int64Range(1_000, 10_000_000).Draw(rt, "price")
		run := func(settle bool) types.Rental {
			f := newFixture(t)
			msg := createMsg()
			msg.Price = coin(price)
			_, err := deliver(f, f.msg.CreateListing, msg)
			require.NoError(rt, err)
			rent := rentMsg(1)
			rent.DurationSeconds, rent.MaxPrice = duration, coin(price)
			resp, err := deliver(f, f.msg.Rent, rent)
			require.NoError(rt, err)
			f.confirm(resp.RentalId)
			now := int64(0)
			for _, gap := range times {
				if now+gap >= closeAt {
					break
				}
				now += gap
				f.blocks(after(now), 60)
				if settle {
					f.settle(resp.RentalId)
				}
			}
			f.blocks(after(closeAt), 60)
			if f.rental(resp.RentalId).Open() {
				f.close(renter, resp.RentalId)
			}
			f.checkInvariants()
			return f.rental(resp.RentalId)
		}
		if often, never := run(true), run(false); !often.Paid.Equal(never.Paid) || !often.Refunded.Equal(never.Refunded) {
			rt.Fatalf("paid %s with settlements, %s without", often.Paid, never.Paid)
		}
	})
}
