// Package compute is the arithmetic of a proof of compute: exact integer matrix
// products that every GPU and every CPU computes bit by bit alike, a commitment
// to all of them, and openings of entries that anyone can recompute.
//
// One round multiplies A (N×M) by B (M×N), both of int8 drawn from the round's
// seed, to C of uint32 modulo 2^32. A Merkle root over C gives the next round's
// seed, so rounds can't be computed side by side. A walk of dependent reads over
// the last C can follow, which only memory bandwidth makes fast. The package
// knows nothing of the chain; the keeper and the provers share it.
package compute

import (
	"crypto/sha256"
	"math/bits"
)

// Limits of a Work. They bound what one Verify may cost.
const (
	MinN         = 16      // one leaf
	MaxN         = 1 << 14 // C is 1 GiB
	MinM         = 16      // one AES block
	MaxM         = 1 << 15
	MaxRounds    = 4096
	MaxWalkLanes = 1 << 22
	MaxWalkSteps = 1 << 16
	MaxSamples   = 256
)

// LeafEntries is how many uint32 one leaf of a Merkle tree holds.
const LeafEntries = 16

// LeafSize is the size of a leaf in bytes.
const LeafSize = 4 * LeafEntries

// Hash is a SHA-256 digest.
type Hash = [sha256.Size]byte

// Work says what is computed. N and M are powers of two, and so are WalkLanes
// and WalkSteps, which are both 0 for no walk.
type Work struct {
	N, M, Rounds, WalkLanes, WalkSteps uint32
	Seed                               Hash
}

// Validate returns an error that wraps ErrInvalidWork when a number is outside
// of its limits.
func (w Work) Validate() error {
	for _, r := range []struct {
		name           string
		got, low, high uint32
	}{
		{"n", w.N, MinN, MaxN},
		{"m", w.M, MinM, MaxM},
	} {
		if r.got < r.low || r.got > r.high || bits.OnesCount32(r.got) != 1 {
			return invalid("%s is %d, want a power of two, %d to %d", r.name, r.got, r.low, r.high)
		}
	}
	if w.Rounds < 1 || w.Rounds > MaxRounds {
		return invalid("rounds is %d, want 1 to %d", w.Rounds, MaxRounds)
	}
	if w.WalkLanes == 0 && w.WalkSteps == 0 {
		return nil
	}
	if w.WalkLanes > MaxWalkLanes || bits.OnesCount32(w.WalkLanes) != 1 {
		return invalid("walk_lanes is %d, want a power of two to %d, or 0 with walk_steps 0", w.WalkLanes, MaxWalkLanes)
	}
	if w.WalkSteps < LeafEntries || w.WalkSteps > MaxWalkSteps || bits.OnesCount32(w.WalkSteps) != 1 {
		return invalid("walk_steps is %d, want a power of two, %d to %d, or 0 with walk_lanes 0", w.WalkSteps, LeafEntries, MaxWalkSteps)
	}
	return nil
}

// HasWalk tells whether a walk follows the rounds.
func (w Work) HasWalk() bool { return w.WalkLanes > 0 }

// Ops is the number of additions and multiplications of all rounds: 2·N²·M·Rounds.
func (w Work) Ops() uint64 {
	return 2 * uint64(w.N) * uint64(w.N) * uint64(w.M) * uint64(w.Rounds)
}

// RowLeaves is the number of leaves of one row of C.
func (w Work) RowLeaves() uint64 { return uint64(w.N) / LeafEntries }

// Leaves is the number of leaves of one round's tree.
func (w Work) Leaves() uint64 { return uint64(w.N) * w.RowLeaves() }

// LaneLeaves is the number of leaves of the trace of one lane of the walk.
func (w Work) LaneLeaves() uint64 { return uint64(w.WalkSteps) / LeafEntries }

// WalkLeaves is the number of leaves of the walk's tree.
func (w Work) WalkLeaves() uint64 { return uint64(w.WalkLanes) * w.LaneLeaves() }

// NextSeed is the seed of the round (or the walk) after the one with seed s
// whose C has this root.
func NextSeed(s, root Hash) Hash {
	return digest("grafi/gemm/next", s[:], root[:])
}

// Seeds returns the seeds of all rounds and, last, of the walk: one more than roots.
func (w Work) Seeds(roots []Hash) []Hash {
	seeds := make([]Hash, 1, len(roots)+1)
	seeds[0] = w.Seed
	for _, root := range roots {
		seeds = append(seeds, NextSeed(seeds[len(seeds)-1], root))
	}
	return seeds
}

// Commitment binds the roots of all rounds, and of the walk if there is one.
func Commitment(roots []Hash, walkRoot *Hash) Hash {
	h := sha256.New()
	h.Write([]byte("grafi/gemm/commit"))
	for i := range roots {
		h.Write(roots[i][:])
	}
	if walkRoot != nil {
		h.Write(walkRoot[:])
	}
	return Hash(h.Sum(nil))
}

func digest(domain string, parts ...[]byte) Hash {
	buf := make([]byte, 0, 128)
	buf = append(buf, domain...)
	for _, p := range parts {
		buf = append(buf, p...)
	}
	return sha256.Sum256(buf)
}
