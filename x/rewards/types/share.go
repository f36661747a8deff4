package types

import (
	"math/big"

	"cosmossdk.io/math"
)

const (
	// ShareScaleBits is the fixed point of rewards per share: 2^96 is one base unit.
	ShareScaleBits = 96
	// MaxClaimOperators is the number of operators in one claim of staking rewards.
	MaxClaimOperators = 100
	// maxScaledBits bounds what is stored in that scale, well inside the 256
	// bits of a math.Int.
	maxScaledBits = 250
)

// DivideEarnings divides what an operator's stake earned between the operator
// and its stakers:
//
//	gross      = ⌊amount × counted / (own + counted)⌋    counted: the delegated stake that counts
//	commission = ⌊gross × commissionPPM / PPM⌋
//	stakers    = gross − commission
//	operator   = amount − stakers
//
// The first remainder is the operator's, the second the stakers'. Without stake
// that counts everything is the operator's.
//
// Source: protocol §4 "Staking reward".
func DivideEarnings(amount, own, counted math.Int, commissionPPM uint64) (operator, stakers math.Int) {
	whole := own.Add(counted)
	if !counted.IsPositive() || !whole.IsPositive() {
		return amount, math.ZeroInt()
	}
	// 256 bits would not hold the product of two large amounts of a foreign denom.
	product := new(big.Int).Mul(amount.BigInt(), counted.BigInt())
	gross := math.NewIntFromBigInt(product.Quo(product, whole.BigInt()))
	commission := new(big.Int).Mul(gross.BigInt(), new(big.Int).SetUint64(commissionPPM))
	stakers = gross.Sub(math.NewIntFromBigInt(commission.Quo(commission, big.NewInt(PPM))))
	return amount.Sub(stakers), stakers
}

// Accrue adds an amount to the cumulative reward per share:
//
//	perShare'  = perShare + ⌊(amount × 2^96 + remainder) / shares⌋
//	remainder' = (amount × 2^96 + remainder) mod shares
//
// so that nothing is lost, whatever the number of shares. ok is false, and
// nothing changed, without shares or when the sum would not fit.
func Accrue(perShare, remainder, amount, shares math.Int) (newPerShare, newRemainder math.Int, ok bool) {
	if !shares.IsPositive() || amount.IsNegative() {
		return perShare, remainder, false
	}
	scaled := new(big.Int).Lsh(amount.BigInt(), ShareScaleBits)
	scaled.Add(scaled, remainder.BigInt())
	quotient, rest := new(big.Int).QuoRem(scaled, shares.BigInt(), new(big.Int))
	quotient.Add(quotient, perShare.BigInt())
	if scaled.BitLen() > maxScaledBits || quotient.BitLen() > maxScaledBits {
		return perShare, remainder, false
	}
	return math.NewIntFromBigInt(quotient), math.NewIntFromBigInt(rest), true
}

// Earned returns what the shares earned since the cumulative reward per share
// was since, in whole base units, and the fraction of a unit that is left in
// units of 2^-96: the pool's, to be shared again.
func Earned(shares, perShare, since math.Int) (amount, dust math.Int) {
	scaled := new(big.Int).Sub(perShare.BigInt(), since.BigInt())
	scaled.Mul(scaled, shares.BigInt())
	whole := new(big.Int).Rsh(scaled, ShareScaleBits)
	scaled.Sub(scaled, new(big.Int).Lsh(whole, ShareScaleBits))
	return math.NewIntFromBigInt(whole), math.NewIntFromBigInt(scaled)
}

// MarkOf returns up to where the staker was settled in the pool of the denom;
// without a mark that is its beginning.
func (s Staker) MarkOf(denom string) math.Int {
	for _, m := range s.Marks {
		if m.Denom == denom {
			return m.PerShare
		}
	}
	return math.ZeroInt()
}
