package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

func TestMarksActiveRentalsOfTheHostOnly(t *testing.T) {
	f := newFixture(t)
	active := f.active(1, 3_600)
	pending := f.rent(1, 1, 3_600)
	gone := f.rent(1, 1, 3_600)
	f.close(renter, gone)
	slot := slotAt(start) + 1

	require.NoError(t, f.k.Hooks().AfterRentalsNotRunning(f.ctx, hostID, slot, []uint64{0, active, active, pending, gone, 1 << 63}))
	require.NoError(t, f.k.Hooks().AfterRentalsNotRunning(f.ctx, hostID+1, slot+1, []uint64{active}))

	require.Equal(t, []types.NotRunningMark{{RentalId: active, Slot: slot}}, f.state().NotRunning)
	f.checkInvariants()
}

func TestMarksOfOneAttestationAreBounded(t *testing.T) {
	f := newFixture(t)
	active := f.active(1, 3_600)
	long := make([]uint64, 4_097)
	long[4_096] = active
	require.NoError(t, f.k.Hooks().AfterRentalsNotRunning(f.ctx, hostID, slotAt(start)+1, long))
	require.Empty(t, f.state().NotRunning)
}

// A marked slot is as bad as one without a bit, and marks are gone once judged.
func TestMarksAreClearedByAGoodSlot(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 86_400)
	slot := slotAt(start)
	for _, s := range []uint64{slot + 1, slot + 2} {
		require.NoError(t, f.k.Hooks().AfterRentalsNotRunning(f.ctx, hostID, s, []uint64{id}))
	}
	f.blocks(after(2_530), 10) // slot 3, the check slot, is judged and good
	require.Empty(t, f.state().NotRunning)
	require.Equal(t, slot+6, f.rental(id).CheckSlot)
}

func TestBookedGPUsCannotChange(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 60)
	hooks := f.k.Hooks()
	require.ErrorIs(t, hooks.BeforeGPUsChanged(f.ctx, hostID, []uint32{3, 0}), types.ErrGPUBooked)
	require.NoError(t, hooks.BeforeGPUsChanged(f.ctx, hostID, []uint32{1, 2, 3}))
	require.NoError(t, hooks.BeforeGPUsChanged(f.ctx, hostID+1, []uint32{0}))
	f.close(renter, id)
	require.NoError(t, hooks.BeforeGPUsChanged(f.ctx, hostID, []uint32{0}))
}

func TestRetiredHostLeavesTheMarket(t *testing.T) {
	f := newFixture(t)
	f.twoListings()
	id := f.rent(1, 1, 60)
	f.beginBlock(start)
	before := f.state()
	require.ErrorIs(t, f.k.Hooks().BeforeHostRetired(f.ctx, hostID), types.ErrHostRented)
	requireState(t, f, before)
	f.close(renter, id)
	f.beginBlock(start)
	want := f.state()

	require.NoError(t, f.k.Hooks().BeforeHostRetired(f.ctx, hostID))

	want.Listings[0].Status = types.LISTING_STATUS_WITHDRAWN
	requireState(t, f, want)
	requireEvents(t, f, &types.EventListingStatusChanged{ListingId: 1, Status: types.LISTING_STATUS_WITHDRAWN})
	require.True(t, f.staking.prices["7/0"].IsZero())
	require.NoError(t, f.k.Hooks().BeforeHostRetired(f.ctx, hostID), "nothing is left to withdraw")
	f.checkInvariants()
}
