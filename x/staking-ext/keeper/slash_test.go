package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// slashed builds the event of a slash.
func slashed(operator sdk.AccAddress, taken, own, unbonding, victim, reporter, insurance, burned string) *types.EventSlashed {
	return &types.EventSlashed{
		Operator: operator.String(), Fault: types.FAULT_EQUIVOCATION, Taken: taken,
		FromOwnStake: own, FromUnbonding: unbonding,
		ToVictim: victim, ToReporter: reporter, ToInsurance: insurance, Burned: burned,
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

			result, err := f.k.Slash(f.ctx, types.SlashRequest{
				Operator: alice, Fault: types.FAULT_EQUIVOCATION, FractionPPM: tc.fraction,
				CommittedAt: start.Add(time.Hour + time.Second),
				Victim:      tc.victim, VictimLoss: math.NewInt(tc.loss), Reporter: tc.reporter,
			})

			require.NoError(t, err)
			fromOwn, fromUnbonding := 100-tc.own, 500-tc.second-tc.third
			moved := map[string]int64{"stake": -fromOwn - fromUnbonding, "insurance": tc.toI, "supply": -tc.burnt}
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
			}, moved, slashed(alice, str(fromOwn+fromUnbonding), str(fromOwn), str(fromUnbonding),
				str(tc.toV), str(tc.toR), str(tc.toI), str(tc.burnt)))
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
				Operator: alice, Fault: types.FAULT_EQUIVOCATION, FractionPPM: types.PPM,
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

func TestSlashFailureIsAnError(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000)
	f.blocked[carol.String()] = true
	cached, _ := f.ctx.CacheContext()
	_, err := f.k.SlashEquivocation(cached, types.SlashRequest{Operator: alice, CommittedAt: start, Reporter: carol})
	require.ErrorContains(t, err, "reporter's part 33")
}

// TestEquivocationSchedule: 33 % and seven days the first time, everything and
// the tombstone the second.
func TestEquivocationSchedule(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, 0))
	before, money := f.export(t), f.look(t).Money
	req := types.SlashRequest{Operator: alice, FractionPPM: 7, CommittedAt: start, Reporter: bob}
	until := start.Add(time.Hour + 7*day)
	f.after(time.Hour)

	_, err := f.k.SlashEquivocation(f.ctx, req)

	require.NoError(t, err)
	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		o := &gs.Operators[0]
		o.OwnStake, o.Equivocations, o.Jailed, o.JailedUntil = math.NewInt(670), 1, true, until
	}, map[string]int64{"stake": -330, "bob": 33, "insurance": 66, "supply": -231},
		slashed(alice, "330", "330", "0", "0", "33", "66", "231"),
		&types.EventJailed{Operator: alice.String(), Until: until})
	require.ErrorIs(t, f.k.EnsureRentable(f.ctx, alice), types.ErrJailed)

	f.after(time.Hour)
	before, money = f.export(t), f.look(t).Money
	_, err = f.k.SlashEquivocation(f.ctx, req)

	require.NoError(t, err)
	f.requireChange(t, before, money, func(gs *types.GenesisState) {
		o := &gs.Operators[0]
		o.OwnStake, o.Equivocations, o.Tombstoned, o.JailedUntil = math.ZeroInt(), 2, true, until.Add(time.Hour)
	}, map[string]int64{"stake": -670, "bob": 67, "insurance": 134, "supply": -469},
		slashed(alice, "670", "670", "0", "0", "67", "134", "469"),
		&types.EventJailed{Operator: alice.String(), Until: until.Add(time.Hour), Tombstoned: true})
	require.ErrorIs(t, f.k.EnsureRentable(f.ctx, alice), types.ErrTombstoned)

	// A third proof finds nothing, and jails nobody again.
	f.after(365 * day)
	_, err = f.k.SlashEquivocation(f.ctx, req)
	require.NoError(t, err)
	f.requireEvents(t, slashed(alice, "0", "0", "0", "0", "0", "0", "0"))
	require.ErrorIs(t, f.k.Unjail(f.ctx, alice), types.ErrTombstoned)
	require.ErrorIs(t, f.k.Bond(f.ctx, alice, coin(1)), types.ErrTombstoned)
	f.requireInvariants(t)
}

func TestSlashBelowRequirementStartsTheGrace(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 200*grafi)
	require.NoError(t, f.k.SetGPU(f.ctx, alice, 1, 0, types.PPM))
	f.after(time.Hour)
	_, err := f.k.Slash(f.ctx, types.SlashRequest{
		Operator: alice, Fault: types.FAULT_EQUIVOCATION, FractionPPM: 1, CommittedAt: start,
	})
	require.NoError(t, err)
	require.Equal(t, start.Add(time.Hour), *f.operator(t, alice).BelowSince)
	f.requireEvents(t, slashed(alice, "200", "200", "0", "0", "0", "40", "160"),
		&types.EventStakeBelowRequirement{Operator: alice.String(), OwnStake: "199999800", Requirement: "200000000"})
}

// TestUnjailAtItsSecond: a second early it fails, at the second it works.
func TestUnjailAtItsSecond(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000)
	_, err := f.k.SlashEquivocation(f.ctx, types.SlashRequest{Operator: alice, CommittedAt: start})
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

func str(amount int64) string { return math.NewInt(amount).String() }

// TestALongerJailIsKept: a jail of 30 days that already runs isn't shortened by
// a fault of seven.
func TestALongerJailIsKept(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 1_000)
	gs := f.export(t)
	until := start.Add(30 * day)
	gs.Operators[0].Jailed, gs.Operators[0].JailedUntil = true, until
	g := newFixtureWith(t, &gs)

	_, err := g.k.SlashEquivocation(g.ctx, types.SlashRequest{Operator: alice, CommittedAt: start})

	require.NoError(t, err)
	require.Equal(t, until, g.operator(t, alice).JailedUntil)
	g.requireEvents(t, slashed(alice, "330", "330", "0", "0", "0", "66", "264"),
		&types.EventJailed{Operator: alice.String(), Until: until})
}
