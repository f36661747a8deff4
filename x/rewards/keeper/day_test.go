package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/rewards/types"
)

const hour = time.Hour

// events are the module's own of this block.
func (f *mineFixture) events() sdk.Events {
	var own sdk.Events
	for _, e := range f.ctx.EventManager().Events() {
		if len(e.Type) > 14 && e.Type[:14] == "grafi.rewards." {
			own = append(own, e)
		}
	}
	return own
}

// TestFirstDay: the first day is a whole one.
func TestFirstDay(t *testing.T) {
	for name, tc := range map[string]struct {
		first time.Time
		want  uint64
	}{
		"at the first second of a day": {begin, today},
		"one second later":             {begin.Add(time.Second), today + 1},
		"a part of a second later":     {begin.Add(1), today + 1},
		"in its last second":           {begin.Add(oneDay - time.Second), today + 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newBareMineFixture(t)
			require.NoError(t, f.k.InitGenesis(f.ctx, *types.DefaultGenesis()))
			f.block(tc.first)
			m := f.mining()
			require.Equal(t, []uint64{tc.want, tc.want, tc.want, tc.want}, []uint64{m.FirstDay, m.NextClose, m.NextExpire, m.NextPrune})
			f.block(tc.first.Add(time.Minute))
			require.Equal(t, m, f.mining())

			// What is counted before is not mined.
			f.operator(olga, datacenter, 1_000, 1_000)
			f.slots(tc.want-1, f.host(olga, h100, 1), 3)
			require.Empty(t, f.export().Days)
		})
	}
}

// TestDayCloses: two kinds, one day, to the last unit; at the boundary second.
func TestDayCloses(t *testing.T) {
	f := newMineFixture(t)
	f.noTarget()
	f.operator(olga, datacenter, 2_000, 2_000)
	f.operator(oscar, contributor, 800, 200)
	one, two, three := f.host(olga, h100, 2), f.host(oscar, rtx, 1), f.host(oscar, rtx, 1)
	f.slots(today, one, 144)
	f.slots(today, two, 140)
	f.slots(today, three, 100)
	f.sound()
	end := dayStart(today + 1)
	f.block(end.Add(6*hour - time.Second))
	require.Equal(t, types.DAY_STATUS_OPEN, f.day(today).Status)
	require.Zero(t, f.bank.GetSupply(f.ctx, denom).Amount.Int64())

	f.block(end.Add(6 * hour))

	at := end.Add(6 * hour)
	zero := math.ZeroInt()
	u := math.NewInt(2 * 10_000_000).MulRaw(1_050_000)
	v := math.NewInt(3_750_000).MulRaw(955_555) // 2.5M × S = 1.5 at four times the requirement
	want := types.Day{
		Day: today, Status: types.DAY_STATUS_CLOSED, Rules: f.day(today).Rules, ClosedAt: &at,
		Datacenter: types.KindDay{
			Kind: datacenter, Emission: math.NewInt(68_250_000_000), Carry: zero, WeightedUptime: u,
			Pool: math.NewInt(68_250_000_000), Rho: types.Rho(math.NewInt(68_250_000_000), u), Paid: zero,
		},
		Contributor: types.KindDay{
			Kind: contributor, Emission: math.NewInt(36_750_000_000), Carry: zero, WeightedUptime: v,
			Pool: math.NewInt(36_750_000_000), Rho: types.Rho(math.NewInt(36_750_000_000), v), Paid: zero,
		},
		OperatorCap: math.NewInt(105_000_000_000),
	}
	require.Equal(t, want.String(), ptr(f.day(today)).String())
	m := f.mining()
	require.Equal(t, uint64(today+1), m.NextClose)
	require.Equal(t, "105000000000", m.Minted.String())
	require.Equal(t, want.Datacenter.Rho.String(), m.DatacenterRho.String())
	require.Equal(t, want.Contributor.Rho.String(), m.ContributorRho.String())
	require.Equal(t, int64(105_000_000_000), f.bank.GetSupply(f.ctx, denom).Amount.Int64())
	var told sdk.Events
	for _, e := range []types.EventDayClosed{
		{Day: today, Kind: datacenter, Pool: "68250000000", Carry: "0", WeightedUptime: u.String()},
		{Day: today, Kind: contributor, Pool: "36750000000", Carry: "0", WeightedUptime: v.String()},
	} {
		event, err := sdk.TypedEventToEvent(&e)
		require.NoError(t, err)
		told = append(told, event)
	}
	require.Equal(t, told, f.events())
	f.sound()

	require.Equal(t, int64(68_249_999_998), f.mustClaim(olga, today, one))
	require.Equal(t, int64(36_749_999_999), f.mustClaim(oscar, today, two))
	_, err := f.claim(oscar, today, three)
	require.ErrorIs(t, err, types.ErrNothingEarned)
	f.sound()
}

func ptr[T any](v T) *T { return &v }

// TestHalt: after a halt the last slots of a day are closed late. The day waits for
// them, and the evidence window begins with the block that closed them.
func TestHalt(t *testing.T) {
	f := newMineFixture(t)
	f.noTarget()
	f.operator(olga, datacenter, 2_000, 2_000)
	host := f.host(olga, h100, 1)
	f.slots(today, host, 100)
	restart := dayStart(today + 3).Add(5 * hour)
	last := uint64((today+1)*perDay - 1)
	for slot := last - 43; slot <= last+2*perDay; slot++ {
		f.hosts.closed[slot] = restart
	}
	f.block(restart)
	require.Equal(t, types.DAY_STATUS_OPEN, f.day(today).Status, "days after its end")
	f.slots(today, host, 44)
	f.slots(today+1, host, 144) // nobody is lost to the halt
	f.block(restart.Add(6*hour - time.Second))
	require.Equal(t, types.DAY_STATUS_OPEN, f.day(today).Status)

	f.block(restart.Add(6 * hour))

	require.Equal(t, types.DAY_STATUS_CLOSED, f.day(today).Status)
	require.Equal(t, uint64(today+3), f.mining().NextClose, "all days that the halt ended")
	require.Equal(t, int64(68_249_999_999), f.mustClaim(olga, today, host))
	require.Equal(t, int64(68_249_999_999), f.mustClaim(olga, today+1, host))
	require.True(t, f.day(today+2).Datacenter.Pool.IsZero())
	require.Equal(t, "68250000000", f.mining().DatacenterCarry.String())
	f.sound()
}

