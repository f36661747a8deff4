package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/reconcile"
	"github.com/grafilab/grafi/offchain/executor/store"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// subscribed is active until second 100 and renews.
func subscribed(change ...func(*markettypes.Rental)) *markettypes.Rental {
	r := rental(1, markettypes.RENTAL_STATE_ACTIVE)
	r.Type, r.Subscription = markettypes.RENTAL_TYPE_SUBSCRIPTION, &markettypes.Subscription{}
	for _, fn := range change {
		fn(&r)
	}
	return &r
}

func cancelled(r *markettypes.Rental) { r.Subscription.Cancelled = true }

func noticed(second int) func(*markettypes.Rental) {
	return func(r *markettypes.Rental) { r.NoticeEndsAt = new(at(second)) }
}

// TestPlanTerms has each rule of a reservation, a notice and a subscription at its
// boundary second.
func TestPlanTerms(t *testing.T) {
	reserved := rental(1, markettypes.RENTAL_STATE_RESERVED) // from second 1000 on
	active := rental(1, markettypes.RENTAL_STATE_ACTIVE)
	preempted := active
	noticed(60)(&preempted)
	sent := &store.Record{RentalID: 1, Manifest: doc}
	ran := func(deadline int) *engine.Status {
		st := workload(1, engine.StateRunning, "")
		st.Deadline = at(deadline)
		return &st
	}
	tests := map[string]struct {
		chain  *markettypes.Rental // nil: could not be looked at
		record *store.Record
		work   *engine.Status
		now    int
		want   reconcile.Kind
	}{
		"reserved, too far ahead":            {chain: &reserved, record: sent, now: 699},
		"reserved, near":                     {chain: &reserved, record: sent, now: 700, want: reconcile.KindPrepare},
		"reserved, prepared":                 {chain: &reserved, record: &store.Record{RentalID: 1, Manifest: doc, Prepared: true}, now: 999},
		"reserved, nothing sent":             {chain: &reserved, record: &store.Record{RentalID: 1}, now: 999},
		"reserved, the chain is late":        {chain: &reserved, record: &store.Record{RentalID: 1, Manifest: doc, Prepared: true}, now: 1001},
		"reserved, runs for whatever reason": {chain: &reserved, record: sent, work: ran(160), now: 999},

		"preempted, in its notice":   {chain: &preempted, record: sent, work: ran(120), now: 59},
		"preempted, deadline of old": {chain: &preempted, record: sent, work: ran(160), now: 10, want: reconcile.KindSetDeadline},
		"preempted, notice over":     {chain: &preempted, record: sent, work: ran(120), now: 60, want: reconcile.KindStop},
		"preempted, chain away":      {record: &store.Record{RentalID: 1, EndsAt: at(60)}, work: ran(120), now: 121, want: reconcile.KindStop},

		"period over, not renewed yet":      {chain: subscribed(), record: sent, work: ran(700), now: 100},
		"period over, long not renewed":     {chain: subscribed(), record: sent, work: ran(700), now: 160, want: reconcile.KindStop},
		"period over, a second earlier":     {chain: subscribed(), record: sent, work: ran(700), now: 159},
		"subscription has more grace":       {chain: subscribed(), record: sent, work: ran(160), now: 10, want: reconcile.KindSetDeadline},
		"cancelled, period over":            {chain: subscribed(cancelled), record: sent, work: ran(160), now: 100, want: reconcile.KindStop},
		"cancelled has no more grace":       {chain: subscribed(cancelled), record: sent, work: ran(700), now: 10, want: reconcile.KindSetDeadline},
		"subscription, operator's notice":   {chain: subscribed(noticed(60)), record: sent, work: ran(120), now: 60, want: reconcile.KindStop},
		"chain away, renewal grace":         {record: &store.Record{RentalID: 1, EndsAt: at(100), Renews: true}, work: ran(700), now: 700},
		"chain away, renewal grace is over": {record: &store.Record{RentalID: 1, EndsAt: at(100), Renews: true}, work: ran(700), now: 701, want: reconcile.KindStop},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			v := reconcile.View{
				Now: at(tc.now), Workloads: map[uint64]engine.Status{}, Records: map[uint64]store.Record{1: *tc.record},
			}
			if tc.chain != nil {
				v.Chain = &reconcile.ChainView{Time: at(tc.now), Open: map[uint64]markettypes.Rental{1: *tc.chain}}
			}
			if tc.work != nil {
				v.Workloads[1] = *tc.work
			}
			var got reconcile.Kind
			for _, a := range reconcile.Plan(v, policy) {
				got = a.Kind
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestAReservationIsPreparedEarlyAndStartedOnTime(t *testing.T) {
	w := newWorld()
	l := w.immortal()
	loop := l.loop()
	w.reserve(7, 10*time.Minute, 60)
	passes(t, w, loop, 3)
	require.Zero(t, w.pulls, "ten minutes ahead nothing is pulled")

	w.advance(6 * time.Minute)
	w.pullErr = errors.New("registry is away")
	passes(t, w, loop, 3)
	require.ErrorContains(t, loop.Obstacle(7), "registry is away")
	w.pullErr = nil
	passes(t, w, loop, 10)
	require.NoError(t, loop.Obstacle(7))
	require.True(t, w.records[7].Prepared)
	pulls := w.pulls
	passes(t, w, loop, 10)
	require.Equal(t, pulls, w.pulls, "once is enough")
	require.Empty(t, w.serving, "nothing is owed yet")

	for w.rental(7).State == markettypes.RENTAL_STATE_RESERVED {
		require.Zero(t, w.engine.Starts(7))
		passes(t, w, loop, 1)
	}
	passes(t, w, loop, 3)
	r := w.rental(7)
	require.Equal(t, markettypes.RENTAL_STATE_ACTIVE, r.State)
	require.False(t, r.StartedAt.Before(r.Reservation.StartAt))
	require.Less(t, r.StartedAt.Sub(r.Reservation.StartAt), 10*time.Second)
}

func TestAPreemptedRentalMakesRoomForTheNext(t *testing.T) {
	w := newWorld()
	loop := w.immortal().loop()
	w.rent(7, 3600, false, 0)
	passes(t, w, loop, 3)
	w.reserve(8, 60*time.Second, 60)
	w.preempt(7, 60*time.Second)
	passes(t, w, loop, 1)
	st, err := w.engine.Status(bg, 7)
	require.NoError(t, err)
	require.Equal(t, w.rental(7).NoticeEndsAt.Add(policy.ClockGrace), st.Deadline, "it ends in time even without an executor")

	passes(t, w, loop, 66)
	require.Equal(t, markettypes.CLOSE_REASON_PREEMPTED, w.rental(7).CloseReason)
	_, there := w.engine.Workload(7)
	require.False(t, there)
	require.Equal(t, markettypes.RENTAL_STATE_ACTIVE, w.rental(8).State)
	require.Equal(t, 1, w.engine.Starts(8))
}

func TestARenewedSubscriptionIsNeverStopped(t *testing.T) {
	w := newWorld()
	loop := w.immortal().loop()
	w.rent(7, 30, false, 0)
	w.subscribe(7, 3)
	passes(t, w, loop, 100)
	require.Equal(t, markettypes.CLOSE_REASON_END_REACHED, w.rental(7).CloseReason)
	require.Zero(t, w.rental(7).Subscription.Periods, "all of them were begun")
	require.Equal(t, 1, w.engine.Starts(7))
	require.GreaterOrEqual(t, w.stoppedAt(7).Sub(*w.rental(7).StartedAt), 90*time.Second, "three periods of 30 seconds")
}
