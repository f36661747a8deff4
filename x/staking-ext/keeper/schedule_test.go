package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// TestSlashBySchedule walks the rows: alice has 1,000 of her own and 100 of
// rewards that are not released.
func TestSlashBySchedule(t *testing.T) {
	const week = 7 * day
	tests := map[string]struct {
		fault                types.Fault
		amount               int64
		holdIn               string
		first, again         int64 // stake after the first and the second time
		rewardsLeft          int64 // after the first
		jail, jailAgain      time.Duration
		tombstone, tombAgain bool
	}{
		"equivocation":          {fault: types.FAULT_EQUIVOCATION, first: 670, again: 0, jail: week, jailAgain: week, tombAgain: true},
		"wrong answer":          {fault: types.FAULT_WRONG_ANSWER, first: 670, again: 0, jail: week, jailAgain: week, tombAgain: true},
		"double device":         {fault: types.FAULT_DOUBLE_DEVICE, jail: week, jailAgain: week, tombstone: true, tombAgain: true},
		"forged report":         {fault: types.FAULT_FORGED_REPORT, jail: week, jailAgain: week, tombstone: true, tombAgain: true},
		"missed challenges":     {fault: types.FAULT_MISSED_CHALLENGES, first: 1_000, again: 1_000, rewardsLeft: 90, jail: 6 * time.Hour, jailAgain: 6 * time.Hour},
		"class mismatch":        {fault: types.FAULT_CLASS_MISMATCH, first: 1_000, again: 670, rewardsLeft: 0},
		"one missed challenge":  {fault: types.FAULT_MISSED_CHALLENGE, amount: 250, first: 1_000, again: 1_000},
		"offline in a rental":   {fault: types.FAULT_OFFLINE_IN_RENTAL, amount: 250, first: 850, again: 600},
		"SLA credit":            {fault: types.FAULT_SLA_CREDIT, amount: 40, first: 1_000, again: 1_000, rewardsLeft: 60},
		"abandoned reservation": {fault: types.FAULT_ABANDONED_RESERVATION, amount: 250, first: 850, again: 600},
		"dispute":               {fault: types.FAULT_DISPUTE, amount: 250, holdIn: held, first: 850, again: 600},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.register(t, alice, 1_000)
			f.give(t, rewards, math.NewInt(100))
			f.hooks.escrow = math.NewInt(100)
			for i, want := range []struct {
				stake     int64
				jail      time.Duration
				tombstone bool
			}{{tc.first, tc.jail, tc.tombstone}, {tc.again, tc.jailAgain, tc.tombAgain}} {
				f.after(time.Minute)
				req := types.SlashRequest{Operator: alice, FaultID: fmt.Sprint(i), CommittedAt: f.ctx.BlockTime(), HoldIn: tc.holdIn}
				if tc.amount > 0 {
					req.Amount = math.NewInt(tc.amount)
				}
				wasTombstoned := f.operator(t, alice).Tombstoned

				_, err := f.k.SlashBySchedule(f.ctx, tc.fault, req)

				require.NoError(t, err)
				o := f.operator(t, alice)
				require.Equal(t, want.stake, o.OwnStake.Int64())
				require.Equal(t, want.tombstone, o.Tombstoned)
				require.Equal(t, want.jail > 0, o.Jailed)
				if want.jail > 0 && !wasTombstoned {
					require.Equal(t, f.ctx.BlockTime().Add(want.jail), o.JailedUntil)
				}
				require.Equal(t, uint32(i+1), o.FaultCount(tc.fault))
				if i == 0 {
					require.Equal(t, tc.rewardsLeft, f.look(t).Money["rewards"])
				}
				f.requireInvariants(t)
			}
		})
	}
}

