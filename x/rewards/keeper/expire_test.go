package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/rewards/types"
)

// TestUnclaimedReturns: what nobody claimed in 90 days is the kind's again, dust and
// all, and no record of the day is left.
func TestUnclaimedReturns(t *testing.T) {
	f := newMineFixture(t)
	f.noTarget()
	f.operator(olga, datacenter, 200, 200)
	f.operator(oscar, contributor, 200, 200)
	rich, poor := f.host(olga, h100, 3), f.host(oscar, rtx, 2)
	f.rent(rich, dayStart(today-1), dayStart(today), 0, ugrafi(1_000), 0)
	f.slots(today, rich, 144)
	f.slots(today, poor, 144)
	f.close(today)
	claimed := f.mustClaim(olga, today, rich, 0)
	for day := uint64(today + 1); day < today+90; day++ {
		f.close(day)
	}
	before := f.mining()
	f.block(dayStart(today + 91).Add(-1))
	require.Equal(t, uint64(today), f.mining().NextExpire)

	f.block(dayStart(today + 91))

	m := f.mining()
	require.Equal(t, []uint64{today + 1, today + 1}, []uint64{m.NextExpire, m.NextPrune})
	require.Equal(t, before.DatacenterCarry.AddRaw(68_250_000_000-claimed).String(), m.DatacenterCarry.String())
	require.Equal(t, before.ContributorCarry.AddRaw(36_750_000_000).String(), m.ContributorCarry.String())
	event, err := sdk.TypedEventToEvent(&types.EventDayExpired{
		Day: today, DatacenterReturned: fmt.Sprint(68_250_000_000 - claimed), ContributorReturned: "36750000000",
	})
	require.NoError(t, err)
	require.Contains(t, f.events(), event)
	gs := f.export()
	require.Equal(t, uint64(today+1), gs.Days[0].Day)
	require.Empty(t, gs.Buckets)
	require.Empty(t, gs.Histograms)
	require.Empty(t, gs.OperatorDays)
	require.Empty(t, gs.Rented)
	f.sound()
	_, err = f.claim(oscar, today, poor)
	require.ErrorIs(t, err, types.ErrDayExpired)
	_, err = f.k.Explain(f.ctx, today, poor, 0)
	require.ErrorIs(t, err, types.ErrDayExpired)
}

// TestPruningIsBounded: no block removes more than its budget, and all goes in time.
func TestPruningIsBounded(t *testing.T) {
	f := newMineFixture(t)
	const operators = 3 * types.PruneBudget
	for i := range operators {
		account := sdk.AccAddress(fmt.Sprintf("operator%012d", i))
		f.operator(account, datacenter, 200, 200)
		f.attest(today, f.host(account, h100, 1))
	}
	f.close(today)
	f.params(func(p *types.Params) { p.ClaimDays = 1 })
	size := func() int {
		gs := f.export()
		return len(gs.Days) + len(gs.Histograms) + 2*len(gs.Buckets) + len(gs.OperatorDays)
	}
	whole := size()
	require.Greater(t, whole, operators)
	f.at(dayStart(today + 2))
	for left := whole; left > 0; {
		require.NoError(t, f.k.EndBlock(f.ctx))
		now := size()
		require.LessOrEqual(t, left-now, types.PruneBudget)
		require.Less(t, now, left, "each block removes some")
		left = now
		f.sound()
	}
	require.Equal(t, uint64(today+1), f.mining().NextPrune)
}

// TestManyDaysExpireAtOnce: when the params allow less time the backlog goes with a
// budget, and is refused meanwhile.
func TestManyDaysExpireAtOnce(t *testing.T) {
	f := newMineFixture(t)
	f.noTarget()
	f.operator(olga, datacenter, 200, 200)
	host := f.host(olga, h100, 1)
	for day := uint64(today); day < today+20; day++ {
		f.slots(day, host, 144)
		f.close(day)
	}
	f.params(func(p *types.Params) { p.ClaimDays = 5 })
	f.at(f.ctx.BlockTime())
	_, err := f.claim(olga, today+14, host)
	require.ErrorIs(t, err, types.ErrDayExpired, "before the end of the block")
	require.Positive(t, f.mustClaim(olga, today+15, host))
	for _, want := range []uint64{4, 8, 12, 15, 15} {
		require.NoError(t, f.k.EndBlock(f.ctx))
		require.Equal(t, today+want, f.mining().NextExpire)
		f.sound()
	}
}
