package attest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grafilab/grafi/agent/gpu"
)

// restartAfter is the least time that the agent runs before it asks to be started
// again for an updated driver, so that a machine which needs a reboot is not kept busy.
const restartAfter = 5 * time.Minute

// sampleEvery returns the time between two samples.
func (a *Agent) sampleEvery() time.Duration {
	return min(a.cfg.SampleEvery, max(time.Second, a.slotLength()/5))
}

func (a *Agent) sampleLoop(ctx context.Context) error {
	for {
		began := time.Now()
		if err := a.sampleOnce(ctx); err != nil {
			return err
		}
		if err := sleep(ctx, max(0, a.sampleEvery()-time.Since(began))); err != nil {
			return err
		}
	}
}

// sampleOnce reads the GPUs and stores what was seen. It fails only when that
// can't be stored, or when the process must be started again.
func (a *Agent) sampleOnce(ctx context.Context) error {
	timeout, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s, err := a.source.Sample(timeout)
	if errors.Is(err, gpu.ErrDriverGone) {
		s, err = a.source.Sample(timeout) // it may have been restarted just now
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r := Record{TakenAt: a.clock.now(), Kind: a.source.Kind(), Readings: s.Readings}
	r.Executor, r.Workloads = a.workloads.state(time.Now())
	a.observer.Sampled(r, err)
	if errors.Is(err, gpu.ErrBusy) {
		// No answer is no observation; a slot with too few of them is not attested.
		a.log.Warn("driver did not answer", "err", err)
		return nil
	}
	if err != nil {
		r.DriverError = err.Error()
	}
	a.noteDriver(r)
	if err := a.store.PutRecord(r); err != nil {
		return err
	}
	if errors.Is(err, gpu.ErrDriverUpdated) && time.Since(a.started) > restartAfter {
		return fmt.Errorf("start again: %w", err)
	}
	return nil
}

// noteDriver keeps the newest sample and logs a change of the driver's presence.
func (a *Agent) noteDriver(r Record) {
	a.mu.Lock()
	before := a.last.DriverError
	a.last = r
	a.mu.Unlock()
	switch {
	case r.DriverError != "" && before == "":
		a.log.Error("GPUs can't be read, their slots count as down until the driver returns", "err", r.DriverError)
	case r.DriverError == "" && before != "":
		a.log.Info("driver is back", "gpus", len(r.Readings))
	}
}
