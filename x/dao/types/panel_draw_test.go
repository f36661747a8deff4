package types_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/dao/types"
)

func seed(n uint64) [sha256.Size]byte {
	return types.DrawSeed(types.Beacon(int64(n), nil, []byte("app")), 1, 1)
}

// candidates have the weights in order, and their position as the name.
func candidates(weights ...int64) []types.Candidate {
	out := make([]types.Candidate, len(weights))
	for i, w := range weights {
		out[i] = types.Candidate{Juror: []byte{byte(i)}, Weight: math.NewInt(w)}
	}
	return out
}

// holds answers with the stakes in order.
func holds(stakes ...int64) func([]byte) (math.Int, error) {
	return func(juror []byte) (math.Int, error) { return math.NewInt(stakes[juror[0]]), nil }
}

// TestDrawIsByStake counts who is drawn first over 20,000 fixed seeds. The
// bound is four standard deviations of a binomial count, so a wrong weight of
// one part in twenty is seen; the seeds are fixed, so the answer never changes.
func TestDrawIsByStake(t *testing.T) {
	const draws = 20_000
	tests := map[string]struct{ weights, now []int64 }{
		"recorded stake is there":     {[]int64{100, 200, 300, 400}, []int64{100, 200, 300, 400}},
		"stake that came later":       {[]int64{100, 200, 300, 400}, []int64{100_000, 200, 300, 400}},
		"stake that left":             {[]int64{100, 200, 300, 400}, []int64{100, 200, 300, 40}},
		"most stake left, some whole": {[]int64{1_000, 1_000, 500, 10}, []int64{0, 10, 250, 10}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			smaller, total := make([]int64, len(tc.weights)), int64(0)
			for i, w := range tc.weights {
				smaller[i] = min(w, tc.now[i])
				total += smaller[i]
			}
			first := make([]int64, len(tc.weights))
			for n := range uint64(draws) {
				panel, _, err := types.DrawPanel(seed(n), candidates(tc.weights...), 1, holds(tc.now...))
				require.NoError(t, err)
				first[panel[0]]++
			}
			for i, got := range first {
				// (got − want)² ≤ 4² × n p (1 − p), times total² to stay in integers.
				miss := got*total - draws*smaller[i]
				require.LessOrEqual(t, miss*miss, 16*draws*smaller[i]*(total-smaller[i]), "candidate %d: %v", i, first)
			}
		})
	}
}

// TestSecondDrawIsByWhatIsLeft: after the first is taken, the others keep their
// proportions.
func TestSecondDrawIsByWhatIsLeft(t *testing.T) {
	const draws = 20_000
	pairs := map[[2]int]int64{}
	for n := range uint64(draws) {
		panel, _, err := types.DrawPanel(seed(n), candidates(1, 2, 3), 2, holds(1, 2, 3))
		require.NoError(t, err)
		pairs[[2]int(panel)]++
	}
	// P(a then b) = a/6 × b/(6 − a).
	for pair, p := range map[[2]int][2]int64{
		{0, 1}: {2, 30}, {0, 2}: {3, 30}, {1, 0}: {2, 24}, {1, 2}: {6, 24}, {2, 0}: {3, 18}, {2, 1}: {6, 18},
	} {
		miss := pairs[pair]*p[1] - draws*p[0]
		require.LessOrEqual(t, miss*miss, 16*draws*p[0]*(p[1]-p[0]), "pair %v: %v", pair, pairs)
	}
}

func TestDrawLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(rt, "candidates")
		weights, now := make([]int64, n), make([]int64, n)
		able := 0
		for i := range n {
			weights[i] = rapid.Int64Range(0, 50).Draw(rt, "weight")
			now[i] = rapid.Int64Range(0, 50).Draw(rt, "now")
			if min(weights[i], now[i]) > 0 {
				able++
			}
		}
		list := candidates(weights...)
		size := rapid.IntRange(0, 15).Draw(rt, "size")
		s := seed(rapid.Uint64().Draw(rt, "seed"))
		asked := map[byte]int{}
		panel, corrected, err := types.DrawPanel(s, list, size, func(juror []byte) (math.Int, error) {
			asked[juror[0]]++
			return holds(now...)(juror)
		})
		require.NoError(rt, err)

		require.Len(rt, panel, min(size, able), "all seats are filled while there is stake")
		seen := map[int]bool{}
		for _, i := range panel {
			require.False(rt, seen[i], "drawn twice")
			seen[i] = true
			require.Positive(rt, min(weights[i], now[i]), "drawn without stake")
		}
		for who, times := range asked {
			require.Equal(rt, 1, times, "asked for the stake of %d", who)
		}
		for _, i := range corrected {
			require.Equal(rt, now[i], list[i].Weight.Int64())
			require.Less(rt, now[i], weights[i])
		}

		again, _, err := types.DrawPanel(s, candidates(weights...), size, holds(now...))
		require.NoError(rt, err)
		require.Equal(rt, panel, again, "the same seed draws the same panel")
	})
}

func TestDrawPassesErrorsOn(t *testing.T) {
	broken := errors.New("store is broken")
	_, _, err := types.DrawPanel(seed(1), candidates(5), 1, func([]byte) (math.Int, error) { return math.Int{}, broken })
	require.ErrorIs(t, err, broken)
}

// TestBeaconBytes pins the encoding by building it a second time.
func TestBeaconBytes(t *testing.T) {
	votes := []abci.VoteInfo{
		{Validator: abci.Validator{Address: []byte("validator one"), Power: 7}, BlockIdFlag: 2},
		{Validator: abci.Validator{Address: []byte("v2"), Power: 1 << 40}, BlockIdFlag: 1},
	}
	var commit []byte
	commit = append(commit, 0, 0, 0, 13)
	commit = append(commit, "validator one"...)
	commit = binary.BigEndian.AppendUint64(commit, 7)
	commit = append(commit, 0, 0, 0, 2)
	commit = append(commit, 0, 0, 0, 2)
	commit = append(commit, "v2"...)
	commit = binary.BigEndian.AppendUint64(commit, 1<<40)
	commit = append(commit, 0, 0, 0, 1)
	digest := sha256.Sum256(commit)
	preimage := append([]byte("grafi/beacon/v1"), 0, 0, 0, 0, 0, 0, 1, 2)
	preimage = append(preimage, digest[:]...)
	preimage = append(preimage, "app hash"...)

	got := types.Beacon(258, votes, []byte("app hash"))
	require.Equal(t, sha256.Sum256(preimage), got)

	for name, other := range map[string][sha256.Size]byte{
		"height":   types.Beacon(259, votes, []byte("app hash")),
		"votes":    types.Beacon(258, votes[:1], []byte("app hash")),
		"app hash": types.Beacon(258, votes, []byte("app hasi")),
	} {
		require.NotEqual(t, got, other, name)
	}
}

func TestDrawSeedsDiffer(t *testing.T) {
	b := types.Beacon(1, nil, nil)
	seen := map[[sha256.Size]byte]bool{}
	for dispute := range uint64(10) {
		for round := range uint32(3) {
			seen[types.DrawSeed(b, dispute, round)] = true
		}
	}
	require.Len(t, seen, 30)
}
