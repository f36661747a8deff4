package keeper_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// slashed builds the event of a record in which only the operator's own stake
// and entries paid.
func slashed(record types.SlashRecord) *types.EventSlashed {
	taken := record.FromRewards.Add(record.FromOwnStake).Add(record.FromUnbonding).Add(record.FromDelegated)
	return &types.EventSlashed{
		Operator: record.Operator, Fault: record.Fault, FaultId: record.FaultId, SlashId: record.Id, Taken: taken.String(),
		FromRewards: record.FromRewards.String(), FromOwnStake: record.FromOwnStake.String(),
		FromUnbonding: record.FromUnbonding.String(), FromDelegated: record.FromDelegated.String(), Owed: record.Owed.String(),
		ToVictim: record.ToVictim.String(), ToReporter: record.ToReporter.String(),
		ToInsurance: record.ToInsurance.String(), Burned: record.Burned.String(), Held: record.Held.String(),
	}
}

// slashRecord is the record of a slash at a time, of amounts in the order
// rewards, own, unbonding, delegated; victim, reporter, insurance, burned, held.
func slashRecord(req types.SlashRequest, id uint64, at time.Time, amounts ...int64) types.SlashRecord {
	part := func(i int) math.Int { return math.NewInt(amounts[i]) }
	return types.SlashRecord{
		Operator: req.Operator.String(), Id: id, Fault: req.Fault, FaultId: req.FaultID,
		CommittedAt: req.CommittedAt, ExecutedAt: at, KeptUntil: at.Add((21 + 30) * day),
		RateNum: math.ZeroInt(), RateDen: math.OneInt(), LeftBefore: math.ZeroInt(), Owed: math.ZeroInt(),
		FromRewards: part(0), FromOwnStake: part(1), FromUnbonding: part(2), FromDelegated: part(3),
		ToVictim: part(4), ToReporter: part(5), ToInsurance: part(6), Burned: part(7), Held: part(8), HeldIn: req.HoldIn,
	}
}

// addSlash is what every slash writes beside the money.
func addSlash(gs *types.GenesisState, record types.SlashRecord) {
	gs.Slashes = append(gs.Slashes, record)
	gs.Punished = append(gs.Punished, types.PunishedFault{Id: record.FaultId, CommittedAt: record.CommittedAt})
	slices.SortFunc(gs.Punished, func(a, b types.PunishedFault) int { return strings.Compare(a.Id, b.Id) })
	for i := range gs.Operators {
		if o := &gs.Operators[i]; o.Address == record.Operator {
			o.NextSlashId++
			if n := len(o.FaultCounts); n > 0 && o.FaultCounts[n-1].Fault == record.Fault {
				o.FaultCounts[n-1].Count++
			} else {
				o.FaultCounts = append(o.FaultCounts, types.FaultCount{Fault: record.Fault, Count: 1})
			}
		}
	}
}

// TestSlashWaterfall: alice has 100 bonded, and unbonds 50 at hour 1, 200 at
// hour 2 and 300 at hour 3. The fault is at hour 1 + 1 s, so the first entry is
// out of reach, and 600 are at risk.
func TestSlashWaterfall(t *testing.T) {
	tests := map[string]struct {
		fraction             uint64
		victim               sdk.AccAddress
		loss                 int64
		reporter             sdk.AccAddress
		own, second, third   int64 // what is left
		toV, toR, toI, burnt int64
	}{
		"own stake alone":           {fraction: 100_000, reporter: carol, own: 40, second: 200, third: 300, toR: 6, toI: 12, burnt: 42},
		"rounded down":              {fraction: 9_999, own: 95, second: 200, third: 300, toI: 1, burnt: 4},
		"reaches the oldest entry":  {fraction: 250_000, reporter: carol, own: 0, second: 150, third: 300, toR: 15, toI: 30, burnt: 105},
		"reaches every entry":       {fraction: 900_000, victim: bob, loss: 100, reporter: carol, own: 0, second: 0, third: 60, toV: 100, toR: 54, toI: 108, burnt: 278},
		"everything":                {fraction: types.PPM, victim: bob, loss: 1 << 40, reporter: carol, own: 0, second: 0, third: 0, toV: 600},
		"victim leaves the shares":  {fraction: types.PPM, victim: bob, loss: 500, reporter: carol, toV: 500, toR: 60, toI: 40},
		"operator as reporter":      {fraction: types.PPM, reporter: alice, toI: 120, burnt: 480},
		"operator as victim":        {fraction: types.PPM, victim: alice, loss: 600, toI: 120, burnt: 480},
		"victim and reporter alike": {fraction: types.PPM, victim: bob, loss: 10, reporter: bob, toV: 10, toR: 60, toI: 120, burnt: 410},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.register(t, alice, 650)
			for _, amount := range []int64{50, 200, 300} {
				f.after(time.Hour)
				f.unbond(t, alice, amount)
			}
			f.after(time.Hour)
			before, money := f.export(t), f.look(t).Money

			req := types.SlashRequest{
				Operator: alice, Fault: types.FAULT_EQUIVOCATION, FaultID: "x/1", FractionPPM: tc.fraction,
				CommittedAt: start.Add(time.Hour + time.Second),
				Victim:      tc.victim, VictimLoss: math.NewInt(tc.loss), Reporter: tc.reporter,
			}
			result, err := f.k.Slash(f.ctx, req)

			require.NoError(t, err)
			fromOwn, fromUnbonding := 100-tc.own, 500-tc.second-tc.third
			record := slashRecord(req, 1, f.ctx.BlockTime(), 0, fromOwn, fromUnbonding, 0, tc.toV, tc.toR, tc.toI, tc.burnt, 0)
			moved := map[string]int64{"stake": -fromOwn, "unbonding": -fromUnbonding, "insurance": tc.toI, "supply": -tc.burnt}
			if tc.toV > 0 {
				moved["bob"] += tc.toV
			}
			if tc.toR > 0 {
				moved[map[bool]string{true: "bob", false: "carol"}[tc.reporter.Equals(bob)]] += tc.toR
			}
			f.requireChange(t, before, money, func(gs *types.GenesisState) {
				gs.Operators[0].OwnStake = math.NewInt(tc.own)
				kept := gs.Unbonding[:1]
				for i, left := range []int64{tc.second, tc.third} {
					if left > 0 {
						entry := gs.Unbonding[i+1]
						entry.Amount = math.NewInt(left)
						kept = append(kept, entry)
					}
				}
				gs.Unbonding = kept
				addSlash(gs, record)
			}, moved, slashed(record))
			require.Equal(t, uint64(1), result.RecordID)
			require.Equal(t, result.Taken(), result.Victim.Add(result.Reporter).Add(result.Insurance).Add(result.Burned))
		})
	}
}

