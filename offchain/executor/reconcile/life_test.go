package reconcile_test

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/reconcile"
	"github.com/grafilab/grafi/offchain/executor/store"
)

// loop returns the life's executor.
func (l *life) loop() *reconcile.Loop {
	return reconcile.New(reconcile.Config{
		HostID: 4, Chain: l, Engine: lifeEngine{l.engine, l}, Images: l, Agent: l, Store: lifeStore{l},
		Devices: func(context.Context, []uint32, uint32) ([]string, error) { return nil, nil },
		Policy:  policy, Interval: time.Second, Now: l.clock, Log: slog.New(slog.DiscardHandler),
	})
}

// immortal returns a life that does not end.
func (w *world) immortal() *life { return &life{world: w, left: 1 << 30} }

// lifeEngine is the engine as a process reaches it.
type lifeEngine struct {
	engine.Engine
	life *life
}

func (e lifeEngine) Start(ctx context.Context, w engine.Workload) error {
	return e.life.call(func() error { return e.Engine.Start(ctx, w) })
}

func (e lifeEngine) Stop(ctx context.Context, id uint64, grace time.Duration) error {
	return e.life.call(func() error {
		e.life.world.mu.Lock()
		e.life.stopped[id] = e.life.now
		e.life.world.mu.Unlock()
		return e.Engine.Stop(ctx, id, grace)
	})
}

func (e lifeEngine) SetDeadline(ctx context.Context, id uint64, d time.Time) error {
	return e.life.call(func() error { return e.Engine.SetDeadline(ctx, id, d) })
}

func (e lifeEngine) Remove(ctx context.Context, id uint64) error {
	return e.life.call(func() error { return e.Engine.Remove(ctx, id) })
}

func (e lifeEngine) Status(ctx context.Context, id uint64) (st engine.Status, err error) {
	err = e.life.call(func() error { st, err = e.Engine.Status(ctx, id); return err })
	return st, err
}

func (e lifeEngine) List(ctx context.Context) (list []engine.Status, err error) {
	err = e.life.call(func() error { list, err = e.Engine.List(ctx); return err })
	return list, err
}

func (e lifeEngine) Results(ctx context.Context, id uint64) (list []engine.Result, err error) {
	err = e.life.call(func() error { list, err = e.Engine.Results(ctx, id); return err })
	return list, err
}

// lifeStore is the disk as a process reaches it.
type lifeStore struct{ life *life }

func (s lifeStore) All() (all map[uint64]store.Record, err error) {
	err = s.life.call(func() error {
		s.life.world.mu.Lock()
		defer s.life.world.mu.Unlock()
		all = maps.Clone(s.life.records)
		return nil
	})
	return all, err
}

func (s lifeStore) Get(id uint64) (r store.Record, ok bool, err error) {
	err = s.life.call(func() error {
		s.life.world.mu.Lock()
		defer s.life.world.mu.Unlock()
		r, ok = s.life.records[id]
		return nil
	})
	return r, ok, err
}

// Update lets go of the lock for the change, which may ask for the time.
func (s lifeStore) Update(id uint64, change func(*store.Record)) error {
	return s.life.call(func() error {
		s.life.world.mu.Lock()
		r := s.life.records[id]
		s.life.world.mu.Unlock()
		r.RentalID = id
		change(&r)
		s.life.world.mu.Lock()
		defer s.life.world.mu.Unlock()
		s.life.records[id] = r
		return nil
	})
}

func (s lifeStore) Delete(id uint64) error {
	return s.life.call(func() error {
		s.life.world.mu.Lock()
		defer s.life.world.mu.Unlock()
		delete(s.life.records, id)
		return nil
	})
}
