package reconcile_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/reconcile"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

var bg = context.Background()

// passes makes n passes, a second of the chain apart.
func passes(t require.TestingT, w *world, loop *reconcile.Loop, n int) {
	for range n {
		require.NoError(t, loop.Once(bg))
		w.advance(time.Second)
	}
}

func TestAJobFromRentToWipe(t *testing.T) {
	w := newWorld()
	loop := w.immortal().loop()
	w.rent(7, 60, true, 0)

	passes(t, w, loop, 3)
	require.Equal(t, markettypes.RENTAL_STATE_ACTIVE, w.rental(7).State)
	require.Equal(t, []agentapi.Workload{{RentalID: 7, State: agentapi.WorkloadRunning}}, func() []agentapi.Workload {
		passes(t, w, loop, 1)
		return w.serving
	}())

	w.engine.WriteResult(7, "/out/a", "picture")
	w.engine.Exit(7, 0)
	passes(t, w, loop, 2)
	r := w.rental(7)
	require.Equal(t, markettypes.CLOSE_REASON_WORKLOAD_EXITED, r.CloseReason)
	require.Len(t, r.Result.OutputDigest, 32)
	require.Equal(t, 1, w.engine.Starts(7))
	_, there := w.engine.Workload(7)
	require.True(t, there, "kept for the renter to fetch the result")

	w.advance(policy.Retention)
	passes(t, w, loop, 3)
	_, there = w.engine.Workload(7)
	require.False(t, there)
	require.Empty(t, w.records)
}

func TestTheDeadlineStopsAndWipes(t *testing.T) {
	w := newWorld()
	loop := w.immortal().loop()
	w.rent(7, 5, false, 0)
	passes(t, w, loop, 20)
	require.Equal(t, markettypes.CLOSE_REASON_END_REACHED, w.rental(7).CloseReason)
	_, there := w.engine.Workload(7)
	require.False(t, there)
	require.Empty(t, w.records)
}

func TestCouldNotLookNeverActs(t *testing.T) {
	w := newWorld()
	l := w.immortal()
	loop := l.loop()
	w.rent(7, 3600, false, 0)
	passes(t, w, loop, 3)
	errAway := errors.New("no route")

	w.chainErr = errAway
	require.ErrorIs(t, loop.Once(bg), errAway)
	require.Equal(t, []agentapi.Workload{{RentalID: 7, State: agentapi.WorkloadRunning}}, w.serving,
		"the slots of an outage are attested when it is over")
	w.chainErr = nil

	// A node that lost its newest blocks knows of no rental.
	w.mu.Lock()
	height, rentals := w.height, w.rentals
	w.height, w.rentals = 1, map[uint64]markettypes.Rental{}
	w.mu.Unlock()
	require.ErrorContains(t, loop.Once(bg), "behind")
	w.mu.Lock()
	w.height, w.rentals = height, rentals
	w.mu.Unlock()

	w.engine.Fail("List", errAway)
	w.serving = nil
	require.ErrorIs(t, loop.Once(bg), errAway)
	require.Nil(t, w.serving, "nothing is claimed of what was not seen")
	w.engine.Fail("List", nil)

	passes(t, w, loop, 1)
	st, err := w.engine.Status(bg, 7)
	require.NoError(t, err)
	require.Equal(t, engine.StateRunning, st.State)
	require.Equal(t, 1, w.engine.Starts(7))
}

func TestTheLocalClockIsTheLastResort(t *testing.T) {
	w := newWorld()
	loop := w.immortal().loop()
	w.rent(7, 60, false, 0)
	passes(t, w, loop, 3)
	ends := *w.rental(7).EndsAt
	w.chainErr = errors.New("no route")
	state := func(now time.Time) engine.State {
		w.mu.Lock()
		w.now = now
		w.mu.Unlock()
		require.Error(t, loop.Once(bg))
		st, err := w.engine.Status(bg, 7)
		require.NoError(t, err)
		return st.State
	}
	require.Equal(t, engine.StateRunning, state(ends.Add(policy.ClockGrace-time.Second)))
	require.Equal(t, engine.StateExited, state(ends.Add(policy.ClockGrace+time.Second)))
}

