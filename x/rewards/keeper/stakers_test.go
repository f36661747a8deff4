package keeper_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// TestFeeIsDivided is the table of the README: a stakers' fee of 1 GRAFI.
func TestFeeIsDivided(t *testing.T) {
	f := newStakeFixture(t)
	f.pair(t)

	f.fee(t, olga, ugrafi(grafi))

	f.requireEvents(t, &types.EventStakersFeeDivided{
		Operator: olga.String(), RentalId: 7, Amount: ugrafi(1_000_000), Own: math.NewInt(700_000), Stakers: math.NewInt(300_000),
	})
	require.Equal(t, sdk.NewCoins(ugrafi(700_000)), f.claimable(t, olga, olga))
	require.Equal(t, sdk.NewCoins(ugrafi(179_999)), f.claimable(t, ann, olga), "179,999.99…")
	require.Equal(t, sdk.NewCoins(ugrafi(119_999)), f.claimable(t, ben, olga))
	require.Empty(t, f.claimable(t, cleo, olga))
	f.requireInvariants(t)

	// What the settlements left is part of the next payment: 300,000 + 2.
	for _, staker := range []sdk.AccAddress{ann, ben} {
		_, err := f.k.ClaimStakingRewards(f.ctx, staker, []sdk.AccAddress{olga})
		require.NoError(t, err)
	}
	require.Equal(t, int64(2), f.export(t).Pools[0].Unsettled.Int64())
	f.fee(t, olga, ugrafi(grafi))
	require.Equal(t, sdk.NewCoins(ugrafi(180_001)), f.claimable(t, ann, olga))
	require.Equal(t, sdk.NewCoins(ugrafi(120_000)), f.claimable(t, ben, olga))
	f.requireInvariants(t)
}

func TestFeeWithoutStakers(t *testing.T) {
	for name, setUp := range map[string]func(f *stakeFixture) error{
		"nobody delegates": func(*stakeFixture) error { return nil },
		"own stake is gone": func(f *stakeFixture) error {
			return firstErr(f.staking.delegate(f.ctx, ann, oscar, 50), f.staking.bond(f.ctx, oscar, -100))
		},
		"all is commission": func(f *stakeFixture) error {
			f.staking.operators[string(oscar)].CommissionPpm = 1_000_000
			return f.staking.delegate(f.ctx, ann, oscar, 50)
		},
		"a slash emptied the pool": func(f *stakeFixture) error { _, err := f.staking.slash(f.ctx, oscar, 1_000_000, 0); return err },
		"everybody has left the pool": func(f *stakeFixture) error {
			return firstErr(f.staking.delegate(f.ctx, ann, oscar, 50), f.staking.delegate(f.ctx, ann, oscar, -50))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newStakeFixture(t)
			f.staking.register(oscar, 100, 0)
			require.NoError(t, setUp(f))

			f.fee(t, oscar, ugrafi(1_000))

			require.Equal(t, sdk.NewCoins(ugrafi(1_000)), f.claimable(t, oscar, oscar))
			require.Empty(t, f.claimable(t, ann, oscar))
			require.Empty(t, f.export(t).Pools)
			f.requireInvariants(t)
		})
	}
}

func firstErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestFeeOfNothingChangesNothing(t *testing.T) {
	f := newStakeFixture(t)
	f.pair(t)
	before := f.picture(t)

	require.NoError(t, f.k.CreditFee(f.ctx, gpumarket.Payment{Operator: olga, Denom: denom, Stakers: math.ZeroInt()}))
	require.NoError(t, f.k.CreditFee(f.ctx, gpumarket.Payment{Operator: olga, Denom: denom}))

	require.Equal(t, before, f.picture(t))
	require.Empty(t, f.ctx.EventManager().Events())
}

func TestFeeOfUnknownOperator(t *testing.T) {
	f := newStakeFixture(t)
	err := f.k.CreditFee(f.ctx, gpumarket.Payment{Operator: cleo, Denom: denom, Stakers: math.NewInt(5)})
	require.ErrorIs(t, err, stakingext.ErrOperatorNotFound)
}

