package reconcile

import (
	"context"
	"maps"
	"slices"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/offchain/executor/engine"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// Agent is what the executor asks of the agent, which has the key that the
// chain knows. Each call may be repeated; the agent signs once.
type Agent interface {
	SetWorkloads(ctx context.Context, w agentapi.Workloads) error
	Started(ctx context.Context, s agentapi.Started) (agentapi.Report, error)
	Result(ctx context.Context, r agentapi.Result) (agentapi.Report, error)
}

// report tells the agent what runs, also while the chain is away: the slots that
// pass meanwhile are attested when it is back. It says nothing when the engine
// could not be looked at; the agent sees the age of what it has.
func (l *Loop) report(ctx context.Context, v View) error {
	if v.Workloads == nil {
		return nil
	}
	return l.agent.SetWorkloads(ctx, agentapi.Workloads{Workloads: Serving(v)})
}

// Serving lists the host's workloads and the open rentals that lack one.
func Serving(v View) []agentapi.Workload {
	states := make(map[uint64]agentapi.WorkloadState)
	for id, st := range v.Workloads {
		states[id] = stateOf(st)
	}
	if v.Chain != nil {
		for id := range v.Chain.Closed {
			delete(states, id)
		}
		for id, r := range v.Chain.Open {
			_, there := v.Workloads[id]
			switch {
			case r.State != markettypes.RENTAL_STATE_ACTIVE:
				delete(states, id) // nothing is owed before the start is confirmed
			case r.Result != nil:
				states[id] = agentapi.WorkloadExited
			case !there:
				states[id] = agentapi.WorkloadDown
			}
		}
	}
	list := make([]agentapi.Workload, 0, len(states))
	for _, id := range slices.Sorted(maps.Keys(states)) {
		list = append(list, agentapi.Workload{RentalID: id, State: states[id]})
	}
	return list
}

func stateOf(st engine.Status) agentapi.WorkloadState {
	switch {
	case running(st), st.State == engine.StateUnknown:
		return agentapi.WorkloadRunning // could not look is no proof of a failure
	case endedByItself(st) && !cutShort(st):
		return agentapi.WorkloadExited
	}
	return agentapi.WorkloadDown
}
