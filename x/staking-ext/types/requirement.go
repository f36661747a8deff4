package types

import (
	"time"

	"cosmossdk.io/math"
)

// GPURequirement returns the stake that one GPU asks of its operator in the end:
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

// Day is the least time between two steps of a GPU's requirement, and between
// two changes of a commission.
const Day = 24 * time.Hour

// NextRequirement returns the amount one step nearer to the target: at most
// ⌊amount × max_requirement_change / PPM⌋, but at least one base unit, so that
// an amount of any size arrives.
//
// Source: protocol §1 "Requirement".
func (p Params) NextRequirement(amount, target math.Int) math.Int {
	step := math.MaxInt(share(amount, p.MaxRequirementChangePpm), math.OneInt())
	if target.GT(amount) {
		return math.MinInt(amount.Add(step), target)
	}
	return math.MaxInt(amount.Sub(step), target)
}

// StepDue is the first moment of the next step.
func (r GpuRequirement) StepDue() time.Time { return r.SteppedAt.Add(Day) }

// Settled tells that the amount has arrived at its target.
func (r GpuRequirement) Settled() bool { return r.Amount.Equal(r.Target) }

// ValidatePrice checks a listed price per hour in the stake denom.
//
// Errors: ErrInvalidAmount when it is nil, negative or over MaxAmount.
func ValidatePrice(pricePerHour math.Int) error {
	if pricePerHour.IsNil() || pricePerHour.IsNegative() || pricePerHour.GT(MaxAmount) {
		return ErrInvalidAmount.Wrapf("price per hour %s, want 0 to %s", pricePerHour, MaxAmount)
	}
	return nil
}
