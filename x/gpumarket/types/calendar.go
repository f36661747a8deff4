package types

import "time"

// Window returns the time for which the rental's GPUs are booked: from the
// message that opened it, or the reserved start, to its end. Before the start is
// confirmed that end is the latest one possible. What preempts the rental cuts it.
func (r Rental) Window() (start, end time.Time) {
	start, end = r.CreatedAt, r.StartBy.Add(time.Duration(r.DurationSeconds)*time.Second)
	if r.Reservation != nil {
		start = r.Reservation.StartAt
	}
	if r.EndsAt != nil {
		end = *r.EndsAt
	}
	if r.PreemptedBy != 0 && r.NoticeEndsAt.Before(end) {
		end = *r.NoticeEndsAt
	}
	return start, end
}

// FreeAfter tells whether a window that begins at from can follow the booking:
// bookings are half open, so one may begin in the instant another ends.
func (b Booking) FreeAfter(from time.Time) bool { return !b.End.After(from) }
