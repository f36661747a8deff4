//go:build linux && cgo

package gpu

import (
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// sample reads every device that the driver lists now, and marks as lost those
// that it listed before and does not list any more.
func (s *NVML) sample() (Sample, error) {
	if err := s.open(); err != nil {
		return Sample{}, err
	}
	n, ret := s.lib.DeviceGetCount()
	if ret != nvml.SUCCESS {
		return Sample{}, s.fail("nvmlDeviceGetCount", ret)
	}
	if n > len(s.known) { // a card came back, or was added
		if err := s.list(); err != nil {
			return Sample{}, err
		}
		s.registerEvents()
	}
	s.drainEvents()

	out := Sample{TakenAt: time.Now().UTC(), Kind: KindNVML}
	seen := make(map[string]bool, n)
	for i := range n {
		r, ret := s.reading(i)
		if driverLost(ret) {
			return Sample{}, s.fail("device reading", ret)
		}
		if r.UUID != "" && !seen[r.UUID] {
			seen[r.UUID] = true
			out.Readings = append(out.Readings, r)
		}
	}
	for _, d := range s.known {
		if !seen[d.UUID] {
			out.Readings = append(out.Readings, s.finish(Reading{UUID: d.UUID, Flags: FlagLost, Unsupported: noneRead}))
		}
	}
	return out, nil
}

// reading reads one device. The return value is SUCCESS or that of a lost driver.
func (s *NVML) reading(i int) (Reading, nvml.Return) {
	h, ret := s.lib.DeviceGetHandleByIndex(i)
	if ret != nvml.SUCCESS {
		if driverLost(ret) {
			return Reading{}, ret
		}
		return Reading{}, nvml.SUCCESS // its UUID is unknown: found missing by sample
	}
	uuid, ret := h.GetUUID()
	if ret != nvml.SUCCESS {
		if driverLost(ret) {
			return Reading{}, ret
		}
		return Reading{}, nvml.SUCCESS
	}
	r := Reading{UUID: uuid}
	// note files one call's outcome: read, unsupported, this GPU lost, or the driver lost.
	note := func(ret nvml.Return, bit Unsupported) (ok bool) {
		switch {
		case ret == nvml.SUCCESS:
			return true
		case gpuLost(ret):
			r.Flags |= FlagLost
		}
		r.Unsupported |= bit
		return false
	}

	mem, ret := h.GetMemoryInfo()
	if driverLost(ret) {
		return r, ret
	}
	if note(ret, NoMemory) {
		r.MemoryUsedMiB, r.MemoryTotalMiB = mem.Used>>20, mem.Total>>20
	}
	if v, ret := guarded(s.can.utilization, h.GetUtilizationRates); note(ret, NoUtilization) {
		r.UtilizationPercent = v.Gpu
	}
	if v, ret := guarded(s.can.temperature, func() (uint32, nvml.Return) { return h.GetTemperature(nvml.TEMPERATURE_GPU) }); note(ret, NoTemperature) {
		r.TemperatureC = v
	}
	if v, ret := guarded(s.can.power, h.GetPowerUsage); note(ret, NoPower) {
		r.PowerMilliwatt = v
	}
	s.readECC(h, &r, note)
	if s.events == nil {
		r.Unsupported |= NoXid
	}
	if !s.can.pci {
		r.Unsupported |= NoPCI
	}
	return s.finish(r), nvml.SUCCESS
}

func (s *NVML) readECC(h nvml.Device, r *Reading, note func(nvml.Return, Unsupported) bool) {
	ecc := func(t nvml.MemoryErrorType) func() (uint64, nvml.Return) {
		return func() (uint64, nvml.Return) { return h.GetTotalEccErrors(t, nvml.VOLATILE_ECC) }
	}
	if v, ret := guarded(s.can.ecc, ecc(nvml.MEMORY_ERROR_TYPE_UNCORRECTED)); note(ret, NoECC) {
		r.ECCUncorrected = v
		if v > 0 {
			r.Flags |= FlagECC
		}
	}
	if v, ret := guarded(s.can.ecc, ecc(nvml.MEMORY_ERROR_TYPE_CORRECTED)); note(ret, NoECC) {
		r.ECCCorrected = v
	}
	if !s.can.remap {
		r.Unsupported |= NoRemap
		return
	}
	_, _, pending, failed, ret := h.GetRemappedRows()
	if note(ret, NoRemap) {
		if pending {
			r.Flags |= FlagRemapPending
		}
		if failed {
			r.Flags |= FlagRemapFailed
		}
	}
}

// guarded calls fn when the library has it, and answers "not supported" otherwise.
func guarded[T any](has bool, fn func() (T, nvml.Return)) (T, nvml.Return) {
	if !has {
		var zero T
		return zero, nvml.ERROR_NOT_SUPPORTED
	}
	return fn()
}

// finish adds the Xids that came since the sample before.
func (s *NVML) finish(r Reading) Reading {
	r.Xids = s.xids[r.UUID]
	delete(s.xids, r.UUID)
	r.Flags |= xidFlags(r.Xids)
	return r
}

// registerEvents subscribes to Xid events of every device. Cards that don't
// offer them are left out; without any, NoXid is set.
func (s *NVML) registerEvents() {
	if s.events != nil {
		_ = s.lib.EventSetFree(s.events)
		s.events = nil
	}
	if !s.can.xid {
		return
	}
	set, ret := s.lib.EventSetCreate()
	if ret != nvml.SUCCESS {
		return
	}
	registered := 0
	for _, d := range s.known {
		if h, ret := s.lib.DeviceGetHandleByIndex(d.Index); ret == nvml.SUCCESS &&
			h.RegisterEvents(nvml.EventTypeXidCriticalError, set) == nvml.SUCCESS {
			registered++
		}
	}
	if registered == 0 {
		_ = s.lib.EventSetFree(set)
		return
	}
	s.events = set
}

// maxEvents bounds the events taken at one sample.
const maxEvents = 256

// drainEvents takes the waiting events without waiting for more.
func (s *NVML) drainEvents() {
	if s.events == nil {
		return
	}
	for range maxEvents {
		e, ret := s.events.Wait(0)
		if ret != nvml.SUCCESS {
			return // a timeout: there is none, or a fault that the next reading finds
		}
		if e.EventType != nvml.EventTypeXidCriticalError {
			continue
		}
		if uuid, ret := e.Device.GetUUID(); ret == nvml.SUCCESS {
			s.xids[uuid] = append(s.xids[uuid], e.EventData)
			continue
		}
		// The GPU is too far gone to say who it is: blame every one, since the
		// attestation must not claim more than is known.
		for _, d := range s.known {
			s.xids[d.UUID] = append(s.xids[d.UUID], e.EventData)
		}
	}
}
