package attest

import (
	"sync"
	"time"

	"github.com/grafilab/grafi/internal/agentapi"
)

// SilentAfter is how long a report of the executor holds.
const SilentAfter = 90 * time.Second

// workloads remembers the executor's newest report.
type workloads struct {
	mu     sync.Mutex
	since  time.Time // when the agent started to listen
	at     time.Time // of the newest report
	states map[uint64]agentapi.WorkloadState
}

func newWorkloads(now time.Time) *workloads { return &workloads{since: now} }

// set keeps a report. Its map is never changed afterwards, so records may share it.
func (w *workloads) set(r agentapi.Workloads, now time.Time) {
	states := make(map[uint64]agentapi.WorkloadState, len(r.Workloads))
	for _, x := range r.Workloads {
		states[x.RentalID] = x.State
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.states = now, states
}

// state returns what is known of the executor at now. After a start of the agent
// it is unknown until the executor had the time to report.
func (w *workloads) state(now time.Time) (ExecutorState, map[uint64]agentapi.WorkloadState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.at.IsZero() && now.Sub(w.at) <= SilentAfter:
		return ExecutorHeard, w.states
	case w.at.IsZero() && now.Sub(w.since) <= SilentAfter:
		return ExecutorUnknown, nil
	}
	return ExecutorSilent, nil
}

func (w *workloads) seen() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}
