package types

import (
	"time"

	"cosmossdk.io/math"
)

// BondFor returns the operator's stake that answers for an escrow not served yet:
// ⌊escrow × reservation_bond_ppm / PPM⌋.
func (p Params) BondFor(escrow math.Int) math.Int { return share(escrow, p.ReservationBondPpm) }

// CancelFee returns what a renter pays who cancels at t a reservation that starts
// at start: nothing until free_cancel before it, ⌊escrow × late_cancel_ppm / PPM⌋
// after that.
func (p Params) CancelFee(escrow math.Int, start, t time.Time) math.Int {
	if !t.After(start.Add(-p.FreeCancel)) {
		return zero()
	}
	return share(escrow, p.LateCancelPpm)
}

// CheckStart tells whether a listing can be reserved at now for start.
//
// Errors: ErrInvalidStart, ErrNotReservable.
func (p Params) CheckStart(l Listing, now, start time.Time) error {
	if !start.After(now) {
		return ErrInvalidStart.Wrapf("start_at is %s, want after %s, or none for now", start.Format(time.RFC3339), now.Format(time.RFC3339))
	}
	ahead := min(l.MaxAheadSeconds, p.MaxAheadSeconds)
	if ahead == 0 {
		return ErrNotReservable.Wrapf("listing %d takes no reservations", l.Id)
	}
	if last := now.Add(time.Duration(ahead) * time.Second); start.After(last) {
		return ErrNotReservable.Wrapf("start_at is %s, listing %d can be reserved until %s",
			start.Format(time.RFC3339), l.Id, last.Format(time.RFC3339))
	}
	return nil
}

// Bonded is what of the operator's stake is locked for the rental.
func (r Rental) Bonded() math.Int {
	if r.Reservation == nil {
		return zero()
	}
	return r.Reservation.Bond
}

// OperatorFailed tells whether a rental that closes for this reason was not
// delivered by its operator's fault: the bond is then the renter's.
func (c CloseReason) OperatorFailed() bool {
	switch c {
	case CLOSE_REASON_NOT_STARTED, CLOSE_REASON_OPERATOR_DECLINED, CLOSE_REASON_OPERATOR_CLOSED,
		CLOSE_REASON_SILENT, CLOSE_REASON_NOT_RUNNING:
		return true
	}
	return false
}

// Replaceable tells whether a rental that closes for this reason died by no fault
// of its renter, so that its failover begins.
func (c CloseReason) Replaceable() bool {
	return c.OperatorFailed() || c == CLOSE_REASON_PREEMPTED
}

// Validate checks what every stored reservation is.
func (res Reservation) Validate(r Rental) error {
	for _, amount := range [...]math.Int{res.Bond, res.Forfeited} {
		if amount.IsNil() || amount.IsNegative() {
			return ErrInvalidGenesis.Wrapf("bond of %s, want 0 or more", amount)
		}
	}
	switch {
	case res.Bond.IsPositive() && (r.Type != RENTAL_TYPE_RESERVED || !r.Open()):
		return ErrInvalidGenesis.Wrapf("a %s rental, %s, has a bond of %s", r.Type, r.State, res.Bond)
	case res.Bond.GT(r.Escrow):
		return ErrInvalidGenesis.Wrapf("a bond of %s for an escrow of %s", res.Bond, r.Escrow)
	case res.StartAt.Before(r.CreatedAt):
		return ErrInvalidStart.Wrapf("start_at is before created_at")
	case !res.Forfeited.IsZero() && !r.CloseReason.OperatorFailed():
		return ErrInvalidGenesis.Wrapf("%s of the bond is forfeited, the rental is %s", res.Forfeited, r.CloseReason)
	}
	return nil
}
