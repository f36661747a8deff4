package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// TestBonds: alice has 1,000 of her own, 300 delegated and a requirement of 700,
// so that 600 of her own are free, to leave or to be locked.
func TestBonds(t *testing.T) {
	gs := types.DefaultGenesis()
	gs.Params.MinStakePerGpu = math.NewInt(700)
	f := newFixtureWith(t, gs)
	f.register(t, alice, 1_000)
	f.delegate(t, dave, alice, 300)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, 0))
	f.hooks.told()
	f.at(start)
	before, money := f.export(t), f.look(t).Money

	// 700 less the 300 delegated leave 400 that the requirement needs.
	require.NoError(t, f.k.LockBond(f.ctx, alice, math.NewInt(250)))

	f.requireChange(t, before, money, func(gs *types.GenesisState) { gs.Operators[0].BondedFor = math.NewInt(250) }, nil,
		&types.EventBondLocked{Operator: alice.String(), Amount: "250"})
	require.Empty(t, f.hooks.told(), "no stake moves")
	f.at(start)
	for _, tc := range []struct {
		do    func() error
		err   error
		names string
	}{
		{func() error { return f.k.LockBond(f.ctx, alice, math.NewInt(351)) }, types.ErrInsufficientStake, "bond of 351, free is 350"},
		{func() error { _, err := f.k.Unbond(f.ctx, alice, coin(351)); return err }, types.ErrInsufficientStake, "unbond 351, free is 350: own stake 1000, delegated 300, requirement 700, bonds 250"},
		{func() error { return f.k.LockBond(f.ctx, bob, math.NewInt(1)) }, types.ErrOperatorNotFound, bob.String()},
		{func() error { return f.k.LockBond(f.ctx, alice, math.ZeroInt()) }, types.ErrInvalidAmount, "bond of 0, want 1"},
		{func() error { return f.k.LockBond(f.ctx, alice, math.Int{}) }, types.ErrInvalidAmount, "<nil>"},
		{func() error { return f.k.ReleaseBond(f.ctx, alice, math.NewInt(251)) }, types.ErrInvalidAmount, "bond of 251, want 1 to 250"},
		{func() error { return f.k.ReleaseBond(f.ctx, alice, math.NewInt(-1)) }, types.ErrInvalidAmount, "bond of -1"},
		{func() error { return f.k.ReleaseBond(f.ctx, bob, math.NewInt(1)) }, types.ErrOperatorNotFound, bob.String()},
	} {
		state := f.look(t)
		err := tc.do()
		require.ErrorIs(t, err, tc.err)
		require.ErrorContains(t, err, tc.names)
		require.Equal(t, state, f.look(t))
		f.requireEvents(t)
	}
	require.NoError(t, f.k.LockBond(f.ctx, alice, math.NewInt(350)), "all that is free")

	// A slash takes what is locked too; what was locked is still released in full.
	f.slashAmount(t, alice, 900, start)
	before, money = f.export(t), f.look(t).Money
	require.NoError(t, f.k.ReleaseBond(f.ctx, alice, math.NewInt(600)))
	f.requireChange(t, before, money, func(gs *types.GenesisState) { gs.Operators[0].BondedFor = math.ZeroInt() }, nil,
		&types.EventBondReleased{Operator: alice.String(), Amount: "600"})

	// A tombstoned operator locks nothing, and its requirement holds nothing back.
	f.slashTombstone(t)
	require.ErrorIs(t, f.k.LockBond(f.ctx, alice, math.NewInt(1)), types.ErrTombstoned)
}

// slashTombstone ends alice.
func (f *fixture) slashTombstone(t testingT) {
	t.Helper()
	_, err := f.k.SlashBySchedule(f.ctx, types.FAULT_DOUBLE_DEVICE, types.SlashRequest{Operator: alice, FaultID: "twice", CommittedAt: f.ctx.BlockTime()})
	require.NoError(t, err)
}

