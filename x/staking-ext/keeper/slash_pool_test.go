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

// TestSlashWaterfallOfThePool: alice has 50 bonded, 50 in an entry, 30 of rewards
// that are not released; the public has 600 in her pool and took 200 out, both
// after the fault. So 900 are at risk beside the rewards.
func TestSlashWaterfallOfThePool(t *testing.T) {
	tests := map[string]struct {
		req                                types.SlashRequest
		rewards, own, entry, pool          int64 // what is taken
		num, den, owed                     int64
		victim, reporter, insurance, burnt int64
		held                               int64
	}{
		"rewards cover an amount": {
			req: types.SlashRequest{Amount: math.NewInt(20), Reporter: carol}, rewards: 20, den: 1,
			reporter: 2, insurance: 4, burnt: 14,
		},
		"own stake pays next": {
			req: types.SlashRequest{Amount: math.NewInt(100)}, rewards: 30, own: 50, entry: 20, den: 1, insurance: 20, burnt: 80,
		},
		"the pool pays last, with what left it": {
			req:     types.SlashRequest{Amount: math.NewInt(330), Victim: carol, VictimLoss: math.NewInt(100)},
			rewards: 30, own: 50, entry: 50, pool: 150, num: 200, den: 800, owed: 50, victim: 100, insurance: 56, burnt: 124,
		},
		"what an amount asks is not more than there is": {
			req: types.SlashRequest{Amount: math.NewInt(5_000)}, rewards: 30, own: 50, entry: 50, pool: 600,
			num: 800, den: 800, owed: 200, insurance: 146, burnt: 584,
		},
		"rewards cover a fraction": { // 10 % of 900
			req: types.SlashRequest{FractionPPM: 100_000}, rewards: 30, own: 50, entry: 10, den: 1, insurance: 18, burnt: 72,
		},
		"all rewards on top of a fraction": {
			req: types.SlashRequest{FractionPPM: 100_000, AllEscrow: true}, rewards: 30, own: 50, entry: 40, den: 1, insurance: 24, burnt: 96,
		},
		"a half": { // 450: 30 rewards, 100 own, 320 of 800
			req: types.SlashRequest{FractionPPM: 500_000}, rewards: 30, own: 50, entry: 50, pool: 240,
			num: 320, den: 800, owed: 80, insurance: 74, burnt: 296,
		},
		"everything": {
			req: types.SlashRequest{FractionPPM: types.PPM, AllEscrow: true}, rewards: 30, own: 50, entry: 50, pool: 600,
			num: 800, den: 800, owed: 200, insurance: 146, burnt: 584,
		},
		"held for the caller": {
			req:     types.SlashRequest{Amount: math.NewInt(330), Victim: carol, VictimLoss: math.NewInt(100), Reporter: bob, HoldIn: held},
			rewards: 30, own: 50, entry: 50, pool: 150, num: 200, den: 800, owed: 50, held: 280,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.register(t, alice, 100)
			f.delegate(t, dave, alice, 800)
			f.after(time.Hour)
			entry, err := f.k.Undelegate(f.ctx, dave, alice, coin(200))
			require.NoError(t, err)
			f.unbond(t, alice, 50)
			f.after(time.Hour)
			f.give(t, rewards, math.NewInt(30))
			f.hooks.escrow = math.NewInt(30)
			f.hooks.told()
			before, money := f.export(t), f.look(t).Money
			req := tc.req
			req.Operator, req.Fault, req.FaultID, req.CommittedAt = alice, types.FAULT_SLA_CREDIT, "sla/7", start.Add(time.Minute)

			result, err := f.k.Slash(f.ctx, req)

			require.NoError(t, err)
			record := slashRecord(req, 1, f.ctx.BlockTime(), tc.rewards, tc.own, tc.entry, tc.pool,
				tc.victim, tc.reporter, tc.insurance, tc.burnt, tc.held)
			record.RateNum, record.RateDen, record.Owed = math.NewInt(tc.num), math.NewInt(tc.den), math.NewInt(tc.owed)
			f.requireChange(t, before, money, func(gs *types.GenesisState) {
				o := &gs.Operators[0]
				o.OwnStake, o.DelegatedTokens = math.NewInt(50-tc.own), math.NewInt(600-tc.pool)
				o.LeftTotal = math.NewInt(200 - tc.owed)
				gs.Unbonding[0].Amount = math.NewInt(50 - tc.entry)
				if tc.entry == 50 {
					gs.Unbonding = nil
				}
				addSlash(gs, record)
			}, map[string]int64{
				"rewards": -tc.rewards, "stake": -tc.own - tc.pool, "unbonding": -tc.entry,
				"carol": tc.victim + tc.reporter, "insurance": tc.insurance, "held": tc.held, "supply": -tc.burnt,
			}, slashed(record))
			require.Equal(t, []string{"alice had 50+600 of 0"}, f.hooks.told())
			require.Equal(t, tc.rewards+tc.own+tc.entry+tc.pool, result.Taken().Int64())
			require.Equal(t, tc.victim+tc.reporter+tc.insurance+tc.burnt+tc.held, result.Taken().Int64())
			require.Equal(t, entry, f.undelegated(t)[0].Entry, "what leaves pays later")
		})
	}
}

