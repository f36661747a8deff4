package types

import (
	"context"

	"cosmossdk.io/math"
)

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
	// AfterSlotsCounted: a message raised the day counters of these hosts. It is
	// called once per message and day, in the order in which they were counted;
	// a host that attested several slots of the day comes once for each.
	AfterSlotsCounted(ctx context.Context, day uint64, hosts []CountedHost) error
	// AfterEquivocationProven: the host signed two attestations of the slot, or two
	// receipts of one probe in it.
	AfterEquivocationProven(ctx context.Context, hostID, slot uint64) error
	// BeforeChallenge: these GPUs of the host are about to be challenged. Those that
	// are returned are excused: somebody rents them.
	BeforeChallenge(ctx context.Context, hostID uint64, ordinals []uint32) (excused []uint32, err error)
	// ExpectedReward returns what the GPU is expected to earn in a day, in the stake
	// denom; zero when nothing is known of it.
	ExpectedReward(ctx context.Context, hostID uint64, ordinal uint32) (math.Int, error)
}

// CountedHost is one accepted attestation.
type CountedHost struct {
	HostID uint64
	// FirstGPU is the chain-wide index of the host's GPU 0.
	FirstGPU uint64
	// Counts holds the new day counter of each GPU; 0 for one that was down.
	Counts []uint8
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

// AfterSlotsCounted implements AttestationHooks.
func (m MultiHooks) AfterSlotsCounted(ctx context.Context, day uint64, hosts []CountedHost) error {
	for _, h := range m {
		if err := h.AfterSlotsCounted(ctx, day, hosts); err != nil {
			return err
		}
	}
	return nil
}

// AfterEquivocationProven implements AttestationHooks.
func (m MultiHooks) AfterEquivocationProven(ctx context.Context, hostID, slot uint64) error {
	for _, h := range m {
		if err := h.AfterEquivocationProven(ctx, hostID, slot); err != nil {
			return err
		}
	}
	return nil
}

// BeforeChallenge implements AttestationHooks: whom one excuses is excused.
func (m MultiHooks) BeforeChallenge(ctx context.Context, hostID uint64, ordinals []uint32) ([]uint32, error) {
	var excused []uint32
	for _, h := range m {
		more, err := h.BeforeChallenge(ctx, hostID, ordinals)
		if err != nil {
			return nil, err
		}
		excused = append(excused, more...)
	}
	return excused, nil
}

// ExpectedReward implements AttestationHooks: the sum over all that pay.
func (m MultiHooks) ExpectedReward(ctx context.Context, hostID uint64, ordinal uint32) (math.Int, error) {
	sum := math.ZeroInt()
	for _, h := range m {
		reward, err := h.ExpectedReward(ctx, hostID, ordinal)
		if err != nil {
			return math.Int{}, err
		}
		sum = sum.Add(reward)
	}
	return sum, nil
}
