package types

import (
	"time"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// SlashRequest asks to take stake for one fault.
type SlashRequest struct {
	Operator sdk.AccAddress
	Fault    Fault
	// FaultID names the fault, such as "equivocation/12/345": one fault is
	// punished once.
	FaultID string
	// FractionPPM of what is at risk is taken; 0 when Amount says how much.
	FractionPPM uint64
	// Amount is taken, in the stake denom; nil when FractionPPM says how much.
	Amount math.Int
	// AllEscrow takes all rewards that are not released yet on top.
	AllEscrow bool
	// CommittedAt is the time of the fault, not of its proof.
	CommittedAt time.Time
	// Victim is served first, up to VictimLoss; nil when nobody was injured.
	Victim     sdk.AccAddress
	VictimLoss math.Int
	// Reporter gets the reporter's share; nil when the chain itself found the
	// fault, and then the share is burned.
	Reporter sdk.AccAddress
	// HoldIn names the module account that gets everything that is taken, for
	// the caller to distribute; empty for the usual split.
	HoldIn string
}

// SlashResult tells where every unit went:
// Victim + Reporter + Insurance + Burned = FromOwnStake + FromUnbonding.
type SlashResult struct {
	FromOwnStake, FromUnbonding         math.Int
	Victim, Reporter, Insurance, Burned math.Int
}

// Taken is all that left the operator.
func (r SlashResult) Taken() math.Int { return r.FromOwnStake.Add(r.FromUnbonding) }

// Validate checks the form of the request at the block time now.
//
// Errors: ErrInvalidSlash.
func (r SlashRequest) Validate(now time.Time) error {
	if _, known := Fault_name[int32(r.Fault)]; !known || r.Fault == FAULT_UNSPECIFIED {
		return ErrInvalidSlash.Wrapf("fault %s", r.Fault)
	}
	if r.FractionPPM == 0 || r.FractionPPM > PPM {
		return ErrInvalidSlash.Wrapf("fraction %d PPM, want 1 to %d", r.FractionPPM, PPM)
	}
	if r.CommittedAt.IsZero() || r.CommittedAt.After(now) {
		return ErrInvalidSlash.Wrapf("fault committed at %s, want a time up to %s",
			r.CommittedAt.Format(time.RFC3339Nano), now.Format(time.RFC3339Nano))
	}
	if !r.Victim.Empty() && (r.VictimLoss.IsNil() || r.VictimLoss.IsNegative()) {
		return ErrInvalidSlash.Wrapf("victim's loss %s, want 0 or more", r.VictimLoss)
	}
	return nil
}

// Reaches tells whether a fault committed at that time can take from the entry:
// only when the entry began after the fault. What left before had nothing to
// answer for.
func (e UnbondingEntry) Reaches(committedAt time.Time) bool { return e.CreatedAt.After(committedAt) }

// TakeSlash divides ⌊atRisk × fraction / PPM⌋, where atRisk = own + Σ entries,
// over the sources in their order: own stake, then each entry. What the one
// doesn't cover the next one does.
//
// The sum of the result is never over atRisk, and no part over its source.
// fromEntries has the length and order of entries.
//
// Source: protocol §1 "Slash".
func TakeSlash(own math.Int, entries []math.Int, fractionPPM uint64) (fromOwn math.Int, fromEntries []math.Int) {
	atRisk := own
	for _, e := range entries {
		atRisk = atRisk.Add(e)
	}
	rest := atRisk.Mul(math.NewIntFromUint64(fractionPPM)).QuoRaw(PPM)

	fromOwn = math.MinInt(rest, own)
	rest = rest.Sub(fromOwn)
	fromEntries = make([]math.Int, len(entries))
	for i, e := range entries {
		fromEntries[i] = math.MinInt(rest, e)
		rest = rest.Sub(fromEntries[i])
	}
	return fromOwn, fromEntries
}

// SplitSlash divides what was taken, in the order victim, reporter, insurance,
// burned:
//
//	victim    = min(taken, victimLoss)
//	reporter  = min(⌊taken × reporter_share / PPM⌋,  what is left)   0 without a reporter
//	insurance = min(⌊taken × insurance_share / PPM⌋, what is left)
//	burned    = what is left
//
// The shares are of the whole, so that a victim doesn't make a report worthless
// unless it needs everything. The remainder of the rounding is burned, and the
// four always add up to taken.
//
// Source: protocol §1 "Slash".
func (p Params) SplitSlash(taken, victimLoss math.Int, hasReporter bool) (victim, reporter, insurance, burned math.Int) {
	victim = math.MinInt(taken, victimLoss)
	left := taken.Sub(victim)

	reporter = math.ZeroInt()
	if hasReporter {
		reporter = math.MinInt(share(taken, p.ReporterSharePpm), left)
		left = left.Sub(reporter)
	}
	insurance = math.MinInt(share(taken, p.InsuranceSharePpm), left)
	return victim, reporter, insurance, left.Sub(insurance)
}

// share is ⌊amount × ppm / PPM⌋.
func share(amount math.Int, ppm uint64) math.Int {
	return amount.Mul(math.NewIntFromUint64(ppm)).QuoRaw(PPM)
}
