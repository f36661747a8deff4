package types

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
	"time"

	"github.com/grafilab/grafi/x/attestation/compute"
)

// Domains of the hashes of challenges: none is the other's preimage.
const (
	// DomainChallengeBeacon is of the beacon that draws operators and seeds the work.
	DomainChallengeBeacon = "grafi/challenge-beacon/v1"
	// DomainSampleBeacon is of the beacon that says what is opened.
	DomainSampleBeacon = "grafi/challenge-sample/v1"

	seedDomain = "grafi/challenge/v1"
	drawDomain = "grafi/challenge-draw/v1"
)

// ChallengeSeed is the seed of a GPU's work:
// SHA-256(domain ‖ beacon ‖ agent key ‖ GPU index in 8 bytes, big endian). Beacon
// and key have 32 bytes each, so that no two lists of fields have one encoding.
func ChallengeSeed(beacon, agentKey []byte, gpu uint64) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(seedDomain))
	h.Write(beacon)
	h.Write(agentKey)
	writeUint64(h, gpu)
	return [sha256.Size]byte(h.Sum(nil))
}

// IsDrawn tells whether the beacon draws the operator: the first 8 bytes of
// SHA-256(domain ‖ beacon ‖ operator), as a fraction of 2^64, are under ppm / PPM.
func IsDrawn(beacon [sha256.Size]byte, operator []byte, ppm uint64) bool {
	h := sha256.New()
	h.Write([]byte(drawDomain))
	h.Write(beacon[:])
	h.Write(operator)
	high, _ := bits.Mul64(binary.BigEndian.Uint64(h.Sum(nil)), PPM)
	return high < ppm
}

// IsZero tells whether the class has no profile: its GPUs are not challenged.
func (p ChallengeProfile) IsZero() bool { return p == ChallengeProfile{} }

// Work returns what a GPU with this seed computes.
func (p ChallengeProfile) Work(seed [sha256.Size]byte) compute.Work {
	return compute.Work{
		N: p.N, M: p.M, Rounds: p.Rounds, WalkLanes: p.WalkLanes, WalkSteps: p.WalkSteps, Seed: seed,
	}
}

// Validate checks that the work is within its limits and the window within
// LongestAnswer; a profile with nothing in it is valid too.
func (p ChallengeProfile) Validate() error {
	if p.IsZero() {
		return nil
	}
	if err := p.Work([sha256.Size]byte{}).Validate(); err != nil {
		return ErrInvalidClass.Wrapf("profile: %s", err)
	}
	if most := uint64(LongestAnswer / time.Millisecond); p.WindowMs == 0 || p.WindowMs > most {
		return ErrInvalidClass.Wrapf("profile: window_ms is %d, want 1 to %d", p.WindowMs, most)
	}
	if p.MinGops > MaxGops {
		return ErrInvalidClass.Wrapf("profile: min_gops is %d, want at most %d", p.MinGops, uint64(MaxGops))
	}
	return nil
}

// MaxGops bounds min_gops: 10^18 operations per second.
const MaxGops = 1_000_000_000

// Gops is the measured throughput of the work in 10^9 operations per second,
// floored. Units: elapsed and allowance in milliseconds; what remains counts as at
// least one. Ops is under 2^57, see the limits of compute.Work.
func (p ChallengeProfile) Gops(elapsed, allowance uint64) uint64 {
	ms := uint64(1)
	if elapsed > allowance {
		ms = elapsed - allowance
	}
	return p.Work([sha256.Size]byte{}).Ops() / (ms * 1_000_000)
}

// IsSlow tells whether a measurement is under (1 - tolerance) of what the class
// computes at least.
func (p ChallengeParams) IsSlow(gops, minGops uint64) bool {
	return gops < MaxGops && gops*PPM < minGops*(PPM-p.TolerancePpm) // min_gops is at most MaxGops: no overflow
}

// MostSlow tells whether more than half of the last slow_answers measurements are
// slow for the class; no when there are fewer. More than half and not all: one card
// that answers for two GPUs can serve them in turns, so that neither is slow twice in
// a row.
func (p ChallengeParams) MostSlow(recent []uint64, minGops uint64) bool {
	slow, judged := p.countSlow(recent, minGops)
	return judged && 2*slow > int(p.SlowAnswers)
}

// AllFast tells whether none of them is slow; see MostSlow.
func (p ChallengeParams) AllFast(recent []uint64, minGops uint64) bool {
	slow, judged := p.countSlow(recent, minGops)
	return judged && slow == 0
}

// countSlow counts the slow ones of the last slow_answers, and tells whether there are
// so many.
func (p ChallengeParams) countSlow(recent []uint64, minGops uint64) (slow int, judged bool) {
	n := int(p.SlowAnswers)
	if len(recent) < n {
		return 0, false
	}
	for _, gops := range recent[len(recent)-n:] {
		if p.IsSlow(gops, minGops) {
			slow++
		}
	}
	return slow, true
}