// TestSlashReach: an entry is reached only when it began after the fault.
func TestSlashReach(t *testing.T) {
	for name, tc := range map[string]struct {
		committed time.Duration // after the entry began
		reached   bool
	}{
		"fault a second before the entry":     {-time.Second, true},
		"fault a nanosecond before the entry": {-1, true},
		"fault at the moment of the entry":    {0, false},
		"fault a second after the entry":      {time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.register(t, alice, 100)
			f.after(time.Hour)
			entry := f.unbond(t, alice, 60)
			f.after(time.Hour)

			result, err := f.k.Slash(f.ctx, types.SlashRequest{
				Operator: alice, Fault: types.FAULT_EQUIVOCATION, FaultID: "x/1", FractionPPM: types.PPM,
				CommittedAt: entry.CreatedAt.Add(tc.committed),
			})

			require.NoError(t, err)
			require.Equal(t, "40", result.FromOwnStake.String())
			if tc.reached {
				require.Equal(t, "60", result.FromUnbonding.String())
				require.Empty(t, f.export(t).Unbonding)
			} else {
				require.True(t, result.FromUnbonding.IsZero())
				require.Equal(t, []types.UnbondingEntry{entry}, f.export(t).Unbonding)
			}
			f.requireInvariants(t)
		})
	}
}

// TestRefusedReceiversAreAbsent: the parts of a victim and a reporter that x/bank
// refuses are burned, and the slash goes on.
func TestRefusedReceiversAreAbsent(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000)
	f.blocked[bob.String()], f.blocked[carol.String()] = true, true
	before, money := f.export(t), f.look(t).Money
	req := types.SlashRequest{
		Operator: alice, Fault: types.FAULT_EQUIVOCATION, FaultID: "x/1", FractionPPM: 500_000, CommittedAt: start,
		Victim: bob, VictimLoss: math.NewInt(120), Reporter: carol,
	}

	_, err := f.k.Slash(f.ctx, req)

	require.NoError(t, err)
	record := slashRecord(req, 1, start, 0, 500, 0, 0, 0, 0, 100, 400, 0)
	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		gs.Operators[0].OwnStake = math.NewInt(500)
		addSlash(gs, record)
	}, map[string]int64{"stake": -500, "insurance": 100, "supply": -400}, slashed(record))
}

