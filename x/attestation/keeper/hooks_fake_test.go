package keeper_test

import (
	"context"

	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/attestation/types"
)

// fakeHooks remembers the facts, and refuses when told to.
type fakeHooks struct {
	notRunning []types.EventRentalsReportedNotRunning
	changed    [][]uint32
	retired    []uint64
	counted    []countedDay
	proven     [][2]uint64 // host, slot
	excused    []uint32
	reward     math.Int // of every GPU and day; nil for zero
	err        error
}

func (h *fakeHooks) AfterRentalsNotRunning(_ context.Context, hostID, slot uint64, ids []uint64) error {
	h.notRunning = append(h.notRunning, types.EventRentalsReportedNotRunning{HostId: hostID, Slot: slot, RentalIds: ids})
	return h.err
}

func (h *fakeHooks) BeforeGPUsChanged(_ context.Context, _ uint64, ordinals []uint32) error {
	h.changed = append(h.changed, ordinals)
	return h.err
}

type countedDay struct {
	day   uint64
	hosts []types.CountedHost
}

func (h *fakeHooks) AfterSlotsCounted(_ context.Context, day uint64, hosts []types.CountedHost) error {
	h.counted = append(h.counted, countedDay{day, hosts})
	return h.err
}

func (h *fakeHooks) AfterEquivocationProven(_ context.Context, hostID, slot uint64) error {
	h.proven = append(h.proven, [2]uint64{hostID, slot})
	return h.err
}

func (h *fakeHooks) BeforeHostRetired(_ context.Context, hostID uint64) error {
	h.retired = append(h.retired, hostID)
	return h.err
}

func (h *fakeHooks) BeforeChallenge(context.Context, uint64, []uint32) ([]uint32, error) {
	return h.excused, nil
}

func (h *fakeHooks) ExpectedReward(context.Context, uint64, uint32) (math.Int, error) {
	if h.reward.IsNil() {
		return math.ZeroInt(), nil
	}
	return h.reward, nil
}
