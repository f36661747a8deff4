package types

import (
	"time"

	"cosmossdk.io/math"
)

// SplitReward divides a mining reward into what is liquid at the claim and what
// is held in escrow:
//
//	liquid = ⌊amount × liquidPPM / PPM⌋, held = amount − liquid
//
// The remainder of the rounding is held.
//
// Source: protocol §4 "Release".
func SplitReward(amount math.Int, liquidPPM uint64) (liquid, held math.Int) {
	liquid = amount.Mul(math.NewIntFromUint64(liquidPPM)).QuoRaw(PPM)
	return liquid, amount.Sub(liquid)
}

// Linear returns how much of the amount has flowed at now, when it flows evenly
// from start to end:
//
//	⌊amount × (now − start) / (end − start)⌋
//
// in whole seconds: nothing at start, everything at end. An end that isn't after
// the start flows at once.
//
// Source: protocol §4 "Release", and the validators' stream.
func Linear(amount math.Int, start, end, now time.Time) math.Int {
	elapsed, length := now.Unix()-start.Unix(), end.Unix()-start.Unix()
	switch {
	case elapsed < 0:
		return math.ZeroInt()
	case elapsed >= length:
		return amount
	}
	return amount.MulRaw(elapsed).QuoRaw(length)
}

// TakeNewest divides what a slash takes over the unreleased amounts of an
// operator's tranches, given oldest first: the newest pays first, none more than
// it has, and all together at most limit.
//
// The result has the length and order of held.
//
// Source: protocol §1 "Slash", ADR of the release.
func TakeNewest(held []math.Int, limit math.Int) []math.Int {
	taken := make([]math.Int, len(held))
	for i := len(held) - 1; i >= 0; i-- {
		taken[i] = math.MaxInt(math.ZeroInt(), math.MinInt(held[i], limit))
		limit = limit.Sub(taken[i])
	}
	return taken
}

// Due returns what has flowed of the tranche by now and wasn't paid.
func (t Tranche) Due(now time.Time) math.Int {
	return Linear(t.Amount, t.StartsAt, t.EndsAt, now).Sub(t.Paid)
}

// Without returns the tranche after a slash took part of what isn't paid. What
// is left flows evenly over the rest of its time. All that is due at now must
// have been paid before.
func (t Tranche) Without(part math.Int, now time.Time) Tranche {
	t.Amount, t.Paid = t.Amount.Sub(t.Paid).Sub(part), math.ZeroInt()
	if second := now.Truncate(time.Second); second.After(t.StartsAt) {
		t.StartsAt = second
	}
	return t
}
