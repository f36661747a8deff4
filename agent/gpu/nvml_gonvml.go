//go:build linux && cgo

package gpu

import (
	"fmt"

	"github.com/NVIDIA/go-nvml/pkg/dl"
	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// binding names how this build calls the library.
const binding = "go-nvml"

// goNVML calls through NVIDIA's own binding. It binds lazily: to call a function
// that the loaded library lacks ends the process with "symbol lookup error", and
// nothing can catch that. So procs says which there are, looked up beforehand.
type goNVML struct {
	procs
	lib nvml.Interface
}

// openLibrary loads the library at path, or the system's, and refuses one that
// lacks a required call before go-nvml is let near it.
func openLibrary(path string) (library, error) {
	path, err := libraryPath(path, "libnvidia-ml.so.1")
	if err != nil {
		return nil, err
	}
	handle := dl.New(path, dl.RTLD_LAZY|dl.RTLD_LOCAL)
	if err := handle.Open(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoLibrary, err)
	}
	defer func() { _ = handle.Close() }() // go-nvml opens it again for itself
	found := resolve(func(name string) uintptr {
		if handle.Lookup(name) == nil {
			return 1
		}
		return 0
	})
	if name, bad := found.missing(); bad {
		return nil, fmt.Errorf("%w: %s lacks %s", ErrDriverTooOld, path, name)
	}
	return &goNVML{procs: found, lib: nvml.New(nvml.WithLibraryPath(path))}, nil
}

func (l *goNVML) init() ret     { return ret(l.lib.Init()) }
func (l *goNVML) shutdown() ret { return ret(l.lib.Shutdown()) }

// unload does nothing: Shutdown unloads. After an Init that failed the library stays
// loaded, for Shutdown answers "uninitialized" then; the loader shares that mapping.
func (l *goNVML) unload() {}

func (l *goNVML) driverVersion() (string, ret) { return as(l.lib.SystemGetDriverVersion()) }
func (l *goNVML) deviceCount() (int, ret)      { return as(l.lib.DeviceGetCount()) }

func (l *goNVML) device(i int) (libraryDevice, ret) {
	d, r := l.lib.DeviceGetHandleByIndex(i)
	return goDevice{d}, ret(r)
}

func (l *goNVML) newEvents() (libraryEvents, ret) {
	set, r := l.lib.EventSetCreate()
	return goEvents{l.lib, set}, ret(r)
}

func (l *goNVML) ccCaps() (ccCaps, ret) {
	v, r := l.lib.SystemGetConfComputeCapabilities()
	return ccCaps{v.CpuCaps, v.GpusCaps}, ret(r)
}

func (l *goNVML) ccState() (ccState, ret) {
	v, r := l.lib.SystemGetConfComputeState()
	return ccState{v.Environment, v.CcFeature, v.DevToolsMode}, ret(r)
}

func (l *goNVML) ccSettings() (ccSettings, ret) {
	v, r := l.lib.SystemGetConfComputeSettings()
	return ccSettings{v.Version, v.Environment, v.CcFeature, v.DevToolsMode, v.MultiGpuMode}, ret(r)
}

// as converts a call's return value to ours.
func as[T any](v T, r nvml.Return) (T, ret) { return v, ret(r) }

type goDevice struct{ d nvml.Device }

func (g goDevice) uuid() (string, ret)  { return as(g.d.GetUUID()) }
func (g goDevice) name() (string, ret)  { return as(g.d.GetName()) }
func (g goDevice) power() (uint32, ret) { return as(g.d.GetPowerUsage()) }

func (g goDevice) temperature() (uint32, ret) { return as(g.d.GetTemperature(nvml.TEMPERATURE_GPU)) }

func (g goDevice) memory() (memory, ret) {
	v, r := g.d.GetMemoryInfo()
	return memory{v.Total, v.Free, v.Used}, ret(r)
}

func (g goDevice) pci() (pciInfo, ret) {
	v, r := g.d.GetPciInfo()
	return pciInfo{domain: v.Domain, bus: v.Bus, device: v.Device}, ret(r)
}

func (g goDevice) utilization() (utilization, ret) {
	v, r := g.d.GetUtilizationRates()
	return utilization{v.Gpu, v.Memory}, ret(r)
}

func (g goDevice) eccErrors(t eccType) (uint64, ret) {
	return as(g.d.GetTotalEccErrors(nvml.MemoryErrorType(t), eccVolatile))
}

func (g goDevice) remapped() (pending, failed bool, _ ret) {
	_, _, pending, failed, r := g.d.GetRemappedRows()
	return pending, failed, ret(r)
}

func (g goDevice) architecture() (uint32, ret) {
	v, r := g.d.GetArchitecture()
	return uint32(v), ret(r)
}

func (g goDevice) certificate(out *certificate) ret {
	v, r := g.d.GetConfComputeGpuCertificate()
	*out = certificate{attestationChainSize: v.AttestationCertChainSize, attestationChain: v.AttestationCertChain}
	return ret(r)
}

func (g goDevice) report(io *report) ret {
	v := nvml.ConfComputeGpuAttestationReport{Nonce: io.nonce}
	r := g.d.GetConfComputeGpuAttestationReport(&v)
	*io = report{size: v.AttestationReportSize, nonce: v.Nonce, report: v.AttestationReport}
	return ret(r)
}

type goEvents struct {
	lib nvml.Interface
	set nvml.EventSet
}

func (e goEvents) add(d libraryDevice) ret {
	return ret(d.(goDevice).d.RegisterEvents(eventXid, e.set))
}

func (e goEvents) next() (xidEvent, ret) {
	v, r := e.set.Wait(0)
	if r != nvml.SUCCESS || v.EventType != eventXid {
		return xidEvent{}, ret(r)
	}
	return xidEvent{goDevice{v.Device}, v.EventData}, success
}

func (e goEvents) free() { _ = e.lib.EventSetFree(e.set) }
