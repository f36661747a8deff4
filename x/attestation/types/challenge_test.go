package types_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/attestation/types"
)

// TestDrawIsUniform: over 1,000 beacons each of 200 operators is drawn as often as the
// others, within five standard deviations.
func TestDrawIsUniform(t *testing.T) {
	const beacons, operators, ppm = 1_000, 200, 125_000
	total := 0
	for o := range operators {
		n := 0
		for b := range beacons {
			if types.IsDrawn(sha256.Sum256(fmt.Appendf(nil, "beacon %d", b)), fmt.Appendf(nil, "operator %d", o), ppm) {
				n++
			}
		}
		require.InDelta(t, beacons/8, n, 5*math.Sqrt(beacons*7.0/64), "operator %d", o)
		total += n
	}
	require.InDelta(t, beacons*operators/8, total, 5*math.Sqrt(beacons*operators*7.0/64))
	require.False(t, types.IsDrawn(sha256.Sum256(nil), nil, 0))
	require.True(t, types.IsDrawn(sha256.Sum256(nil), nil, types.PPM))
}

func TestChallengeSeedBytes(t *testing.T) {
	beacon, key := sha256.Sum256([]byte("b")), sha256.Sum256([]byte("k"))
	preimage := append([]byte("grafi/challenge/v1"), beacon[:]...)
	preimage = append(preimage, key[:]...)
	preimage = binary.BigEndian.AppendUint64(preimage, 258)
	require.Equal(t, sha256.Sum256(preimage), types.ChallengeSeed(beacon[:], key[:], 258))
}

func TestGops(t *testing.T) {
	p := types.ChallengeProfile{N: 1 << 14, M: 1 << 15, Rounds: 100} // 1,759,218,604,441,600 operations
	for _, tc := range []struct{ elapsed, allowance, want uint64 }{
		{10_000, 0, 175_921}, {12_000, 2_000, 175_921}, {10_001, 0, 175_904},
		{2_000, 2_000, 1_759_218_604}, {0, 2_000, 1_759_218_604}, {2_001, 2_000, 1_759_218_604},
	} {
		require.Equal(t, tc.want, p.Gops(tc.elapsed, tc.allowance), tc)
	}
	p.Rounds = 4_096
	require.Equal(t, uint64(72_057_594_037), p.Gops(0, 0), "the largest work in the shortest time")
}

func TestSlowAndFast(t *testing.T) {
	p := types.ChallengeParams{SlowAnswers: 3, TolerancePpm: 150_000}
	require.True(t, p.IsSlow(84, 100))
	require.False(t, p.IsSlow(85, 100))
	require.False(t, p.IsSlow(0, 0), "who has no minimum is never slow")
	require.False(t, p.IsSlow(math.MaxUint64, types.MaxGops))
	for _, tc := range []struct {
		recent     []uint64
		slow, fast bool
	}{
		{nil, false, false}, {[]uint64{1, 1}, false, false}, {[]uint64{1, 84, 1}, true, false},
		{[]uint64{1, 85, 1}, true, false}, {[]uint64{85, 1, 85}, false, false}, {[]uint64{85, 85, 900}, false, true},
		{[]uint64{1, 1, 85, 85, 1}, false, false}, {[]uint64{85, 85, 85, 1, 1}, true, false},
	} {
		require.Equal(t, [2]bool{tc.slow, tc.fast}, [2]bool{p.MostSlow(tc.recent, 100), p.AllFast(tc.recent, 100)}, tc.recent)
	}
	p.SlowAnswers = 2
	require.False(t, p.MostSlow([]uint64{1, 85}, 100), "half is not more than half")
	require.True(t, p.MostSlow([]uint64{1, 84}, 100))
	p.SlowAnswers = 1
	require.True(t, p.MostSlow([]uint64{85, 84}, 100))
}

func TestMeasuredClass(t *testing.T) {
	classes := types.DefaultClasses()
	for _, tc := range []struct {
		weight uint64
		recent []uint64
		want   string
	}{
		{10_000_000, []uint64{100_000, 130_000, 126_000}, "nvidia-a100-80gb"}, // heavier than the 4090, which needs 130,000
		{10_000_000, []uint64{130_000, 60_000, 60_000}, "nvidia-rtx-3090"},    // the median, and not the best
		{10_000_000, []uint64{130_000, 60_000}, "nvidia-rtx-3090"},
		{5_000_000, []uint64{125_000}, "nvidia-a100-40gb"},
		{4_000_000, []uint64{130_000}, "nvidia-rtx-4090"},
		{2_500_000, []uint64{60_000}, "nvidia-rtx-3090"},
		{2_500_000, []uint64{50_000}, ""},
		{10_000_000, nil, ""},
	} {
		got, ok := types.MeasuredClass(classes, tc.weight, tc.recent)
		require.Equal(t, tc.want, got.Key)
		require.Equal(t, tc.want != "", ok)
	}
}

// TestDefaultProfiles: 20 s of work at the least throughput, a window of four times that.
func TestDefaultProfiles(t *testing.T) {
	for _, c := range append(types.DefaultClasses(), types.SimClass()) {
		require.NoError(t, c.Validate(), c.Key)
		require.False(t, c.Profile.IsZero(), c.Key)
		require.False(t, c.Calibrated, "%s: nothing was measured", c.Key)
		if c.Key == types.SimClassKey {
			continue
		}
		seconds := c.Profile.Work([32]byte{}).Ops() / 1_000_000_000 / c.Profile.MinGops
		require.InDelta(t, 20, seconds, 1, c.Key)
		require.Equal(t, uint64(80_000), c.Profile.WindowMs)
	}
}

// TestProofDays: the last two days with results, newest first, whatever comes.
func TestProofDays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var p types.ComputeProof
		counts := map[uint64][3]uint32{}
		var days []uint64
		day := uint64(0)
		for range rapid.IntRange(1, 40).Draw(rt, "results") {
			day += rapid.Uint64Range(0, 2).Draw(rt, "later")
			outcome := rapid.IntRange(0, 2).Draw(rt, "outcome")
			if len(days) == 0 || days[len(days)-1] != day {
				days = append(days, day)
			}
			c := counts[day]
			c[outcome]++
			counts[day] = c
			p.Note(day, []types.ChallengeOutcome{types.CHALLENGE_OUTCOME_PASSED, types.CHALLENGE_OUTCOME_MISSED, types.CHALLENGE_OUTCOME_WRONG}[outcome])
		}
		kept := min(len(days), 2)
		if len(p.Days) != kept {
			rt.Fatalf("%d days are kept, want %d", len(p.Days), kept)
		}
		for i, d := range p.Days {
			want := days[len(days)-1-i]
			if d.Day != want || [3]uint32{d.Passed, d.Missed, d.Wrong} != counts[want] {
				rt.Fatalf("day %d is %+v, want %d with %v", i, d, want, counts[want])
			}
		}
		before, known := p.Before(day)
		if known != (kept == 2) || (known && before.Day != days[len(days)-2]) {
			rt.Fatalf("before day %d: %+v, %t", day, before, known)
		}
	})
}

func TestMissesOfADay(t *testing.T) {
	var p types.ComputeProof
	at := time.Unix(1_000_000, 0)
	p.Miss(at)
	p.Miss(at.Add(24*time.Hour - 1))
	require.Len(t, p.Misses, 2)
	p.Miss(at.Add(24 * time.Hour))
	require.Len(t, p.Misses, 2, "the first is a day old")
	for range 40 {
		p.Miss(at.Add(24 * time.Hour))
	}
	require.Len(t, p.Misses, types.MaxMisses)
}
