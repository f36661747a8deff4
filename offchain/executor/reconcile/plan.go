package reconcile

import (
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/store"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// Kind is what an action does.
type Kind string

// The kinds of action.
const (
	KindPrepare     Kind = "prepare"
	KindStart       Kind = "start"
	KindStop        Kind = "stop"
	KindSetDeadline Kind = "set_deadline"
	KindHandStart   Kind = "hand_start"
	KindHandResult  Kind = "hand_result"
	KindRemove      Kind = "remove"
	KindForget      Kind = "forget"
)

// Action is one step towards what the chain says. Every action may be repeated:
// a crash in the middle leads to the same action again.
type Action struct {
	Kind     Kind
	RentalID uint64
	// Deadline is of KindStart and KindSetDeadline.
	Deadline time.Time
	// Digest is the chain's manifest digest; of KindPrepare, KindStart and KindHandStart.
	Digest []byte
	// GPUs are the rental's ordinals; of KindStart.
	GPUs []uint32
	// Why is for the log.
	Why string
}

// Policy has the times that the operator may choose.
type Policy struct {
	// ClockGrace is how long after ends_at a workload may run by the local
	// clock when the chain, whose clock counts, can't be asked.
	ClockGrace time.Duration
	// RenewalGrace takes its place for a subscription that may have been renewed
	// meanwhile: the chain renews it by itself, and it must not die of an outage.
	RenewalGrace time.Duration
	// PrepareAhead is how long before its start a reserved rental's image is pulled.
	PrepareAhead time.Duration
	// Retention is how long the log and the results of a workload that ended by
	// itself are kept after its rental closed, for the renter to fetch.
	Retention time.Duration
	// HandAgain is the wait before a report that is not on chain yet is handed
	// to the agent again. The agent keeps it, so this mends a lost agent state.
	HandAgain time.Duration
}

// Plan says what to do next, by rental, at most one action for each. It is a
// pure function. Where something could not be looked at it does nothing, except
// for a deadline that passed long ago by the local clock.
func Plan(v View, p Policy) []Action {
	if v.Workloads == nil {
		return nil
	}
	ids := make(map[uint64]bool)
	for id := range v.Workloads {
		ids[id] = true
	}
	for id := range v.Records {
		ids[id] = true
	}
	held := heldGPUs(v)

	var actions []Action
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if v.Busy[id] || v.Workloads[id].State == engine.StateUnknown {
			continue
		}
		a, ok := planOne(v, p, id, held)
		if !ok || v.Now.Before(v.RetryAt[Step{id, a.Kind}]) {
			continue
		}
		a.RentalID = id
		actions = append(actions, a)
	}
	return actions
}

func planOne(v View, p Policy, id uint64, held map[uint32]uint64) (Action, bool) {
	st, there := v.Workloads[id]
	rec := v.Records[id]
	if v.Chain == nil {
		if running(st) && !rec.EndsAt.IsZero() && v.Now.After(rec.EndsAt.Add(p.grace(rec.Renews))) {
			return Action{Kind: KindStop, Why: "end passed by the local clock and the chain can't be reached"}, true
		}
		return Action{}, false
	}
	if v.Chain.Closed[id] {
		return planClosed(v, p, st, there)
	}
	r, open := v.Chain.Open[id]
	switch {
	case !open:
		return Action{}, false
	case there && st.ManifestDigest != hex.EncodeToString(r.ManifestDigest):
		return end(st, "workload is not the one on chain")
	case over(r, v.Chain.Time, p):
		return Action{Kind: KindStop, Why: "end reached"}, running(st)
	case !there && r.State == markettypes.RENTAL_STATE_RESERVED:
		return planPrepare(v, p, r, rec)
	case !there:
		return planStart(r, rec, p, held)
	case r.State == markettypes.RENTAL_STATE_PENDING:
		// A short job may have ended before its start is on chain.
		due := ran(st) && due(v.Now, rec.StartHandedAt, p)
		return Action{Kind: KindHandStart, Digest: r.ManifestDigest, Why: "runs"}, due
	case r.State != markettypes.RENTAL_STATE_ACTIVE:
		return Action{}, false
	case running(st):
		want := endsAt(r).Add(p.grace(renews(r)))
		return Action{Kind: KindSetDeadline, Deadline: want, Why: "end moved"}, st.Deadline.Sub(want).Abs() > time.Second
	case endedByItself(st) && r.Result == nil:
		return Action{Kind: KindHandResult, Why: string(st.Reason)}, due(v.Now, rec.ResultHandedAt, p)
	}
	return Action{}, false
}

