package types_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// slots is a pattern of slots after slot 100: '.' good, 'x' missed, 'm' listed as
// not running, 'n' missed in a network fault.
func slots(pattern string) []types.SlotFact {
	var facts []types.SlotFact
	for i, c := range pattern {
		facts = append(facts, types.SlotFact{
			Slot: 101 + uint64(i), Seconds: 600, Missed: c != '.', Marked: c == 'm', NetworkFault: c == 'n',
		})
	}
	return facts
}

func TestCount(t *testing.T) {
	incident := func(slot, seconds uint64) types.Incident {
		return types.Incident{FirstSlot: slot, Seconds: seconds}
	}
	tests := map[string]struct {
		judged, missed, run, pending, newestGood uint64
		marked                                   bool
		open                                     types.Incident // the one that the last slot does not end
		over                                     []types.Incident
	}{
		"":         {newestGood: 100},
		".":        {judged: 1, newestGood: 101},
		"x":        {judged: 1, missed: 1, run: 1, newestGood: 100, open: incident(101, 600)},
		"..x.":     {judged: 4, missed: 1, pending: 600, newestGood: 104, over: []types.Incident{incident(103, 600)}},
		".xx.x.":   {judged: 6, missed: 3, pending: 1_800, newestGood: 106, over: []types.Incident{incident(102, 1_200), incident(105, 600)}},
		"xmx":      {judged: 3, missed: 3, run: 3, newestGood: 100, open: incident(101, 1_800)},
		"mmm":      {judged: 3, missed: 3, run: 3, newestGood: 100, marked: true, open: incident(101, 1_800)},
		"mx":       {judged: 2, missed: 2, run: 2, newestGood: 100, open: incident(101, 1_200)},
		".m":       {judged: 2, missed: 1, run: 1, newestGood: 101, marked: true, open: incident(102, 600)},
		"x.mm":     {judged: 4, missed: 3, run: 2, pending: 600, newestGood: 102, marked: true, open: incident(103, 1_200), over: []types.Incident{incident(101, 600)}},
		".n.":      {judged: 2, pending: 600, newestGood: 103},
		".nxn.":    {judged: 3, missed: 1, pending: 1_800, newestGood: 105, over: []types.Incident{incident(103, 600)}},
		"nnn":      {run: 3, newestGood: 100},
		".x.n":     {judged: 3, missed: 1, run: 1, pending: 600, newestGood: 103, over: []types.Incident{incident(102, 600)}},
		"x.......": {judged: 8, missed: 1, pending: 600, newestGood: 108, over: []types.Incident{incident(101, 600)}},
	}
	for pattern, tc := range tests {
		t.Run(pattern, func(t *testing.T) {
			a := types.NewAvailability(100)
			var over []types.Incident
			for _, f := range slots(pattern) {
				if in := a.Count(f); in.Seconds > 0 {
					over = append(over, in)
				}
			}
			require.Equal(t, tc.over, over)
			require.Equal(t, tc.judged, a.JudgedSlots)
			require.Equal(t, tc.missed, a.MissedSlots)
			require.Equal(t, tc.run, a.Run)
			require.Equal(t, tc.run > 0, a.Failing())
			require.Equal(t, tc.pending, a.PendingSeconds)
			require.Equal(t, tc.newestGood, a.NewestGood())
			require.Equal(t, tc.marked, a.RunMarked)
			want := types.CLOSE_REASON_SILENT
			if tc.marked {
				want = types.CLOSE_REASON_NOT_RUNNING
			}
			require.Equal(t, want, a.SilenceReason())
			require.NoError(t, a.Validate())
			require.Equal(t, tc.open, a.EndIncident())
			require.Zero(t, a.EndIncident(), "it ends once")
			require.NoError(t, a.Validate())
		})
	}
}

// Every missed slot that is somebody's fault is in exactly one incident, and every
// missed slot before a good one is unbilled.
func TestCountLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune(".xmn")), 0, 60, -1).Draw(rt, "slots")
		a := types.NewAvailability(100)
		var incidents, missed, judged, inTheMiddle, trailing uint64
		for i, f := range slots(pattern) {
			incidents += a.Count(f).Seconds
			switch pattern[i] {
			case '.':
				judged++
				inTheMiddle, trailing = inTheMiddle+trailing, 0
				continue
			case 'n':
			default:
				judged++
				missed++
			}
			trailing += 600
		}
		incidents += a.EndIncident().Seconds
		if incidents != 600*missed || a.MissedSlots != missed || a.JudgedSlots != judged {
			rt.Fatalf("incidents of %d s, %d of %d missed; want %d slots of %d", incidents, a.MissedSlots, a.JudgedSlots, missed, judged)
		}
		if a.PendingSeconds != inTheMiddle || a.Run*600 != trailing {
			rt.Fatalf("%d s unbilled, want %d; a run of %d slots, want %d s", a.PendingSeconds, inTheMiddle, a.Run, trailing)
		}
	})
}