// TestVotingStake counts own stake and delegations at their value, and nothing
// that is on its way out; all votes are all stake.
func TestVotingStake(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 100)
	f.register(t, bob, 50)
	f.delegate(t, dave, alice, 600)
	f.delegate(t, dave, bob, 40)
	f.delegate(t, bob, alice, 200)
	votes := func(want map[string]int64, total int64) {
		t.Helper()
		for who, account := range map[string]interface{ String() string }{"alice": alice, "bob": bob, "carol": carol, "dave": dave} {
			resp, err := f.queries.VotingStake(f.ctx, &types.QueryVotingStakeRequest{Account: account.String()})
			require.NoError(t, err)
			require.Equal(t, want[who], resp.Own.Add(resp.Delegated).Int64(), who)
		}
		sum, err := f.k.TotalStake(f.ctx)
		require.NoError(t, err)
		require.Equal(t, total, sum.Int64())
	}
	votes(map[string]int64{"alice": 100, "bob": 250, "dave": 640}, 990)
	_, err := f.k.Undelegate(f.ctx, dave, alice, coin(100))
	require.NoError(t, err)
	f.unbond(t, alice, 30)
	votes(map[string]int64{"alice": 70, "bob": 250, "dave": 540}, 860)
	f.slashAmount(t, alice, 70+350, start) // half of the 700 in the pool
	votes(map[string]int64{"bob": 150, "dave": 290}, 440)
	_, err = f.k.Redelegate(f.ctx, dave, alice, bob, coin(0))
	require.NoError(t, err)
	votes(map[string]int64{"bob": 150, "dave": 290}, 440)
	v, err := f.k.VotingStake(f.ctx, dave)
	require.NoError(t, err)
	require.Equal(t, "290", v.String())
	_, err = f.queries.VotingStake(f.ctx, nil)
	require.ErrorContains(t, err, "InvalidArgument")
}

func TestStakeOf(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 100*grafi)
	f.delegate(t, dave, alice, 500*grafi)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, types.PPM))
	counted, requirement, err := f.k.StakeOf(f.ctx, alice)
	require.NoError(t, err)
	require.Equal(t, []int64{400 * grafi, 200 * grafi}, []int64{counted.Int64(), requirement.Int64()})
	require.NoError(t, f.k.EnsureCovered(f.ctx, alice), "delegated stake covers")
	asked, err := f.k.GPURequirement(f.ctx, alice, 1, 0)
	require.NoError(t, err)
	require.Equal(t, 200*grafi, asked.Int64())
	_, _, err = f.k.StakeOf(f.ctx, bob)
	require.ErrorIs(t, err, types.ErrOperatorNotFound)
	_, err = f.k.GPURequirement(f.ctx, bob, 1, 0)
	require.ErrorIs(t, err, types.ErrOperatorNotFound)
	_, err = f.k.GPURequirement(f.ctx, alice, 1, 1)
	require.ErrorIs(t, err, types.ErrGPUNotFound)

	// The public leaving can put the operator below: the grace starts.
	_, err = f.k.Undelegate(f.ctx, dave, alice, coin(401*grafi))
	require.NoError(t, err)
	require.NotNil(t, f.operator(t, alice).BelowSince)
	f.delegate(t, dave, alice, 1*grafi)
	require.Nil(t, f.operator(t, alice).BelowSince)
}

func TestPayFromInsurance(t *testing.T) {
	for name, tc := range map[string]struct{ amount, paid int64 }{
		"less than there is": {40, 40}, "all there is": {100, 100}, "more than there is": {101, 100}, "nothing": {0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.give(t, types.InsuranceAccount, math.NewInt(100))
			f.at(start)
			before, money := f.export(t), f.look(t).Money
			paid, err := f.k.PayFromInsurance(f.ctx, carol, math.NewInt(tc.amount))
			require.NoError(t, err)
			require.Equal(t, tc.paid, paid.Int64())
			if tc.paid == 0 {
				require.Equal(t, money, f.look(t).Money)
				f.requireEvents(t)
				return
			}
			f.requireChange(t, before, money, func(*types.GenesisState) {}, map[string]int64{"carol": tc.paid, "insurance": -tc.paid},
				&types.EventInsurancePaid{Recipient: carol.String(), Amount: paid.String()})
		})
	}
	f := newFixture(t)
	for _, amount := range []math.Int{{}, math.NewInt(-1), types.MaxAmount.AddRaw(1)} {
		_, err := f.k.PayFromInsurance(f.ctx, carol, amount)
		require.ErrorIs(t, err, types.ErrInvalidAmount)
	}
	paid, err := f.k.PayFromInsurance(f.ctx, carol, math.NewInt(5))
	require.NoError(t, err)
	require.True(t, paid.IsZero(), "an empty account pays nothing")
	f.give(t, types.InsuranceAccount, math.NewInt(100))
	f.blocked[carol.String()] = true
	_, err = f.k.PayFromInsurance(f.ctx, carol, math.NewInt(5))
	require.ErrorIs(t, err, sdkerrors.ErrUnauthorized)
}

