package types

import (
	"time"

	"cosmossdk.io/math"
)

// DigestSize is the length of a SHA-256 digest.
const DigestSize = 32

// RentalID returns the id of a listing's rental: listing × 2^24 + number, with
// numbers from 0. Listing ids begin at 1, so no rental has the id 0.
//
// Errors: ErrNoRentalNumber when the number does not fit.
func RentalID(listingID, number uint64) (uint64, error) {
	if number >= 1<<RentalIDShift {
		return 0, ErrNoRentalNumber.Wrapf("listing %d opened %d rentals, the most; list its GPUs anew", listingID, number)
	}
	if listingID >= 1<<(64-RentalIDShift) {
		return 0, ErrNoRentalNumber.Wrapf("listing id %d, want under 2^%d", listingID, 64-RentalIDShift)
	}
	return listingID<<RentalIDShift | number, nil
}

// Open tells whether the rental still holds its GPUs.
func (r Rental) Open() bool {
	return r.State == RENTAL_STATE_RESERVED || r.State == RENTAL_STATE_PENDING || r.State == RENTAL_STATE_ACTIVE
}

// Validate checks what every stored rental is: its times fit its state, and its
// money adds up.
func (r Rental) Validate() error {
	if err := r.validateTerms(); err != nil {
		return err
	}
	if err := r.validateTimes(); err != nil {
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
	switch r.State {
	case RENTAL_STATE_PENDING:
		if started || r.NoticeEndsAt != nil || r.Result != nil {
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

func (r Rental) validateMoney() error {
	for _, amount := range [...]math.Int{r.Escrowed, r.Escrow, r.Paid, r.Refunded} {
		if amount.IsNil() || amount.IsNegative() {
			return ErrInvalidGenesis.Wrapf("amount of %s, want 0 or more", amount)
		}
	}
	if want := AmountFor(r.Price.Amount, len(r.Gpus), r.DurationSeconds); !r.Escrowed.Equal(want) {
		return ErrInvalidGenesis.Wrapf("escrowed is %s, want %s for %d s", r.Escrowed, want, r.DurationSeconds)
	}
	if sum := r.Escrow.Add(r.Paid).Add(r.Refunded); !r.Escrowed.Equal(sum) {
		return ErrInvalidGenesis.Wrapf("escrowed is %s, escrow + paid + refunded is %s", r.Escrowed, sum)
	}
	if !r.Open() && !r.Escrow.IsZero() {
		return ErrInvalidGenesis.Wrapf("closed with %s in escrow", r.Escrow)
	}
	if r.Open() && !r.Refunded.IsZero() {
		return ErrInvalidGenesis.Wrapf("open with %s refunded", r.Refunded)
	}
	paid := math.ZeroInt()
	if r.PaidUntil != nil {
		paid = r.PayableAt(*r.PaidUntil)
	}
	if !r.Paid.Equal(paid) {
		return ErrInvalidGenesis.Wrapf("paid is %s, want %s up to paid_until", r.Paid, paid)
	}
	return nil
}

// Validate checks the form of a result.
//
// Errors: ErrInvalidResult, ErrInvalidDigest.
func (w WorkloadResult) Validate() error {
	if !w.ExitKnown && w.ExitCode != 0 {
		return ErrInvalidResult.Wrapf("exit code %d, though it is not known", w.ExitCode)
	}
	if n := len(w.OutputDigest); n != 0 && n != DigestSize {
		return ErrInvalidDigest.Wrapf("output_digest has %d bytes, want %d, or none", n, DigestSize)
	}
	return nil
}
