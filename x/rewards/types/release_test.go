package types_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/rewards/types"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestSplitReward(t *testing.T) {
	for name, tc := range map[string]struct {
		amount       int64
		ppm          uint64
		liquid, held int64
	}{
		"a quarter":                       {amount: 1_000_000, ppm: 250_000, liquid: 250_000, held: 750_000},
		"the remainder is held":           {amount: 1_003, ppm: 250_000, liquid: 250, held: 753},
		"too small for a liquid part":     {amount: 3, ppm: 250_000, liquid: 0, held: 3},
		"everything liquid":               {amount: 7, ppm: 1_000_000, liquid: 7, held: 0},
		"nothing liquid":                  {amount: 7, ppm: 0, liquid: 0, held: 7},
		"nothing to divide is no mistake": {amount: 0, ppm: 250_000, liquid: 0, held: 0},
	} {
		t.Run(name, func(t *testing.T) {
			liquid, held := types.SplitReward(math.NewInt(tc.amount), tc.ppm)

			require.Equal(t, math.NewInt(tc.liquid).String(), liquid.String())
			require.Equal(t, math.NewInt(tc.held).String(), held.String())
		})
	}
}

func TestLinear(t *testing.T) {
	end := epoch.Add(30 * 24 * time.Hour) // 2,592,000 s
	for name, tc := range map[string]struct {
		now  time.Time
		want int64
	}{
		"long before":                  {now: epoch.Add(-time.Hour), want: 0},
		"one second before the start":  {now: epoch.Add(-time.Second), want: 0},
		"at the start":                 {now: epoch, want: 0},
		"just under a second":          {now: epoch.Add(time.Second - 1), want: 0},
		"one second after the start":   {now: epoch.Add(time.Second), want: 1},
		"half":                         {now: epoch.Add(15 * 24 * time.Hour), want: 2_591_999},
		"one second before the end":    {now: end.Add(-time.Second), want: 5_183_997},
		"at the end":                   {now: end, want: 5_183_999},
		"one second after the end":     {now: end.Add(time.Second), want: 5_183_999},
		"a second that isn't over yet": {now: epoch.Add(2*time.Second - 1), want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, types.Linear(math.NewInt(5_183_999), epoch, end, tc.now).Int64())
		})
	}
	require.Equal(t, int64(5), types.Linear(math.NewInt(5), epoch, epoch, epoch).Int64(), "no length flows at once")
}

func TestLinearNeverFlowsBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		amount := math.NewInt(rapid.Int64Range(0, 1<<62).Draw(rt, "amount"))
		length := rapid.Int64Range(0, 1<<32).Draw(rt, "length")
		end := epoch.Add(time.Duration(length) * time.Second)
		flowed := math.ZeroInt()
		now := epoch
		for _, step := range rapid.SliceOfN(rapid.Int64Range(0, 1<<30), 1, 20).Draw(rt, "blocks") {
			now = now.Add(time.Duration(step) * time.Second)
			next := types.Linear(amount, epoch, end, now)
			if next.LT(flowed) || next.GT(amount) {
				rt.Fatalf("%s after %s of %s", next, flowed, amount)
			}
			flowed = next
		}
		if !now.Before(end) && !flowed.Equal(amount) {
			rt.Fatalf("%s of %s at the end", flowed, amount)
		}
	})
}

func TestTakeNewest(t *testing.T) {
	for name, tc := range map[string]struct {
		held  []int64
		limit int64
		want  []int64
	}{
		"newest first":             {held: []int64{5, 7, 9}, limit: 10, want: []int64{0, 1, 9}},
		"a part of the newest":     {held: []int64{5, 7, 9}, limit: 3, want: []int64{0, 0, 3}},
		"everything":               {held: []int64{5, 7, 9}, limit: 21, want: []int64{5, 7, 9}},
		"never more than there is": {held: []int64{5, 7, 9}, limit: 1_000, want: []int64{5, 7, 9}},
		"nothing asked":            {held: []int64{5}, limit: 0, want: []int64{0}},
		"a negative limit":         {held: []int64{5}, limit: -3, want: []int64{0}},
		"nothing there":            {limit: 9, want: []int64{}},
	} {
		t.Run(name, func(t *testing.T) {
			held := make([]math.Int, len(tc.held))
			for i, h := range tc.held {
				held[i] = math.NewInt(h)
			}
			got := []int64{}
			for _, g := range types.TakeNewest(held, math.NewInt(tc.limit)) {
				got = append(got, g.Int64())
			}
			require.Equal(t, tc.want, got)
		})
	}
}