func TestAStartThatCanNotHelpIsNotRepeated(t *testing.T) {
	w := newWorld()
	loop := w.immortal().loop()
	w.rent(7, 60, false, 0)
	w.engine.Fail("Start", engine.ErrStartFailed)
	require.NoError(t, loop.Once(bg))
	require.ErrorIs(t, loop.Obstacle(7), engine.ErrStartFailed)
	w.engine.Fail("Start", nil)
	passes(t, w, loop, 90)
	require.Zero(t, w.engine.Starts(7))

	w.advance(10 * time.Minute) // the chain gives the money back
	passes(t, w, loop, 2)
	require.Equal(t, markettypes.CLOSE_REASON_NOT_STARTED, w.rental(7).CloseReason)
	require.Empty(t, w.records)
}

// TestCrashesAnywhere kills the executor at random calls, before or after their
// effect, and starts it again. The end is that of an undisturbed run: every
// workload was started once, ran until its own end or its rental's, was reported
// once, and is gone.
func TestCrashesAnywhere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld()
		count := rapid.IntRange(1, 3).Draw(rt, "rentals")
		exitAfter := make(map[uint64]int)
		for id := uint64(1); id <= uint64(count); id++ {
			w.rent(id, rapid.IntRange(3, 40).Draw(rt, "seconds"), rapid.Bool().Draw(rt, "close on exit"), uint32(id))
			exitAfter[id] = rapid.IntRange(1, 60).Draw(rt, "exits after")
		}
		lives := rapid.IntRange(1, 12).Draw(rt, "lives")
		l := &life{world: w, left: rapid.IntRange(0, 60).Draw(rt, "calls"), lastHappens: rapid.Bool().Draw(rt, "last happens")}
		loop := l.loop()
		ranUntil := make(map[uint64]engine.Status)
		for range 400 {
			_ = loop.Once(bg)
			w.advance(time.Second)
			for id, left := range exitAfter {
				if st, err := w.engine.Status(bg, id); err == nil {
					ranUntil[id] = st
					if exitAfter[id] = left - 1; left == 1 {
						w.engine.WriteResult(id, "/out/a", "result")
						w.engine.Exit(id, 3)
					}
				}
			}
			if !l.dead {
				continue
			}
			if lives--; lives > 0 {
				l = &life{world: w, left: rapid.IntRange(0, 60).Draw(rt, "calls"), lastHappens: rapid.Bool().Draw(rt, "last happens")}
			} else {
				l = w.immortal()
			}
			loop = l.loop()
		}
		w.advance(policy.Retention)
		for range 5 {
			_ = loop.Once(bg)
			w.advance(time.Second)
		}

		if w.contradiction != nil {
			rt.Fatal(w.contradiction)
		}
		for id := uint64(1); id <= uint64(count); id++ {
			r, st := w.rental(id), ranUntil[id]
			if got := w.engine.Starts(id); got != 1 {
				rt.Fatalf("rental %d was started %d times", id, got)
			}
			if r.State != markettypes.RENTAL_STATE_CLOSED || r.StartedAt == nil {
				rt.Fatalf("rental %d ended as %s, %s", id, r.State, r.CloseReason)
			}
			if st.Reason == engine.ReasonStopped && st.ExitedAt.Before(*r.EndsAt) && r.Result == nil {
				rt.Fatalf("rental %d was stopped at %s, before its end at %s", id, st.ExitedAt, r.EndsAt)
			}
			if r.CloseReason == markettypes.CLOSE_REASON_WORKLOAD_EXITED && (r.Result.ExitCode != 3 || len(r.Result.OutputDigest) != 32) {
				rt.Fatalf("rental %d: result %v", id, r.Result)
			}
			if _, there := w.engine.Workload(id); there {
				rt.Fatalf("workload of rental %d was not wiped", id)
			}
		}
		if len(w.records) != 0 {
			rt.Fatalf("records left: %v", w.records)
		}
	})
}
