package reconcile

import (
	"time"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

func due(now, handed time.Time, p Policy) bool {
	return handed.IsZero() || !now.Before(handed.Add(p.HandAgain))
}

func running(st engine.Status) bool {
	return st.State == engine.StateRunning || st.State == engine.StateCreated
}

// ran reports that the workload's first instruction was executed.
func ran(st engine.Status) bool {
	return st.State == engine.StateRunning || st.State == engine.StateExited && st.Reason != engine.ReasonStartFailed
}

// endedByItself reports an end that is the workload's (or the host's, when it was
// cut short), so that it is a result. The executor's own stop is none.
func endedByItself(st engine.Status) bool {
	if st.State != engine.StateExited {
		return false
	}
	switch st.Reason {
	case engine.ReasonCompleted, engine.ReasonOutOfMemory, engine.ReasonDiskLimit:
		return true
	}
	return cutShort(st)
}

// cutShort reports an end that is the host's doing, so that the workload's exit
// code means nothing.
func cutShort(st engine.Status) bool {
	return st.State == engine.StateExited && (st.Reason == engine.ReasonLost || st.Reason == engine.ReasonInterrupted)
}
