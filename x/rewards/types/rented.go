package types

import (
	"cosmossdk.io/math"

	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// Rented is what a payment was for on one GPU and day.
type Rented struct {
	Seconds uint64
	Fees    math.Int
}

// RentedPart returns the part of a payment that falls on seconds of its length:
//
//	missed' = ⌈missed × seconds / length⌉
//	seconds' = seconds − missed'
//	fees'    = ⌊fees × seconds / length / gpus⌋
//
// so that the rounding never adds to the bonus.
func RentedPart(length, seconds, missed uint64, fees math.Int, gpus int) Rented {
	if length == 0 || gpus <= 0 {
		return Rented{Fees: math.ZeroInt()}
	}
	part := math.NewIntFromUint64(min(seconds, length))
	whole := math.NewIntFromUint64(length)
	lost := math.NewIntFromUint64(min(missed, length)).Mul(part).Add(whole.SubRaw(1)).Quo(whole)
	return Rented{
		Seconds: part.Sub(lost).Uint64(),
		Fees:    fees.Mul(part).Quo(whole).QuoRaw(int64(gpus)),
	}
}

// Rho is that of the kind's last closed day.
func (m Mining) Rho(kind stakingext.OperatorKind) math.Int {
	if kind == stakingext.OPERATOR_KIND_DATACENTER {
		return m.DatacenterRho
	}
	return m.ContributorRho
}
