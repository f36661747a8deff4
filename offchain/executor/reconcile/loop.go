package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/store"
)

// maxBackoff bounds the wait after an action failed again and again.
const maxBackoff = time.Minute

// Images makes a manifest's image available to the engine.
type Images interface {
	// Pull fetches and unpacks registry/name@digest unless it is there already,
	// and fails when the content does not have the digest.
	Pull(ctx context.Context, ref string) (engine.Image, error)
}

// Devices names the devices of a rental's GPUs for the engine; count is how
// many of them the manifest wants.
type Devices func(ctx context.Context, ordinals []uint32, count uint32) ([]string, error)

// Store is what must survive a crash; *store.Store implements it.
type Store interface {
	All() (map[uint64]store.Record, error)
	Get(rentalID uint64) (r store.Record, ok bool, err error)
	Update(rentalID uint64, change func(*store.Record)) error
	Delete(rentalID uint64) error
}

// Config is what a Loop is made of.
type Config struct {
	HostID   uint64
	Chain    Chain
	Engine   engine.Engine
	Images   Images
	Devices  Devices
	Agent    Agent
	Store    Store
	Policy   Policy
	Interval time.Duration
	Now      func() time.Time
	Log      *slog.Logger
}

// Loop reconciles one host. Construct it with New.
type Loop struct {
	hostID   uint64
	chain    Chain
	engine   engine.Engine
	images   Images
	devices  Devices
	agent    Agent
	store    Store
	policy   Policy
	interval time.Duration
	now      func() time.Time
	log      *slog.Logger

	height int64 // of the newest block seen; used by one pass at a time
	wake   chan struct{}

	mu       sync.Mutex
	busy     map[uint64]bool
	failures map[Step]failure
	lastPass time.Time
	lastErr  error
	actions  sync.WaitGroup
}

type failure struct {
	count   int
	retryAt time.Time
	err     error
}

// New returns a Loop that has not started.
func New(c Config) *Loop {
	return &Loop{
		hostID: c.HostID, chain: c.Chain, engine: c.Engine, images: c.Images, devices: c.Devices,
		agent: c.Agent, store: c.Store, policy: c.Policy, interval: c.Interval, now: c.Now,
		log:  c.Log.With("part", "reconcile"),
		wake: make(chan struct{}, 1), busy: make(map[uint64]bool), failures: make(map[Step]failure),
	}
}

// Wake asks for a pass soon. It never blocks.
func (l *Loop) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run makes a pass now, after every interval, and whenever it is woken, until
// ctx ends, which is a clean stop. Workloads go on without it.
func (l *Loop) Run(ctx context.Context) error {
	tick := time.NewTicker(l.interval)
	defer tick.Stop()
	defer l.actions.Wait()
	for {
		if err := l.pass(ctx); err != nil && ctx.Err() == nil {
			l.log.WarnContext(ctx, "pass incomplete", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-l.wake:
		}
	}
}

// Once makes one pass and waits for its actions.
func (l *Loop) Once(ctx context.Context) error {
	err := l.pass(ctx)
	l.actions.Wait()
	return err
}

// pass is watch → plan → act → report. The actions go on behind it.
func (l *Loop) pass(ctx context.Context) error {
	v, watchErr := l.watch(ctx)
	l.mu.Lock()
	l.lastPass, l.lastErr = v.Now, watchErr
	l.mu.Unlock()
	if v.Records == nil {
		return watchErr
	}
	if err := l.remember(v); err != nil {
		return errors.Join(watchErr, fmt.Errorf("store: %w", err))
	}
	for _, a := range Plan(v, l.policy) {
		l.dispatch(ctx, a)
	}
	if err := l.report(ctx, v); err != nil {
		return errors.Join(watchErr, fmt.Errorf("agent: %w", err))
	}
	return watchErr
}

// dispatch runs an action beside the loop, so that a slow pull or a long grace
// holds back no other rental's deadline. A rental has one action at a time.
func (l *Loop) dispatch(ctx context.Context, a Action) {
	l.mu.Lock()
	l.busy[a.RentalID] = true
	l.mu.Unlock()
	l.actions.Go(func() {
		err := l.act(ctx, a)
		l.finish(ctx, a, err)
		l.Wake()
	})
}

func (l *Loop) finish(ctx context.Context, a Action, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.busy, a.RentalID)
	log := l.log.With("rental", a.RentalID, "action", string(a.Kind), "why", a.Why)
	if err == nil {
		delete(l.failures, Step{a.RentalID, a.Kind})
		if a.Kind == KindForget {
			maps.DeleteFunc(l.failures, func(s Step, _ failure) bool { return s.RentalID == a.RentalID })
		}
		log.InfoContext(ctx, "done")
		return
	}
	if ctx.Err() != nil {
		return // the executor stops; the next one goes on from here
	}
	f := l.failures[Step{a.RentalID, a.Kind}]
	f.count, f.err = f.count+1, err
	f.retryAt = l.now().Add(min(time.Second<<min(f.count-1, 10), maxBackoff))
	l.failures[Step{a.RentalID, a.Kind}] = f
	log.WarnContext(ctx, "failed", "err", err, "retry_at", f.retryAt)
}

// Obstacle is why a rental's image can't be pulled or its workload can't be
// started for now; nil when the last try did not fail.
func (l *Loop) Obstacle(rentalID uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f, ok := l.failures[Step{rentalID, KindStart}]; ok {
		return f.err
	}
	return l.failures[Step{rentalID, KindPrepare}].err
}

// Health is when the last pass was made, and what it could not look at.
func (l *Loop) Health() (at time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lastPass, l.lastErr
}

func (l *Loop) busyNow() map[uint64]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := make(map[uint64]bool, len(l.busy))
	for id := range l.busy {
		m[id] = true
	}
	return m
}

func (l *Loop) retryNow() map[Step]time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := make(map[Step]time.Time, len(l.failures))
	for step, f := range l.failures {
		m[step] = f.retryAt
	}
	return m
}