// TestShortEvidenceWindow: a day is never closed while its bits can change.
func TestShortEvidenceWindow(t *testing.T) {
	f := newMineFixture(t)
	f.params(func(p *types.Params) { p.EvidenceWindow = 0 })
	end := dayStart(today + 1)
	f.block(end.Add(10 * time.Minute))
	require.Equal(t, uint64(today), f.mining().NextClose, "attestations of the last slot are still taken")
	f.block(end.Add(10*time.Minute + time.Second))
	require.Equal(t, uint64(today+1), f.mining().NextClose)
}

// TestPrunedAnchor: when even the anchor of the last slot is gone the day is over.
func TestPrunedAnchor(t *testing.T) {
	f := newMineFixture(t)
	f.params(func(p *types.Params) { p.EvidenceWindow = 30 * oneDay })
	f.hosts.pruned = (today+1)*perDay - 1
	f.block(dayStart(today + 4))
	require.Equal(t, uint64(today+1), f.mining().NextClose)
}

// TestManyDaysAtOnce: the days of a long halt are closed with a budget.
func TestManyDaysAtOnce(t *testing.T) {
	f := newMineFixture(t)
	f.at(dayStart(today + 11))
	for _, want := range []uint64{today + 4, today + 8, today + 10, today + 10} {
		require.NoError(t, f.k.EndBlock(f.ctx))
		require.Equal(t, want, f.mining().NextClose)
	}
	f.sound()
}

// TestTargetCarry: a kind under 20 % of its target gets that part of its money, and
// the rest is its next day's.
func TestTargetCarry(t *testing.T) {
	f := newMineFixture(t)
	f.params(func(p *types.Params) {
		p.Rules.DatacenterTargetWeightPpm, p.Rules.ContributorTargetWeightPpm = 4*52_500_000, 4*52_500_000
		p.Rules.OperatorCapPpm = types.PPM
	})
	f.operator(olga, datacenter, 2_000, 2_000)
	host := f.host(olga, h100, 1) // U = 10.5 of a target of 210; the floor is 42: a quarter
	f.slots(today, host, 144)
	day := f.close(today)
	require.Equal(t, "17062500000", day.Datacenter.Pool.String())
	require.Equal(t, "51187500000", f.mining().DatacenterCarry.String())
	require.Equal(t, "36750000000", f.mining().ContributorCarry.String(), "nobody of the kind")

	f.slots(today+1, host, 144)
	day = f.close(today + 1)
	require.Equal(t, "51187500000", day.Datacenter.Carry.String())
	require.Equal(t, "29859375000", day.Datacenter.Pool.String(), "a quarter of 68,250 + 51,187.5")
	require.Equal(t, "73500000000", f.mining().ContributorCarry.String())
	f.sound()
}

// TestMiningEnds: 3,000 days mint 315,000,000 GRAFI and not one unit more; what they
// left is distributed until it is gone.
func TestMiningEnds(t *testing.T) {
	f := newMineFixture(t)
	f.noTarget()
	f.operator(olga, datacenter, 2_000, 2_000)
	host := f.host(olga, h100, 1)
	for day := uint64(today); day < today+2_998; day++ {
		f.block(dayStart(day + 1).Add(6 * hour))
	}
	f.slots(today+2_998, host, 144)
	require.Equal(t, int64(2_998+1)*68_250_000_000, f.close(today+2_998).Datacenter.Pool.Int64())
	last := f.close(today + 2_999)
	require.Equal(t, int64(68_250_000_000), last.Datacenter.Emission.Int64(), "the last day with new money")
	require.Equal(t, "315000000000000", f.mining().Minted.String())

	f.slots(today+3_000, host, 144)
	after := f.close(today + 3_000)
	require.True(t, after.Datacenter.Emission.IsZero())
	require.Equal(t, int64(68_250_000_000), after.Datacenter.Pool.Int64(), "what the day before had left")
	require.Equal(t, "315000000000000", f.mining().Minted.String())
	f.slots(today+3_001, host, 144)
	require.True(t, f.close(today+3_001).Datacenter.Pool.IsZero())
	require.Equal(t, "315000000000000", f.bank.GetSupply(f.ctx, denom).Amount.String())
	f.sound()
}

// TestRulesOfADayStay: a change of params counts for days that have no GPU yet.
func TestRulesOfADayStay(t *testing.T) {
	f := newMineFixture(t)
	f.noTarget()
	f.operator(olga, datacenter, 2_000, 2_000)
	host := f.host(olga, h100, 1)
	f.attest(today, host)
	f.params(func(p *types.Params) { p.Rules.DailyPool = math.NewInt(1_000_000) })
	f.slots(today, host, 143)
	require.Equal(t, int64(68_250_000_000), f.close(today).Datacenter.Pool.Int64())
	f.slots(today+1, host, 144)
	require.Equal(t, int64(650_000), f.close(today+1).Datacenter.Pool.Int64())
}
