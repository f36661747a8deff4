package types

import (
	"time"

	"cosmossdk.io/math"
)

// Validate checks what every stored rental is: its times fit its state, and its
// money adds up.
func (r Rental) Validate() error {
	if err := r.validateTerms(); err != nil {
		return err
	}
	if err := r.validateTimes(); err != nil {
		return err
	}
	if err := r.validateParts(); err != nil {
		return err
	}
	return r.validateMoney()
}

func (r Rental) validateTerms() error {
	switch {
	case r.Renter == "" || r.Operator == "":
		return ErrInvalidRenter.Wrap("renter or operator is empty")
	case !ascending(r.Gpus):
		return ErrInvalidGPUs.Wrapf("%v, want at least one, ascending", r.Gpus)
	case r.Price.Validate() != nil || !r.Price.IsPositive() || r.Price.Amount.GT(priceLimit()):
		return ErrInvalidPrice.Wrapf("%s%s", r.Price.Amount, r.Price.Denom)
	case len(r.ManifestDigest) != DigestSize:
		return ErrInvalidDigest.Wrapf("manifest_digest has %d bytes, want %d", len(r.ManifestDigest), DigestSize)
	case r.Type < RENTAL_TYPE_ON_DEMAND || r.Type > RENTAL_TYPE_SUBSCRIPTION:
		return ErrInvalidGenesis.Wrapf("type is %s", r.Type)
	case r.DurationSeconds == 0 || r.DurationSeconds > limitDuration:
		return ErrInvalidDuration.Wrapf("%d s, want 1 to %d", r.DurationSeconds, limitDuration)
	}
	if r.Result != nil {
		return r.Result.Validate()
	}
	return nil
}

func (r Rental) validateTimes() error {
	started := r.StartedAt != nil
	if started != (r.EndsAt != nil) || started != (r.PaidUntil != nil) {
		return ErrInvalidGenesis.Wrap("started_at, ends_at and paid_until are set together")
	}
	if started && !r.EndsAt.Equal(r.StartedAt.Add(time.Duration(r.DurationSeconds)*time.Second)) {
		return ErrInvalidGenesis.Wrapf("ends_at is not %d s after started_at", r.DurationSeconds)
	}
	closed := r.State == RENTAL_STATE_CLOSED
	if closed != (r.ClosedAt != nil) || closed != (r.CloseReason != CLOSE_REASON_UNSPECIFIED) {
		return ErrInvalidGenesis.Wrapf("state is %s, closed_at or close_reason say otherwise", r.State)
	}
	if preempted := r.PreemptedBy != 0; preempted && (r.Type != RENTAL_TYPE_INTERRUPTIBLE || r.NoticeEndsAt == nil) {
		return ErrPreempted.Wrapf("by %d, though it is %s, or without a notice", r.PreemptedBy, r.Type)
	}
	switch r.State {
	case RENTAL_STATE_RESERVED:
		if r.Reservation == nil || started || r.NoticeEndsAt != nil || r.Result != nil {
			return ErrInvalidStart.Wrap("a reserved rental has no reservation, or the fields of a started one")
		}
	case RENTAL_STATE_PENDING:
		if started || r.NoticeEndsAt != nil && r.PreemptedBy == 0 || r.Result != nil {
			return ErrNotPending.Wrap("a pending rental has the fields of a started one")
		}
	case RENTAL_STATE_ACTIVE:
		if !started {
			return ErrNotActive.Wrap("an active rental has no started_at")
		}
	case RENTAL_STATE_CLOSED:
	default:
		return ErrInvalidGenesis.Wrapf("state is %s", r.State)
	}
	return nil
}

