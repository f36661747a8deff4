package types

import (
	"time"

	"cosmossdk.io/math"
)

// warnings are how long before its end a rental's renter is told, in their order.
var warnings = [...]time.Duration{24 * time.Hour, time.Hour}

// NextPeriod returns what the next period adds to the escrow: the price of the
// whole time with it less what was escrowed so far, so that the floor is taken
// once and not once a period.
func (r Rental) NextPeriod() math.Int {
	return AmountFor(r.Price.Amount, len(r.Gpus), r.DurationSeconds+r.Subscription.PeriodSeconds).Sub(r.Escrowed)
}

// CoversNext tells whether the subscription pays for one more period; the error
// says why not.
//
// Errors: ErrNotSubscription, ErrInvalidDeposit, ErrInvalidDuration.
func (r Rental) CoversNext() error {
	s := r.Subscription
	if s == nil || s.Cancelled {
		return ErrNotSubscription.Wrapf("rental %d is not renewed", r.Id)
	}
	if r.DurationSeconds+s.PeriodSeconds > limitDuration {
		return ErrInvalidDuration.Wrapf("%d s more than %d s, the most is %d", s.PeriodSeconds, r.DurationSeconds, limitDuration)
	}
	price := r.NextPeriod()
	if s.Balance.LT(price) {
		return ErrInvalidDeposit.Wrapf("the balance is %s, the next period costs %s", s.Balance, price)
	}
	if s.Spent.Add(price).GT(s.Cap) {
		return ErrInvalidDeposit.Wrapf("%s was spent of at most %s, the next period costs %s", s.Spent, s.Cap, price)
	}
	return nil
}

// NextWarning returns when the renter is told next that the end is near. A rental,
// or the period of a subscription, that is no longer than the warning's time
// before its end has none, nor has one that ends earlier than its renter paid for.
func (r Rental) NextWarning() (at time.Time, number uint32, ok bool) {
	span := r.DurationSeconds
	if r.Subscription != nil {
		span = r.Subscription.PeriodSeconds
	}
	if r.EndsAt == nil || r.NoticeEndsAt != nil {
		return time.Time{}, 0, false
	}
	for i := r.BalanceWarnings; i < uint32(len(warnings)); i++ {
		if time.Duration(span)*time.Second > warnings[i] {
			return r.EndsAt.Add(-warnings[i]), i + 1, true
		}
	}
	return time.Time{}, 0, false
}

// PassedWarnings returns how many warnings lie behind now when the end was moved.
func (r Rental) PassedWarnings(now time.Time) uint32 {
	var n uint32
	for _, before := range warnings {
		if !r.EndsAt.Add(-before).After(now) {
			n++
		}
	}
	return n
}

// Validate checks what every stored subscription is.
func (s Subscription) Validate(r Rental) error {
	for _, amount := range [...]math.Int{s.Balance, s.Cap, s.Spent} {
		if amount.IsNil() || amount.IsNegative() {
			return ErrInvalidGenesis.Wrapf("subscription amount of %s, want 0 or more", amount)
		}
	}
	switch {
	case s.PeriodSeconds == 0 || s.Periods == 0 || s.Periods > limitDuration || s.PeriodSeconds > limitDuration ||
		r.DurationSeconds != s.PeriodSeconds*s.Periods:
		return ErrInvalidDuration.Wrapf("%d periods of %d s, duration_seconds is %d", s.Periods, s.PeriodSeconds, r.DurationSeconds)
	case !s.Spent.Equal(r.Escrowed) || s.Spent.GT(s.Cap):
		return ErrInvalidGenesis.Wrapf("spent is %s of %s, escrowed is %s", s.Spent, s.Cap, r.Escrowed)
	case !s.Balance.IsZero() && (s.Cancelled || !r.Open()):
		return ErrInvalidGenesis.Wrapf("a subscription that is over holds %s", s.Balance)
	}
	return nil
}

// Period is the number of the rental's current period, from 1.
func (r Rental) Period() uint64 {
	if r.Subscription == nil {
		return 1
	}
	return r.Subscription.Periods
}
