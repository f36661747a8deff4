package types

import "cosmossdk.io/math"

// maxShares bounds the shares of a pool. After a slash a token buys many shares,
// and after many slashes so many that a product could overflow; the pool is
// closed to new stake before. 10^36 × MaxAmount is under 2^200.
var maxShares = math.NewIntWithDecimal(1, 36)

// The exchange rate of a pool is tokens/shares: 1 while it is empty, less after
// a slash. Three rules keep it from ever falling by what others do: shares are
// bought rounded down, burned rounded up, and paid out rounded down. So tokens ≤
// shares always, and a pool without shares has no tokens.

// SharesFor returns the shares that an amount of tokens buys:
// ⌊amount × shares / tokens⌋, or amount in an empty pool. What the rounding
// leaves belongs to the pool.
//
// Errors: ErrEmptyPool when a slash took all tokens, ErrInvalidAmount when the
// amount buys no share or the pool would get too many.
func SharesFor(amount, tokens, shares math.Int) (math.Int, error) {
	if shares.IsZero() {
		return amount, nil
	}
	if !tokens.IsPositive() {
		return math.Int{}, ErrEmptyPool.Wrapf("%s shares", shares)
	}
	bought := amount.Mul(shares).Quo(tokens)
	if !bought.IsPositive() {
		return math.Int{}, ErrInvalidAmount.Wrapf("%s buys no share at %s tokens for %s shares", amount, tokens, shares)
	}
	if shares.Add(bought).GT(maxShares) {
		return math.Int{}, ErrInvalidAmount.Wrapf("%s would make more than %s shares: the pool lost too much to take new stake", amount, maxShares)
	}
	return bought, nil
}

// TokensOf returns what a part of the shares is worth: ⌊part × tokens / shares⌋.
// The remainder stays in the pool.
func TokensOf(part, tokens, shares math.Int) math.Int {
	if shares.IsZero() {
		return math.ZeroInt()
	}
	return part.Mul(tokens).Quo(shares)
}

// SharesToBurn returns the least shares that are worth the amount:
// ⌈amount × shares / tokens⌉. Because tokens ≤ shares, TokensOf of them is the
// amount exactly.
//
// Errors: ErrEmptyPool.
func SharesToBurn(amount, tokens, shares math.Int) (math.Int, error) {
	if !tokens.IsPositive() {
		return math.Int{}, ErrEmptyPool.Wrapf("%s shares", shares)
	}
	return amount.Mul(shares).Add(tokens).SubRaw(1).Quo(tokens), nil
}
