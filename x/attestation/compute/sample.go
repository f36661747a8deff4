package compute

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
)

// Entry is one sampled entry of C.
type Entry struct{ Round, Row, Col uint32 }

// Leaf is the leaf of the round's tree that holds the entry.
func (e Entry) Leaf(w Work) uint64 {
	return uint64(e.Row)*w.RowLeaves() + uint64(e.Col)/LeafEntries
}

// Step is one sampled step of the walk: from x_j to x_{j+1}, which is value j of
// the trace of the lane.
type Step struct{ Lane, J uint32 }

// Samples are what is opened of a commitment, in ascending order. Samples that
// were drawn twice are in it twice.
type Samples struct {
	Entries []Entry
	Steps   []Step
}

// Draw derives the t samples of a commitment from a beacon that nobody knew
// when it was made. With a walk, a quarter of them (rounded down) are steps of it.
//
// Sample i comes from SHA-256(domain ‖ beacon ‖ commitment ‖ i): row, column,
// lane and step are low bits, for their ranges are powers of two; the round is
// the high word of a 64-bit product, off uniform by less than 2^-52.
func (w Work) Draw(commitment, beacon Hash, t uint32) Samples {
	var s Samples
	steps := uint32(0)
	if w.HasWalk() {
		steps = t / 4
	}
	var buf [17 + 2*sha256.Size + 4]byte
	copy(buf[:], "grafi/gemm/sample")
	copy(buf[17:], beacon[:])
	copy(buf[17+sha256.Size:], commitment[:])
	for i := range t {
		binary.BigEndian.PutUint32(buf[17+2*sha256.Size:], i)
		h := sha256.Sum256(buf[:])
		a, b := binary.BigEndian.Uint32(h[8:]), binary.BigEndian.Uint32(h[12:])
		if i < t-steps {
			round, _ := bits.Mul64(binary.BigEndian.Uint64(h[:]), uint64(w.Rounds))
			s.Entries = append(s.Entries, Entry{Round: uint32(round), Row: a & (w.N - 1), Col: b & (w.N - 1)})
		} else {
			s.Steps = append(s.Steps, Step{Lane: a & (w.WalkLanes - 1), J: b & (w.WalkSteps - 1)})
		}
	}
	slices.SortFunc(s.Entries, func(x, y Entry) int {
		return compare(uint64(x.Round)<<32|uint64(x.Row), uint64(y.Round)<<32|uint64(y.Row), x.Col, y.Col)
	})
	slices.SortFunc(s.Steps, func(x, y Step) int {
		return compare(uint64(x.Lane), uint64(y.Lane), x.J, y.J)
	})
	return s
}

func compare(x1, y1 uint64, x2, y2 uint32) int {
	switch {
	case x1 < y1, x1 == y1 && x2 < y2:
		return -1
	case x1 == y1 && x2 == y2:
		return 0
	}
	return 1
}

// part is the multiproof of one tree in an opening.
type part struct {
	// round is the round of the tree; the walk has the number of rounds.
	round uint32
	depth int
	// leaves ascend, each once.
	leaves []uint64
	// siblings is the number of hashes after the leaves.
	siblings int
}

// size of the part in bytes.
func (p part) size() int { return len(p.leaves)*LeafSize + p.siblings*sha256.Size }

// parts lists the trees that the samples are opened in, in the order of the opening.
func (w Work) parts(s Samples) []part {
	var parts []part
	add := func(round uint32, total uint64, leaf uint64) {
		if len(parts) == 0 || parts[len(parts)-1].round != round {
			parts = append(parts, part{round: round, depth: bits.TrailingZeros64(total)})
		}
		p := &parts[len(parts)-1]
		if len(p.leaves) == 0 || p.leaves[len(p.leaves)-1] != leaf {
			p.leaves = append(p.leaves, leaf)
		}
	}
	for _, e := range s.Entries {
		add(e.Round, w.Leaves(), e.Leaf(w))
	}
	for _, step := range s.Steps {
		first := uint64(step.Lane) * w.LaneLeaves()
		if step.J > 0 { // x_j is the value before
			add(w.Rounds, w.WalkLeaves(), first+uint64(step.J-1)/LeafEntries)
		}
		add(w.Rounds, w.WalkLeaves(), first+uint64(step.J)/LeafEntries)
	}
	for i := range parts {
		siblings(slices.Clone(parts[i].leaves), parts[i].depth, func(int, uint64) { parts[i].siblings++ })
	}
	return parts
}

// OpeningSize is the length in bytes of the only opening of the samples.
func (w Work) OpeningSize(s Samples) int {
	size := int(w.Rounds) * sha256.Size
	if w.HasWalk() {
		size += sha256.Size
	}
	for _, p := range w.parts(s) {
		size += p.size()
	}
	return size
}
