package types_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/rewards/types"
)

const (
	streamTotal  = 315_000_000_000_000 // ugrafi
	streamLength = 3_000 * 24 * time.Hour
)

func TestStreamDue(t *testing.T) {
	end := epoch.Add(streamLength)
	day := 24 * time.Hour
	for name, tc := range map[string]struct {
		minted    int64
		last, now time.Duration
		want      int64
	}{
		"the first block":                      {now: 0, want: 0},
		"one second before the minute":         {last: 0, now: 59 * time.Second, want: 0},
		"the minute":                           {last: 0, now: time.Minute, want: 72_916_666},
		"one second after the minute":          {last: 0, now: 61 * time.Second, want: 74_131_944},
		"the first day at once, after a halt":  {last: 0, now: day, want: 105_000_000_000},
		"only what wasn't minted":              {minted: 104_999_999_999, last: 0, now: day, want: 1},
		"never back":                           {minted: 105_000_000_001, last: 0, now: day, want: 0},
		"one second before the end, too early": {minted: 5, last: streamLength - 2*time.Second, now: streamLength - time.Second, want: 0},
		"the end doesn't wait for its minute":  {minted: streamTotal - 9, last: streamLength - time.Second, now: streamLength, want: 9},
		"one second after the end":             {minted: streamTotal - 9, last: streamLength - time.Second, now: streamLength + time.Second, want: 9},
		"over":                                 {minted: streamTotal, last: streamLength, now: 2 * streamLength, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := types.StreamDue(math.NewInt(streamTotal), math.NewInt(tc.minted), epoch, end,
				epoch.Add(tc.last), epoch.Add(tc.now), time.Minute)

			require.Equal(t, tc.want, got.Int64())
		})
	}
}

// TestStreamIsExact: whatever the times of the blocks, the sum is the total.
func TestStreamIsExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		total := math.NewInt(rapid.Int64Range(0, 1<<60).Draw(rt, "total"))
		length := time.Duration(rapid.Int64Range(1, 10_000).Draw(rt, "length")) * time.Second
		end, last, now, minted := epoch.Add(length), epoch, epoch, math.ZeroInt()
		for now.Before(end) {
			now = now.Add(time.Duration(rapid.Int64Range(1, int64(length/2)+1).Draw(rt, "block")))
			due := types.StreamDue(total, minted, epoch, end, last, now, time.Minute)
			if due.IsPositive() {
				if now.Sub(last) < time.Minute && now.Before(end) {
					rt.Fatalf("minted %s only %s after the last time", due, now.Sub(last))
				}
				minted, last = minted.Add(due), now
			}
			if flowed := types.Linear(total, epoch, end, now); minted.GT(flowed) {
				rt.Fatalf("minted %s of %s that flowed", minted, flowed)
			}
		}
		if !minted.Equal(total) {
			rt.Fatalf("minted %s of %s", minted, total)
		}
	})
}