func TestSlashByScheduleRefuses(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000)
	before := f.look(t)
	valid := types.SlashRequest{Operator: alice, FaultID: "a", CommittedAt: start}
	withAmount := valid
	withAmount.Amount = math.NewInt(5)
	for name, tc := range map[string]struct {
		fault types.Fault
		req   types.SlashRequest
		err   error
		names string
	}{
		"nobody":                  {types.FAULT_EQUIVOCATION, types.SlashRequest{Operator: bob, FaultID: "a", CommittedAt: start}, types.ErrOperatorNotFound, bob.String()},
		"no fault":                {types.FAULT_UNSPECIFIED, valid, types.ErrInvalidSlash, "not in the schedule"},
		"an unknown fault":        {types.Fault(99), valid, types.ErrInvalidSlash, "99"},
		"an amount of a fraction": {types.FAULT_EQUIVOCATION, withAmount, types.ErrInvalidSlash, "want none"},
		"no amount":               {types.FAULT_SLA_CREDIT, valid, types.ErrInvalidSlash, "want one"},
		"a dispute not held":      {types.FAULT_DISPUTE, withAmount, types.ErrInvalidSlash, "must be held"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.k.SlashBySchedule(f.ctx, tc.fault, tc.req)
			require.ErrorIs(t, err, tc.err)
			require.ErrorContains(t, err, tc.names)
			require.Equal(t, before, f.look(t))
		})
	}
}

// TestHooksCanRefuse: an error of a hook fails every change.
func TestHooksCanRefuse(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000)
	f.register(t, bob, 1_000)
	f.delegate(t, dave, alice, 100)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, 0))
	f.hooks.err = fmt.Errorf("no")
	for name, do := range map[string]func(sdk.Context) error{
		"bond":       func(ctx sdk.Context) error { return f.k.Bond(ctx, alice, coin(1)) },
		"unbond":     func(ctx sdk.Context) error { _, err := f.k.Unbond(ctx, bob, coin(1)); return err },
		"delegate":   func(ctx sdk.Context) error { _, err := f.k.Delegate(ctx, dave, alice, coin(1)); return err },
		"undelegate": func(ctx sdk.Context) error { _, err := f.k.Undelegate(ctx, dave, alice, coin(1)); return err },
		"redelegate": func(ctx sdk.Context) error { _, err := f.k.Redelegate(ctx, dave, alice, bob, coin(1)); return err },
		"new GPU":    func(ctx sdk.Context) error { return f.k.SetGPU(ctx, alice, 1, 1, 0) },
		"price":      func(ctx sdk.Context) error { return f.k.SetListedPrice(ctx, alice, 1, 0, math.NewInt(9*grafi)) },
		"GPU gone":   func(ctx sdk.Context) error { return f.k.RemoveGPU(ctx, alice, 1, 0) },
		"slash": func(ctx sdk.Context) error {
			_, err := f.k.Slash(ctx, types.SlashRequest{Operator: alice, Fault: types.FAULT_SLA_CREDIT, FaultID: "a", FractionPPM: 1, CommittedAt: start})
			return err
		},
		"register": func(ctx sdk.Context) error {
			return f.k.Register(ctx, carol, registrationOf(5))
		},
	} {
		t.Run(name, func(t *testing.T) {
			cached, _ := f.ctx.CacheContext()
			require.ErrorContains(t, do(cached), "no")
		})
	}
}

// TestBrokenRewards: a hook that gives more than asked fails the slash.
func TestBrokenRewards(t *testing.T) {
	for _, given := range []math.Int{math.NewInt(6), math.NewInt(-1), {}} {
		f := newFixture(t)
		f.register(t, alice, 1_000)
		f.k.SetHooks(brokenHooks{fakeHooks: f.hooks, gives: given})
		cached, _ := f.ctx.CacheContext()
		_, err := f.k.Slash(cached, types.SlashRequest{
			Operator: alice, Fault: types.FAULT_SLA_CREDIT, FaultID: "a", Amount: math.NewInt(5), CommittedAt: start,
		})
		require.ErrorIs(t, err, types.ErrInvalidSlash)
		require.ErrorContains(t, err, "want 0 to 5")
	}
}
