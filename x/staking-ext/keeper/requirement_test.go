package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

func TestRequirementFollowsTheGPUs(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 5_000*grafi)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 7, 0, 10*types.PPM)) // H100: 2,000
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 7, 1, 0))            // unknown class: 200
	require.Equal(t, math.NewInt(2_200*grafi), f.operator(t, alice).Requirement)

	// 168 hours × 20 GRAFI = 3,360 for each.
	for _, ordinal := range []uint32{0, 1} {
		require.NoError(t, f.k.SetListedPrice(f.ctx, alice, 7, ordinal, math.NewInt(20*grafi)))
	}
	require.Equal(t, math.NewInt(6_720*grafi), f.operator(t, alice).Requirement)

	// A heavier class under a listed price goes to max(200 × 30, 3,360) by steps,
	// of which the first is a day away.
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 7, 1, 30*types.PPM))
	require.Equal(t, math.NewInt(6_720*grafi), f.operator(t, alice).Requirement)
	f.requireInvariants(t)

	// A day later the change of a price is a step at once: 3,360 × 0.9.
	f.after(day)
	require.NoError(t, f.k.SetListedPrice(f.ctx, alice, 7, 0, math.ZeroInt()))
	require.Equal(t, math.NewInt((3_024+3_360)*grafi), f.operator(t, alice).Requirement)
	require.NoError(t, f.k.RemoveGPU(f.ctx, alice, 7, 1))
	gs := f.export(t)
	require.Equal(t, math.NewInt(3_024*grafi), gs.Operators[0].Requirement)
	require.Len(t, gs.Requirements, 1)
	f.requireInvariants(t)
}

func TestRequirementRefusals(t *testing.T) {
	tests := map[string]struct {
		do    func(f *fixture) error
		err   error
		names string
	}{
		"set a GPU of nobody":     {func(f *fixture) error { return f.k.SetGPU(f.ctx, bob, 1, 0, 1) }, types.ErrOperatorNotFound, bob.String()},
		"remove a GPU of nobody":  {func(f *fixture) error { return f.k.RemoveGPU(f.ctx, bob, 1, 0) }, types.ErrOperatorNotFound, bob.String()},
		"remove an unknown GPU":   {func(f *fixture) error { return f.k.RemoveGPU(f.ctx, alice, 1, 9) }, types.ErrGPUNotFound, "GPU 9 of host 1"},
		"price of nobody":         {func(f *fixture) error { return f.k.SetListedPrice(f.ctx, bob, 1, 0, math.OneInt()) }, types.ErrOperatorNotFound, bob.String()},
		"price of an unknown GPU": {func(f *fixture) error { return f.k.SetListedPrice(f.ctx, alice, 2, 0, math.OneInt()) }, types.ErrGPUNotFound, "GPU 0 of host 2"},
		"price below zero":        {func(f *fixture) error { return f.k.SetListedPrice(f.ctx, alice, 1, 0, math.NewInt(-1)) }, types.ErrInvalidAmount, "-1"},
		"no price":                {func(f *fixture) error { return f.k.SetListedPrice(f.ctx, alice, 1, 0, math.Int{}) }, types.ErrInvalidAmount, "<nil>"},
		"an overflowing price":    {func(f *fixture) error { return f.k.SetListedPrice(f.ctx, alice, 1, 0, types.MaxAmount.AddRaw(1)) }, types.ErrInvalidAmount, "want 0 to"},
		"cover of nobody":         {func(f *fixture) error { return f.k.EnsureCovered(f.ctx, bob) }, types.ErrOperatorNotFound, bob.String()},
		"rentable of nobody":      {func(f *fixture) error { return f.k.EnsureRentable(f.ctx, bob) }, types.ErrOperatorNotFound, bob.String()},
		"slash of nobody":         {func(f *fixture) error { _, err := f.k.Slash(f.ctx, types.SlashRequest{Operator: bob}); return err }, types.ErrOperatorNotFound, bob.String()},
		"equivocation of nobody": {func(f *fixture) error {
			_, err := f.k.SlashEquivocation(f.ctx, types.SlashRequest{Operator: bob})
			return err
		}, types.ErrOperatorNotFound, bob.String()},
		"slash without a fault": {func(f *fixture) error {
			_, err := f.k.Slash(f.ctx, types.SlashRequest{Operator: alice, FaultID: "a", FractionPPM: 1, CommittedAt: start})
			return err
		}, types.ErrInvalidSlash, "FAULT_UNSPECIFIED"},
		"slash for a later fault": {func(f *fixture) error {
			_, err := f.k.SlashEquivocation(f.ctx, types.SlashRequest{Operator: alice, FaultID: "a", CommittedAt: start.Add(1)})
			return err
		}, types.ErrInvalidSlash, "2026-01-01T00:00:00.000000001Z"},
		"slash for a fault at all": {func(f *fixture) error {
			_, err := f.k.SlashEquivocation(f.ctx, types.SlashRequest{Operator: alice, FaultID: "a"})
			return err
		}, types.ErrInvalidSlash, "0001-01-01"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.register(t, alice, 500*grafi)
			require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, types.PPM))
			f.at(start)
			before := f.look(t)

			err := tc.do(f)

			require.ErrorIs(t, err, tc.err)
			require.ErrorContains(t, err, tc.names)
			require.Equal(t, before, f.look(t))
			f.requireEvents(t)
		})
	}
}

