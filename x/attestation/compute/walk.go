package compute

import "encoding/binary"

// LaneStart is x_0 of a lane of the walk with seed s over a C of n×n entries.
func LaneStart(s Hash, lane, n uint32) uint32 {
	var l [4]byte
	binary.BigEndian.PutUint32(l[:], lane)
	h := digest("grafi/gemm/lane", s[:], l[:])
	return binary.BigEndian.Uint32(h[:4]) & (n*n - 1)
}

// WalkNext is x_{j+1} of a lane that is at x = x_j and read c = C[x] there
// (row x div n, column x mod n).
//
// The lane and the step are mixed in, so that lanes that meet part again and
// none can be copied from another. The mixer is the finaliser of SplitMix64
// (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
func WalkNext(x, c, lane, j, n uint32) uint32 {
	z := uint64(x)<<32 | uint64(c)
	z += (uint64(lane)<<32 | uint64(j+1)) * 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	z ^= z >> 31
	return uint32(z) & (n*n - 1)
}
