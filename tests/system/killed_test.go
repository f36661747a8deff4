package system

import (
	"cmp"
	"context"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/testutil/localnet"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

const (
	undisturbedPort = 27500
	killedPort      = 27600
	// killedRental is long enough for every program to die several times in it.
	killedRental = 80 * time.Second
	// killsEach program dies in the first killFor of the rental. Then there is a
	// pause in which the log is read, which is wiped with the workload at the end,
	// and each dies once more in the last seconds.
	killsEach  = 3
	killFor    = 50 * time.Second
	readBefore = 22 * time.Second
	readFor    = 15 * time.Second
	pastEnd    = 4 * time.Second
	maxDown    = 3 * time.Second
)

// TestKilledAnywhere rents the same thing twice: from programs that nobody
// touches, and from programs that are killed at random moments. Who looks at the
// ledger can't tell which is which, and neither can the workload.
func TestKilledAnywhere(t *testing.T) {
	r := random(t)
	image := counterImage(t, newContext(t, time.Minute))
	var undisturbed, killed story
	t.Run("rentals", func(t *testing.T) {
		// Both mostly wait: side by side they take the time of one.
		t.Run("undisturbed", func(t *testing.T) {
			t.Parallel()
			undisturbed = runRental(t, undisturbedPort, image, nil)
		})
		t.Run("killed", func(t *testing.T) {
			t.Parallel()
			killed = runRental(t, killedPort, image, r)
		})
	})
	require.Equal(t, undisturbed, killed)
	require.Equal(t, markettypes.CLOSE_REASON_END_REACHED, killed.Reason)
	require.Equal(t, killed.Ledger.Escrowed, killed.Ledger.Total["paid"], "every second was served")
	require.Equal(t, "0", killed.Ledger.Refunded)
}

// story is what is the same however often a program was killed.
type story struct {
	Ledger ledger
	Reason markettypes.CloseReason
}

// runRental rents a GPU to its end. With a source of random moments the node,
// the agent and the executor are killed and started again all along.
func runRental(t *testing.T, port int, image string, r *rand.Rand) story {
	t.Helper()
	ctx := newContext(t, 4*time.Minute)
	m := newMarket(t, ctx, port, localnet.Timing{Slot: 10 * time.Second, StartTimeout: time.Minute})
	name := fmt.Sprintf("counter-%d-%d", port, time.Now().UnixNano())
	seen := watchProcesses(t, name)

	id := m.rent(t, ctx, counterManifest(t, m.Dir, image, name), killedRental)
	killed := func() {}
	if r != nil {
		killed = m.startKilling(t, r, killsEach, killFor)
	}
	active := m.waitState(t, ctx, time.Minute, id, markettypes.RENTAL_STATE_ACTIVE)
	t.Logf("started after %s", active.StartedAt.Sub(active.CreatedAt).Round(time.Second))
	time.Sleep(time.Until(active.EndsAt.Add(-readBefore)))
	killed()
	requireOneStart(t, ctx, m, id, name, *active.StartedAt)
	if r != nil {
		m.startKilling(t, r, 1, time.Until(active.EndsAt.Add(pastEnd)))()
	}

	closed := m.waitState(t, ctx, time.Minute, id, markettypes.RENTAL_STATE_CLOSED)
	require.Equal(t, active.EndsAt, closed.PaidUntil, "billed to the second")
	eventually(t, ctx, 30*time.Second, "the end of the workload", func() (bool, error) {
		running, err := processes(name)
		return len(running) == 0, err
	})
	require.Len(t, seen(), 1, "one process ran, and no other after it")
	m.requireSound(t, ctx)
	return story{Ledger: m.ledger(t, ctx, id), Reason: closed.CloseReason}
}

// kill is the end of one program and its next start.
type kill struct {
	victim *localnet.Process
	at     time.Duration
	down   time.Duration
}

// startKilling kills node, agent and executor so many times each at random
// moments of a span. The result waits for the last one.
func (m *market) startKilling(t *testing.T, r *rand.Rand, each int, span time.Duration) (wait func()) {
	t.Helper()
	var plan []kill
	for range each {
		for _, p := range []*localnet.Process{m.Nodes[0].Process, m.host.Agent, m.host.Executor} {
			plan = append(plan, kill{p, between(r, 0, span), between(r, 0, maxDown)})
		}
	}
	slices.SortFunc(plan, func(a, b kill) int { return cmp.Compare(a.at, b.at) })
	began := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, k := range plan {
			if !sleep(ctx, time.Until(began.Add(k.at))) {
				return
			}
			at := time.Since(began)
			if err := k.victim.Kill(); err != nil {
				t.Errorf("kill %s: %v", k.victim.Name, err)
			}
			if !sleep(ctx, k.down) {
				return
			}
			if err := k.victim.Start(); err != nil {
				t.Errorf("restart %s: %v", k.victim.Name, err)
			}
			t.Logf("%5.1f s: %s killed, down for %s", at.Seconds(), k.victim.Name, k.down.Round(time.Millisecond))
		}
	}()
	t.Cleanup(func() { cancel(); <-done }) // before the processes' own
	return func() { <-done }
}

// sleep returns false when the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// watchProcesses looks for the workload all the time; the result tells which
// processes there were.
func watchProcesses(t *testing.T, name string) (seen func() map[int]bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	all := map[int]bool{}
	wg.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			now, err := processes(name)
			if err != nil {
				t.Errorf("processes: %v", err)
				return
			}
			if len(now) > 1 {
				t.Errorf("%d copies of the workload run at once", len(now))
			}
			for pid := range now {
				all[pid] = true
			}
		}
	})
	return func() map[int]bool {
		cancel()
		wg.Wait()
		return all
	}
}

// requireOneStart reads the workload's log through the gateway: one start, and
// a count of every second since.
func requireOneStart(t *testing.T, ctx context.Context, m *market, id uint64, name string, started time.Time) {
	t.Helper()
	var log []byte
	var read time.Time
	eventually(t, ctx, readFor, "the log", func() (bool, error) {
		var err error
		read = time.Now()
		log, err = m.renter(ctx, "logs", fmt.Sprint(id))
		return true, err
	})
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	require.Equal(t, "start "+name, lines[0])
	for i, line := range lines[1:] {
		require.Equal(t, fmt.Sprintf("count %d starts 1", i+1), line)
	}
	require.GreaterOrEqual(t, time.Duration(len(lines)-1)*time.Second, read.Sub(started)-3*time.Second, "it was never stopped")
}
