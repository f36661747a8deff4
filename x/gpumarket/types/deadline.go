package types

import "time"

// Deadline is a reason for which the chain looks at a rental by itself.
type Deadline int

// The deadlines, in the order in which they count when they fall on one second:
// a dead host is found out before the end of its rental is paid.
const (
	// DeadlineStart: the start was not confirmed in time.
	DeadlineStart Deadline = iota + 1
	// DeadlineSilence: a window of slots can be judged.
	DeadlineSilence
	// DeadlineEnd: the rental's time is over.
	DeadlineEnd
	// DeadlineNotice: the operator's notice is over.
	DeadlineNotice
	// DeadlinePrune: a closed rental has been kept for long enough.
	DeadlinePrune
)

// NextDue returns when the chain must look at the rental next, and why. It is a
// pure function of the rental, of the time at which its check slot is judged
// (used only while the rental is active) and of how long closed rentals are kept.
//
// Source: README.md "Deadlines".
func (r Rental) NextDue(checkJudgedAt time.Time, closedRetention time.Duration) (time.Time, Deadline) {
	switch {
	case r.State == RENTAL_STATE_PENDING:
		return r.StartBy, DeadlineStart
	case r.State == RENTAL_STATE_CLOSED:
		return r.ClosedAt.Add(closedRetention), DeadlinePrune
	}
	at, why := checkJudgedAt, DeadlineSilence
	if r.EndsAt.Before(at) {
		at, why = *r.EndsAt, DeadlineEnd
	}
	if r.NoticeEndsAt != nil && r.NoticeEndsAt.Before(at) {
		at, why = *r.NoticeEndsAt, DeadlineNotice
	}
	return at, why
}

// Verdict is what the judged slots of a rental say at some time.
type Verdict struct {
	// NewestGood is the newest judged slot without a failure; the slot of the
	// start while there is none.
	NewestGood uint64
	// Failed counts the judged slots after NewestGood. They all failed.
	Failed uint64
	// AllMarked tells that the host itself listed the rental as not running in
	// each of the failed slots.
	AllMarked bool
}

// Failing tells whether the newest judged slot failed.
func (v Verdict) Failing() bool { return v.Failed > 0 }

// SilenceReason is the reason for which a rental closes on this verdict.
func (v Verdict) SilenceReason() CloseReason {
	if v.AllMarked {
		return CLOSE_REASON_NOT_RUNNING
	}
	return CLOSE_REASON_SILENT
}
