package system

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/testutil/localnet"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

const (
	termsPort = 28000
	// A period outlasts the minute of a preemption's notice: else the GPU of the
	// subscription, free after it, is the one that the next rental gets.
	period = 90 * time.Second
)

// TestTerms has two GPUs. On one a subscription is renewed without
// a pause of its workload. On the other an interruptible rental makes room, after
// its notice, for one at the full price, which the executor has prepared by then.
func TestTerms(t *testing.T) {
	ctx := newContext(t, 5*time.Minute)
	m := newMarketOf(t, ctx, termsPort, localnet.Timing{Slot: silentSlot, StartTimeout: time.Minute}, 2)
	full := fmt.Sprintf("%dugrafi", price)
	_, err := m.Tx(ctx, "operator", "gpumarket", "change-listing", fmt.Sprint(m.listing), full,
		"--interruptible-price", "1000000ugrafi", "--max-ahead-seconds", "3600")
	require.NoError(t, err)
	image, stamp := counterImage(t, ctx), time.Now().UnixNano()
	name := func(what string) string { return fmt.Sprintf("counter-%s-%d", what, stamp) }

	served := name("subscribed")
	subscribed := m.rentBy(t, ctx, "rent", "subscribe", fmt.Sprint(m.listing), counterManifest(t, m.Dir, image, served),
		"--period", period.String(), "--deposit", "1000000ugrafi", "--wait")
	workload := m.runningOnce(t, ctx, served)

	cheap := name("interruptible")
	interruptible := m.rent(t, ctx, counterManifest(t, m.Dir, image, cheap), time.Hour, "--interruptible", "--wait")
	m.runningOnce(t, ctx, cheap)

	next := name("full")
	full1 := m.rent(t, ctx, counterManifest(t, m.Dir, image, next), time.Hour)
	reserved, err := m.rental(ctx, full1)
	require.NoError(t, err)
	require.Equal(t, markettypes.RENTAL_STATE_RESERVED, reserved.State)
	preempted, err := m.rental(ctx, interruptible)
	require.NoError(t, err)
	require.Equal(t, full1, preempted.PreemptedBy)
	require.False(t, reserved.Reservation.StartAt.Before(*preempted.NoticeEndsAt))
	running, err := processes(cheap)
	require.NoError(t, err)
	require.Len(t, running, 1, "it has its notice")

	closed := m.waitState(t, ctx, 2*time.Minute, interruptible, markettypes.RENTAL_STATE_CLOSED)
	require.Equal(t, markettypes.CLOSE_REASON_PREEMPTED, closed.CloseReason)
	require.Equal(t, *preempted.NoticeEndsAt, *closed.PaidUntil)
	started := m.waitState(t, ctx, time.Minute, full1, markettypes.RENTAL_STATE_ACTIVE)
	require.False(t, started.StartedAt.Before(reserved.Reservation.StartAt), "not a second before its time")
	running, err = processes(cheap)
	require.NoError(t, err)
	require.Empty(t, running, "the GPU was free when the next one started")

	var sub markettypes.Rental
	eventually(t, ctx, 2*time.Minute, "the second period", func() (bool, error) {
		sub, err = m.rental(ctx, subscribed)
		return err == nil && sub.Subscription.Periods >= 2, err
	})
	running, err = processes(served)
	require.NoError(t, err)
	require.Equal(t, workload, slices.Collect(maps.Keys(running)), "the same process since the first second")

	before := m.balance(t, ctx, "renter")
	_, err = m.renter(ctx, "rent", "cancel", fmt.Sprint(subscribed), "--yes")
	require.NoError(t, err)
	sub, err = m.rental(ctx, subscribed)
	require.NoError(t, err)
	require.True(t, sub.Subscription.Cancelled)
	require.Greater(t, m.balance(t, ctx, "renter"), before, "the balance came back at once")
	ended := m.waitState(t, ctx, period+time.Minute, subscribed, markettypes.RENTAL_STATE_CLOSED)
	require.Equal(t, markettypes.CLOSE_REASON_END_REACHED, ended.CloseReason)
	require.Equal(t, sub.EndsAt, ended.EndsAt, "to the end of its period and no further")
	for _, id := range []uint64{subscribed, interruptible, full1} {
		m.ledger(t, ctx, id)
	}
	m.requireSound(t, ctx)
}

// runningOnce waits for the workload and returns its processes.
func (m *market) runningOnce(t *testing.T, ctx context.Context, name string) []int {
	t.Helper()
	var running map[int]bool
	eventually(t, ctx, 30*time.Second, "workload "+name, func() (bool, error) {
		var err error
		running, err = processes(name)
		return len(running) == 1, err
	})
	return slices.Collect(maps.Keys(running))
}
