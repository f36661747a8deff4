package gpu

import "fmt"

// library is NVIDIA's management library, loaded. There are two: go-nvml with cgo,
// and our own calls by address without it and on Windows. Both only call; what the
// answers mean is decided once, in nvml.go and its neighbours.
type library interface {
	// has reports whether the library has the call. To make one that it lacks
	// answers FUNCTION_NOT_FOUND at best, and ends the process with go-nvml.
	has(c call) bool
	init() ret
	shutdown() ret
	// unload gives the library back to the loader, after shutdown.
	unload()

	driverVersion() (string, ret)
	deviceCount() (int, ret)
	device(index int) (libraryDevice, ret)
	newEvents() (libraryEvents, ret)
	ccCaps() (ccCaps, ret)
	ccState() (ccState, ret)
	ccSettings() (ccSettings, ret)
}

// libraryDevice is a handle, good until the library is shut down.
type libraryDevice interface {
	uuid() (string, ret)
	name() (string, ret)
	memory() (memory, ret)
	pci() (pciInfo, ret)
	utilization() (utilization, ret)
	temperature() (uint32, ret)
	power() (uint32, ret)
	eccErrors(t eccType) (uint64, ret)
	remapped() (pending, failed bool, r ret)
	architecture() (uint32, ret)
	certificate(*certificate) ret
	// report reads and fills the struct: the nonce goes in, the report comes out.
	report(*report) ret
}

// libraryEvents is a subscription to Xid events.
type libraryEvents interface {
	add(libraryDevice) ret
	// next takes a waiting event; TIMEOUT says that there is none.
	next() (xidEvent, ret)
	free()
}

// xidEvent is an event; device is nil when it is not an Xid.
type xidEvent struct {
	device libraryDevice
	xid    uint64
}

// call is one function of the library.
type call int

const (
	callInit call = iota
	callShutdown
	callDriverVersion
	callCount
	callHandle
	callName
	callUUID
	callMemory
	callPCI
	callUtilization
	callTemperature
	callPower
	callECC
	callRemapped
	callEventCreate
	callEventFree
	callEventAdd
	callEventWait
	callArchitecture
	callCCCaps
	callCCState
	callCCSettings
	callCertificate
	callReport
	numCalls
)

// calls has the exported names of each call, newest first: an old driver has only
// the older ones. Without a required one a driver is of no use.
var calls = [numCalls]struct {
	names    []string
	required bool
}{
	callInit:          {[]string{"nvmlInit_v2", "nvmlInit"}, true},
	callShutdown:      {[]string{"nvmlShutdown"}, true},
	callDriverVersion: {[]string{"nvmlSystemGetDriverVersion"}, true},
	callCount:         {[]string{"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"}, true},
	callHandle:        {[]string{"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"}, true},
	callName:          {[]string{"nvmlDeviceGetName"}, true},
	callUUID:          {[]string{"nvmlDeviceGetUUID"}, true},
	callMemory:        {[]string{"nvmlDeviceGetMemoryInfo"}, true},
	callPCI:           {[]string{"nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo"}, false},
	callUtilization:   {[]string{"nvmlDeviceGetUtilizationRates"}, false},
	callTemperature:   {[]string{"nvmlDeviceGetTemperature"}, false},
	callPower:         {[]string{"nvmlDeviceGetPowerUsage"}, false},
	callECC:           {[]string{"nvmlDeviceGetTotalEccErrors"}, false},
	callRemapped:      {[]string{"nvmlDeviceGetRemappedRows"}, false},
	callEventCreate:   {[]string{"nvmlEventSetCreate"}, false},
	callEventFree:     {[]string{"nvmlEventSetFree"}, false},
	callEventAdd:      {[]string{"nvmlDeviceRegisterEvents"}, false},
	callEventWait:     {[]string{"nvmlEventSetWait_v2", "nvmlEventSetWait"}, false},
	callArchitecture:  {[]string{"nvmlDeviceGetArchitecture"}, false},
	callCCCaps:        {[]string{"nvmlSystemGetConfComputeCapabilities"}, false},
	callCCState:       {[]string{"nvmlSystemGetConfComputeState"}, false},
	callCCSettings:    {[]string{"nvmlSystemGetConfComputeSettings"}, false},
	callCertificate:   {[]string{"nvmlDeviceGetConfComputeGpuCertificate"}, false},
	callReport:        {[]string{"nvmlDeviceGetConfComputeGpuAttestationReport"}, false},
}

// procs is where each call is in the library that is loaded: 0 for "not there".
type procs [numCalls]uintptr

// resolve looks every call up, under its newest name that there is.
func resolve(lookup func(name string) uintptr) procs {
	var p procs
	for c := range calls {
		for _, name := range calls[c].names {
			if p[c] = lookup(name); p[c] != 0 {
				break
			}
		}
	}
	return p
}

func (p *procs) has(c call) bool { return p[c] != 0 }

// missing returns the first required call that the library lacks.
func (p *procs) missing() (string, bool) {
	for c := range calls {
		if calls[c].required && p[c] == 0 {
			return calls[c].names[0], true
		}
	}
	return "", false
}

// ret is an nvmlReturn_t.
type ret int32

// Of NVML's return values, those that we tell apart or name.
const (
	success         ret = 0
	uninitialized   ret = 1
	invalidArgument ret = 2
	notSupported    ret = 3
	noPermission    ret = 4
	driverNotLoaded ret = 9
	timedOut        ret = 10
	noLibrary       ret = 12
	noFunction      ret = 13
	gpuIsLost       ret = 15
	resetRequired   ret = 16
	operatingSystem ret = 17
	versionMismatch ret = 18
	inUse           ret = 19
	notReady        ret = 27
	gpuNotFound     ret = 28
	unknownError    ret = 999
)

var retNames = map[ret]string{
	uninitialized:   "uninitialized",
	invalidArgument: "invalid argument",
	notSupported:    "not supported",
	noPermission:    "no permission (may this user open the driver's devices?)",
	driverNotLoaded: "driver is not loaded",
	timedOut:        "timeout",
	noLibrary:       "library not found",
	noFunction:      "function not found",
	gpuIsLost:       "GPU is lost",
	resetRequired:   "GPU must be reset",
	operatingSystem: "GPU is blocked by the operating system or a cgroup",
	versionMismatch: "library and kernel module differ (driver updated: reload it or restart the machine)",
	inUse:           "GPU is in use",
	notReady:        "not ready",
	gpuNotFound:     "GPU not found",
	unknownError:    "unknown error",
}

// String names the value without asking the library, which may be gone or lack
// nvmlErrorString.
func (r ret) String() string {
	if n, ok := retNames[r]; ok {
		return n
	}
	return fmt.Sprintf("NVML error %d", int32(r))
}

// gpuLost reports a fault of one GPU, as against one of the driver.
func (r ret) gpuLost() bool { return r == gpuIsLost || r == resetRequired || r == gpuNotFound }

// driverLost reports that no call will succeed until the driver is opened anew.
func (r ret) driverLost() bool {
	switch r {
	case uninitialized, driverNotLoaded, versionMismatch, noLibrary, unknownError, operatingSystem:
		return true
	}
	return false
}