// TestDelegatedStakeCountsThreeTimes: what is over 3 × own stake earns nothing,
// and the stakers share what the rest earned.
func TestDelegatedStakeCountsThreeTimes(t *testing.T) {
	f := newStakeFixture(t)
	f.staking.register(olga, 100, 0)
	require.NoError(t, f.staking.delegate(f.ctx, ann, olga, 900))

	f.fee(t, olga, ugrafi(1_000))

	require.Equal(t, sdk.NewCoins(ugrafi(250)), f.claimable(t, olga, olga))
	require.Equal(t, sdk.NewCoins(ugrafi(749)), f.claimable(t, ann, olga)) // 749.99…
}

// TestClaimInSeveralDenoms claims at two operators, in two denoms, and as an
// operator; each in one transaction.
func TestClaimInSeveralDenoms(t *testing.T) {
	f := newStakeFixture(t)
	f.pair(t)
	f.staking.register(oscar, 128, 0)
	require.NoError(t, f.staking.delegate(f.ctx, ann, oscar, 128))
	f.fee(t, olga, ugrafi(grafi))
	f.fee(t, olga, sdk.NewInt64Coin(foreign, 2_000_000))
	f.fee(t, oscar, ugrafi(64))
	f.at(begin)
	want := f.export(t)

	resp, err := f.msgs.ClaimStakingRewards(f.ctx, &types.MsgClaimStakingRewards{
		Delegator: ann.String(), Operators: []string{olga.String(), oscar.String()},
	})

	require.NoError(t, err)
	atOlga := sdk.NewCoins(ugrafi(179_999), sdk.NewInt64Coin(foreign, 359_999))
	atOscar := sdk.NewCoins(ugrafi(32))
	require.Equal(t, atOlga.Add(atOscar...), resp.Amount)
	require.Equal(t, resp.Amount, f.bank.GetAllBalances(f.ctx, ann))
	f.requireEvents(t,
		&types.EventStakingRewardsClaimed{Delegator: ann.String(), Operator: olga.String(), Amount: atOlga},
		&types.EventStakingRewardsClaimed{Delegator: ann.String(), Operator: oscar.String(), Amount: atOscar})
	f.requireInvariants(t)
	// Nothing but Ann's marks, and what the pools owe, has changed. Foreign coins
	// come first in the order of denoms.
	olgas, oscars := want.Pools[:2], want.Pools[2:]
	for i, paid := range []int64{359_999, 179_999} {
		dust := dustOf(300*grafi, olgas[i].PerShare)
		olgas[i].Unsettled, olgas[i].Remainder = olgas[i].Unsettled.SubRaw(paid), olgas[i].Remainder.Add(dust)
	}
	oscars[0].Unsettled = oscars[0].Unsettled.SubRaw(32)
	want.Stakers = append([]types.Staker{
		{Delegator: ann.String(), Operator: olga.String(), Marks: []types.Mark{
			{Denom: foreign, PerShare: olgas[0].PerShare}, {Denom: denom, PerShare: olgas[1].PerShare},
		}},
		{Delegator: ann.String(), Operator: oscar.String(), Marks: []types.Mark{{Denom: denom, PerShare: oscars[0].PerShare}}},
	}, want.Stakers...)
	require.Equal(t, f.text(t, want), f.text(t, f.export(t)))

	f.at(begin)
	resp, err = f.msgs.ClaimStakingRewards(f.ctx, &types.MsgClaimStakingRewards{Delegator: olga.String(), Operators: []string{olga.String()}})
	require.NoError(t, err)
	require.Equal(t, sdk.NewCoins(ugrafi(700_000), sdk.NewInt64Coin(foreign, 1_400_000)), resp.Amount)
	f.requireInvariants(t)
	for _, s := range f.export(t).Stakers {
		require.NotEqual(t, olga.String(), s.Delegator, "an empty record is gone")
	}
}

