package types

import "cosmossdk.io/math"

// GPURequirement returns the own stake that one GPU asks of its operator:
//
//	max(⌊min_stake × max(PPM, weight) / PPM⌋, hours × price)
//
// Units: weightPPM is the mining weight of the GPU's class in PPM, pricePerHour
// and the result are base units of the stake denom. The only division rounds
// down, in favour of the operator, by less than one base unit.
//
// The price must be in [0, MaxAmount] and the params valid; then the result is
// under 2^144 and can't overflow.
//
// Source: protocol §1 "Requirement".
func (p Params) GPURequirement(weightPPM uint64, pricePerHour math.Int) math.Int {
	weight := math.NewIntFromUint64(max(weightPPM, PPM))
	byWeight := p.MinStakePerGpu.Mul(weight).QuoRaw(PPM)
	byPrice := pricePerHour.MulRaw(int64(p.RequirementHours))
	return math.MaxInt(byWeight, byPrice)
}

// ValidatePrice checks a listed price per hour in the stake denom.
//
// Errors: ErrInvalidAmount when it is nil, negative or over MaxAmount.
func ValidatePrice(pricePerHour math.Int) error {
	if pricePerHour.IsNil() || pricePerHour.IsNegative() || pricePerHour.GT(MaxAmount) {
		return ErrInvalidAmount.Wrapf("price per hour %s, want 0 to %s", pricePerHour, MaxAmount)
	}
	return nil
}
