// Package reconcile makes what runs on a host equal to what the chain says is
// rented: watch → plan → act → report. Every pass starts from what is there (the
// chain's open rentals, the engine's workloads, the store's records) and none of
// it from memory, so that a pass after a crash is a pass like any other.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/store"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// Tip is the newest block that a node has.
type Tip struct {
	Height     int64
	Time       time.Time
	CatchingUp bool
}

// Chain is what is read of the chain.
type Chain interface {
	Tip(ctx context.Context) (Tip, error)
	// OpenRentals returns all open rentals of a host.
	OpenRentals(ctx context.Context, hostID uint64) ([]markettypes.Rental, error)
	// Rental returns one rental; found is false when the chain answered that
	// there is none.
	Rental(ctx context.Context, rentalID uint64) (r markettypes.Rental, found bool, err error)
}

// View is all that a plan is made from.
type View struct {
	// Now is the local clock's time.
	Now time.Time
	// Chain is nil when it could not be looked at.
	Chain *ChainView
	// Workloads is nil when the engine could not be looked at.
	Workloads map[uint64]engine.Status
	Records   map[uint64]store.Record
	// Busy has the rentals for which an action is still under way.
	Busy map[uint64]bool
	// RetryAt holds back actions that failed.
	RetryAt map[Step]time.Time
}

// Step is one kind of action for one rental. Failures are counted by it, so that
// a report that fails never holds back a stop.
type Step struct {
	RentalID uint64
	Kind     Kind
}

// ChainView is what the chain said in one pass.
type ChainView struct {
	// Time is the newest block's.
	Time time.Time
	// Open has every open rental of the host.
	Open map[uint64]markettypes.Rental
	// Closed has the rentals of which the chain said so when asked by id: not
	// being in a list is no proof of a close.
	Closed map[uint64]bool
}

// errBehind says that a node's answer is older than what was seen before.
var errBehind = errors.New("node is behind")

// watch looks at everything. What could not be looked at is nil in the view, and
// why is in the error, which is not a reason to stop.
func (l *Loop) watch(ctx context.Context) (View, error) {
	v := View{Now: l.now(), Busy: l.busyNow(), RetryAt: l.retryNow()}
	records, err := l.store.All()
	if err != nil {
		return v, fmt.Errorf("store: %w", err)
	}
	v.Records = records

	var failures []error
	if v.Workloads, err = l.workloads(ctx); err != nil {
		failures = append(failures, fmt.Errorf("engine: %w", err))
	}
	if v.Chain, err = l.chainView(ctx, v.Workloads, records); err != nil {
		failures = append(failures, fmt.Errorf("chain: %w", err))
	}
	return v, errors.Join(failures...)
}

func (l *Loop) workloads(ctx context.Context) (map[uint64]engine.Status, error) {
	list, err := l.engine.List(ctx)
	if err != nil {
		return nil, err
	}
	m := make(map[uint64]engine.Status, len(list))
	for _, st := range list {
		m[st.RentalID] = st
	}
	return m, nil
}

func (l *Loop) chainView(ctx context.Context, workloads map[uint64]engine.Status, records map[uint64]store.Record) (*ChainView, error) {
	tip, err := l.chain.Tip(ctx)
	if err != nil {
		return nil, err
	}
	if tip.CatchingUp || tip.Height < l.height {
		return nil, fmt.Errorf("%w: at height %d, seen before %d", errBehind, tip.Height, l.height)
	}
	open, err := l.chain.OpenRentals(ctx, l.hostID)
	if err != nil {
		return nil, err
	}
	cv := &ChainView{Time: tip.Time, Open: make(map[uint64]markettypes.Rental, len(open)), Closed: make(map[uint64]bool)}
	for _, r := range open {
		cv.Open[r.Id] = r
	}
	unlisted := make(map[uint64]bool)
	for id := range workloads {
		unlisted[id] = true
	}
	for id := range records {
		unlisted[id] = true
	}
	for id := range unlisted {
		if _, ok := cv.Open[id]; ok {
			continue
		}
		r, found, err := l.chain.Rental(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("rental %d: %w", id, err)
		}
		if found && r.State != markettypes.RENTAL_STATE_CLOSED && r.HostId == l.hostID {
			cv.Open[id] = r // opened, or moved to another page, between two queries
			continue
		}
		cv.Closed[id] = true
	}
	l.height = tip.Height
	return cv, nil
}

// remember keeps what the chain says for the time when it can't be asked.
func (l *Loop) remember(v View) error {
	if v.Chain == nil {
		return nil
	}
	for id, rec := range v.Records {
		r, ok := v.Chain.Open[id]
		if !ok {
			continue
		}
		ends, renewed := endsAt(r), renews(r)
		if rec.EndsAt.Equal(ends) && rec.Renews == renewed && len(rec.GPUs) == len(r.Gpus) {
			continue
		}
		err := l.store.Update(id, func(rec *store.Record) { rec.EndsAt, rec.Renews, rec.GPUs = ends, renewed, r.Gpus })
		if err != nil {
			return fmt.Errorf("rental %d: %w", id, err)
		}
	}
	return nil
}

// endsAt is the end, or that of a notice before it: the operator's, or that of a
// preemption. It is the zero time before the start is confirmed.
func endsAt(r markettypes.Rental) time.Time {
	switch {
	case r.EndsAt == nil:
		return time.Time{}
	case r.NoticeEndsAt != nil && r.NoticeEndsAt.Before(*r.EndsAt):
		return r.NoticeEndsAt.UTC()
	}
	return r.EndsAt.UTC()
}
