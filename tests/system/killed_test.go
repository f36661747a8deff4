package system

import (
	"context"
	"fmt"
	"math/rand"
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
	killedRental = 70 * time.Second
	// readBefore the end the log is read: it is wiped with the workload.
	readBefore = 6 * time.Second
	killsEach  = 3
)

// TestKilledAnywhere rents the same thing twice: from programs that nobody
// touches, and from programs that are killed at random moments. Who looks at the
// ledger can't tell which is which, and neither can the workload.
func TestKilledAnywhere(t *testing.T) {
	r := random(t)
	var undisturbed, killed story
	t.Run("rentals", func(t *testing.T) {
		// Both mostly wait: side by side they take the time of one.
		t.Run("undisturbed", func(t *testing.T) {
			t.Parallel()
			undisturbed = runRental(t, undisturbedPort, nil)
		})
		t.Run("killed", func(t *testing.T) {
			t.Parallel()
			killed = runRental(t, killedPort, r)
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
func runRental(t *testing.T, port int, r *rand.Rand) story {
	t.Helper()
	ctx := newContext(t, 4*time.Minute)
	m := newMarket(t, ctx, port, localnet.Timing{Slot: 10 * time.Second, StartTimeout: time.Minute})
	name := fmt.Sprintf("counter-%d-%d", port, time.Now().UnixNano())
	manifest := counterManifest(t, m.Dir, counterImage(t, ctx), name)

	seen := watchProcesses(t, name)
	id := m.rent(t, ctx, manifest, killedRental)
	stopKilling := func() {}
	if r != nil {
		stopKilling = m.startKilling(t, r)
	}
	active := m.waitState(t, ctx, time.Minute, id, markettypes.RENTAL_STATE_ACTIVE)
	time.Sleep(time.Until(active.EndsAt.Add(-readBefore)))
	stopKilling()
	requireOneStart(t, ctx, m, id, name, time.Since(*active.StartedAt))

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

// startKilling kills and restarts the three programs in random order until it
// is stopped or each has died killsEach times.
func (m *market) startKilling(t *testing.T, r *rand.Rand) (stop func()) {
	t.Helper()
	var victims []*localnet.Process
	for range killsEach {
		victims = append(victims, m.Nodes[0].Process, m.host.Agent, m.host.Executor)
	}
	r.Shuffle(len(victims), func(i, j int) { victims[i], victims[j] = victims[j], victims[i] })
	began, quit, done := time.Now(), make(chan struct{}), make(chan struct{})
	pause := func(d time.Duration) bool {
		select {
		case <-quit:
			return false
		case <-time.After(d):
			return true
		}
	}
	kills := map[string]int{}
	go func() {
		defer close(done)
		for _, p := range victims {
			if !pause(between(r, 500*time.Millisecond, 9*time.Second)) {
				return
			}
			if err := p.Kill(); err != nil {
				t.Errorf("kill %s: %v", p.Name, err)
				return
			}
			at, down := time.Since(began), between(r, 0, 3*time.Second)
			kills[p.Name]++
			pause(down)
			if err := p.Start(); err != nil {
				t.Errorf("restart %s: %v", p.Name, err)
				return
			}
			t.Logf("%6.2f s: %s killed, down for %s", at.Seconds(), p.Name, down.Round(time.Millisecond))
		}
	}()
	return func() {
		close(quit)
		<-done
		for _, p := range []*localnet.Process{m.Nodes[0].Process, m.host.Agent, m.host.Executor} {
			if kills[p.Name] == 0 {
				t.Errorf("%s was never killed", p.Name)
			}
		}
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
func requireOneStart(t *testing.T, ctx context.Context, m *market, id uint64, name string, served time.Duration) {
	t.Helper()
	var log []byte
	eventually(t, ctx, readBefore-2*time.Second, "the log", func() (bool, error) {
		var err error
		log, err = m.renter(ctx, "logs", fmt.Sprint(id))
		return true, err
	})
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	require.Equal(t, "start "+name, lines[0])
	for i, line := range lines[1:] {
		require.Equal(t, fmt.Sprintf("count %d starts 1", i+1), line)
	}
	require.GreaterOrEqual(t, time.Duration(len(lines)-1)*time.Second, served-3*time.Second, "it was never stopped")
}
