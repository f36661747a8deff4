package types

import (
	"math/big"

	"cosmossdk.io/math"
)

// Factors are what the weight of a GPU is the product of, each in PPM.
type Factors struct {
	Class       uint64 // H
	Connection  uint64 // C
	Stake       uint64 // S
	Performance uint64 // P
	Bonus       uint64 // B
}

// Weight is H·C·S·P·B / PPM⁴, left to right and floored after each factor, in PPM.
// With validated rules and class weights it stays under 2^41.
//
// Source: protocol §4 "Weight of a GPU".
func (f Factors) Weight() uint64 {
	w := f.Class
	for _, factor := range []uint64{f.Connection, f.Stake, f.Performance, f.Bonus} {
		w = w * factor / PPM
	}
	return w
}

// RequiredMilliMbps is what the connection of a GPU with this memory should carry,
// in thousandths of a Mbit/s: clamp(min, per_1000_gib / 1,000 × GiB, max).
func (r Rules) RequiredMilliMbps(memoryGiB uint64) uint64 {
	memoryGiB = min(memoryGiB, 1<<20)
	return min(max(1_000*uint64(r.MinMbps), uint64(r.MbpsPer_1000Gib)*memoryGiB), 1_000*uint64(r.MaxMbps))
}

// ConnectionFactor is C: the last step of q = ⌊min(up, down) × PPM / required⌋ that
// is reached, and 0 under the first. up and down are in Mbit/s.
//
// Source: protocol §4 "C from probes".
func (r Rules) ConnectionFactor(up, down, memoryGiB uint64) uint64 {
	carried := min(up, down, 1<<30)
	q := carried * 1_000 * PPM / r.RequiredMilliMbps(memoryGiB)
	var factor uint64
	for _, s := range r.Connection {
		if q >= s.FromPpm {
			factor = s.FactorPpm
		}
	}
	return factor
}

// StakeRatio is x = min(⌊stake × PPM / requirement⌋, max_stake_ratio). Nobody asks
// for stake of an operator without a requirement, and there it is 0.
func (r Rules) StakeRatio(stake, requirement math.Int) uint64 {
	if !requirement.IsPositive() || !stake.IsPositive() {
		return 0
	}
	x := new(big.Int).Mul(stake.BigInt(), big.NewInt(PPM))
	x.Quo(x, requirement.BigInt())
	if most := new(big.Int).SetUint64(r.MaxStakeRatioPpm); x.Cmp(most) > 0 {
		return r.MaxStakeRatioPpm
	}
	return x.Uint64()
}

// StakeFactor is S = 500,000 + ⌊isqrt(x × PPM) / 2⌋, and 0 for a ratio under 1: 1.0 at
// 1× the requirement, 1.5 at 4×.
//
// Source: protocol §4 "S from stake".
func StakeFactor(ratioPPM uint64) uint64 {
	if ratioPPM < PPM {
		return 0
	}
	root := new(big.Int).SetUint64(ratioPPM)
	root.Mul(root, big.NewInt(PPM)).Sqrt(root)
	return PPM/2 + root.Uint64()/2
}

// PerformanceFactor is P = ⌊passed × PPM / (passed + missed)⌋: 0 without a challenge,
// and after a wrong answer.
//
// Source: protocol §4 "P".
func PerformanceFactor(passed, missed uint64, wrong bool) uint64 {
	passed, missed = min(passed, 1<<32), min(missed, 1<<32)
	if wrong || passed+missed == 0 {
		return 0
	}
	return passed * PPM / (passed + missed)
}

// BonusFactor is B = PPM + ⌊rented_bonus × seconds / day⌋ for the seconds that the
// GPU was rented on the day before, of the day's length.
//
// Source: protocol §4 "B".
func (r Rules) BonusFactor(rentedSeconds, daySeconds uint64) uint64 {
	if daySeconds == 0 {
		return PPM
	}
	return PPM + r.RentedBonusPpm*min(rentedSeconds, daySeconds)/daySeconds
}

// RentedGain is the most that the bonus can be worth: ⌊Δw × f_max × ρ / 2^96⌋, where Δw
// is what the bonus adds to the weight, f_max the factor of a whole day's uptime
// and ρ that of the kind's last closed day. The fees that were burned and paid to
// the treasury must exceed it, so that renting from oneself never pays.
func (r Rules) RentedGain(f Factors, rho math.Int) math.Int {
	without := f
	without.Bonus = PPM
	return Reward(f.Weight()-without.Weight(), r.Uptime[len(r.Uptime)-1].FactorPpm, rho)
}