// grace is how long a workload may run after its end while nobody can say whether
// the end has moved.
func (p Policy) grace(renews bool) time.Duration {
	if renews {
		return max(p.ClockGrace, p.RenewalGrace)
	}
	return p.ClockGrace
}

// renews reports a rental that the chain extends by itself at its end.
func renews(r markettypes.Rental) bool {
	return r.Type == markettypes.RENTAL_TYPE_SUBSCRIPTION && r.Subscription != nil && !r.Subscription.Cancelled && r.NoticeEndsAt == nil
}

// over reports that the end has come by block time. At the end of a period the
// newest block's time may be known before what that block did: a subscription is
// over when the chain says so, or doesn't for long.
func over(r markettypes.Rental, now time.Time, p Policy) bool {
	ends := endsAt(r)
	if renews(r) {
		ends = ends.Add(p.ClockGrace)
	}
	return r.EndsAt != nil && !now.Before(ends)
}

// planPrepare pulls the image of a reserved rental before its time. Whether that
// works or not, it is started when the chain says that it is due.
func planPrepare(v View, p Policy, r markettypes.Rental, rec store.Record) (Action, bool) {
	if len(rec.Manifest) == 0 || rec.Prepared || r.Reservation == nil {
		return Action{}, false
	}
	near := !v.Chain.Time.Before(r.Reservation.StartAt.Add(-p.PrepareAhead))
	return Action{Kind: KindPrepare, Digest: r.ManifestDigest, Why: "reserved"}, near
}

func planClosed(v View, p Policy, st engine.Status, there bool) (Action, bool) {
	switch {
	case !there:
		return Action{Kind: KindForget, Why: "rental is closed"}, true
	case endedByItself(st) && v.Now.Before(st.ExitedAt.Add(p.Retention)):
		return Action{}, false
	}
	return end(st, "rental is closed")
}

// planStart starts what never ended. A host that was restarted finds its
// workloads ended (ReasonLost), not absent, so nothing runs twice.
func planStart(r markettypes.Rental, rec store.Record, p Policy, held map[uint32]uint64) (Action, bool) {
	if len(rec.Manifest) == 0 || rec.Failure != "" || rec.Result != nil {
		return Action{}, false
	}
	for _, g := range r.Gpus {
		if holder, ok := held[g]; ok && holder != r.Id {
			return Action{}, false // its last renter's workload is still in its grace
		}
	}
	a := Action{Kind: KindStart, Digest: r.ManifestDigest, GPUs: r.Gpus, Why: "rented and not running"}
	switch r.State {
	case markettypes.RENTAL_STATE_PENDING:
		// Not known before the start is confirmed; not earlier than this.
		a.Deadline = r.StartBy.Add(time.Duration(r.DurationSeconds)*time.Second + p.grace(renews(r)))
	case markettypes.RENTAL_STATE_ACTIVE:
		a.Deadline = endsAt(r).Add(p.grace(renews(r)))
	default:
		return Action{}, false
	}
	return a, true
}

// end stops what runs and wipes what has ended.
func end(st engine.Status, why string) (Action, bool) {
	if running(st) {
		return Action{Kind: KindStop, Why: why}, true
	}
	return Action{Kind: KindRemove, Why: why}, true
}

// heldGPUs tells which rental's workload may still use a GPU.
func heldGPUs(v View) map[uint32]uint64 {
	held := make(map[uint32]uint64)
	for id, rec := range v.Records {
		st := v.Workloads[id]
		if running(st) || st.State == engine.StateUnknown {
			for _, g := range rec.GPUs {
				held[g] = id
			}
		}
	}
	return held
}