// MeasuredClass returns the class that measurements show: the heaviest lighter
// than the claimed one whose GPUs compute no more than their median (of an even number
// the lower one), of equals the smallest key; none when there is no such class.
func MeasuredClass(classes []HardwareClass, claimedWeight uint64, recent []uint64) (HardwareClass, bool) {
	best := -1
	var median uint64
	if n := len(recent); n > 0 {
		median = slices.Sorted(slices.Values(recent))[(n-1)/2]
	}
	for i := range classes {
		c := &classes[i]
		if c.Profile.IsZero() || c.Profile.MinGops > median || c.WeightPpm >= claimedWeight {
			continue
		}
		if best < 0 || c.WeightPpm > classes[best].WeightPpm || (c.WeightPpm == classes[best].WeightPpm && c.Key < classes[best].Key) {
			best = i
		}
	}
	if best < 0 {
		return HardwareClass{}, false
	}
	return classes[best], true
}

// DeclaredClass is the class that the GPU's name stands for, whatever was measured.
func (g *Gpu) DeclaredClass() string {
	if g.ClaimedClass != "" {
		return g.ClaimedClass
	}
	return g.Class
}

// Find returns the GPU with this ordinal, or nil when it is not challenged.
func (c *Challenge) Find(ordinal uint32) *ChallengedGpu {
	for i := range c.Gpus {
		if c.Gpus[i].Ordinal == ordinal {
			return &c.Gpus[i]
		}
	}
	return nil
}

// Pending tells whether any GPU has no outcome yet.
func (c *Challenge) Pending() bool {
	return slices.ContainsFunc(c.Gpus, func(g ChallengedGpu) bool { return g.Outcome == CHALLENGE_OUTCOME_PENDING })
}

// Missed tells whether any GPU did not answer.
func (c *Challenge) Missed() bool {
	return slices.ContainsFunc(c.Gpus, func(g ChallengedGpu) bool { return g.Outcome == CHALLENGE_OUTCOME_MISSED })
}

// Ordinals lists the challenged GPUs.
func (c *Challenge) Ordinals() []uint32 {
	out := make([]uint32, len(c.Gpus))
	for i := range c.Gpus {
		out[i] = c.Gpus[i].Ordinal
	}
	return out
}

// Note counts a result of the day, newest day first; the last two days with
// results stay. Days never go back, since block time doesn't.
func (p *ComputeProof) Note(day uint64, outcome ChallengeOutcome) {
	if len(p.Days) == 0 || p.Days[0].Day != day {
		p.Days = append([]DayResults{{Day: day}}, p.Days[:min(len(p.Days), 1)]...)
	}
	d := &p.Days[0]
	switch outcome {
	case CHALLENGE_OUTCOME_PASSED:
		d.Passed++
	case CHALLENGE_OUTCOME_MISSED:
		d.Missed++
	case CHALLENGE_OUTCOME_WRONG:
		d.Wrong++
	}
}

// Before returns the results of the latest day before this one that had any.
func (p *ComputeProof) Before(day uint64) (DayResults, bool) {
	for _, d := range p.Days {
		if d.Day < day {
			return d, true
		}
	}
	return DayResults{}, false
}

// Measure remembers a measurement, at most MaxRecentAnswers of them.
func (p *ComputeProof) Measure(gops uint64) {
	p.RecentGops = append(p.RecentGops, gops)
	if n := len(p.RecentGops); n > MaxRecentAnswers {
		p.RecentGops = p.RecentGops[n-MaxRecentAnswers:]
	}
}

// Miss remembers a miss, and forgets those a day older than it.
func (p *ComputeProof) Miss(at time.Time) {
	p.Misses = slices.DeleteFunc(p.Misses, func(t time.Time) bool { return !t.After(at.Add(-24 * time.Hour)) })
	p.Misses = append(p.Misses, at)
	if n := len(p.Misses); n > MaxMisses {
		p.Misses = p.Misses[n-MaxMisses:]
	}
}

// SignBytes returns what the agent key signs to commit.
func (d *ChallengeCommitDoc) SignBytes() ([]byte, error) { return SignBytes(DomainCommit, d) }

// SignBytes returns what the agent key signs to open.
func (d *ChallengeOpeningDoc) SignBytes() ([]byte, error) { return SignBytes(DomainOpening, d) }

// NewChallengeOpeningDoc returns the document that an agent signs for an opening.
func NewChallengeOpeningDoc(chainID string, hostID, challengeID uint64, ordinal uint32, opening []byte) ChallengeOpeningDoc {
	digest := sha256.Sum256(opening)
	return ChallengeOpeningDoc{
		ChainId: chainID, HostId: hostID, ChallengeId: challengeID, Ordinal: ordinal, OpeningDigest: digest[:],
	}
}

// Committed tells whether every GPU has committed, or has an outcome already.
func (c *Challenge) Committed() bool {
	return !slices.ContainsFunc(c.Gpus, func(g ChallengedGpu) bool {
		return g.Outcome == CHALLENGE_OUTCOME_PENDING && len(g.Commitment) == 0
	})
}
