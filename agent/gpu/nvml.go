package gpu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// NVML reads NVIDIA GPUs through the driver's library. It opens the library when
// it is first needed and again after the driver went away. Construct it with NewNVML.
type NVML struct {
	path string
	log  *slog.Logger
	gate gate

	// Below: only touched by the holder of the gate's token.
	lib    library // nil while closed
	events libraryEvents
	driver string
	known  []Device            // by index, from the last good listing
	xids   map[string][]uint64 // by UUID, not yet sampled
}

var _ Source = (*NVML)(nil)

// NewNVML returns a source on the library at path, or on the system's when path is
// empty: libnvidia-ml.so.1 on Linux, nvml.dll on Windows. It does not open it yet.
func NewNVML(path string, log *slog.Logger) *NVML {
	return &NVML{path: path, log: log.With("part", "gpu"), gate: newGate(), xids: map[string][]uint64{}}
}

// Kind implements Source.
func (s *NVML) Kind() Kind { return KindNVML }

// Devices implements Source.
func (s *NVML) Devices(ctx context.Context) ([]Device, error) {
	return locked(ctx, s.gate, func() ([]Device, error) {
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
	return locked(ctx, s.gate, s.sample)
}

// Attest implements Source.
func (s *NVML) Attest(ctx context.Context, index int, nonce [32]byte) (Report, error) {
	return locked(ctx, s.gate, func() (Report, error) { return s.attest(index, nonce) })
}

// Close implements Source.
func (s *NVML) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := locked(ctx, s.gate, func() (struct{}, error) { s.shutdown(); return struct{}{}, nil })
	return err
}

// open loads and initialises the library, unless that is done already.
func (s *NVML) open() error {
	if s.lib != nil {
		return nil
	}
	lib, err := openLibrary(s.path)
	if err != nil {
		return err
	}
	if r := lib.init(); r != success {
		lib.unload()
		return gone("nvmlInit", r)
	}
	s.lib = lib
	version, r := lib.driverVersion()
	if r != success {
		return s.fail("nvmlSystemGetDriverVersion", r)
	}
	s.driver = version
	if err := s.list(); err != nil {
		return err
	}
	s.subscribe()
	s.log.Info("driver opened", "driver", version, "gpus", len(s.known), "binding", binding)
	return nil
}

// shutdown gives the library back. Errors mean that the driver is gone already.
func (s *NVML) shutdown() {
	if s.lib == nil {
		return
	}
	if s.events != nil {
		s.events.free()
		s.events = nil
	}
	// A library that could not end its work may still have some under way in its
	// code: then it stays mapped, and the loader shares it with the next opening.
	if s.lib.shutdown() == success {
		s.lib.unload()
	}
	s.lib = nil
}

// fail closes the library, so that the next call opens it anew.
func (s *NVML) fail(call string, r ret) error {
	s.shutdown()
	return gone(call, r)
}

func gone(call string, r ret) error {
	kind := ErrDriverGone
	if r == versionMismatch {
		kind = ErrDriverUpdated
	}
	return fmt.Errorf("%w: %s: %s", kind, call, r)
}

// list reads the devices. A GPU that is lost keeps what was known of its index.
func (s *NVML) list() error {
	n, r := s.lib.deviceCount()
	if r != success {
		return s.fail("nvmlDeviceGetCount", r)
	}
	devices := make([]Device, 0, n)
	for i := range n {
		d, r := s.describe(i)
		switch {
		case r == success:
			devices = append(devices, d)
		case r.gpuLost():
			if i < len(s.known) {
				devices = append(devices, s.known[i])
			}
		default:
			return s.fail(fmt.Sprintf("device %d", i), r)
		}
	}
	s.known = devices
	return nil
}

func (s *NVML) describe(i int) (Device, ret) {
	h, r := s.lib.device(i)
	if r != success {
		return Device{}, r
	}
	d := Device{Index: i, Driver: s.driver}
	if d.UUID, r = h.uuid(); r != success {
		return d, r
	}
	if d.Name, r = h.name(); r != success {
		return d, r
	}
	mem, r := h.memory()
	if r != success {
		return d, r
	}
	d.MemoryMiB = mem.total >> 20
	if s.lib.has(callPCI) {
		pci, r := h.pci()
		if r == success {
			d.PCIBusID = fmt.Sprintf("%08X:%02X:%02X.0", pci.domain, pci.bus, pci.device)
		} else if r.gpuLost() {
			return d, r
		}
	}
	return d, success
}

// IsTransient reports whether a source's error mends itself when the driver returns.
func IsTransient(err error) bool { return errors.Is(err, ErrDriverGone) || errors.Is(err, ErrBusy) }
