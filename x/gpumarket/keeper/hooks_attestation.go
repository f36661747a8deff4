package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// attestationHooks is what the market does about facts of x/attestation.
type attestationHooks struct{ k *Keeper }

var _ attestationtypes.AttestationHooks = attestationHooks{}

// Hooks returns the market's side of x/attestation's hooks.
func (k *Keeper) Hooks() attestationtypes.AttestationHooks { return attestationHooks{k} }

// maxMarks bounds one attestation's list of rentals that do not run. Each of a
// host's rentals holds a GPU of the host, and a host's GPUs lie in one bucket.
const maxMarks = attestationtypes.BucketSize

// AfterRentalsNotRunning implements AttestationHooks. It marks the active
// rentals of that host and ignores every other id: the list is what the host
// said, and an error here would throw out the attestations of others.
func (h attestationHooks) AfterRentalsNotRunning(ctx context.Context, hostID, slot uint64, rentalIDs []uint64) error {
	if len(rentalIDs) > maxMarks {
		rentalIDs = rentalIDs[:maxMarks]
	}
	for _, id := range rentalIDs {
		open, err := h.k.rentals.Indexes.openByHost.Has(ctx, collections.Join(hostID, id))
		if err != nil {
			return err
		}
		if !open {
			continue
		}
		r, err := h.k.rentals.Get(ctx, id)
		if err != nil {
			return err
		}
		if r.State != types.RENTAL_STATE_ACTIVE {
			continue
		}
		if err := h.k.notRunning.Set(ctx, collections.Join(id, slot)); err != nil {
			return err
		}
	}
	return nil
}

// BeforeGPUsChanged implements AttestationHooks: a GPU that somebody rents stays
// as it is.
func (h attestationHooks) BeforeGPUsChanged(ctx context.Context, hostID uint64, ordinals []uint32) error {
	for _, ordinal := range ordinals {
		booked, err := h.k.gpuBooked(ctx, hostID, ordinal)
		if err != nil {
			return err
		}
		if booked {
			return types.ErrGPUBooked.Wrapf("GPU %d of host %d", ordinal, hostID)
		}
	}
	return nil
}

// BeforeHostRetired implements AttestationHooks: a host with open rentals stays.
// Otherwise its listings are withdrawn, at most one for each of its GPUs.
func (h attestationHooks) BeforeHostRetired(ctx context.Context, hostID uint64) error {
	err := h.k.rentals.Indexes.openByHost.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint64](hostID),
		func(key collections.Pair[uint64, uint64]) (bool, error) {
			return true, types.ErrHostRented.Wrapf("rental %d of host %d is open", key.K2(), hostID)
		})
	if err != nil {
		return err
	}
	ids, err := h.k.listingsOfHost(ctx, hostID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		l, err := h.k.Listing(ctx, id)
		if err != nil {
			return err
		}
		operator, err := h.k.addressCodec.StringToBytes(l.Operator)
		if err != nil {
			return err
		}
		if err := h.k.withdraw(ctx, operator, l); err != nil {
			return err
		}
	}
	return nil
}

// AfterSlotsCounted implements AttestationHooks: the market reads slots when it
// judges them.
func (attestationHooks) AfterSlotsCounted(context.Context, uint64, []attestationtypes.CountedHost) error {
	return nil
}

// AfterEquivocationProven implements AttestationHooks: it concerns the stake, and
// no rental.
func (attestationHooks) AfterEquivocationProven(context.Context, uint64, uint64) error { return nil }

// BeforeChallenge implements AttestationHooks: a GPU that somebody rents now, or
// before an answer would be due, is excused. Its renter can ask for the proof.
func (h attestationHooks) BeforeChallenge(ctx context.Context, hostID uint64, ordinals []uint32) ([]uint32, error) {
	var excused []uint32
	from := now(ctx)
	for _, ordinal := range ordinals {
		free, err := h.k.gpuFree(ctx, hostID, ordinal, from, from.Add(attestationtypes.LongestAnswer))
		if err != nil {
			return nil, err
		}
		if !free {
			excused = append(excused, ordinal)
		}
	}
	return excused, nil
}

// ExpectedReward implements AttestationHooks: mining is x/rewards' matter.
func (attestationHooks) ExpectedReward(context.Context, uint64, uint32) (math.Int, error) {
	return math.ZeroInt(), nil
}

// listingsOfHost returns the listings that hold a GPU of the host, each once and
// in the order of their GPUs.
func (k *Keeper) listingsOfHost(ctx context.Context, hostID uint64) ([]uint64, error) {
	var ids []uint64
	seen := make(map[uint64]bool)
	err := k.listedGPUs.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint32](hostID),
		func(_ collections.Pair[uint64, uint32], id uint64) (bool, error) {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
			return false, nil
		})
	return ids, err
}
