package compute_test

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/attestation/compute"
)

func TestHonestProofVerifies(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWork(rt)
		proof, err := compute.Prove(w)
		require.NoError(rt, err)
		beacon := compute.Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "beacon"))
		samples := rapid.Uint32Range(1, compute.MaxSamples).Draw(rt, "samples")

		opening, err := proof.Open(beacon, samples)
		require.NoError(rt, err)
		require.NoError(rt, compute.Verify(w, proof.Commitment, beacon, samples, opening))
	})
}

// TestEveryFlipIsWrong flips each bit of openings: nothing in one is unchecked.
func TestEveryFlipIsWrong(t *testing.T) {
	for name, w := range smallWorks() {
		t.Run(name, func(t *testing.T) {
			proof, err := compute.Prove(w)
			require.NoError(t, err)
			beacon := compute.Hash{7}
			opening, err := proof.Open(beacon, 8)
			require.NoError(t, err)
			for bit := range 8 * len(opening) {
				opening[bit/8] ^= 1 << (bit % 8)
				var wrong *compute.Wrong
				require.ErrorAs(t, compute.Verify(w, proof.Commitment, beacon, 8, opening), &wrong, "bit %d", bit)
				opening[bit/8] ^= 1 << (bit % 8)
			}
			require.NoError(t, compute.Verify(w, proof.Commitment, beacon, 8, opening))
			for _, bad := range [][]byte{nil, opening[1:], opening[:len(opening)-1], append(opening[:len(opening):len(opening)], 0)} {
				var wrong *compute.Wrong
				require.ErrorAs(t, compute.Verify(w, proof.Commitment, beacon, 8, bad), &wrong)
			}
			var wrong *compute.Wrong
			require.ErrorAs(t, compute.Verify(w, compute.Hash{1}, beacon, 8, opening), &wrong)
		})
	}
}

func TestLimits(t *testing.T) {
	good := compute.Work{N: 64, M: 256, Rounds: 2, WalkLanes: 4, WalkSteps: 16}
	tests := map[string]func(w *compute.Work){
		"n is no power of two":     func(w *compute.Work) { w.N = 48 },
		"n under a leaf":           func(w *compute.Work) { w.N = 8 },
		"n over the limit":         func(w *compute.Work) { w.N = 1 << 15 },
		"m is no power of two":     func(w *compute.Work) { w.M = 257 },
		"m of zero":                func(w *compute.Work) { w.M = 0 },
		"m over the limit":         func(w *compute.Work) { w.M = 1 << 16 },
		"no rounds":                func(w *compute.Work) { w.Rounds = 0 },
		"too many rounds":          func(w *compute.Work) { w.Rounds = compute.MaxRounds + 1 },
		"lanes without steps":      func(w *compute.Work) { w.WalkSteps = 0 },
		"steps without lanes":      func(w *compute.Work) { w.WalkLanes = 0 },
		"steps under a leaf":       func(w *compute.Work) { w.WalkSteps = 8 },
		"too many lanes":           func(w *compute.Work) { w.WalkLanes = 1 << 23 },
		"lanes not a power of two": func(w *compute.Work) { w.WalkLanes = 3 },
		"too many steps":           func(w *compute.Work) { w.WalkSteps = 1 << 17 },
	}
	require.NoError(t, good.Validate())
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			w := good
			change(&w)
			require.ErrorIs(t, w.Validate(), compute.ErrInvalidWork)
			require.ErrorIs(t, compute.Verify(w, compute.Hash{}, compute.Hash{}, 1, nil), compute.ErrInvalidWork)
			_, err := compute.Prove(w)
			require.ErrorIs(t, err, compute.ErrInvalidWork)
		})
	}
	for _, samples := range []uint32{0, compute.MaxSamples + 1} {
		require.ErrorIs(t, compute.Verify(good, compute.Hash{}, compute.Hash{}, samples, nil), compute.ErrInvalidWork)
	}
	_, err := compute.Prove(compute.Work{N: compute.MaxN, M: 16, Rounds: 1})
	require.ErrorIs(t, err, compute.ErrInvalidWork, "more memory than the reference may use")
}

// TestSkippedWorkIsCaught measures how often a prover that guesses a tenth of
// the entries is caught, against 1 - 0.9^t.
func TestSkippedWorkIsCaught(t *testing.T) {
	w := compute.Work{N: 64, M: 16, Rounds: 2}
	const draws, samples = 2000, 8
	caught := 0
	for i := range draws {
		var beacon compute.Hash
		binary.BigEndian.PutUint32(beacon[:], uint32(i))
		for _, e := range w.Draw(compute.Hash{1}, beacon, samples).Entries {
			if h := sha256.Sum256([]byte{byte(e.Round), byte(e.Row), byte(e.Col)}); binary.BigEndian.Uint16(h[:]) < 6554 {
				caught++
				break
			}
		}
	}
	require.InDelta(t, 0.5695, float64(caught)/draws, 0.05) // 1 - 0.9^8
}

func TestDrawCoversEverything(t *testing.T) {
	w := compute.Work{N: 16, M: 16, Rounds: 3, WalkLanes: 4, WalkSteps: 16}
	entries, steps := map[compute.Entry]int{}, map[compute.Step]int{}
	for i := range 400 {
		s := w.Draw(compute.Hash{}, compute.Hash{byte(i), byte(i >> 8)}, 32)
		require.Len(t, s.Entries, 24)
		require.Len(t, s.Steps, 8)
		for _, e := range s.Entries {
			entries[e]++
		}
		for _, step := range s.Steps {
			steps[step]++
		}
	}
	require.Len(t, entries, 3*16*16)
	require.Len(t, steps, 4*16)
}

func drawWork(rt *rapid.T) compute.Work {
	w := compute.Work{
		N:      1 << rapid.IntRange(4, 6).Draw(rt, "n"),
		M:      1 << rapid.IntRange(4, 8).Draw(rt, "m"),
		Rounds: rapid.Uint32Range(1, 4).Draw(rt, "rounds"),
		Seed:   compute.Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "seed")),
	}
	if rapid.Bool().Draw(rt, "walk") {
		w.WalkLanes = 1 << rapid.IntRange(0, 4).Draw(rt, "lanes")
		w.WalkSteps = 1 << rapid.IntRange(4, 6).Draw(rt, "steps")
	}
	return w
}

func smallWorks() map[string]compute.Work {
	return map[string]compute.Work{
		"products only": {N: 16, M: 32, Rounds: 2, Seed: compute.Hash{1}},
		"with a walk":   {N: 32, M: 16, Rounds: 3, WalkLanes: 4, WalkSteps: 32, Seed: compute.Hash{2}},
	}
}
