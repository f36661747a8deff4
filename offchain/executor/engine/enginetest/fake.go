// Package enginetest has an engine for tests of its callers. It runs nothing.
package enginetest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// Fake keeps workloads in memory and obeys the contract of engine.Engine. A
// caller's restart is a new caller on the same Fake.
type Fake struct {
	mu        sync.Mutex
	now       func() time.Time
	workloads map[uint64]*entry
	starts    map[uint64]int
	errs      map[string]error
}

type entry struct {
	workload engine.Workload
	status   engine.Status
	log      string
	results  map[string]string
}

var _ engine.Engine = (*Fake)(nil)

// NewFake returns an engine without workloads. now is its clock.
func NewFake(now func() time.Time) *Fake {
	return &Fake{now: now, workloads: map[uint64]*entry{}, starts: map[uint64]int{}, errs: map[string]error{}}
}

// Fail makes the named method ("Start", "Status", …) return err until it is nil.
func (f *Fake) Fail(method string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs[method] = err
}

// Exit ends a running workload by itself.
func (f *Fake) Exit(rentalID uint64, code int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.workloads[rentalID]; e != nil {
		f.end(e, engine.ReasonCompleted, code, true)
	}
}

// Lose ends a running workload as a reboot does.
func (f *Fake) Lose(rentalID uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.workloads[rentalID]; e != nil {
		f.end(e, engine.ReasonLost, 0, false)
	}
}

// WriteLog adds to a workload's log.
func (f *Fake) WriteLog(rentalID uint64, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.workloads[rentalID]; e != nil {
		e.log += text
	}
}

// WriteResult puts a file at a path in the workload.
func (f *Fake) WriteResult(rentalID uint64, path, content string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.workloads[rentalID]; e != nil {
		e.results[path] = content
	}
}

// Starts is how often the workload was really started, not how often Start was called.
func (f *Fake) Starts(rentalID uint64) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.starts[rentalID]
}

// Workload returns what Start was given.
func (f *Fake) Workload(rentalID uint64) (engine.Workload, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, ok := f.workloads[rentalID]
	if !ok {
		return engine.Workload{}, false
	}
	return e.workload, true
}

func (f *Fake) end(e *entry, reason engine.Reason, code int, known bool) {
	if e.status.State != engine.StateRunning {
		return
	}
	e.status.State, e.status.PID = engine.StateExited, 0
	e.status.ExitedAt, e.status.Reason = f.now(), reason
	e.status.ExitCode, e.status.ExitKnown = code, known
}

// find must be called with the lock held.
func (f *Fake) find(method string, rentalID uint64) (*entry, error) {
	if err := f.errs[method]; err != nil {
		return nil, err
	}
	e, ok := f.workloads[rentalID]
	if !ok {
		return nil, fmt.Errorf("rental %d: %w", rentalID, engine.ErrNotFound)
	}
	if d := e.status.Deadline; !d.IsZero() && !f.now().Before(d) {
		f.end(e, engine.ReasonDeadline, 143, true)
	}
	return e, nil
}

// Name implements engine.Engine.
func (f *Fake) Name() string { return "fake" }

// Start implements engine.Engine.
func (f *Fake) Start(_ context.Context, w engine.Workload) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.errs["Start"]; err != nil {
		return err
	}
	digest, err := w.Manifest.DigestHex()
	if err != nil {
		return err
	}
	if e, ok := f.workloads[w.RentalID]; ok {
		if e.status.ManifestDigest != digest {
			return fmt.Errorf("rental %d: %w", w.RentalID, engine.ErrConflict)
		}
		return nil
	}
	f.starts[w.RentalID]++
	f.workloads[w.RentalID] = &entry{workload: w, results: map[string]string{}, status: engine.Status{
		RentalID: w.RentalID, ManifestDigest: digest, State: engine.StateRunning,
		PID: 1, StartedAt: f.now(), Deadline: w.Deadline,
	}}
	return nil
}

// Stop implements engine.Engine.
func (f *Fake) Stop(_ context.Context, rentalID uint64, _ time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.find("Stop", rentalID)
	if err != nil {
		return err
	}
	f.end(e, engine.ReasonStopped, 143, true)
	return nil
}

// SetDeadline implements engine.Engine.
func (f *Fake) SetDeadline(_ context.Context, rentalID uint64, deadline time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.find("SetDeadline", rentalID)
	if err != nil {
		return err
	}
	e.status.Deadline = deadline
	return nil
}

// Status implements engine.Engine.
func (f *Fake) Status(_ context.Context, rentalID uint64) (engine.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.find("Status", rentalID)
	if err != nil {
		return engine.Status{}, err
	}
	return e.status, nil
}

// List implements engine.Engine.
func (f *Fake) List(context.Context) ([]engine.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.errs["List"]; err != nil {
		return nil, err
	}
	all := []engine.Status{}
	for _, id := range slices.Sorted(maps.Keys(f.workloads)) {
		e, err := f.find("List", id)
		if err != nil {
			return nil, err
		}
		all = append(all, e.status)
	}
	slices.SortFunc(all, func(a, b engine.Status) int { return cmp.Compare(a.RentalID, b.RentalID) })
	return all, nil
}

// Logs implements engine.Engine. It does not wait, with Follow or without.
func (f *Fake) Logs(_ context.Context, rentalID uint64, opts engine.LogOptions) (io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.find("Logs", rentalID)
	if err != nil {
		return nil, err
	}
	text := e.log
	if n := int64(len(text)); opts.TailBytes > 0 && n > opts.TailBytes {
		text = text[n-opts.TailBytes:]
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// Exec implements engine.Engine: it echoes the arguments.
func (f *Fake) Exec(_ context.Context, rentalID uint64, p engine.ExecProcess) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.find("Exec", rentalID)
	if err != nil {
		return 0, err
	}
	if e.status.State != engine.StateRunning {
		return 0, fmt.Errorf("rental %d: %w", rentalID, engine.ErrNotRunning)
	}
	if p.Stdout != nil {
		if _, err := fmt.Fprintln(p.Stdout, strings.Join(p.Args, " ")); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// Stats implements engine.Engine.
func (f *Fake) Stats(_ context.Context, rentalID uint64) (engine.Stats, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.find("Stats", rentalID)
	if err != nil {
		return engine.Stats{}, err
	}
	if e.status.State != engine.StateRunning {
		return engine.Stats{}, fmt.Errorf("rental %d: %w", rentalID, engine.ErrNotRunning)
	}
	return engine.Stats{At: f.now(), CPUNanos: -1, MemoryBytes: -1, PIDs: 1, DiskBytes: -1}, nil
}

// Dial implements engine.Engine.
func (f *Fake) Dial(context.Context, uint64, uint16) (net.Conn, error) {
	return nil, engine.ErrUnsupported
}

// Remove implements engine.Engine.
func (f *Fake) Remove(_ context.Context, rentalID uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.errs["Remove"]; err != nil {
		return err
	}
	if e, ok := f.workloads[rentalID]; ok && e.status.State == engine.StateRunning {
		return fmt.Errorf("rental %d: %w", rentalID, engine.ErrRunning)
	}
	delete(f.workloads, rentalID)
	return nil
}
