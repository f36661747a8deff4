package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/enginetest"
	"github.com/grafilab/grafi/offchain/executor/manifest"
	"github.com/grafilab/grafi/offchain/executor/reconcile"
	"github.com/grafilab/grafi/offchain/executor/store"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// world is what outlives an executor: the chain, the engine, the agent, the disk.
type world struct {
	mu      sync.Mutex
	now     time.Time
	height  int64
	rentals map[uint64]markettypes.Rental
	records map[uint64]store.Record
	engine  *enginetest.Fake

	serving []agentapi.Workload
	started map[uint64]int
	results map[uint64]agentapi.Result
	// contradiction is set when the agent was told two different things.
	contradiction error
	chainErr      error
	pullErr       error
	pulls         int
	stopped       map[uint64]time.Time
}

func newWorld() *world {
	w := &world{
		now: epoch, height: 1, rentals: map[uint64]markettypes.Rental{}, records: map[uint64]store.Record{},
		started: map[uint64]int{}, results: map[uint64]agentapi.Result{}, stopped: map[uint64]time.Time{},
	}
	w.engine = enginetest.NewFake(w.clock)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// job is a manifest whose digest differs by n.
func job(n int) manifest.Manifest {
	return manifest.Manifest{
		Image:     "localhost:5000/job@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		Args:      []string{fmt.Sprint(n)},
		Resources: manifest.Resources{CPUMillis: 100, MemoryMiB: 16},
		Volumes:   []manifest.Volume{{Name: "out", Path: "/out"}},
		Results:   []string{"/out/a"},
	}
}

// rent opens a rental on chain and puts its manifest where the gateway does.
func (w *world) rent(id uint64, seconds int, closeOnExit bool, gpu uint32) {
	m := job(int(id))
	digest, err := m.Digest()
	if err != nil {
		panic(err)
	}
	canonical, err := m.Canonical()
	if err != nil {
		panic(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rentals[id] = markettypes.Rental{
		Id: id, HostId: 4, Gpus: []uint32{gpu}, State: markettypes.RENTAL_STATE_PENDING, ManifestDigest: digest[:],
		CloseOnExit: closeOnExit, DurationSeconds: uint64(seconds), StartBy: w.now.Add(10 * time.Minute),
	}
	w.records[id] = store.Record{RentalID: id, Manifest: canonical, GPUs: []uint32{gpu}}
}

// reserve is rent for later, on GPU 0.
func (w *world) reserve(id uint64, ahead time.Duration, seconds int) {
	w.rent(id, seconds, false, 0)
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.rentals[id]
	r.State, r.Type = markettypes.RENTAL_STATE_RESERVED, markettypes.RENTAL_TYPE_RESERVED
	r.Reservation = &markettypes.Reservation{StartAt: w.now.Add(ahead)}
	w.rentals[id] = r
}

// preempt gives an interruptible rental its notice.
func (w *world) preempt(id uint64, notice time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.rentals[id]
	r.Type, r.NoticeEndsAt = markettypes.RENTAL_TYPE_INTERRUPTIBLE, new(w.now.Add(notice))
	w.rentals[id] = r
}

// subscribe makes a rental one of so many periods.
func (w *world) subscribe(id uint64, periods uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.rentals[id]
	r.Type, r.Subscription = markettypes.RENTAL_TYPE_SUBSCRIPTION, &markettypes.Subscription{Periods: periods - 1}
	w.rentals[id] = r
}

// stoppedAt is when the executor stopped the workload.
func (w *world) stoppedAt(id uint64) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopped[id]
}

// advance moves the clock; the chain confirms what the agent took and closes
// what is over, as its blocks would.
func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	w.height++
	for _, id := range slices.Sorted(maps.Keys(w.rentals)) {
		r := w.rentals[id]
		if r.State == markettypes.RENTAL_STATE_RESERVED && !w.now.Before(r.Reservation.StartAt) {
			r.State, r.StartBy = markettypes.RENTAL_STATE_PENDING, r.Reservation.StartAt.Add(10*time.Minute)
		}
		if r.State == markettypes.RENTAL_STATE_ACTIVE && r.NoticeEndsAt != nil && !w.now.Before(*r.NoticeEndsAt) {
			r.State, r.CloseReason = markettypes.RENTAL_STATE_CLOSED, markettypes.CLOSE_REASON_PREEMPTED
		}
		// A renewal is seen a second late, as when a block is saved and not executed.
		if sub := r.Subscription; sub != nil && r.State == markettypes.RENTAL_STATE_ACTIVE && !w.now.Before(*r.EndsAt) && sub.Periods > 0 {
			if w.now.After(*r.EndsAt) {
				r.Subscription = &markettypes.Subscription{Periods: sub.Periods - 1}
				r.EndsAt = new(r.EndsAt.Add(time.Duration(r.DurationSeconds) * time.Second))
			}
			w.rentals[id] = r
			continue
		}
		if r.State == markettypes.RENTAL_STATE_PENDING && w.started[id] > 0 {
			started, ends := w.now, w.now.Add(time.Duration(r.DurationSeconds)*time.Second)
			r.State, r.StartedAt, r.EndsAt = markettypes.RENTAL_STATE_ACTIVE, &started, &ends
		}
		if res, ok := w.results[id]; ok && r.State == markettypes.RENTAL_STATE_ACTIVE && r.Result == nil {
			r.Result = &markettypes.WorkloadResult{ExitKnown: !res.UnknownExit, ExitCode: res.ExitCode, OutputDigest: res.OutputDigest}
			if r.CloseOnExit {
				r.State, r.CloseReason = markettypes.RENTAL_STATE_CLOSED, markettypes.CLOSE_REASON_WORKLOAD_EXITED
			}
		}
		if r.State == markettypes.RENTAL_STATE_ACTIVE && !w.now.Before(*r.EndsAt) {
			r.State, r.CloseReason = markettypes.RENTAL_STATE_CLOSED, markettypes.CLOSE_REASON_END_REACHED
		}
		if r.State == markettypes.RENTAL_STATE_PENDING && !w.now.Before(r.StartBy) {
			r.State, r.CloseReason = markettypes.RENTAL_STATE_CLOSED, markettypes.CLOSE_REASON_NOT_STARTED
		}
		w.rentals[id] = r
	}
}

func (w *world) rental(id uint64) markettypes.Rental {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rentals[id]
}

var errDead = errors.New("this executor is dead")

// life is one executor process. After its last call nothing that it does has an
// effect any more, which is what SIGKILL at that call means.
type life struct {
	*world
	mu sync.Mutex
	// left calls are made; the one after them is the process's last.
	left int
	// lastHappens is whether the last call still has its effect.
	lastHappens bool
	dead        bool
}

// call makes one call of the process, as far as it lives.
func (l *life) call(fn func() error) error {
	l.mu.Lock()
	if l.dead {
		l.mu.Unlock()
		return errDead
	}
	if l.left > 0 {
		l.left--
		l.mu.Unlock()
		return fn()
	}
	l.dead = true
	happens := l.lastHappens
	l.mu.Unlock()
	if happens {
		_ = fn()
	}
	return errDead
}

func (l *life) Tip(context.Context) (t reconcile.Tip, err error) {
	err = l.call(func() error {
		l.world.mu.Lock()
		defer l.world.mu.Unlock()
		t = reconcile.Tip{Height: l.height, Time: l.now}
		return l.chainErr
	})
	return t, err
}

func (l *life) OpenRentals(_ context.Context, hostID uint64) (list []markettypes.Rental, err error) {
	err = l.call(func() error {
		l.world.mu.Lock()
		defer l.world.mu.Unlock()
		for _, r := range l.rentals {
			if r.HostId == hostID && r.State != markettypes.RENTAL_STATE_CLOSED {
				list = append(list, r)
			}
		}
		return l.chainErr
	})
	return list, err
}

func (l *life) Rental(_ context.Context, id uint64) (r markettypes.Rental, found bool, err error) {
	err = l.call(func() error {
		l.world.mu.Lock()
		defer l.world.mu.Unlock()
		r, found = l.rentals[id]
		return l.chainErr
	})
	return r, found, err
}

func (l *life) SetWorkloads(_ context.Context, ws agentapi.Workloads) error {
	return l.call(func() error {
		l.world.mu.Lock()
		defer l.world.mu.Unlock()
		l.serving = ws.Workloads
		return ws.Validate()
	})
}

func (l *life) Started(_ context.Context, s agentapi.Started) (rep agentapi.Report, err error) {
	err = l.call(func() error {
		l.world.mu.Lock()
		defer l.world.mu.Unlock()
		l.started[s.RentalID]++
		return s.Validate()
	})
	return rep, err
}

func (l *life) Result(_ context.Context, r agentapi.Result) (rep agentapi.Report, err error) {
	err = l.call(func() error {
		l.world.mu.Lock()
		defer l.world.mu.Unlock()
		if before, ok := l.results[r.RentalID]; ok && fmt.Sprint(before) != fmt.Sprint(r) {
			l.contradiction = fmt.Errorf("result of rental %d was %v, then %v", r.RentalID, before, r)
		}
		l.results[r.RentalID] = r
		return r.Validate()
	})
	return rep, err
}

func (l *life) Pull(context.Context, string) (img engine.Image, err error) {
	return img, l.call(func() error {
		l.world.mu.Lock()
		defer l.world.mu.Unlock()
		l.pulls++
		return l.pullErr
	})
}
