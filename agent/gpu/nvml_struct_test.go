//go:build linux && cgo

package gpu

import (
	"reflect"
	"strings"
	"testing"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/stretchr/testify/require"
)

// TestLayouts compares our structs with those that go-nvml generates from nvml.h.
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
	} {
		requireLayout(t, name, reflect.TypeOf(pair[0]), reflect.TypeOf(pair[1]))
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

// requireLayout checks that ours is as long as theirs, and that where it has a field
// theirs has one of that length whose name contains ours, letter by letter in order.
func requireLayout(t *testing.T, name string, ours, theirs reflect.Type) {
	t.Helper()
	require.Equal(t, theirs.Size(), ours.Size(), name)
	for i := range ours.NumField() {
		f := ours.Field(i)
		if f.Name == "_" {
			continue
		}
		found := false
		for j := range theirs.NumField() {
			g := theirs.Field(j)
			found = found || (g.Offset == f.Offset && g.Type.Size() == f.Type.Size() && within(f.Name, g.Name))
		}
		require.True(t, found, "%s.%s at %d, %d bytes", name, f.Name, f.Offset, f.Type.Size())
	}
}

// within reports whether short can be had by leaving letters out of long.
func within(short, long string) bool {
	for _, c := range strings.ToLower(long) {
		if short != "" && c == rune(strings.ToLower(short)[0]) {
			short = short[1:]
		}
	}
	return short == ""
}
