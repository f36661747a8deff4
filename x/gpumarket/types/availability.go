package types

import (
	"time"

	"cosmossdk.io/math"
)

// SlotFact is what one judged slot says of a rental.
type SlotFact struct {
	Slot uint64
	// Day is the day of its first second, counted from 1970 in UTC.
	Day uint64
	// Seconds is its length.
	Seconds uint64
	// Missed: one of the rental's GPUs lacks its bit, or the host listed the
	// rental as not running, which Marked tells.
	Missed, Marked bool
	// NetworkFault: so many hosts missed it that nobody answers for it.
	NetworkFault bool
}

// Incident is a run of missed slots that is over.
type Incident struct {
	FirstSlot uint64
	// Seconds of the run that were nobody else's fault; 0 for no incident.
	Seconds uint64
}

// NewAvailability begins to count after the slot of the start, which is not
// judged: the host had no rental in a part of it.
func NewAvailability(startSlot uint64) *Availability {
	a := Availability{CountedSlot: startSlot}
	a.PeriodPaid, a.Credited = zero(), zero()
	return &a
}

// Count counts the slot after the newest counted one. A good slot ends the run of
// missed ones before it: its seconds are then never billed, and it is an incident.
//
// Source: README.md "What is proven".
func (a *Availability) Count(f SlotFact) Incident {
	a.CountedSlot = f.Slot
	if !f.Missed {
		a.JudgedSlots++
		a.PendingSeconds += a.Run * f.Seconds
		a.Run, a.RunMarked = 0, false
		return a.endIncident()
	}
	a.RunMarked = f.Marked && (a.RunMarked || a.Run == 0)
	a.Run++
	if f.NetworkFault {
		return Incident{}
	}
	a.JudgedSlots++
	a.MissedSlots++
	if a.FirstMissedSlot == 0 {
		a.FirstMissedSlot = f.Slot
	}
	if a.IncidentSeconds == 0 {
		a.IncidentSlot = f.Slot
	}
	a.IncidentSeconds += f.Seconds
	return Incident{}
}

// BeginPeriod begins to count for a period before which so much was paid.
func (a *Availability) BeginPeriod(paid math.Int) {
	a.PeriodPaid, a.JudgedSlots, a.MissedSlots, a.FirstMissedSlot = paid, 0, 0, 0
}

// EndIncident ends the incident that is not over when the rental closes.
func (a *Availability) EndIncident() Incident { return a.endIncident() }

func (a *Availability) endIncident() Incident {
	in := Incident{FirstSlot: a.IncidentSlot, Seconds: a.IncidentSeconds}
	a.IncidentSlot, a.IncidentSeconds = 0, 0
	return in
}

// NewestGood is the newest judged slot without a failure; the slot of the start
// while there is none.
func (a Availability) NewestGood() uint64 { return a.CountedSlot - a.Run }

// Failing tells whether the newest judged slot failed.
func (a Availability) Failing() bool { return a.Run > 0 }

// SilenceReason is the reason for which a rental closes on its run.
func (a Availability) SilenceReason() CloseReason {
	if a.RunMarked {
		return CLOSE_REASON_NOT_RUNNING
	}
	return CLOSE_REASON_SILENT
}

// Validate checks what every stored count is.
func (a Availability) Validate() error {
	switch {
	case a.PeriodPaid.IsNil() || a.PeriodPaid.IsNegative():
		return ErrInvalidGenesis.Wrapf("period_paid is %s, want 0 or more", a.PeriodPaid)
	case a.Credited.IsNil() || a.Credited.IsNegative():
		return ErrInvalidGenesis.Wrapf("credited is %s, want 0 or more", a.Credited)
	case a.MissedSlots > a.JudgedSlots || a.JudgedSlots > a.CountedSlot:
		return ErrInvalidGenesis.Wrapf("%d slots missed of %d judged up to slot %d", a.MissedSlots, a.JudgedSlots, a.CountedSlot)
	case a.Run > a.CountedSlot:
		return ErrInvalidGenesis.Wrapf("a run of %d slots up to slot %d", a.Run, a.CountedSlot)
	case (a.IncidentSeconds == 0) != (a.IncidentSlot == 0) || a.IncidentSlot > a.CountedSlot:
		return ErrInvalidGenesis.Wrapf("incident of %d s since slot %d", a.IncidentSeconds, a.IncidentSlot)
	case (a.MissedSlots == 0) != (a.FirstMissedSlot == 0):
		return ErrInvalidGenesis.Wrapf("%d slots missed, the first one is %d", a.MissedSlots, a.FirstMissedSlot)
	}
	return nil
}

// DayOf counts days since 1970 in UTC.
func DayOf(t time.Time) uint64 { return uint64(t.Unix()) / secondsPerDay }
