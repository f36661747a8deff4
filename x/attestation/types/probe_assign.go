package types

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

const (
	drawProbeDomain = "grafi/probe/draw/v1"
	// maxProbeDraws ends the search for distinct probers; to miss one among more
	// hosts than probers in so many draws has a chance under 2^-70.
	maxProbeDraws = 1_024
)

// Drawn tells whether the host is probed in the beacon's slot: with a chance of
// probe_ppm.
func (b *ProbeBeacon) Drawn(target uint64, p ProbeParams) bool {
	return target >= 1 && target <= b.Hosts && b.draw(target)%PPM < p.ProbePpm
}

// ProbersOf returns the hosts that probe the target in the beacon's slot, ascending:
// the first distinct ones of H(beacon ‖ target ‖ i) mod hosts + 1 that are not the
// target itself, or all other hosts when there are no more. A target that isn't
// drawn has none.
//
// Ids of hosts that left are drawn like any other, and answer nothing.
func (b *ProbeBeacon) ProbersOf(target uint64, p ProbeParams) []uint64 {
	if !b.Drawn(target, p) {
		return nil
	}
	var probers []uint64
	if b.Hosts <= uint64(p.Probers)+1 {
		for id := uint64(1); id <= b.Hosts; id++ {
			if id != target {
				probers = append(probers, id)
			}
		}
		return probers
	}
	for i := uint64(0); i < maxProbeDraws && len(probers) < int(p.Probers); i++ {
		if id := b.draw(target, i)%b.Hosts + 1; id != target && !slices.Contains(probers, id) {
			probers = append(probers, id)
		}
	}
	slices.Sort(probers)
	return probers
}

// TargetsOf returns the hosts that the prober probes in the beacon's slot, ascending.
// It looks at every host: a hash for each, and a few for those that are drawn.
func (b *ProbeBeacon) TargetsOf(prober uint64, p ProbeParams) []uint64 {
	var targets []uint64
	for target := uint64(1); target <= b.Hosts; target++ {
		if target != prober && slices.Contains(b.ProbersOf(target, p), prober) {
			targets = append(targets, target)
		}
	}
	return targets
}

// draw is the first 8 bytes of SHA-256(domain ‖ beacon ‖ numbers). Taken modulo
// n, some values are likelier than others by n in 2^64.
func (b *ProbeBeacon) draw(numbers ...uint64) uint64 {
	bz := make([]byte, 0, len(drawProbeDomain)+sha256.Size+16)
	bz = append(append(bz, drawProbeDomain...), b.Beacon...)
	for _, n := range numbers {
		bz = binary.BigEndian.AppendUint64(bz, n)
	}
	digest := sha256.Sum256(bz)
	return binary.BigEndian.Uint64(digest[:])
}
