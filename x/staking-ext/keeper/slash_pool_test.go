package keeper_test

import (
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
				if tc.owed > 0 {
					gs.Left = append(gs.Left, types.LeftMark{
						Operator: o.Address, At: f.ctx.BlockTime(), Total: o.LeftTotal, NextSlash: 2,
					})
				}
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
