package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/rewards/types"
)

// TestRelease is the table of the README: 1,000 GRAFI claimed on day 0 at 15:00.
func TestRelease(t *testing.T) {
	f := newStakeFixture(t)
	f.staking.register(olga, 1_000*grafi, 0)
	f.at(begin.Add(15 * time.Hour))
	f.mine(t, olga, 1_000*grafi)
	require.Equal(t, int64(250_000_000), f.balance(olga), "the liquid part")

	tomorrow := begin.Add(oneDay)
	require.Equal(t, []types.Tranche{{
		Operator: olga.String(), Amount: math.NewInt(750_000_000), Paid: math.ZeroInt(),
		Day: uint64(begin.Unix() / 86_400), StartsAt: tomorrow, EndsAt: tomorrow.Add(30 * oneDay),
	}}, f.export(t).Tranches)

	for _, tc := range []struct {
		at   time.Time
		want int64 // paid in sum
	}{
		{begin.Add(15 * time.Hour), 250_000_000},
		{tomorrow.Add(-time.Second), 250_000_000},
		{tomorrow, 250_000_000},
		{tomorrow.Add(time.Second - 1), 250_000_000},
		{tomorrow.Add(time.Second), 250_000_289},
		{tomorrow.Add(oneDay), 275_000_000},
		{tomorrow.Add(15 * oneDay), 625_000_000},
		{tomorrow.Add(30*oneDay - time.Second), 999_999_710},
		{tomorrow.Add(30 * oneDay), 1_000_000_000},
	} {
		f.at(tc.at)
		before := f.balance(olga)
		resp, err := deliver(f, f.msgs.WithdrawReleased, &types.MsgWithdrawReleased{Operator: olga.String()})
		if before == tc.want {
			require.ErrorIs(t, err, types.ErrNothingToWithdraw, "at %s", tc.at)
			continue
		}
		require.NoError(t, err, "at %s", tc.at)
		require.Equal(t, ugrafi(tc.want-before), resp.Amount)
		require.Equal(t, tc.want, f.balance(olga), "at %s", tc.at)
		f.requireInvariants(t)
	}
	require.Empty(t, f.export(t).Tranches)
	f.after(time.Second)
	_, err := f.msgs.WithdrawReleased(f.ctx, &types.MsgWithdrawReleased{Operator: olga.String()})
	require.ErrorIs(t, err, types.ErrNothingToWithdraw)
}

// TestReleaseDoesNotDependOnHowOften: the sum at the end is the same.
func TestReleaseDoesNotDependOnHowOften(t *testing.T) {
	for _, step := range []time.Duration{7 * time.Hour, oneDay, 31 * oneDay} {
		f := newStakeFixture(t)
		f.staking.register(olga, 1, 0)
		f.mine(t, olga, 1_000_003)
		for f.ctx.BlockTime().Before(begin.Add(31 * oneDay)) {
			f.after(step)
			_, _ = deliver(f, f.msgs.WithdrawReleased, &types.MsgWithdrawReleased{Operator: olga.String()})
		}
		require.Equal(t, int64(1_000_003), f.balance(olga), "every %s", step)
		require.Zero(t, f.moduleBalance(types.ModuleName))
	}
}

// TestOneTranchePerDay: whatever is claimed on a day flows as one, and there are
// never more than 31 of them.
func TestOneTranchePerDay(t *testing.T) {
	f := newStakeFixture(t)
	f.staking.register(olga, 1_000, 0)
	for day := range 40 {
		for _, hour := range []int{0, 11, 23} {
			f.at(begin.Add(time.Duration(day)*oneDay + time.Duration(hour)*time.Hour))
			f.mine(t, olga, 4_000_000)
		}
		if _, err := deliver(f, f.msgs.WithdrawReleased, &types.MsgWithdrawReleased{Operator: olga.String()}); day > 0 {
			require.NoError(t, err)
		}
		tranches := f.export(t).Tranches
		require.Len(t, tranches, min(day+1, 31))
		require.Equal(t, int64(9_000_000), tranches[len(tranches)-1].Amount.Int64())
		f.requireInvariants(t)
	}
}

