package types

import (
	"math"

	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Inputs is what x/attestation knew of a GPU when its weight was frozen: what decides
// whether it has one, and what C and P come from.
type Inputs struct {
	TrustTier uint32
	// MedianAge is the number of days between the day and that of the medians: 0
	// for none. At most 255.
	MedianAge uint64
	// Medians in Mbit/s, under 2^24.
	UpMbps, DownMbps uint64
	MemoryGiB        uint64
	// Challenged: there are results of an earlier day.
	Challenged     bool
	Passed, Missed uint64
	Wrong          bool
}

// InputsOf takes the inputs of a GPU for the day out of what is proven of its host.
// Numbers that the record has no room for are cut off at its largest.
func InputsOf(facts *attestation.HostFacts, gpu *attestation.GPUFacts, day uint64) Inputs {
	in := Inputs{
		TrustTier: gpu.Proofs.Tier(), MemoryGiB: min(gpu.Gpu.MemoryGiB(), math.MaxUint16),
		Challenged: gpu.Challenged, Passed: min(uint64(gpu.Passed), math.MaxUint16), Missed: min(uint64(gpu.Missed), math.MaxUint16),
		Wrong: gpu.Wrong > 0,
	}
	if c := facts.Connection; c.Day != 0 && c.Day < day {
		in.MedianAge = min(day-c.Day, math.MaxUint8)
		in.UpMbps, in.DownMbps = min(c.UpMbps, 1<<24-1), min(c.DownMbps, 1<<24-1)
	}
	return in
}

// Eligible tells whether the GPU is proven enough to have a weight.
func (in Inputs) Eligible(r Rules) bool { return in.TrustTier >= r.MinTrustTier }

// Connection is factor C.
func (in Inputs) Connection(r Rules) uint64 {
	if in.MedianAge == 0 {
		return r.UnprobedConnectionPpm
	}
	return r.ConnectionFactor(in.UpMbps, in.DownMbps, in.MemoryGiB)
}

// Performance is factor P.
func (in Inputs) Performance(r Rules) uint64 {
	if !in.Challenged {
		return r.UnchallengedPerformancePpm
	}
	return PerformanceFactor(in.Passed, in.Missed, in.Wrong)
}
