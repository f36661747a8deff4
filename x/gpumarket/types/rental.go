package types

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
