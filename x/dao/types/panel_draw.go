package types

import (
	"crypto/sha256"
	"math/big"

	"cosmossdk.io/math"
)

// Candidate may be drawn for a panel.
type Candidate struct {
	Juror []byte
	// Weight is the most stake that counts for it: what it had when it joined.
	Weight math.Int
}

// DrawPanel draws size different candidates, each time with a chance in
// proportion to min(Weight, stake now), and returns their positions in the
// order of the draw; fewer when fewer have any stake left.
//
// Stake now is asked for drawn candidates only, because one answer costs a read
// for each of its delegations. A candidate is drawn by its recorded weight and
// kept with the chance now/weight; when it isn't, its weight is corrected and
// the draw repeated. That gives exactly the proportions of the smaller values:
// with C = Σ weights, M = Σ smaller values m, and corrections c_i − m_i,
// P(i) = m_i/C + Σ(c_j − m_j)/C × m_i/M = m_i/M by induction over the number of
// candidates that are not corrected yet. So a candidate costs at most one answer
// and one correction in a draw.
//
// corrected lists the positions whose Weight this function lowered.
func DrawPanel(seed [sha256.Size]byte, candidates []Candidate, size int, stakeNow func(juror []byte) (math.Int, error),
) (panel, corrected []int, err error) {
	s := stream{seed: seed}
	total := math.ZeroInt()
	for _, c := range candidates {
		total = total.Add(c.Weight)
	}
	left := make([]math.Int, len(candidates)) // what still takes part; 0 for the drawn
	asked := make([]bool, len(candidates))
	for i, c := range candidates {
		left[i] = c.Weight
	}
	for len(panel) < size && total.IsPositive() {
		point := s.below(total)
		i := 0
		for ; point.GTE(left[i]); i++ {
			point = point.Sub(left[i])
		}
		// point is now uniform in [0, weight): it lies under the smaller value
		// with the chance that the candidate is to be kept with.
		if !asked[i] {
			asked[i] = true
			now, err := stakeNow(candidates[i].Juror)
			if err != nil {
				return nil, nil, err
			}
			if now.LT(left[i]) {
				total = total.Sub(left[i]).Add(now)
				left[i], candidates[i].Weight = now, now
				corrected = append(corrected, i)
				if point.GTE(now) {
					continue
				}
			}
		}
		panel = append(panel, i)
		total = total.Sub(left[i])
		left[i] = math.ZeroInt()
	}
	return panel, corrected, nil
}

// stream yields numbers out of SHA-256(seed ‖ counter), 8 bytes of counter, big endian.
type stream struct {
	seed    [sha256.Size]byte
	counter uint64
}

// below returns a number in [0, n). n is a sum of stakes, under 2^128, so the
// bias of taking 256 bits modulo n is under 2^-128 and no number is refused.
func (s *stream) below(n math.Int) math.Int {
	h := sha256.New()
	h.Write(s.seed[:])
	writeUint64(h, s.counter)
	s.counter++
	v := new(big.Int).SetBytes(h.Sum(nil))
	return math.NewIntFromBigInt(v.Mod(v, n.BigInt()))
}
