package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// asks returns what alice's GPU asks for, in GRAFI.
func (f *fixture) asks(t testingT) float64 {
	t.Helper()
	amount, err := f.k.GPURequirement(f.ctx, alice, 1, 0)
	require.NoError(t, err)
	return float64(amount.Int64()) / float64(grafi)
}

// TestRequirementSteps: an H100 listed at 20 GRAFI/h asks for 3,360; its price
// goes to 10, so it goes down to 2,000 by a tenth of itself a day.
func TestRequirementSteps(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 5_000*grafi)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, 10*types.PPM))
	require.Equal(t, 2_000.0, f.asks(t), "a new GPU asks for all at once")
	f.after(time.Hour)
	require.NoError(t, f.k.SetListedPrice(f.ctx, alice, 1, 0, math.NewInt(20*grafi)))
	require.Equal(t, 3_360.0, f.asks(t), "and so does a first price")
	f.after(time.Hour)
	require.NoError(t, f.k.SetListedPrice(f.ctx, alice, 1, 0, math.NewInt(10*grafi)))
	require.Equal(t, 3_360.0, f.asks(t), "a change waits for a day after the last step")
	f.requireInvariants(t)
	changed := start.Add(time.Hour)

	f.at(changed.Add(day - time.Second))
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, 3_360.0, f.asks(t), "a second too early")
	f.at(changed.Add(day))
	f.hooks.told()
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, 3_024.0, f.asks(t))
	require.Equal(t, []string{"alice had 5000000000+0 of 3360000000"}, f.hooks.told())
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, 3_024.0, f.asks(t), "once")

	// A halt of three days: one step a block until it has caught up, each from its
	// own due time.
	f.at(changed.Add(4*day + time.Hour))
	for _, want := range []float64{2_721.6, 2_449.44, 2_204.496, 2_204.496} {
		require.NoError(t, f.k.EndBlock(f.ctx))
		require.Equal(t, want, f.asks(t))
		f.requireInvariants(t)
	}
	f.at(changed.Add(5 * day))
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, 2_000.0, f.asks(t), "arrived")
	require.Equal(t, math.NewInt(2_000*grafi), f.operator(t, alice).Requirement)
	f.after(100 * day)
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, 2_000.0, f.asks(t))
	f.requireInvariants(t)
}

// TestRequirementGoesUp the same way, and starts the grace when it is over the stake.
func TestRequirementGoesUp(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000*grafi)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, 0))
	require.NoError(t, f.k.SetListedPrice(f.ctx, alice, 1, 0, math.NewInt(6*grafi))) // 1,008
	require.NotNil(t, f.operator(t, alice).BelowSince)
	require.NoError(t, f.k.Bond(f.ctx, alice, coin(50*grafi)))
	require.Nil(t, f.operator(t, alice).BelowSince)

	f.after(2 * day)
	require.NoError(t, f.k.SetListedPrice(f.ctx, alice, 1, 0, math.NewInt(20*grafi))) // 3,360
	require.InDelta(t, 1_108.8, f.asks(t), 1e-9, "the first step at once: the last one was over a day ago")
	require.Equal(t, f.ctx.BlockTime(), *f.operator(t, alice).BelowSince)
	require.NoError(t, f.k.SetListedPrice(f.ctx, alice, 1, 0, math.NewInt(21*grafi)))
	require.InDelta(t, 1_108.8, f.asks(t), 1e-9, "not twice in a day")

	// A price that is taken away and given again can't be used to jump down.
	require.NoError(t, f.k.SetListedPrice(f.ctx, alice, 1, 0, math.ZeroInt()))
	require.InDelta(t, 1_108.8, f.asks(t), 1e-9)
	require.NoError(t, f.k.SetListedPrice(f.ctx, alice, 1, 0, math.NewInt(1*grafi)))
	require.InDelta(t, 1_108.8, f.asks(t), 1e-9)
	// Given again higher, it counts at once.
	require.NoError(t, f.k.SetListedPrice(f.ctx, alice, 1, 0, math.ZeroInt()))
	require.NoError(t, f.k.SetListedPrice(f.ctx, alice, 1, 0, math.NewInt(20*grafi)))
	require.Equal(t, 3_360.0, f.asks(t))
	f.requireInvariants(t)
}

func TestRemovedGPULeavesTheQueue(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000*grafi)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, 10*types.PPM))
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, 0))
	f.requireInvariants(t)
	require.NoError(t, f.k.RemoveGPU(f.ctx, alice, 1, 0))
	require.True(t, f.operator(t, alice).Requirement.IsZero())
	f.requireInvariants(t)
	f.after(2 * day)
	f.at(f.ctx.BlockTime())
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.requireEvents(t)
}

// TestRequirementBudgetAndParking: two of three steps a block, and one that a
// hook refuses comes back a day later.
func TestRequirementBudgetAndParking(t *testing.T) {
	gs := types.DefaultGenesis()
	gs.Params.UnbondingBudget = 2
	f := newFixtureWith(t, gs)
	f.register(t, alice, 1_000*grafi)
	for ordinal := range uint32(3) {
		require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, ordinal, types.PPM))
		require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, ordinal, 2*types.PPM))
	}
	sum := func() int64 { return f.operator(t, alice).Requirement.Int64() / grafi }
	require.Equal(t, int64(600), sum())
	f.at(start.Add(day))
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, int64(640), sum())

	f.hooks.err = fmt.Errorf("no")
	f.at(start.Add(day + time.Minute))
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.requireEvents(t, &types.EventRequirementParked{Operator: alice.String(), HostId: 1, Ordinal: 2, Error: "no"})
	require.Equal(t, int64(640), sum())
	f.requireInvariants(t)
	f.hooks.err = nil
	f.at(start.Add(2*day + time.Minute - time.Second))
	require.NoError(t, f.k.EndBlock(f.ctx)) // the other two again
	require.Equal(t, int64(684), sum())
	f.at(start.Add(2*day + time.Minute))
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Equal(t, int64(704), sum())
	f.requireInvariants(t)
}
