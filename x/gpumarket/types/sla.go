package types

import "cosmossdk.io/math"

// ServiceCredit returns what the renter gets back of a period's fee:
// ⌊fee × credit_ppm / PPM⌋ of the last tier that the availability
// (judged − missed) / judged is under; zero when nothing was judged.
//
// Source: README.md "Service level".
func (p Params) ServiceCredit(fee math.Int, judged, missed uint64) math.Int {
	if judged == 0 {
		return zero()
	}
	var credit uint64
	up := math.NewIntFromUint64(judged - missed).MulRaw(PPM)
	for _, tier := range p.SlaTiers {
		if up.LT(math.NewIntFromUint64(tier.BelowPpm).Mul(math.NewIntFromUint64(judged))) {
			credit = tier.CreditPpm
		}
	}
	return share(fee, credit)
}

func zero() math.Int { return math.ZeroInt() }
