//go:build linux && cgo

package gpu

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/stretchr/testify/require"
)

// TestLayouts compares our structs with those that go-nvml generates from nvml.h: the
// same size, and a field of the same size wherever one begins.
func TestLayouts(t *testing.T) {
	for name, pair := range map[string][2]any{
		"memory":      {memory{}, nvml.Memory{}},
		"utilization": {utilization{}, nvml.Utilization{}},
		"pci":         {pciInfo{}, nvml.PciInfo{}},
		"caps":        {ccCaps{}, nvml.ConfComputeSystemCaps{}},
		"state":       {ccState{}, nvml.ConfComputeSystemState{}},
		"settings":    {ccSettings{}, nvml.SystemConfComputeSettings{}},
		"certificate": {certificate{}, nvml.ConfComputeGpuCertificate{}},
		"report":      {report{}, nvml.ConfComputeGpuAttestationReport{}},
		"event":       {event{}, nvml.EventData{}},
	} {
		want := layout(pair[1])
		if name == "event" { // go-nvml's device is an interface of two words
			require.Equal(t, []string{"0+8", "8+8", "16+8", "24+4", "28+4", "=32"}, layout(pair[0]))
			continue
		}
		require.Equal(t, want, layout(pair[0]), name)
	}
	require.EqualValues(t, nvml.STRUCT_VERSION(ccSettings{}, 1), ccSettingsV1)
	require.EqualValues(t, nvml.EventTypeXidCriticalError, eventXid)
	require.EqualValues(t, nvml.DEVICE_ARCH_HOPPER, archHopper)
	require.EqualValues(t, nvml.MEMORY_ERROR_TYPE_UNCORRECTED, eccUncorrected)
	require.EqualValues(t, nvml.MEMORY_ERROR_TYPE_CORRECTED, eccCorrected)
	require.EqualValues(t, nvml.VOLATILE_ECC, eccVolatile)
	for r, want := range map[ret]nvml.Return{
		success: nvml.SUCCESS, uninitialized: nvml.ERROR_UNINITIALIZED, invalidArgument: nvml.ERROR_INVALID_ARGUMENT,
		notSupported: nvml.ERROR_NOT_SUPPORTED, noPermission: nvml.ERROR_NO_PERMISSION,
		driverNotLoaded: nvml.ERROR_DRIVER_NOT_LOADED, timedOut: nvml.ERROR_TIMEOUT, noLibrary: nvml.ERROR_LIBRARY_NOT_FOUND,
		noFunction: nvml.ERROR_FUNCTION_NOT_FOUND, gpuIsLost: nvml.ERROR_GPU_IS_LOST, resetRequired: nvml.ERROR_RESET_REQUIRED,
		operatingSystem: nvml.ERROR_OPERATING_SYSTEM, versionMismatch: nvml.ERROR_LIB_RM_VERSION_MISMATCH,
		inUse: nvml.ERROR_IN_USE, notReady: nvml.ERROR_NOT_READY, gpuNotFound: nvml.ERROR_GPU_NOT_FOUND, unknownError: nvml.ERROR_UNKNOWN,
	} {
		require.EqualValues(t, want, r)
	}
}

// layout lists where the fields of a struct begin and how long they are. Arrays of
// signed and unsigned bytes are alike.
func layout(v any) []string {
	typ := reflect.TypeOf(v)
	var out []string
	for f := range typ.NumField() {
		out = append(out, fmt.Sprintf("%d+%d", typ.Field(f).Offset, typ.Field(f).Type.Size()))
	}
	return append(out, fmt.Sprintf("=%d", typ.Size()))
}