func TestWithdraw(t *testing.T) {
	f := newStakeFixture(t)
	f.pair(t)
	f.mine(t, olga, 1_000)
	f.at(begin.Add(2 * oneDay))
	before := f.picture(t)

	resp, err := f.msgs.WithdrawReleased(f.ctx, &types.MsgWithdrawReleased{Operator: olga.String()})

	// 250 a month, so 25 a day: gross 8 of the stakers, no commission of 0.8.
	require.NoError(t, err)
	require.Equal(t, ugrafi(17), resp.Amount)
	gs := f.export(t)
	require.Equal(t, int64(25), gs.Tranches[0].Paid.Int64())
	require.Equal(t, int64(750), gs.Tranches[0].Amount.Int64())
	require.Equal(t, int64(75+8), gs.Pools[0].Unsettled.Int64(), "75 of the liquid 250 came first")
	f.requireEvents(t, &types.EventReleased{Operator: olga.String(), Amount: ugrafi(25), Own: math.NewInt(17), Stakers: math.NewInt(8)})
	f.requireInvariants(t)
	after := f.picture(t)
	require.Equal(t, before.Money["supply"], after.Money["supply"])
}

func TestWithdrawRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		operator string
		setUp    func(f *stakeFixture)
		want     string
	}{
		"no address":       {operator: "", want: "empty address string"},
		"not an address":   {operator: "grafi1qqq", want: "decoding bech32 failed"},
		"another chain":    {operator: "cosmos1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5lzv7xu", want: "hrp does not match"},
		"never mined":      {operator: ann.String(), want: "nothing to withdraw"},
		"too early":        {operator: olga.String(), want: "nothing to withdraw"},
		"one second early": {operator: olga.String(), setUp: func(f *stakeFixture) { f.at(begin.Add(oneDay)) }, want: "nothing to withdraw"},
		"the bank refuses it": {
			operator: olga.String(), want: "is not allowed to receive funds",
			setUp: func(f *stakeFixture) { f.at(begin.Add(2 * oneDay)); f.blocked[olga.String()] = true },
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newStakeFixture(t)
			f.pair(t)
			f.mine(t, olga, 1_000*grafi)
			f.at(begin)
			if tc.setUp != nil {
				tc.setUp(f)
			}
			before := f.picture(t)

			_, err := deliver(f, f.msgs.WithdrawReleased, &types.MsgWithdrawReleased{Operator: tc.operator})

			require.ErrorContains(t, err, tc.want)
			require.Equal(t, before, f.picture(t))
			require.Empty(t, f.ctx.EventManager().Events())
		})
	}
}

// threeTranches mines 400 on each of days 0 to 2, of which 300 are held, and
// stops on day 2.
func threeTranches(t *testing.T) *stakeFixture {
	t.Helper()
	f := newStakeFixture(t)
	f.staking.register(olga, 1_000, 0)
	for day := range 3 {
		f.at(begin.Add(time.Duration(day) * oneDay))
		f.mine(t, olga, 400)
	}
	return f
}

func TestSlashTakesNewestFirst(t *testing.T) {
	for name, tc := range map[string]struct {
		ask   int64
		taken int64
		left  []int64 // not released, oldest first
	}{
		"nothing":                 {ask: 0, taken: 0, left: []int64{290, 300, 300}},
		"a part of the newest":    {ask: 100, taken: 100, left: []int64{290, 300, 200}},
		"the newest":              {ask: 300, taken: 300, left: []int64{290, 300}},
		"more than the newest":    {ask: 301, taken: 301, left: []int64{290, 299}},
		"everything":              {ask: 890, taken: 890},
		"more than there is":      {ask: 1_000_000, taken: 890},
		"a request without bound": {ask: 1 << 62, taken: 890},
	} {
		t.Run(name, func(t *testing.T) {
			f := threeTranches(t)
			// The start of day 2: one day of the first tranche has flowed.
			if tc.ask == 0 {
				require.NoError(t, f.staking.hooks.BeforeStakeChanged(f.ctx, olga))
			}
			f.at(f.ctx.BlockTime())

			taken, err := f.staking.hooks.TakeRewards(f.ctx, olga, math.NewInt(tc.ask))

			require.NoError(t, err)
			require.Equal(t, tc.taken, taken.Int64())
			require.Equal(t, tc.taken, f.moduleBalance("stakingext"))
			var left []int64
			for _, tranche := range f.export(t).Tranches {
				left = append(left, tranche.Amount.Sub(tranche.Paid).Int64())
			}
			require.Equal(t, tc.left, left)
			require.Equal(t, int64(300), f.balance(olga), "the liquid parts stay")
			require.Equal(t, sdk.NewCoins(ugrafi(10)), f.claimable(t, olga, olga), "what had flowed is the operator's")
			f.requireInvariants(t)
		})
	}
}

