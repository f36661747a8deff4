package types

import "context"

// AttestationHooks tell upper modules facts of this one. An error fails the
// message that caused the fact.
type AttestationHooks interface {
	// AfterRentalsNotRunning: the host listed these rentals as not running in
	// the slot. The ids are what the host said; they may belong to nobody.
	AfterRentalsNotRunning(ctx context.Context, hostID, slot uint64, rentalIDs []uint64) error
	// BeforeGPUsChanged: these GPUs of the host are about to be replaced or
	// removed. An error refuses the change.
	BeforeGPUsChanged(ctx context.Context, hostID uint64, ordinals []uint32) error
	// BeforeHostRetired: the host is about to leave. An error refuses it.
	BeforeHostRetired(ctx context.Context, hostID uint64) error
}

// MultiHooks calls its hooks in order and stops at the first error.
type MultiHooks []AttestationHooks

var _ AttestationHooks = MultiHooks{}

// AfterRentalsNotRunning implements AttestationHooks.
func (m MultiHooks) AfterRentalsNotRunning(ctx context.Context, hostID, slot uint64, rentalIDs []uint64) error {
	for _, h := range m {
		if err := h.AfterRentalsNotRunning(ctx, hostID, slot, rentalIDs); err != nil {
			return err
		}
	}
	return nil
}

// BeforeGPUsChanged implements AttestationHooks.
func (m MultiHooks) BeforeGPUsChanged(ctx context.Context, hostID uint64, ordinals []uint32) error {
	for _, h := range m {
		if err := h.BeforeGPUsChanged(ctx, hostID, ordinals); err != nil {
			return err
		}
	}
	return nil
}

// BeforeHostRetired implements AttestationHooks.
func (m MultiHooks) BeforeHostRetired(ctx context.Context, hostID uint64) error {
	for _, h := range m {
		if err := h.BeforeHostRetired(ctx, hostID); err != nil {
			return err
		}
	}
	return nil
}
