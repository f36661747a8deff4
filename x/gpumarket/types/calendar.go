package types

import "time"

// Window returns the time for which the rental's GPUs are booked: from the
// message that opened it to its end. Before the start is confirmed that end is
// the latest one possible.
func (r Rental) Window() (start, end time.Time) {
	if r.EndsAt != nil {
		return r.CreatedAt, *r.EndsAt
	}
	return r.CreatedAt, r.StartBy.Add(time.Duration(r.DurationSeconds) * time.Second)
}

// FreeAfter tells whether a window that begins at from can follow the booking:
// bookings are half open, so one may begin in the instant another ends.
func (b Booking) FreeAfter(from time.Time) bool { return !b.End.After(from) }
