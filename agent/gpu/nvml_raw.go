//go:build (linux && !cgo) || windows

package gpu

import (
	"bytes"
	"fmt"
	"unsafe"
)

// rawLibrary calls the library's functions by their addresses. Only how a library is
// loaded and an address called differs by system: see dynamic and invoke.
type rawLibrary struct {
	procs
	handle dynamic
}

// openLibrary loads the library at path, or the system's, and refuses one that
// lacks a required call.
func openLibrary(path string) (library, error) {
	handle, path, err := openDynamic(path)
	if err != nil {
		return nil, err
	}
	l := &rawLibrary{procs: resolve(handle.lookup), handle: handle}
	if name, bad := l.missing(); bad {
		handle.close()
		return nil, fmt.Errorf("%w: %s lacks %s", ErrDriverTooOld, path, name)
	}
	return l, nil
}

// do calls a function. The pragma keeps what the arguments point to alive and in
// place until it returns, if the conversion to uintptr stands in the call itself.
//
//go:uintptrescapes
func (l *rawLibrary) do(c call, args ...uintptr) ret {
	if l.procs[c] == 0 {
		return noFunction
	}
	return ret(int32(invoke(l.procs[c], args...))) // an enum in the low half of the register
}

func (l *rawLibrary) init() ret     { return l.do(callInit) }
func (l *rawLibrary) shutdown() ret { return l.do(callShutdown) }
func (l *rawLibrary) unload()       { l.handle.close() }

// Sizes of text buffers: NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE, and
// NVML_DEVICE_UUID_V2_BUFFER_SIZE, which is that of names as well.
const (
	versionSize = 80
	textSize    = 96
)

func (l *rawLibrary) driverVersion() (string, ret) {
	b := make([]byte, versionSize)
	r := l.do(callDriverVersion, uintptr(unsafe.Pointer(&b[0])), versionSize)
	return text(b), r
}

func (l *rawLibrary) deviceCount() (int, ret) {
	var n uint32
	r := l.do(callCount, uintptr(unsafe.Pointer(&n)))
	return int(n), r
}

func (l *rawLibrary) device(i int) (libraryDevice, ret) {
	var h uintptr
	r := l.do(callHandle, uintptr(i), uintptr(unsafe.Pointer(&h)))
	return rawDevice{l, h}, r
}

func (l *rawLibrary) newEvents() (libraryEvents, ret) {
	var set uintptr
	r := l.do(callEventCreate, uintptr(unsafe.Pointer(&set)))
	return rawEvents{l, set}, r
}

func (l *rawLibrary) ccCaps() (v ccCaps, r ret) {
	r = l.do(callCCCaps, uintptr(unsafe.Pointer(&v)))
	return v, r
}

func (l *rawLibrary) ccState() (v ccState, r ret) {
	r = l.do(callCCState, uintptr(unsafe.Pointer(&v)))
	return v, r
}

func (l *rawLibrary) ccSettings() (ccSettings, ret) {
	v := ccSettings{version: ccSettingsV1}
	r := l.do(callCCSettings, uintptr(unsafe.Pointer(&v)))
	return v, r
}

// text returns what C wrote up to its NUL.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

type rawDevice struct {
	l *rawLibrary
	h uintptr
}

func (d rawDevice) text(c call) (string, ret) {
	b := make([]byte, textSize)
	r := d.l.do(c, d.h, uintptr(unsafe.Pointer(&b[0])), textSize)
	return text(b), r
}

func (d rawDevice) number(c call) (n uint32, r ret) {
	r = d.l.do(c, d.h, uintptr(unsafe.Pointer(&n)))
	return n, r
}

func (d rawDevice) uuid() (string, ret)         { return d.text(callUUID) }
func (d rawDevice) name() (string, ret)         { return d.text(callName) }
func (d rawDevice) power() (uint32, ret)        { return d.number(callPower) }
func (d rawDevice) architecture() (uint32, ret) { return d.number(callArchitecture) }

func (d rawDevice) temperature() (n uint32, r ret) {
	const onDie = 0 // NVML_TEMPERATURE_GPU
	r = d.l.do(callTemperature, d.h, onDie, uintptr(unsafe.Pointer(&n)))
	return n, r
}

func (d rawDevice) memory() (v memory, r ret) {
	r = d.l.do(callMemory, d.h, uintptr(unsafe.Pointer(&v)))
	return v, r
}

func (d rawDevice) pci() (v pciInfo, r ret) {
	r = d.l.do(callPCI, d.h, uintptr(unsafe.Pointer(&v)))
	return v, r
}

func (d rawDevice) utilization() (v utilization, r ret) {
	r = d.l.do(callUtilization, d.h, uintptr(unsafe.Pointer(&v)))
	return v, r
}

func (d rawDevice) eccErrors(t eccType) (n uint64, r ret) {
	r = d.l.do(callECC, d.h, uintptr(t), eccVolatile, uintptr(unsafe.Pointer(&n)))
	return n, r
}

func (d rawDevice) remapped() (pending, failed bool, r ret) {
	var v [4]uint32 // corrected, uncorrected, pending, failed
	r = d.l.do(callRemapped, d.h, uintptr(unsafe.Pointer(&v[0])), uintptr(unsafe.Pointer(&v[1])),
		uintptr(unsafe.Pointer(&v[2])), uintptr(unsafe.Pointer(&v[3])))
	return v[2] != 0, v[3] != 0, r
}

func (d rawDevice) certificate(out *certificate) ret {
	return d.l.do(callCertificate, d.h, uintptr(unsafe.Pointer(out)))
}

func (d rawDevice) report(io *report) ret {
	return d.l.do(callReport, d.h, uintptr(unsafe.Pointer(io)))
}

// event is nvmlEventData_t, with the device as the handle that it is in C. Version 1 of
// the call leaves the MIG instances at the end out.
type event struct {
	device          uintptr
	eventType, data uint64
	_               [2]uint32
}

// The size that nvml.h gives it: go-nvml's has an interface in it, to compare with.
var _ = [32]byte([unsafe.Sizeof(event{})]byte{})

type rawEvents struct {
	l   *rawLibrary
	set uintptr
}

func (e rawEvents) add(d libraryDevice) ret {
	return e.l.do(callEventAdd, d.(rawDevice).h, eventXid, e.set)
}

func (e rawEvents) next() (xidEvent, ret) {
	var v event
	r := e.l.do(callEventWait, e.set, uintptr(unsafe.Pointer(&v)), 0)
	if r != success || v.eventType != eventXid {
		return xidEvent{}, r
	}
	return xidEvent{rawDevice{e.l, v.device}, v.data}, success
}

func (e rawEvents) free() { _ = e.l.do(callEventFree, e.set) }