func TestAvailabilityValidate(t *testing.T) {
	for name, change := range map[string]func(*types.Availability){
		"more missed than judged": func(a *types.Availability) { a.MissedSlots, a.FirstMissedSlot = 1, 1 },
		"more judged than passed": func(a *types.Availability) { a.JudgedSlots = 101 },
		"run too long":            func(a *types.Availability) { a.Run = 101 },
		"incident without slot":   func(a *types.Availability) { a.IncidentSeconds = 1 },
		"incident in the future":  func(a *types.Availability) { a.IncidentSeconds, a.IncidentSlot = 1, 101 },
		"missed without first":    func(a *types.Availability) { a.JudgedSlots, a.MissedSlots = 1, 1 },
		"period paid":             func(a *types.Availability) { a.PeriodPaid = math.NewInt(-1) },
		"credited":                func(a *types.Availability) { a.Credited = math.Int{} },
	} {
		t.Run(name, func(t *testing.T) {
			a := types.NewAvailability(100)
			require.NoError(t, a.Validate())
			change(a)
			require.ErrorIs(t, a.Validate(), types.ErrInvalidGenesis)
		})
	}
}

func TestUseFree(t *testing.T) {
	a := types.NewAvailability(0)
	for i, step := range []struct{ day, offline, charged, used uint64 }{
		{1, 0, 0, 0},
		{1, 299, 0, 299},
		{1, 1, 0, 300},
		{1, 1, 1, 300},
		{2, 301, 1, 300},
		{1, 300, 0, 300}, // another day than the last one
		{3, 1_200, 900, 300},
	} {
		require.Equal(t, step.charged, a.UseFree(step.day, step.offline, 300), i)
		require.Equal(t, step.used, a.FreeUsedSeconds, i)
	}
	require.Zero(t, a.UseFree(3, 0, 100), "less is free than was used")
	require.Equal(t, uint64(7), a.UseFree(3, 7, 100))
}

func TestOfflinePenalty(t *testing.T) {
	p := types.DefaultParams()
	requirement := math.NewInt(200_000_000)
	for charged, want := range map[uint64]int64{
		0: 0, 299: 0, 300: 200_000, 599: 200_000, 600: 400_000,
		14_999: 9_800_000, 15_000: 10_000_000, 15_300: 10_000_000, 1 << 63: 10_000_000,
	} {
		require.Equal(t, math.NewInt(want).String(), p.OfflinePenalty(requirement, charged).String(), "%d s", charged)
	}
	require.Equal(t, "1", p.OfflinePenalty(math.NewInt(1_999), 300).String(), "floor")
	p.OfflineStepPpm = 0
	require.True(t, p.OfflinePenalty(requirement, 1<<63).IsZero())
	p.OfflineStepPpm, p.OfflineCapPpm = 1_000, 1_500
	require.Equal(t, int64(300_000), p.OfflinePenalty(requirement, 600).Int64(), "the cap lies between two steps")
}

func TestServiceCredit(t *testing.T) {
	p := types.DefaultParams()
	fee := math.NewInt(1_000_003)
	for _, tc := range []struct {
		judged, missed uint64
		want           int64
	}{
		{0, 0, 0},
		{1, 0, 0},
		{1_000, 0, 0},
		{1_000, 1, 0},          // 99.9 % exactly
		{10_000, 11, 100_000},  // just under 99.9 %
		{100, 1, 100_000},      // 99 % exactly
		{1_000, 11, 250_000},   // just under 99 %
		{20, 1, 250_000},       // 95 % exactly
		{1_000, 51, 1_000_003}, // just under 95 %
		{3, 3, 1_000_003},
	} {
		require.Equal(t, tc.want, p.ServiceCredit(fee, tc.judged, tc.missed).Int64(), "%d of %d", tc.missed, tc.judged)
	}
	p.SlaTiers = nil
	require.True(t, p.ServiceCredit(fee, 3, 3).IsZero())
}

// The credit is never over the fee, and never falls when more slots are missed.
func TestServiceCreditLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := types.DefaultParams()
		fee := math.NewIntFromUint64(rapid.Uint64().Draw(rt, "fee"))
		judged := rapid.Uint64Range(1, 1e9).Draw(rt, "judged")
		missed := rapid.Uint64Range(0, judged).Draw(rt, "missed")
		credit := p.ServiceCredit(fee, judged, missed)
		if credit.IsNegative() || credit.GT(fee) {
			rt.Fatalf("credit of %s for a fee of %s", credit, fee)
		}
		if missed < judged && p.ServiceCredit(fee, judged, missed+1).LT(credit) {
			rt.Fatalf("one more missed slot, a smaller credit")
		}
	})
}
