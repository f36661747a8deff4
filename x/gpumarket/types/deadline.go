package types

import "time"

// Deadline is a reason for which the chain looks at a rental by itself.
type Deadline int

// The deadlines, in the order in which they count when they fall on one second:
// a dead host is found out before the end of its rental is paid.
const (
	// DeadlineReserved: the time of a reserved rental has come.
	DeadlineReserved Deadline = iota + 1
	// DeadlineStart: the start was not confirmed in time.
	DeadlineStart
	// DeadlineSilence: a window of slots can be judged.
	DeadlineSilence
	// DeadlineEnd: the rental's time is over.
	DeadlineEnd
	// DeadlineNotice: the notice of the operator, or of a preemption, is over.
	DeadlineNotice
	// DeadlineWarning: the renter is told that the end is near.
	DeadlineWarning
	// DeadlinePrune: a closed rental has been kept for long enough.
	DeadlinePrune
)

// NextDue returns when the chain must look at the rental next, and why. It is a
// pure function of the rental, of the time at which its check slot is judged
// (used only while the rental is active) and of how long closed rentals are kept.
//
// Source: README.md "Deadlines".
func (r Rental) NextDue(checkJudgedAt time.Time, closedRetention time.Duration) (time.Time, Deadline) {
	var (
		at  time.Time
		why Deadline
	)
	switch r.State {
	case RENTAL_STATE_RESERVED:
		return r.Reservation.StartAt, DeadlineReserved
	case RENTAL_STATE_CLOSED:
		return r.ClosedAt.Add(closedRetention), DeadlinePrune
	case RENTAL_STATE_PENDING:
		at, why = r.StartBy, DeadlineStart
	default:
		at, why = checkJudgedAt, DeadlineSilence
		if r.EndsAt.Before(at) {
			at, why = *r.EndsAt, DeadlineEnd
		}
	}
	if r.NoticeEndsAt != nil && r.NoticeEndsAt.Before(at) {
		at, why = *r.NoticeEndsAt, DeadlineNotice
	}
	if warn, _, ok := r.NextWarning(); ok && warn.Before(at) {
		at, why = warn, DeadlineWarning
	}
	return at, why
}

// NoticeReason is the reason for which a rental closes when its notice is over.
func (r Rental) NoticeReason() CloseReason {
	if r.PreemptedBy != 0 {
		return CLOSE_REASON_PREEMPTED
	}
	return CLOSE_REASON_OPERATOR_CLOSED
}
