package types

import (
	"math/big"
	"math/bits"

	"cosmossdk.io/math"
)

// UptimeFactor is f(n): with u = ⌊n × PPM / slots⌋ it is 0 under the first corner of
// the rules, and between two corners
//
//	f₀ + ⌊(u − u₀) × (f₁ − f₀) / (u₁ − u₀)⌋
//
// Source: protocol §4 "Uptime of the day".
func (r Rules) UptimeFactor(n, slots uint32) uint64 {
	if slots == 0 {
		return 0
	}
	u := min(uint64(n)*PPM/uint64(slots), PPM)
	var factor uint64
	for i, s := range r.Uptime {
		if u < s.FromPpm {
			break
		}
		factor = s.FactorPpm
		if i+1 < len(r.Uptime) {
			next := r.Uptime[i+1]
			if u < next.FromPpm {
				factor += (u - s.FromPpm) * (next.FactorPpm - s.FactorPpm) / (next.FromPpm - s.FromPpm)
			}
		}
	}
	return factor
}

// WeightedUptime is U = Σ hist[n] × f(n), in PPM².
func (r Rules) WeightedUptime(histogram []uint64, slots uint32) math.Int {
	sum, term := new(big.Int), new(big.Int)
	for n, weight := range histogram {
		f := r.UptimeFactor(uint32(n), slots)
		if weight == 0 || f == 0 {
			continue
		}
		sum.Add(sum, term.Mul(new(big.Int).SetUint64(weight), new(big.Int).SetUint64(f)))
	}
	return math.NewIntFromBigInt(sum)
}

// Distributed is how much of a kind's money a day distributes:
//
//	everything                              when U ≥ target × floor
//	⌊everything × U / (target × floor)⌋     when it is less
//
// target is in PPM and U in PPM². What is not distributed is the kind's next day's.
//
// Source: protocol §4 "A kind with under 20 % of its target weight".
func (r Rules) Distributed(money, weightedUptime math.Int, targetPPM uint64) math.Int {
	least := math.NewIntFromUint64(targetPPM).Mul(math.NewIntFromUint64(r.TargetFloorPpm))
	switch {
	case !weightedUptime.IsPositive():
		return math.ZeroInt()
	case weightedUptime.GTE(least):
		return money
	}
	return money.Mul(weightedUptime).Quo(least)
}

// Rho is ρ = ⌊pool × 2^96 / U⌋, and 0 when nobody was up.
func Rho(pool, weightedUptime math.Int) math.Int {
	if !weightedUptime.IsPositive() {
		return math.ZeroInt()
	}
	scaled := new(big.Int).Lsh(pool.BigInt(), ShareScaleBits)
	return math.NewIntFromBigInt(scaled.Quo(scaled, weightedUptime.BigInt()))
}

// Reward is ⌊weight × f × ρ / 2^96⌋. The sum over all GPUs of a day is never over
// its pool, in whichever order they claim.
//
// Source: protocol §4 "Day end".
func Reward(weightPPM, uptimePPM uint64, rho math.Int) math.Int {
	product := new(big.Int).SetUint64(weightPPM)
	product.Mul(product, new(big.Int).SetUint64(uptimePPM)).Mul(product, rho.BigInt())
	return math.NewIntFromBigInt(product.Rsh(product, ShareScaleBits))
}

// OperatorCap is the most that one operator gets of what a day distributes.
func (r Rules) OperatorCap(dayPool math.Int) math.Int {
	return dayPool.Mul(math.NewIntFromUint64(r.OperatorCapPpm)).QuoRaw(PPM)
}

// AddWeight adds to a sum of weights, or says that it would overflow.
func AddWeight(sum, weight uint64) (uint64, error) {
	out, carry := bits.Add64(sum, weight, 0)
	if carry != 0 {
		return 0, ErrOverflow.Wrapf("%d + %d, want at most 64 bits", sum, weight)
	}
	return out, nil
}
