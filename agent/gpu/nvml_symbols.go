//go:build linux && cgo

package gpu

import (
	"fmt"
	"os"

	"github.com/NVIDIA/go-nvml/pkg/dl"
	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// go-nvml binds lazily: to call a function that the loaded library lacks ends the
// process with "symbol lookup error", and nothing can catch that. So every call
// is guarded by a look at the library's symbols, made once when it is opened.

// required are the calls without which a driver is of no use. Each inner list
// has the versions of one call that go-nvml can fall back to.
var required = [][]string{
	{"nvmlInit_v2", "nvmlInit"},
	{"nvmlShutdown"},
	{"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"},
	{"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"},
	{"nvmlDeviceGetName"},
	{"nvmlDeviceGetUUID"},
	{"nvmlDeviceGetMemoryInfo"},
	{"nvmlSystemGetDriverVersion"},
}

// abilities are the optional calls that the loaded library has.
type abilities struct {
	pci, utilization, temperature, power, ecc, remap, xid bool
}

// loadable reports whether the library is there and new enough, before go-nvml
// is let near it.
func loadable(path string) error {
	lib := dl.New(path, dl.RTLD_LAZY|dl.RTLD_LOCAL)
	if err := lib.Open(); err != nil {
		return fmt.Errorf("%w: %w", ErrNoLibrary, err)
	}
	defer func() { _ = lib.Close() }() // go-nvml opens it again for itself
	for _, versions := range required {
		if !anySymbol(lib.Lookup, versions...) {
			return fmt.Errorf("%w: %s lacks %s", ErrDriverTooOld, path, versions[0])
		}
	}
	return nil
}

// probe looks up the optional calls of the opened library.
func probe(lib nvml.Interface) abilities {
	has := func(all ...string) bool {
		for _, s := range all {
			if lib.Extensions().LookupSymbol(s) != nil {
				return false
			}
		}
		return true
	}
	return abilities{
		pci: anySymbol(lib.Extensions().LookupSymbol,
			"nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo"),
		utilization: has("nvmlDeviceGetUtilizationRates"),
		temperature: has("nvmlDeviceGetTemperature"),
		power:       has("nvmlDeviceGetPowerUsage"),
		ecc:         has("nvmlDeviceGetTotalEccErrors"),
		remap:       has("nvmlDeviceGetRemappedRows"),
		xid: has("nvmlEventSetCreate", "nvmlEventSetFree", "nvmlDeviceRegisterEvents") &&
			anySymbol(lib.Extensions().LookupSymbol, "nvmlEventSetWait_v2", "nvmlEventSetWait"),
	}
}

func anySymbol(lookup func(string) error, names ...string) bool {
	for _, n := range names {
		if lookup(n) == nil {
			return true
		}
	}
	return false
}

// retName names a return value without asking the library, which may be gone
// or lack nvmlErrorString.
func retName(r nvml.Return) string {
	names := map[nvml.Return]string{
		nvml.ERROR_UNINITIALIZED:           "uninitialized",
		nvml.ERROR_NOT_SUPPORTED:           "not supported",
		nvml.ERROR_NO_PERMISSION:           "no permission (are the /dev/nvidia* files readable?)",
		nvml.ERROR_DRIVER_NOT_LOADED:       "driver is not loaded",
		nvml.ERROR_TIMEOUT:                 "timeout",
		nvml.ERROR_LIBRARY_NOT_FOUND:       "library not found",
		nvml.ERROR_FUNCTION_NOT_FOUND:      "function not found",
		nvml.ERROR_GPU_IS_LOST:             "GPU is lost",
		nvml.ERROR_RESET_REQUIRED:          "GPU must be reset",
		nvml.ERROR_LIB_RM_VERSION_MISMATCH: "library and kernel module differ (driver updated: reload it or restart the machine)",
		nvml.ERROR_UNKNOWN:                 "unknown error",
	}
	if n, ok := names[r]; ok {
		return n
	}
	return fmt.Sprintf("NVML error %d", int(r))
}

// libraryPath returns the library to load: override, or the system's by name.
func libraryPath(override string) (string, error) {
	if override == "" {
		return "libnvidia-ml.so.1", nil
	}
	if _, err := os.Stat(override); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoLibrary, err)
	}
	return override, nil
}
