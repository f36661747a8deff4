package types

import (
	"time"

	"cosmossdk.io/math"
)

// Public stake leaves lazily: a slash changes no entry. It writes a record, and
// each entry answers for the records that reach it, once and in their order,
// when it is looked at next. So a slash costs the same at any number of stakers.

// Reaches tells whether a slash reaches public stake that left the operator:
// only when it began to leave after the fault. What left before had nothing to
// answer for. That it began before the slash was executed, next_slash knows.
func (r SlashRecord) Reaches(createdAt time.Time) bool { return createdAt.After(r.CommittedAt) }

// Part returns what the record asks of an amount that it reaches:
// ⌊amount × rate_num / rate_den⌋.
func (r SlashRecord) Part(amount math.Int) math.Int {
	return amount.Mul(r.RateNum).Quo(r.RateDen)
}

// Apply returns the prefix sum at a time after the fault, once the slash was
// executed: what left until the fault stays, what left after it pays its part.
//
//	left_before + rest − ⌊rest × rate⌋, rest = total − left_before
func (r SlashRecord) Apply(total math.Int) math.Int {
	rest := total.Sub(r.LeftBefore)
	return total.Sub(r.Part(rest))
}
