package types

import "time"

// Penalty is what one fault costs.
type Penalty struct {
	// FractionPPM of all that is at risk; 0 when the caller names an amount.
	FractionPPM uint64
	// AllEscrow takes all rewards that are not released yet on top.
	AllEscrow bool
	// Jail is a term during which nothing of the operator is rented; 0 for none.
	Jail time.Duration
	// Tombstone jails for ever.
	Tombstone bool
}

// Rule is a row of the schedule.
type Rule struct {
	// First is the penalty of the first fault of its kind, Again that of all later ones.
	First, Again Penalty
	// ByAmount tells that the caller names what is taken.
	ByAmount bool
	// EscrowOnly spares the stake: no more is taken than there are unreleased rewards.
	EscrowOnly bool
	// Objective faults are proven by the message itself and executed at once; what
	// others take must be held, because it can be appealed against.
	Objective bool
}

// Rule returns the schedule's row for a fault.
//
// Errors: ErrInvalidSlash for a fault that the schedule doesn't know.
//
// Source: protocol §1 "Schedule".
func (p Params) Rule(fault Fault) (Rule, error) {
	lie := Rule{
		First:     Penalty{FractionPPM: p.EquivocationSlashPpm, AllEscrow: true, Jail: p.EquivocationJail},
		Again:     Penalty{FractionPPM: PPM, AllEscrow: true, Jail: p.EquivocationJail, Tombstone: true},
		Objective: true,
	}
	switch fault {
	case FAULT_EQUIVOCATION, FAULT_WRONG_ANSWER:
		return lie, nil
	case FAULT_DOUBLE_DEVICE, FAULT_FORGED_REPORT:
		return Rule{First: lie.Again, Again: lie.Again, Objective: true}, nil
	case FAULT_OFFLINE_IN_RENTAL, FAULT_SLA_CREDIT, FAULT_ABANDONED_RESERVATION:
		return Rule{ByAmount: true, Objective: true}, nil
	case FAULT_MISSED_CHALLENGE:
		return Rule{ByAmount: true, EscrowOnly: true, Objective: true}, nil
	case FAULT_MISSED_CHALLENGES:
		each := Penalty{FractionPPM: 10_000, Jail: 6 * time.Hour}
		return Rule{First: each, Again: each, Objective: true}, nil
	case FAULT_CLASS_MISMATCH:
		return Rule{
			First: Penalty{FractionPPM: 100_000}, Again: Penalty{FractionPPM: 330_000}, Objective: true,
		}, nil
	case FAULT_DISPUTE:
		return Rule{ByAmount: true}, nil
	default:
		return Rule{}, ErrInvalidSlash.Wrapf("fault %s is not in the schedule", fault)
	}
}