// TestEquivocationSchedule: 33 % and seven days the first time, everything and
// the tombstone the second, with all escrow each time.
func TestEquivocationSchedule(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, 0))
	f.give(t, rewards, math.NewInt(50))
	f.hooks.escrow = math.NewInt(50)
	before, money := f.export(t), f.look(t).Money
	req := types.SlashRequest{Operator: alice, Fault: types.FAULT_SLA_CREDIT, FaultID: "x/1", FractionPPM: 7, CommittedAt: start, Reporter: bob}
	until := start.Add(time.Hour + 7*day)
	f.after(time.Hour)

	_, err := f.k.SlashEquivocation(f.ctx, req)

	require.NoError(t, err)
	req.Fault = types.FAULT_EQUIVOCATION
	record := slashRecord(req, 1, f.ctx.BlockTime(), 50, 330, 0, 0, 0, 38, 76, 266, 0)
	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		o := &gs.Operators[0]
		o.OwnStake, o.Jailed, o.JailedUntil = math.NewInt(670), true, until
		addSlash(gs, record)
	}, map[string]int64{"stake": -330, "rewards": -50, "bob": 38, "insurance": 76, "supply": -266},
		slashed(record), &types.EventJailed{Operator: alice.String(), Until: until})
	require.ErrorIs(t, f.k.EnsureRentable(f.ctx, alice), types.ErrJailed)

	f.after(time.Hour)
	before, money = f.export(t), f.look(t).Money
	req.FaultID = "x/2"
	_, err = f.k.SlashEquivocation(f.ctx, req)

	require.NoError(t, err)
	record = slashRecord(req, 2, f.ctx.BlockTime(), 0, 670, 0, 0, 0, 67, 134, 469, 0)
	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		o := &gs.Operators[0]
		o.OwnStake, o.Tombstoned, o.JailedUntil = math.ZeroInt(), true, until.Add(time.Hour)
		addSlash(gs, record)
	}, map[string]int64{"stake": -670, "bob": 67, "insurance": 134, "supply": -469},
		slashed(record), &types.EventJailed{Operator: alice.String(), Until: until.Add(time.Hour), Tombstoned: true})
	require.ErrorIs(t, f.k.EnsureRentable(f.ctx, alice), types.ErrTombstoned)

	// A third proof finds nothing, and jails nobody again.
	f.after(365 * day)
	req.FaultID, req.CommittedAt = "x/3", f.ctx.BlockTime()
	_, err = f.k.SlashEquivocation(f.ctx, req)
	require.NoError(t, err)
	f.requireEvents(t, slashed(slashRecord(req, 3, f.ctx.BlockTime(), 0, 0, 0, 0, 0, 0, 0, 0, 0)))
	require.ErrorIs(t, f.k.Unjail(f.ctx, alice), types.ErrTombstoned)
	require.ErrorIs(t, f.k.Bond(f.ctx, alice, coin(1)), types.ErrTombstoned)
	f.requireInvariants(t)
}

func TestSlashBelowRequirementStartsTheGrace(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 200*grafi)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, types.PPM))
	f.after(time.Hour)
	req := types.SlashRequest{Operator: alice, Fault: types.FAULT_EQUIVOCATION, FaultID: "x/1", FractionPPM: 1, CommittedAt: start}
	_, err := f.k.Slash(f.ctx, req)
	require.NoError(t, err)
	require.Equal(t, start.Add(time.Hour), *f.operator(t, alice).BelowSince)
	f.requireEvents(t, slashed(slashRecord(req, 1, f.ctx.BlockTime(), 0, 200, 0, 0, 0, 0, 40, 160, 0)),
		&types.EventStakeBelowRequirement{Operator: alice.String(), CountedStake: "199999800", Requirement: "200000000"})
}

// TestUnjailAtItsSecond: a second early it fails, at the second it works.
func TestUnjailAtItsSecond(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000)
	_, err := f.k.SlashEquivocation(f.ctx, types.SlashRequest{Operator: alice, FaultID: "x/1", CommittedAt: start})
	require.NoError(t, err)

	f.at(start.Add(7*day - time.Second))
	require.ErrorIs(t, f.send(&types.MsgUnjail{Operator: alice.String()}), types.ErrJailed)

	f.at(start.Add(7 * day))
	before, money := f.export(t), f.look(t).Money
	require.NoError(t, f.send(&types.MsgUnjail{Operator: alice.String()}))
	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		gs.Operators[0].Jailed, gs.Operators[0].JailedUntil = false, time.Time{}
	}, nil, &types.EventUnjailed{Operator: alice.String()})
	require.NoError(t, f.k.EnsureRentable(f.ctx, alice))
}

// TestALongerJailIsKept: a jail of 30 days that already runs isn't shortened by
// a fault of seven.
func TestALongerJailIsKept(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000)
	gs := f.export(t)
	until := start.Add(30 * day)
	gs.Operators[0].Jailed, gs.Operators[0].JailedUntil = true, until
	g := newFixtureWith(t, &gs)

	_, err := g.k.SlashEquivocation(g.ctx, types.SlashRequest{Operator: alice, FaultID: "x/1", CommittedAt: start})

	require.NoError(t, err)
	require.Equal(t, until, g.operator(t, alice).JailedUntil)
	req := types.SlashRequest{Operator: alice, Fault: types.FAULT_EQUIVOCATION, FaultID: "x/1", CommittedAt: start}
	g.requireEvents(t, slashed(slashRecord(req, 1, start, 0, 330, 0, 0, 0, 0, 66, 264, 0)),
		&types.EventJailed{Operator: alice.String(), Until: until})
}
