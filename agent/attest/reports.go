package attest

import (
	"time"

	"github.com/grafilab/grafi/internal/agentapi"
)

// SetWorkloads keeps the executor's report.
func (a *Agent) SetWorkloads(w agentapi.Workloads) { a.workloads.set(w, time.Now()) }

// Started writes down that a rental's workload runs; it is on disk when this
// returns. Said again, it tells where the report stands.
func (a *Agent) Started(s agentapi.Started) (agentapi.Report, error) {
	return a.queue(Entry{Kind: KindStart, QueuedAt: time.Now().UTC(), Started: &s})
}

// Result writes down how a workload ended.
//
// Errors: agentapi.ErrConflict.
func (a *Agent) Result(r agentapi.Result) (agentapi.Report, error) {
	return a.queue(Entry{Kind: KindResult, QueuedAt: time.Now().UTC(), Result: &r})
}

func (a *Agent) queue(e Entry) (agentapi.Report, error) {
	stored, err := a.store.Queue(e)
	if err != nil {
		return agentapi.Report{}, err
	}
	a.kick()
	return agentapi.Report{RentalID: stored.rental(), State: stored.State, Detail: stored.Detail}, nil
}
