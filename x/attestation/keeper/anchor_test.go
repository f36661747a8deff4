package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

func TestAnchors(t *testing.T) {
	f := newFixture(t)
	require.Len(t, f.state().Anchors, 1, "the first block closes what was before the chain")
	f.at(start.Add(300 * time.Second))
	require.Len(t, f.state().Anchors, 1, "no slot has ended")
	f.slot(startSlot + 1)
	event, err := sdk.TypedEventToEvent(&types.EventSlotClosed{Slot: startSlot, AnchorHeight: 601})
	require.NoError(t, err)
	f.told(event)
	anchor, err := f.k.Anchor(f.ctx, startSlot)
	require.NoError(t, err)
	require.Equal(t, types.Anchor{Slot: startSlot, Height: 601, Hash: f.ctx.HeaderInfo().Hash, Time: start.Add(600 * time.Second)}, anchor)
	f.sound()
}

// TestHalt: after a halt of five days one block closes every slot with one record,
// and all of them can be attested in full within the window.
func TestHalt(t *testing.T) {
	f := newFixture(t)
	f.register(3)
	const missed = 5 * 144
	restart := start.Add(missed*600*time.Second + 17*time.Second)
	f.at(restart)
	require.Len(t, f.state().Anchors, 2, "one record for all")
	f.endBlock() // pruning must not take what was closed only now

	f.at(restart.Add(types.DefaultParams().SubmitWindow))
	for first := uint64(startSlot); first < startSlot+missed; first += 144 {
		var groups []types.AttestationGroup
		for slot := first; slot < first+144; slot++ {
			groups = append(groups, f.group(slot, f.good(1, slot)))
		}
		require.EqualValues(t, 144, f.mustSubmit(groups...).Accepted)
	}
	f.endBlock()
	f.sound()
	host, err := f.k.Host(f.ctx, 1)
	require.NoError(t, err)
	for day := uint64(startSlot / 144); day < startSlot/144+5; day++ {
		slots, err := f.k.HostDay(f.ctx, &host, day)
		require.NoError(t, err)
		require.Equal(t, []uint32{144, 144, 144}, slots, "an honest host lost nothing")
	}
	for _, slot := range []uint64{startSlot, startSlot + missed - 1} {
		up, err := f.k.GPUsUp(f.ctx, 1, slot, []uint32{0, 1, 2})
		require.NoError(t, err)
		require.True(t, up)
		at, exact, err := f.k.JudgedAt(f.ctx, slot)
		require.NoError(t, err)
		require.True(t, exact)
		require.Equal(t, restart.Add(601*time.Second), at)
	}
}

func TestPruning(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	const days = 4
	for slot := uint64(startSlot); slot < startSlot+days*144; slot++ {
		f.slot(slot + 1)
		f.mustSubmit(f.group(slot, f.good(1, slot)))
		f.endBlock()
	}
	f.sound()
	now := f.ctx.BlockTime()
	kept := types.DefaultParams()
	gs := f.state()
	floor := gs.Anchors[0]
	require.True(t, kept.Expired(&floor, now))
	require.False(t, kept.Expired(&gs.Anchors[1], now), "one expired anchor stays: the floor")
	require.Equal(t, 3*144, len(gs.Up))
	require.Equal(t, 3*144, len(gs.Attested))
	require.Len(t, gs.Counters, days)

	_, err := f.k.GPUsUp(f.ctx, 1, floor.Slot, []uint32{0})
	require.ErrorIs(t, err, types.ErrSlotPruned, "never a bitmap that looks empty")
	at, exact, err := f.k.JudgedAt(f.ctx, floor.Slot-1)
	require.NoError(t, err)
	require.True(t, exact, "long ago")
	require.Equal(t, kept.JudgedAt(kept.SlotStart(floor.Slot)), at)
	up, err := f.k.GPUsUp(f.ctx, 1, floor.Slot+1, []uint32{0})
	require.NoError(t, err)
	require.True(t, up)

	// Keeping longer doesn't bring back what is gone.
	longer := kept
	longer.BitmapDays = 30
	require.NoError(t, f.k.UpdateParams(f.ctx, longer))
	_, err = f.k.GPUsUp(f.ctx, 1, floor.Slot, []uint32{0})
	require.ErrorIs(t, err, types.ErrSlotPruned)
}

// TestPruningIsBounded: after the params keep less, no block removes more than its
// budget, and the backlog goes.
func TestPruningIsBounded(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	for slot := uint64(startSlot); slot < startSlot+300; slot++ {
		f.slot(slot + 1)
		f.mustSubmit(f.group(slot, f.good(1, slot)))
		f.endBlock()
	}
	params := types.DefaultParams()
	params.BitmapDays, params.CounterDays = 1, 2
	require.NoError(t, f.k.UpdateParams(f.ctx, params))
	size := func() int {
		gs := f.state()
		return len(gs.Anchors) + len(gs.Up) + len(gs.Attested) + len(gs.Counters)
	}
	for range 20 {
		before := size()
		f.endBlock()
		require.LessOrEqual(t, before-size(), types.PruneBudget)
		f.sound()
	}
	require.Equal(t, 144, len(f.state().Up))
	require.Equal(t, 144, len(f.state().Attested))
	require.Equal(t, 145, len(f.state().Anchors), "with the floor")

	f.at(start.Add(300*600*time.Second + 10*24*time.Hour))
	for range 10 {
		f.endBlock()
	}
	gs := f.state()
	require.Empty(t, gs.Up)
	require.Empty(t, gs.Counters)
	require.Len(t, gs.Anchors, 2)
	f.sound()
}
