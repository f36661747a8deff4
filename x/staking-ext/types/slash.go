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

// MaxFaultIDLength bounds the id of a fault, in bytes.
const MaxFaultIDLength = 128

// SlashResult tells where every unit went:
// FromRewards + FromOwnStake + FromUnbonding + FromDelegated =
// Victim + Reporter + Insurance + Burned + Held.
type SlashResult struct {
	// RecordID is the id of the operator's slash record.
	RecordID                                                uint64
	FromRewards, FromOwnStake, FromUnbonding, FromDelegated math.Int
	Victim, Reporter, Insurance, Burned, Held               math.Int
	// Owed is what stake that is leaving pays later, on top of what was taken.
	Owed math.Int
}

// NewSlashResult is a result of nothing but zeros.
func NewSlashResult() SlashResult {
	zero := math.ZeroInt()
	return SlashResult{
		FromRewards: zero, FromOwnStake: zero, FromUnbonding: zero, FromDelegated: zero,
		Victim: zero, Reporter: zero, Insurance: zero, Burned: zero, Held: zero, Owed: zero,
	}
}

// Taken is all that was taken at once.
func (r SlashResult) Taken() math.Int {
	return r.FromRewards.Add(r.FromOwnStake).Add(r.FromUnbonding).Add(r.FromDelegated)
}

// Validate checks the form of the request at the block time now.
//
// Errors: ErrInvalidSlash.
func (r SlashRequest) Validate(now time.Time) error {
	if _, known := Fault_name[int32(r.Fault)]; !known || r.Fault == FAULT_UNSPECIFIED {
		return ErrInvalidSlash.Wrapf("fault %s", r.Fault)
	}
	if len(r.FaultID) == 0 || len(r.FaultID) > MaxFaultIDLength {
		return ErrInvalidSlash.Wrapf("fault id of %d bytes, want 1 to %d", len(r.FaultID), MaxFaultIDLength)
	}
	if err := r.validateSize(); err != nil {
		return err
	}
	if r.CommittedAt.IsZero() || r.CommittedAt.After(now) {
		return ErrInvalidSlash.Wrapf("fault committed at %s, want a time up to %s",
			r.CommittedAt.Format(time.RFC3339Nano), now.Format(time.RFC3339Nano))
	}
	if !r.Victim.Empty() && (r.VictimLoss.IsNil() || r.VictimLoss.IsNegative()) {
		return ErrInvalidSlash.Wrapf("victim's loss %s, want 0 or more", r.VictimLoss)
	}
	if r.Fault == FAULT_DISPUTE && r.HoldIn == "" {
		return ErrInvalidSlash.Wrapf("fault %s can be appealed against: what it takes must be held", r.Fault)
	}
	return nil
}

// validateSize accepts a fraction or an amount, not both. All rewards can be
// taken on top of a fraction only: an amount they would cover first.
func (r SlashRequest) validateSize() error {
	if r.Amount.IsNil() {
		if r.FractionPPM == 0 || r.FractionPPM > PPM {
			return ErrInvalidSlash.Wrapf("fraction %d PPM, want 1 to %d", r.FractionPPM, PPM)
		}
		return nil
	}
	switch {
	case !r.Amount.IsPositive() || r.Amount.GT(MaxAmount):
		return ErrInvalidSlash.Wrapf("amount %s, want 1 to %s", r.Amount, MaxAmount)
	case r.FractionPPM != 0:
		return ErrInvalidSlash.Wrapf("amount %s and fraction %d PPM, want one of them", r.Amount, r.FractionPPM)
	case r.AllEscrow:
		return ErrInvalidSlash.Wrapf("amount %s and all escrow, want a fraction with it", r.Amount)
	}
	return nil
}

// Reaches tells whether a fault committed at that time can take from the entry:
// only when the entry began after the fault. What left before had nothing to
// answer for.
func (e UnbondingEntry) Reaches(committedAt time.Time) bool { return e.CreatedAt.After(committedAt) }

// AtRisk is what one slash can reach, beside the rewards.
type AtRisk struct {
	// Own is the bonded own stake, Entries the own unbonding entries within reach, oldest first.
	Own     math.Int
	Entries []math.Int
	// Delegated is bonded, Leaving is what left since the fault, of public stakers.
	Delegated, Leaving math.Int
}

// Total is the base of a fraction.
func (r AtRisk) Total() math.Int {
	sum := r.Own.Add(r.Delegated).Add(r.Leaving)
	for _, e := range r.Entries {
		sum = sum.Add(e)
	}
	return sum
}

// Take is what a slash takes from each source.
type Take struct {
	Own       math.Int
	Entries   []math.Int
	Delegated math.Int
	// RateNum/RateDen is the part of the public stakers' tier that is taken; what
	// leaves pays it later, which is Owed in sum.
	RateNum, RateDen, Owed math.Int
}

// TakeSlash divides what is asked over the sources in their order: own stake,
// each own entry, and last the public stakers' tier pro rata. What the one
// doesn't cover the next one does.
//
// Of the tier, rate = min(1, rest / (delegated + leaving)), and delegated loses
// ⌊delegated × rate⌋; the remainder of the rounding stays with the stakers. No
// part is over its source. Entries has the length and order of r.Entries.
//
// Source: protocol §1 "Slash".
func TakeSlash(asked math.Int, r AtRisk) Take {
	take := Take{Own: math.MinInt(asked, r.Own), Entries: make([]math.Int, len(r.Entries))}
	rest := asked.Sub(take.Own)
	for i, e := range r.Entries {
		take.Entries[i] = math.MinInt(rest, e)
		rest = rest.Sub(take.Entries[i])
	}
	tier := r.Delegated.Add(r.Leaving)
	take.RateNum, take.RateDen = math.MinInt(rest, tier), tier
	if !take.RateNum.IsPositive() {
		take.RateNum, take.RateDen = math.ZeroInt(), math.OneInt()
	}
	take.Delegated = r.Delegated.Mul(take.RateNum).Quo(take.RateDen)
	take.Owed = r.Leaving.Mul(take.RateNum).Quo(take.RateDen)
	return take
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

// SplitDebt divides what was collected late from stake that was leaving: the
// insurance share, and the rest with the remainder is burned. Victim and
// reporter were served from what was taken at once.
func (p Params) SplitDebt(collected math.Int) (insurance, burned math.Int) {
	insurance = share(collected, p.InsuranceSharePpm)
	return insurance, collected.Sub(insurance)
}

// Fraction returns ⌊total × fraction / PPM⌋: what a fraction of a slash asks for.
func Fraction(total math.Int, fractionPPM uint64) math.Int { return share(total, fractionPPM) }

// share is ⌊amount × ppm / PPM⌋.
func share(amount math.Int, ppm uint64) math.Int {
	return amount.Mul(math.NewIntFromUint64(ppm)).QuoRaw(PPM)
}