// TestOncePerFault: a fault is punished once, whoever asks and however it is
// called, until it is too old; and then it stays too old.
func TestOncePerFault(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000)
	f.register(t, bob, 1_000)
	f.after(time.Hour)
	committed := f.ctx.BlockTime()
	req := types.SlashRequest{Operator: alice, Fault: types.FAULT_CLASS_MISMATCH, FaultID: "class/1", FractionPPM: 1, CommittedAt: committed}
	_, err := f.k.Slash(f.ctx, req)
	require.NoError(t, err)
	refused := func(want error, change func(*types.SlashRequest)) {
		t.Helper()
		r := req
		change(&r)
		f.at(f.ctx.BlockTime())
		before := f.look(t)
		_, err := f.k.Slash(f.ctx, r)
		require.ErrorIs(t, err, want)
		require.Equal(t, before, f.look(t))
		f.requireEvents(t)
	}
	refused(types.ErrAlreadySlashed, func(*types.SlashRequest) {})
	refused(types.ErrAlreadySlashed, func(r *types.SlashRequest) { r.Operator = bob })
	refused(types.ErrAlreadySlashed, func(r *types.SlashRequest) { r.Fault = types.FAULT_DOUBLE_DEVICE })
	refused(types.ErrAlreadySlashed, func(r *types.SlashRequest) { r.CommittedAt = start })

	f.at(committed.Add(21 * day))
	require.NoError(t, f.k.EndBlock(f.ctx))
	refused(types.ErrAlreadySlashed, func(*types.SlashRequest) {})
	require.Len(t, f.export(t).Punished, 1)
	f.at(committed.Add(21*day + time.Second))
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.Empty(t, f.export(t).Punished)
	refused(types.ErrEvidenceTooOld, func(*types.SlashRequest) {})

	// A longer unbonding time brings nothing back.
	params := types.DefaultParams()
	params.UnbondingTime = 60 * day
	require.NoError(t, f.k.UpdateParams(f.ctx, authority.String(), params))
	refused(types.ErrEvidenceTooOld, func(*types.SlashRequest) {})
	refused(types.ErrEvidenceTooOld, func(r *types.SlashRequest) { r.CommittedAt = start })
	_, err = f.k.Slash(f.ctx, types.SlashRequest{
		Operator: alice, Fault: types.FAULT_CLASS_MISMATCH, FaultID: "class/2", FractionPPM: 1, CommittedAt: committed.Add(1),
	})
	require.NoError(t, err)
	f.requireInvariants(t)
}

// TestEvidenceAge: up to and including the unbonding time.
func TestEvidenceAge(t *testing.T) {
	for age, want := range map[time.Duration]error{
		21*day - time.Second: nil, 21 * day: nil, 21*day + 1: types.ErrEvidenceTooOld, 21*day + time.Second: types.ErrEvidenceTooOld,
	} {
		t.Run(age.String(), func(t *testing.T) {
			f := newFixture(t)
			f.register(t, alice, 1_000)
			f.after(age)
			_, err := f.k.Slash(f.ctx, types.SlashRequest{
				Operator: alice, Fault: types.FAULT_CLASS_MISMATCH, FaultID: "a", FractionPPM: 1, CommittedAt: start,
			})
			require.ErrorIs(t, err, want)
		})
	}
}

// TestSlashRecordIsKept for the unbonding time and 30 days, or 30 days after the
// last entry that may owe it, when that ends later.
func TestSlashRecordIsKept(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 0)
	f.register(t, bob, 1_000)
	f.delegate(t, dave, alice, 1_000)
	_, err := f.k.Undelegate(f.ctx, dave, alice, coin(100))
	require.NoError(t, err)
	params := types.DefaultParams()
	params.UnbondingTime = 2 * day // dave's entry still ends in 21
	require.NoError(t, f.k.UpdateParams(f.ctx, authority.String(), params))
	f.slashAmount(t, alice, 10, start)
	f.slashAmount(t, bob, 10, start)
	for _, step := range []struct {
		after time.Duration
		kept  []string
	}{
		{32 * day, []string{"alice", "bob"}},
		{32*day + time.Second, []string{"alice"}},
		{51 * day, []string{"alice"}},
		{51*day + time.Second, nil},
	} {
		f.at(start.Add(step.after))
		require.NoError(t, f.k.EndBlock(f.ctx))
		var kept []string
		for _, operator := range []sdk.AccAddress{alice, bob} {
			_, err := f.k.SlashRecord(f.ctx, operator, 1)
			if err == nil {
				kept = append(kept, name(operator))
			} else {
				require.ErrorIs(t, err, types.ErrSlashNotFound)
			}
		}
		require.Equal(t, step.kept, kept, step.after)
		f.requireInvariants(t)
	}
}

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
