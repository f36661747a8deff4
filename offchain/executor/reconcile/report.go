package reconcile

import (
	"context"
	"maps"
	"slices"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/store"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// Workload is what the agent needs to know of an open rental for its attestations.
type Workload struct {
	RentalID uint64
	// Serving is whether the host does its duty: the workload runs, or it ended
	// by itself, or the renter sent nothing to run.
	Serving bool
	State   engine.State // empty when there is no workload
}

// Agent is what the executor asks of the agent, which has the key that the
// chain knows. Each call may be repeated; the agent signs once.
type Agent interface {
	// PutWorkloads replaces what the agent knows of the open rentals.
	PutWorkloads(ctx context.Context, workloads []Workload) error
	// Started reports that a rental's workload was started.
	Started(ctx context.Context, rentalID uint64, manifestDigest []byte) error
	// Result reports how a rental's workload ended.
	Result(ctx context.Context, rentalID uint64, r store.Result) error
}

// report tells the agent what runs. It says nothing when something could not be
// looked at: the agent sees the age of what it has.
func (l *Loop) report(ctx context.Context, v View) error {
	if v.Chain == nil || v.Workloads == nil {
		return nil
	}
	return l.agent.PutWorkloads(ctx, Serving(v))
}

// Serving lists the host's open rentals and whether each is served.
func Serving(v View) []Workload {
	list := make([]Workload, 0, len(v.Chain.Open))
	for _, id := range slices.Sorted(maps.Keys(v.Chain.Open)) {
		r, st := v.Chain.Open[id], v.Workloads[id]
		w := Workload{RentalID: id, State: st.State}
		switch {
		case r.State != markettypes.RENTAL_STATE_ACTIVE:
			w.Serving = true // nothing is owed before the start is confirmed
		case r.Result != nil:
			w.Serving = true // it ended and the chain knows how
		case running(st):
			w.Serving = true
		case endedByItself(st):
			w.Serving = st.Reason != engine.ReasonLost
		case st.State == engine.StateUnknown:
			w.Serving = true // could not look is no proof of a failure
		}
		list = append(list, w)
	}
	return list
}
