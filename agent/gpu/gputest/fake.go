// Package gputest has a deterministic GPU source for tests.
package gputest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/grafilab/grafi/agent/gpu"
)

// Fake is a source whose GPUs do what the test says. It is safe for concurrent use.
type Fake struct {
	mu    sync.Mutex
	n     int
	gone  bool
	flags map[int]gpu.Flags
	sign  func(index int, nonce [32]byte) (gpu.Report, error)
}

var _ gpu.Source = (*Fake)(nil)

// New returns n healthy GPUs.
func New(n int) *Fake { return &Fake{n: n, flags: map[int]gpu.Flags{}} }

// UUID returns the UUID of GPU i.
func UUID(i int) string { return fmt.Sprintf("GPU-fake-%d", i) }

// SetDriverGone takes the driver away, or brings it back.
func (f *Fake) SetDriverGone(gone bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gone = gone
}

// SetFlags sets the condition of GPU i.
func (f *Fake) SetFlags(i int, flags gpu.Flags) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flags[i] = flags
}

// SetAttest makes the GPUs answer attestation requests; without it they have none.
func (f *Fake) SetAttest(sign func(index int, nonce [32]byte) (gpu.Report, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sign = sign
}

// Attest implements gpu.Source.
func (f *Fake) Attest(_ context.Context, index int, nonce [32]byte) (gpu.Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.gone:
		return gpu.Report{}, gpu.ErrDriverGone
	case index < 0 || index >= f.n || f.flags[index].Has(gpu.FlagLost):
		return gpu.Report{}, fmt.Errorf("%w: index %d", gpu.ErrNoGPU, index)
	case f.sign == nil:
		return gpu.Report{}, gpu.ErrUnsupported
	}
	return f.sign(index, nonce)
}

// Kind implements gpu.Source.
func (f *Fake) Kind() gpu.Kind { return gpu.KindFake }

// Devices implements gpu.Source.
func (f *Fake) Devices(context.Context) ([]gpu.Device, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return nil, gpu.ErrDriverGone
	}
	out := make([]gpu.Device, f.n)
	for i := range out {
		out[i] = gpu.Device{Index: i, Name: "NVIDIA Fake 8GB", UUID: UUID(i), MemoryMiB: 8192,
			PCIBusID: fmt.Sprintf("00000000:%02X:00.0", i+1), Driver: "550.54"}
	}
	return out, nil
}

// Sample implements gpu.Source.
func (f *Fake) Sample(context.Context) (gpu.Sample, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return gpu.Sample{}, gpu.ErrDriverGone
	}
	s := gpu.Sample{TakenAt: time.Now().UTC(), Kind: gpu.KindFake}
	for i := range f.n {
		s.Readings = append(s.Readings, gpu.Reading{UUID: UUID(i), Flags: f.flags[i], MemoryTotalMiB: 8192})
	}
	return s, nil
}

// Close implements gpu.Source.
func (f *Fake) Close() error { return nil }