// claimable is what the query says that a claim would pay.
func (f *stakeFixture) claimable(t testingT, delegator, operator sdk.AccAddress) sdk.Coins {
	t.Helper()
	resp, err := f.queries.StakingRewards(f.ctx, &types.QueryStakingRewardsRequest{Delegator: delegator.String(), Operator: operator.String()})
	require.NoError(t, err)
	return resp.Rewards
}

// TestSlashLeavesTheRestFlowing: what is left of a tranche flows evenly over the
// rest of its time, to its end.
func TestSlashLeavesTheRestFlowing(t *testing.T) {
	f := newStakeFixture(t)
	f.staking.register(olga, 1_000, 0)
	f.mine(t, olga, 4_000)
	f.at(begin.Add(11 * oneDay)) // 1,000 of 3,000 have flowed

	taken, err := f.staking.hooks.TakeRewards(f.ctx, olga, math.NewInt(500))

	require.NoError(t, err)
	require.Equal(t, int64(500), taken.Int64())
	f.requireEvents(t,
		&types.EventReleased{Operator: olga.String(), Amount: ugrafi(1_000), Own: math.NewInt(1_000), Stakers: math.ZeroInt()},
		&types.EventEscrowTaken{Operator: olga.String(), Amount: ugrafi(500)})
	for _, tc := range []struct {
		at   time.Duration
		want int64
	}{
		{11*oneDay + 576*time.Second, 0}, {11*oneDay + 1_152*time.Second, 1}, // 1,500 over 1,728,000 s: one in 1,152 s
		{21 * oneDay, 750}, {31*oneDay - time.Second, 1_499}, {31 * oneDay, 1_500}, {40 * oneDay, 1_500},
	} {
		f.at(begin.Add(tc.at))
		resp, err := f.queries.Tranches(f.ctx, &types.QueryTranchesRequest{Operator: olga.String()})
		require.NoError(t, err)
		require.Equal(t, ugrafi(tc.want), resp.Withdrawable, "at %s", tc.at)
	}
	// A second slash takes what has not flowed, and no more.
	f.at(begin.Add(21 * oneDay))
	taken, err = f.staking.hooks.TakeRewards(f.ctx, olga, math.NewInt(5_000))
	require.NoError(t, err)
	require.Equal(t, int64(750), taken.Int64())
	require.Empty(t, f.export(t).Tranches)
	require.Zero(t, f.moduleBalance(types.ModuleName))
	f.requireInvariants(t)
}

func TestTranchesPages(t *testing.T) {
	f := threeTranches(t)
	f.staking.register(oscar, 1_000, 0)
	f.mine(t, oscar, 400)
	req := &types.QueryTranchesRequest{Operator: olga.String(), Pagination: &query.PageRequest{Limit: 2}}
	first, err := f.queries.Tranches(f.ctx, req)
	require.NoError(t, err)
	req.Pagination.Key = first.Pagination.NextKey
	second, err := f.queries.Tranches(f.ctx, req)
	require.NoError(t, err)

	require.Equal(t, f.export(t).Tranches[:3], append(first.Tranches, second.Tranches...))
	require.Equal(t, ugrafi(10), first.Withdrawable)
	require.Empty(t, second.Pagination.NextKey)
	_, err = f.queries.Tranches(f.ctx, &types.QueryTranchesRequest{Operator: "x"})
	require.ErrorContains(t, err, "InvalidArgument")
}