func TestClearingThePriceOfAGoneGPUIsNoError(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 500*grafi)
	before := f.look(t)
	require.NoError(t, f.k.SetListedPrice(f.ctx, alice, 9, 9, math.ZeroInt()))
	require.Equal(t, before, f.look(t))
}

// TestGrace walks the 72 hours: they start with one event when the stake falls
// under the requirement, end rentability a moment after their last second, and
// are over when the stake is topped up.
func TestGrace(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 300*grafi)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, types.PPM))
	f.requireEvents(t)
	require.Nil(t, f.operator(t, alice).BelowSince)
	require.NoError(t, f.k.EnsureCovered(f.ctx, alice))

	f.after(time.Hour)
	since := f.ctx.BlockTime()
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 1, types.PPM))
	f.requireEvents(t, &types.EventStakeBelowRequirement{
		Operator: alice.String(), CountedStake: "300000000", Requirement: "400000000",
	})
	require.Equal(t, since, *f.operator(t, alice).BelowSince)
	err := f.k.EnsureCovered(f.ctx, alice)
	require.ErrorIs(t, err, types.ErrBelowRequirement)
	require.ErrorContains(t, err, "counted stake 300000000, want 400000000")

	// Going deeper neither restarts the grace nor tells it again.
	f.after(time.Hour)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 2, types.PPM))
	f.requireEvents(t)
	require.Equal(t, since, *f.operator(t, alice).BelowSince)

	f.at(since.Add(72 * time.Hour))
	require.NoError(t, f.k.EnsureRentable(f.ctx, alice))
	f.at(since.Add(72*time.Hour + time.Second))
	err = f.k.EnsureRentable(f.ctx, alice)
	require.ErrorIs(t, err, types.ErrBelowRequirement)
	require.ErrorContains(t, err, "the grace ended at 2026-01-04T01:00:00Z")

	require.NoError(t, f.k.Bond(f.ctx, alice, coin(300*grafi-1)))
	require.Error(t, f.k.EnsureRentable(f.ctx, alice), "one ugrafi is missing")
	require.NoError(t, f.k.Bond(f.ctx, alice, coin(1)))
	require.NoError(t, f.k.EnsureRentable(f.ctx, alice))
	require.NoError(t, f.k.EnsureCovered(f.ctx, alice))
	require.Nil(t, f.operator(t, alice).BelowSince)
	f.requireInvariants(t)
}

func TestGraceEndsWithTheGPU(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 0)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, types.PPM))
	require.NotNil(t, f.operator(t, alice).BelowSince)
	require.NoError(t, f.k.RemoveGPU(f.ctx, alice, 1, 0))
	require.Nil(t, f.operator(t, alice).BelowSince)
	f.requireInvariants(t)
}