func TestCommissionMovesSlowly(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 0)
	edit := func(commission uint64) error {
		return f.send(&types.MsgEditOperator{Operator: alice.String(), Moniker: "Alice", CommissionPpm: commission})
	}
	f.at(start.Add(day - time.Second))
	before := f.look(t)
	require.ErrorIs(t, edit(60_000), types.ErrCommissionChange)
	require.Equal(t, before, f.look(t))
	require.NoError(t, edit(50_000), "the same may be said at any time")
	f.at(start.Add(day))
	require.ErrorIs(t, edit(100_001), types.ErrCommissionChange)
	require.NoError(t, edit(100_000))
	require.ErrorIs(t, edit(99_999), types.ErrCommissionChange)
	f.at(start.Add(2 * day))
	require.NoError(t, edit(50_000))
}

func TestPoolQueries(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 100)
	f.register(t, bob, 100)
	f.delegate(t, dave, alice, 600)
	f.delegate(t, carol, alice, 60)
	f.delegate(t, dave, bob, 30)
	_, err := f.k.Undelegate(f.ctx, dave, alice, coin(50))
	require.NoError(t, err)
	_, err = f.k.Redelegate(f.ctx, dave, alice, bob, coin(50))
	require.NoError(t, err)
	f.slashAmount(t, alice, 100, start)

	pool, err := f.queries.Pool(f.ctx, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"740", "50", "20"}, []string{pool.Bonded.String(), pool.Unbonding.String(), pool.Insurance.String()})
	mine, err := f.queries.Delegations(f.ctx, &types.QueryDelegationsRequest{Delegator: dave.String()})
	require.NoError(t, err)
	require.Equal(t, [][2]string{{"500", "0"}, {"80", "50"}}, tokens(mine.Delegations))
	hers, err := f.queries.OperatorDelegations(f.ctx, &types.QueryOperatorDelegationsRequest{Operator: alice.String()})
	require.NoError(t, err)
	require.Equal(t, [][2]string{{"60", "0"}, {"500", "0"}}, tokens(hers.Delegations))
	slashes, err := f.queries.SlashRecords(f.ctx, &types.QuerySlashRecordsRequest{Operator: alice.String()})
	require.NoError(t, err)
	require.Len(t, slashes.Slashes, 1)
	slash, err := f.queries.SlashRecord(f.ctx, &types.QuerySlashRecordRequest{Operator: alice.String(), Id: 1})
	require.NoError(t, err)
	require.Equal(t, slashes.Slashes[0], slash.Slash)

	_, err = f.queries.SlashRecord(f.ctx, &types.QuerySlashRecordRequest{Operator: alice.String(), Id: 2})
	require.ErrorContains(t, err, "NotFound")
	_, err = f.queries.Delegation(f.ctx, &types.QueryDelegationRequest{Delegator: carol.String(), Operator: bob.String()})
	require.ErrorContains(t, err, "NotFound")
	for _, bad := range []error{
		second(f.queries.Delegation(f.ctx, nil)),
		second(f.queries.Delegation(f.ctx, &types.QueryDelegationRequest{Delegator: carol.String()})),
		second(f.queries.Delegations(f.ctx, nil)), second(f.queries.OperatorDelegations(f.ctx, nil)),
		second(f.queries.Undelegations(f.ctx, nil)), second(f.queries.Redelegations(f.ctx, nil)),
		second(f.queries.SlashRecords(f.ctx, nil)), second(f.queries.SlashRecord(f.ctx, nil)),
	} {
		require.ErrorContains(t, bad, "InvalidArgument")
	}
}

func second[T any](_ T, err error) error { return err }

func tokens(views []types.DelegationView) (out [][2]string) {
	for _, v := range views {
		out = append(out, [2]string{v.Tokens.String(), v.LockedShares.String()})
	}
	return out
}