// validateParts checks the records that only some rentals have.
func (r Rental) validateParts() error {
	if (r.Availability != nil) != (r.StartedAt != nil) {
		return ErrInvalidGenesis.Wrap("availability is set with started_at")
	}
	if (r.Subscription != nil) != (r.Type == RENTAL_TYPE_SUBSCRIPTION) {
		return ErrNotSubscription.Wrapf("a %s rental with or without its subscription", r.Type)
	}
	if r.Type == RENTAL_TYPE_RESERVED && r.Reservation == nil {
		return ErrInvalidStart.Wrap("a reserved rental has no reservation")
	}
	if int(r.BalanceWarnings) > len(warnings) {
		return ErrInvalidGenesis.Wrapf("%d warnings, want at most %d", r.BalanceWarnings, len(warnings))
	}
	if r.Availability != nil {
		if err := r.Availability.Validate(); err != nil {
			return err
		}
	}
	if r.Reservation != nil {
		if err := r.Reservation.Validate(r); err != nil {
			return err
		}
	}
	if r.Subscription != nil {
		if err := r.Subscription.Validate(r); err != nil {
			return err
		}
	}
	if r.Failover != nil {
		return r.Failover.Validate(r)
	}
	return nil
}

// Validate checks what every stored failover is.
func (f Failover) Validate(r Rental) error {
	for _, amount := range [...]math.Int{f.Reserve, f.Moved} {
		if amount.IsNil() || amount.IsNegative() {
			return ErrInvalidGenesis.Wrapf("failover amount of %s, want 0 or more", amount)
		}
	}
	switch {
	case f.MaxPrice.Denom != r.Price.Denom || f.MaxPrice.Amount.IsNil() || f.MaxPrice.Amount.LT(r.Price.Amount) ||
		f.MaxPrice.Amount.GT(priceLimit()):
		return ErrInvalidFailover.Wrapf("up to %s%s, the price is %s", f.MaxPrice.Amount, f.MaxPrice.Denom, r.Price)
	case !r.Open() && !f.Reserve.IsZero():
		return ErrInvalidGenesis.Wrapf("closed with %s in reserve", f.Reserve)
	case r.Open() && (!f.Moved.IsZero() || f.ReplacedBy != 0):
		return ErrInvalidGenesis.Wrapf("open, though %s went to rental %d", f.Moved, f.ReplacedBy)
	}
	return nil
}

// Moved is what went from the rental's escrow to its replacement's.
func (r Rental) Moved() math.Int {
	if r.Failover == nil {
		return zero()
	}
	return r.Failover.Moved
}

// Held is all that the module's account holds for the rental: escrow, failover
// reserve and the balance of its subscription, in price.denom.
func (r Rental) Held() math.Int {
	held := r.Escrow
	if r.Failover != nil {
		held = held.Add(r.Failover.Reserve)
	}
	if r.Subscription != nil {
		held = held.Add(r.Subscription.Balance)
	}
	return held
}

func (r Rental) validateMoney() error {
	for _, amount := range [...]math.Int{r.Escrowed, r.Escrow, r.Paid, r.Refunded} {
		if amount.IsNil() || amount.IsNegative() {
			return ErrInvalidGenesis.Wrapf("amount of %s, want 0 or more", amount)
		}
	}
	if want := AmountFor(r.Price.Amount, len(r.Gpus), r.DurationSeconds); !r.Escrowed.Equal(want) {
		return ErrInvalidGenesis.Wrapf("escrowed is %s, want %s for %d s", r.Escrowed, want, r.DurationSeconds)
	}
	if sum := r.Escrow.Add(r.Paid).Add(r.Refunded).Add(r.Moved()); !r.Escrowed.Equal(sum) {
		return ErrInvalidGenesis.Wrapf("escrowed is %s, escrow + paid + refunded + moved is %s", r.Escrowed, sum)
	}
	if !r.Open() && !r.Escrow.IsZero() {
		return ErrInvalidGenesis.Wrapf("closed with %s in escrow", r.Escrow)
	}
	if r.Open() && !r.Refunded.IsZero() {
		return ErrInvalidGenesis.Wrapf("open with %s refunded", r.Refunded)
	}
	if r.Reservation != nil && r.CloseReason == CLOSE_REASON_RENTER_CANCELLED {
		return nil // what a late cancellation cost
	}
	paid := zero()
	if r.PaidUntil != nil {
		paid = r.PayableAt(*r.PaidUntil)
	}
	if !r.Paid.Equal(paid) {
		return ErrInvalidGenesis.Wrapf("paid is %s, want %s up to paid_until", r.Paid, paid)
	}
	return nil
}
