package types

import (
	"time"

	"cosmossdk.io/math"
)

// secondsPerHour turns a price per hour into a price per second.
const secondsPerHour = 3_600

// AmountFor returns what gpus GPUs cost for so many seconds at a price per GPU
// and hour: floor(price × gpus × seconds / 3600), in the price's base unit.
// It is the escrow of a rental of that duration, and the total that is payable
// once so many seconds are served. The remainder stays in escrow and returns to
// the renter.
//
// Source: README.md "Billing".
func AmountFor(pricePerHour math.Int, gpus int, seconds uint64) math.Int {
	return pricePerHour.MulRaw(int64(gpus)).Mul(math.NewIntFromUint64(seconds)).QuoRaw(secondsPerHour)
}

// ServedSeconds returns the whole seconds from start to until, 0 when until is
// not after start.
func ServedSeconds(start, until time.Time) uint64 {
	if !until.After(start) {
		return 0
	}
	return uint64(until.Sub(start) / time.Second)
}

// ChargedSeconds returns the seconds to charge when a renter leaves early:
// those served, at least the minimum charge, at most the whole duration.
func ChargedSeconds(served, minCharge, duration uint64) uint64 {
	return min(max(served, minCharge), duration)
}

// PayableAt returns the total that is payable once the rental is billed up to
// until, without the missed seconds before it: a settlement pays this less what
// was paid before, so the total never depends on how often it is settled. Zero
// before the start.
func (r Rental) PayableAt(until time.Time) math.Int {
	if r.StartedAt == nil {
		return math.ZeroInt()
	}
	served := min(ServedSeconds(*r.StartedAt, until), r.DurationSeconds)
	served -= min(served, r.Availability.UnbilledSeconds)
	return AmountFor(r.Price.Amount, len(r.Gpus), served)
}