func TestClaimRefused(t *testing.T) {
	many := make([]string, types.MaxClaimOperators+1)
	for i := range many {
		many[i] = olga.String()
	}
	for name, tc := range map[string]struct {
		delegator string
		operators []string
		blocked   bool
		want      string
	}{
		"no address":               {delegator: "", operators: []string{olga.String()}, want: "delegator \"\""},
		"not an address":           {delegator: "ann", operators: []string{olga.String()}, want: "delegator \"ann\""},
		"no operator":              {delegator: ann.String(), want: "0 operators, want 1 to 100"},
		"an operator that is none": {delegator: ann.String(), operators: []string{"olga"}, want: "operator \"olga\""},
		"too many operators":       {delegator: ann.String(), operators: many, want: "101 operators, want 1 to 100"},
		"one twice":                {delegator: ann.String(), operators: []string{olga.String(), oscar.String(), olga.String()}, want: "twice"},
		"not registered":           {delegator: ann.String(), operators: []string{olga.String(), cleo.String()}, want: "operator is not registered"},
		"nothing earned there":     {delegator: ann.String(), operators: []string{oscar.String()}, want: "nothing to claim"},
		"no stake there":           {delegator: cleo.String(), operators: []string{olga.String()}, want: "nothing to claim"},
		"the bank refuses it":      {delegator: ann.String(), operators: []string{olga.String()}, blocked: true, want: "is not allowed to receive funds"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newStakeFixture(t)
			f.pair(t)
			f.staking.register(oscar, 100, 0)
			f.fee(t, olga, ugrafi(grafi))
			f.blocked[ann.String()] = tc.blocked
			f.at(begin)
			before := f.picture(t)

			_, err := deliver(f, f.msgs.ClaimStakingRewards, &types.MsgClaimStakingRewards{Delegator: tc.delegator, Operators: tc.operators})

			require.ErrorContains(t, err, tc.want)
			require.Equal(t, before, f.picture(t))
			require.Empty(t, f.ctx.EventManager().Events())
		})
	}
}

// TestClaimTwice: the second of two claims finds nothing.
func TestClaimTwice(t *testing.T) {
	f := newStakeFixture(t)
	f.pair(t)
	f.fee(t, olga, ugrafi(grafi))
	msg := &types.MsgClaimStakingRewards{Delegator: ann.String(), Operators: []string{olga.String()}}
	_, err := deliver(f, f.msgs.ClaimStakingRewards, msg)
	require.NoError(t, err)
	_, err = deliver(f, f.msgs.ClaimStakingRewards, msg)
	require.ErrorIs(t, err, types.ErrNothingToClaim)
}

func TestStakerPoolsPages(t *testing.T) {
	f := newStakeFixture(t)
	f.pair(t)
	f.fee(t, olga, ugrafi(grafi))
	f.fee(t, olga, sdk.NewInt64Coin(foreign, 500))
	req := &types.QueryStakerPoolsRequest{Operator: olga.String(), Pagination: &query.PageRequest{Limit: 1}}
	first, err := f.queries.StakerPools(f.ctx, req)
	require.NoError(t, err)
	req.Pagination.Key = first.Pagination.NextKey
	second, err := f.queries.StakerPools(f.ctx, req)
	require.NoError(t, err)
	require.Equal(t, f.export(t).Pools, append(first.Pools, second.Pools...))

	_, err = f.queries.StakerPools(f.ctx, nil)
	require.ErrorContains(t, err, "InvalidArgument")
	_, err = f.queries.StakingRewards(f.ctx, nil)
	require.ErrorContains(t, err, "InvalidArgument")
	_, err = f.queries.StakingRewards(f.ctx, &types.QueryStakingRewardsRequest{Delegator: ann.String(), Operator: cleo.String()})
	require.ErrorContains(t, err, "NotFound")
}
