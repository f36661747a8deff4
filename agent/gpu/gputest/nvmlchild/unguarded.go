//go:build linux && cgo

package main

import "github.com/NVIDIA/go-nvml/pkg/nvml"

// unguarded makes a call without looking whether the library has it, as no other
// code of ours does.
func unguarded(path string) {
	lib := nvml.New(nvml.WithLibraryPath(path))
	_ = lib.Init()
	h, _ := lib.DeviceGetHandleByIndex(0)
	_, _ = h.GetUtilizationRates()
}
