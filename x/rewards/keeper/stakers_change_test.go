package keeper_test

import (
	"fmt"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/rewards/types"
)

// TestWhoComesAndGoes: a staker earns by what it held, when it held it.
func TestWhoComesAndGoes(t *testing.T) {
	f := newStakeFixture(t)
	f.staking.register(olga, 1<<20, 0)
	require.NoError(t, f.staking.delegate(f.ctx, ann, olga, 1<<20))
	f.fee(t, olga, ugrafi(64)) // Ann 32
	require.NoError(t, f.staking.delegate(f.ctx, ben, olga, 1<<20))
	require.Empty(t, f.claimable(t, ben, olga), "nothing of what was paid before")
	require.NoError(t, f.staking.bond(f.ctx, olga, 1<<20))
	f.fee(t, olga, ugrafi(64)) // 16 each
	require.NoError(t, f.staking.delegate(f.ctx, ann, olga, -1<<20))
	require.NoError(t, f.staking.bond(f.ctx, olga, -1<<20))
	f.fee(t, olga, ugrafi(64)) // Ben 32
	require.Equal(t, sdk.NewCoins(ugrafi(48)), f.claimable(t, ann, olga), "what she earned waits for her")

	// She comes back before she claimed, and earns from then on.
	require.NoError(t, f.staking.delegate(f.ctx, ann, olga, 1<<20))
	require.NoError(t, f.staking.bond(f.ctx, olga, 1<<20))
	f.fee(t, olga, ugrafi(64)) // 16 each
	require.Equal(t, sdk.NewCoins(ugrafi(64)), f.claimable(t, ann, olga))
	require.Equal(t, sdk.NewCoins(ugrafi(64)), f.claimable(t, ben, olga))
	f.requireInvariants(t)

	// She leaves, claims, so that her record ends, and comes back again.
	require.NoError(t, f.staking.delegate(f.ctx, ann, olga, -1<<20))
	_, err := f.k.ClaimStakingRewards(f.ctx, ann, []sdk.AccAddress{olga})
	require.NoError(t, err)
	require.Len(t, f.export(t).Stakers, 2, "Ben and Olga")
	require.NoError(t, f.staking.delegate(f.ctx, ann, olga, 1<<20))
	require.Empty(t, f.claimable(t, ann, olga))
	f.requireInvariants(t)
}

// TestReleaseBelongsToWhoHeldStake: what has flowed is given out before stake
// changes, so that nobody gains by coming just before a withdrawal.
func TestReleaseBelongsToWhoHeldStake(t *testing.T) {
	f := newStakeFixture(t)
	f.staking.register(olga, 1<<20, 0)
	require.NoError(t, f.staking.delegate(f.ctx, ann, olga, 1<<20))
	f.mine(t, olga, 4_000) // liquid 1,000: Ann 500; held 3,000
	f.at(begin.Add(31 * oneDay))

	require.NoError(t, f.staking.delegate(f.ctx, ben, olga, 1<<20))

	require.Equal(t, sdk.NewCoins(ugrafi(2_000)), f.claimable(t, ann, olga))
	require.Empty(t, f.claimable(t, ben, olga))
	require.Equal(t, sdk.NewCoins(ugrafi(1_500)), f.claimable(t, olga, olga), "the operator's part waits")
	_, err := deliver(f, f.msgs.WithdrawReleased, &types.MsgWithdrawReleased{Operator: olga.String()})
	require.ErrorIs(t, err, types.ErrNothingToWithdraw)
	f.requireInvariants(t)

	// The same before the own stake changes, and when a staker claims.
	f.mine(t, olga, 4_000)
	liquid := f.claimable(t, ann, olga)
	f.after(16 * oneDay) // half of it
	require.NoError(t, f.staking.bond(f.ctx, olga, 100<<20))
	require.Equal(t, liquid.Add(ugrafi(500)), f.claimable(t, ann, olga))
	f.after(15 * oneDay)
	paid, err := f.k.ClaimStakingRewards(f.ctx, ben, []sdk.AccAddress{olga})
	require.NoError(t, err)
	require.Equal(t, sdk.NewCoins(ugrafi(1_000/3+500+1_500/103)), paid)
	require.Empty(t, f.export(t).Tranches)
	f.requireInvariants(t)
}

// TestHookOfSharesAloneReleases: the fact that shares change is enough, whichever
// hook comes first.
func TestHookOfSharesAloneReleases(t *testing.T) {
	f := newStakeFixture(t)
	f.staking.register(olga, 1<<20, 0)
	require.NoError(t, f.staking.delegate(f.ctx, ann, olga, 1<<20))
	f.mine(t, olga, 4_000)
	f.at(begin.Add(31 * oneDay))

	require.NoError(t, f.staking.hooks.BeforeDelegationChanged(f.ctx, ben, olga, math.ZeroInt()))

	require.Empty(t, f.export(t).Tranches)
	require.Equal(t, sdk.NewCoins(ugrafi(2_000)), f.claimable(t, ann, olga))
}

// TestFeeCostsTheSameForManyStakers: the gas of a payment, of a release and of a
// slash doesn't depend on how many stakers share it.
func TestFeeCostsTheSameForManyStakers(t *testing.T) {
	gas := func(stakers int) (used []uint64) {
		f := newStakeFixture(t)
		f.staking.register(olga, 1<<20, 100_000)
		for i := range stakers {
			staker := sdk.AccAddress(fmt.Sprintf("staker %013d", i))
			require.NoError(t, f.staking.delegate(f.ctx, staker, olga, 1<<20/int64(stakers)))
		}
		f.mine(t, olga, 1<<30)
		f.after(2 * oneDay)
		for _, step := range []func() error{
			func() error { f.fee(t, olga, ugrafi(grafi)); return nil },
			func() error { _, err := f.k.Withdraw(f.ctx, olga); return err },
			func() error { _, err := f.staking.slash(f.ctx, olga, 1, 1_000); return err },
		} {
			f.ctx = f.ctx.WithGasMeter(storetypes.NewInfiniteGasMeter())
			require.NoError(t, step())
			used = append(used, f.ctx.GasMeter().GasConsumed())
		}
		return used
	}
	require.Equal(t, gas(1), gas(1<<10))
}
