//go:build linux && cgo

package gpu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// NVML reads NVIDIA GPUs through the driver's library. It opens the library when
// it is first needed and again after the driver went away. Construct it with NewNVML.
type NVML struct {
	path string
	log  *slog.Logger

	busy chan struct{} // holds one token while no call is under way

	// Below: only touched by the holder of the token.
	lib    nvml.Interface
	can    abilities
	events nvml.EventSet
	driver string
	known  []Device            // by index, from the last good listing
	xids   map[string][]uint64 // by UUID, not yet sampled
}

var _ Source = (*NVML)(nil)

// NewNVML returns a source on the library at path, or on the system's
// libnvidia-ml.so.1 when path is empty. It does not open it yet.
func NewNVML(path string, log *slog.Logger) *NVML {
	s := &NVML{path: path, log: log.With("part", "gpu"), busy: make(chan struct{}, 1), xids: map[string][]uint64{}}
	s.busy <- struct{}{}
	return s
}

// Kind implements Source.
func (s *NVML) Kind() Kind { return KindNVML }

// Devices implements Source.
func (s *NVML) Devices(ctx context.Context) ([]Device, error) {
	return locked(ctx, s, func() ([]Device, error) {
		if err := s.open(); err != nil {
			return nil, err
		}
		if err := s.list(); err != nil {
			return nil, err
		}
		return append([]Device(nil), s.known...), nil
	})
}

// Sample implements Source.
func (s *NVML) Sample(ctx context.Context) (Sample, error) {
	return locked(ctx, s, s.sample)
}

// Attest implements Source.
func (s *NVML) Attest(context.Context, int, [32]byte) (Report, error) {
	return Report{}, fmt.Errorf("%w: not yet", ErrUnsupported)
}

// Close implements Source.
func (s *NVML) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := locked(ctx, s, func() (struct{}, error) { s.shutdown(); return struct{}{}, nil })
	return err
}

// locked runs fn alone, in a goroutine of its own: a broken driver can hang a
// call for minutes, and then the caller gets ErrBusy instead of hanging with it.
func locked[T any](ctx context.Context, s *NVML, fn func() (T, error)) (T, error) {
	var zero T
	select {
	case <-s.busy:
	case <-ctx.Done():
		return zero, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { s.busy <- struct{}{} }()
		v, err := fn()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		return zero, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
}

// open loads and initialises the library, unless that is done already.
func (s *NVML) open() error {
	if s.lib != nil {
		return nil
	}
	path, err := libraryPath(s.path)
	if err != nil {
		return err
	}
	if err := loadable(path); err != nil {
		return err
	}
	lib := nvml.New(nvml.WithLibraryPath(path))
	if ret := lib.Init(); ret != nvml.SUCCESS {
		// Init leaves the library loaded; Shutdown would answer "uninitialized",
		// so this mapping stays. It is small, and the loader shares it.
		return gone("nvmlInit", ret)
	}
	s.lib, s.can = lib, probe(lib)
	version, ret := lib.SystemGetDriverVersion()
	if ret != nvml.SUCCESS {
		return s.fail("nvmlSystemGetDriverVersion", ret)
	}
	s.driver = version
	if err := s.list(); err != nil {
		return err
	}
	s.registerEvents()
	s.log.Info("driver opened", "driver", version, "gpus", len(s.known))
	return nil
}

// shutdown gives the library back. Errors mean that the driver is gone already.
func (s *NVML) shutdown() {
	if s.lib == nil {
		return
	}
	if s.events != nil {
		_ = s.lib.EventSetFree(s.events)
		s.events = nil
	}
	_ = s.lib.Shutdown()
	s.lib = nil
}

// fail closes the library, so that the next call opens it anew.
func (s *NVML) fail(call string, ret nvml.Return) error {
	s.shutdown()
	return gone(call, ret)
}

func gone(call string, ret nvml.Return) error {
	kind := ErrDriverGone
	if ret == nvml.ERROR_LIB_RM_VERSION_MISMATCH {
		kind = ErrDriverUpdated
	}
	return fmt.Errorf("%w: %s: %s", kind, call, retName(ret))
}

// list reads the devices. A GPU that is lost keeps what was known of its index.
func (s *NVML) list() error {
	n, ret := s.lib.DeviceGetCount()
	if ret != nvml.SUCCESS {
		return s.fail("nvmlDeviceGetCount", ret)
	}
	devices := make([]Device, 0, n)
	for i := range n {
		d, ret := s.device(i)
		switch {
		case ret == nvml.SUCCESS:
			devices = append(devices, d)
		case gpuLost(ret):
			if i < len(s.known) {
				devices = append(devices, s.known[i])
			}
		default:
			return s.fail(fmt.Sprintf("device %d", i), ret)
		}
	}
	s.known = devices
	return nil
}

func (s *NVML) device(i int) (Device, nvml.Return) {
	h, ret := s.lib.DeviceGetHandleByIndex(i)
	if ret != nvml.SUCCESS {
		return Device{}, ret
	}
	d := Device{Index: i, Driver: s.driver}
	if d.UUID, ret = h.GetUUID(); ret != nvml.SUCCESS {
		return d, ret
	}
	if d.Name, ret = h.GetName(); ret != nvml.SUCCESS {
		return d, ret
	}
	mem, ret := h.GetMemoryInfo()
	if ret != nvml.SUCCESS {
		return d, ret
	}
	d.MemoryMiB = mem.Total >> 20
	if s.can.pci {
		pci, ret := h.GetPciInfo()
		if ret == nvml.SUCCESS {
			d.PCIBusID = fmt.Sprintf("%08X:%02X:%02X.0", pci.Domain, pci.Bus, pci.Device)
		} else if gpuLost(ret) {
			return d, ret
		}
	}
	return d, nvml.SUCCESS
}

// gpuLost reports a fault of one GPU, as against one of the driver.
func gpuLost(r nvml.Return) bool {
	return r == nvml.ERROR_GPU_IS_LOST || r == nvml.ERROR_RESET_REQUIRED || r == nvml.ERROR_GPU_NOT_FOUND
}

// driverLost reports that no call will succeed until the driver is opened anew.
func driverLost(r nvml.Return) bool {
	switch r {
	case nvml.ERROR_UNINITIALIZED, nvml.ERROR_DRIVER_NOT_LOADED, nvml.ERROR_LIB_RM_VERSION_MISMATCH,
		nvml.ERROR_LIBRARY_NOT_FOUND, nvml.ERROR_UNKNOWN, nvml.ERROR_OPERATING_SYSTEM:
		return true
	}
	return false
}

// IsTransient reports whether a source's error mends itself when the driver returns.
func IsTransient(err error) bool { return errors.Is(err, ErrDriverGone) || errors.Is(err, ErrBusy) }
