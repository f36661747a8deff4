package prove

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// ErrNoDriver means that the machine has no NVIDIA driver library.
var ErrNoDriver = errors.New("no NVIDIA driver")

// ErrDriverTooOld means that the driver lacks a call, or CUDA 11.0, that proving needs.
var ErrDriverTooOld = errors.New("NVIDIA driver is too old")

// minDriver is CUDA 11.0, the first that knows PTX 7.0.
const minDriver = 11000

// CUresult values that mean something to us.
const cudaOutOfMemory = 2

// CUdevice_attribute values.
const (
	attributeClockKHz        = 13
	attributeMultiprocessors = 16
	attributeMajor           = 75
	attributeMinor           = 76
	attributeSharedOptIn     = 97
)

const (
	scheduleBlocking      = 4 // CU_CTX_SCHED_BLOCKING_SYNC: waiting costs no CPU
	functionDynamicShared = 8 // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
)

// driver is the CUDA driver API, as far as proving needs it.
type driver struct{ lib *library }

// buffer is memory of a device.
type buffer uintptr

// do calls a function of the driver and makes its result an error.
//
//go:uintptrescapes
func (d driver) do(name string, args ...uintptr) error {
	r, err := d.lib.call(name, args...)
	if err != nil {
		return err
	}
	switch r {
	case 0:
		return nil
	case cudaOutOfMemory:
		return fmt.Errorf("%w: %s answers %s", ErrMemory, name, d.errorName(r))
	}
	return fmt.Errorf("%s answers %s", name, d.errorName(r))
}

func (d driver) errorName(r int32) string {
	var name *byte
	if code, err := d.lib.call("cuGetErrorName", uintptr(r), uintptr(unsafe.Pointer(&name))); err != nil || code != 0 || name == nil {
		return fmt.Sprintf("error %d", r)
	}
	long := unsafe.Slice(name, 64) // names are static and shorter
	for i := range long {
		if long[i] == 0 {
			return fmt.Sprintf("%s (%d)", long[:i], r)
		}
	}
	return fmt.Sprintf("error %d", r)
}

func (d driver) init() error {
	if err := d.do("cuInit", 0); err != nil {
		return fmt.Errorf("%w: %w", ErrNoDriver, err)
	}
	var version int32
	if err := d.do("cuDriverGetVersion", uintptr(unsafe.Pointer(&version))); err != nil {
		return err
	}
	if version < minDriver {
		return fmt.Errorf("%w: it has CUDA %d.%d, want 11.0 or later", ErrDriverTooOld, version/1000, version%1000/10)
	}
	return nil
}

func (d driver) devices() ([]Device, error) {
	var count int32
	if err := d.do("cuDeviceGetCount", uintptr(unsafe.Pointer(&count))); err != nil {
		return nil, err
	}
	devices := make([]Device, count)
	for i := range devices {
		if err := d.describe(i, &devices[i]); err != nil {
			return nil, fmt.Errorf("device %d: %w", i, err)
		}
	}
	return devices, nil
}

func (d driver) describe(index int, dev *Device) error {
	if err := d.do("cuDeviceGet", uintptr(unsafe.Pointer(&dev.handle)), uintptr(index)); err != nil {
		return err
	}
	var name, pci [128]byte
	var uuid [16]byte
	h := uintptr(dev.handle)
	if err := d.do("cuDeviceGetName", uintptr(unsafe.Pointer(&name)), uintptr(len(name)), h); err != nil {
		return err
	}
	if err := d.do("cuDeviceGetPCIBusId", uintptr(unsafe.Pointer(&pci)), uintptr(len(pci)), h); err != nil {
		return err
	}
	err := d.do("cuDeviceGetUuid_v2", uintptr(unsafe.Pointer(&uuid)), h)
	if errors.Is(err, ErrDriverTooOld) { // before CUDA 11.4
		err = d.do("cuDeviceGetUuid", uintptr(unsafe.Pointer(&uuid)), h)
	}
	if err != nil {
		return err
	}
	dev.Name, dev.PCI = text(name[:]), text(pci[:])
	dev.UUID = fmt.Sprintf("GPU-%x-%x-%x-%x-%x", uuid[:4], uuid[4:6], uuid[6:8], uuid[8:10], uuid[10:])
	for _, a := range []struct {
		attribute uintptr
		to        *int32
	}{
		{attributeClockKHz, &dev.ClockKHz},
		{attributeMultiprocessors, &dev.Multiprocessors},
		{attributeMajor, &dev.Major},
		{attributeMinor, &dev.Minor},
		{attributeSharedOptIn, &dev.sharedOptIn},
	} {
		if err := d.do("cuDeviceGetAttribute", uintptr(unsafe.Pointer(a.to)), a.attribute, h); err != nil {
			return err
		}
	}
	return nil
}

func text(b []byte) string {
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	return string(b)
}

// alloc takes memory of the current device.
func (d driver) alloc(size uint64) (b buffer, err error) {
	err = d.do("cuMemAlloc_v2", uintptr(unsafe.Pointer(&b)), uintptr(size))
	return b, err
}

func (d driver) free(b buffer) error { return d.do("cuMemFree_v2", uintptr(b)) }

// upload and download copy what is not empty.
func (d driver) upload(to buffer, from []byte) error {
	return d.do("cuMemcpyHtoD_v2", uintptr(to), uintptr(unsafe.Pointer(&from[0])), uintptr(len(from)))
}

func (d driver) download(to []byte, from buffer) error {
	return d.do("cuMemcpyDtoH_v2", uintptr(unsafe.Pointer(&to[0])), uintptr(from), uintptr(len(to)))
}

// launch starts a kernel of one dimension. args point to its parameters.
func (d driver) launch(function uintptr, grid, block, dynamic uint32, args ...unsafe.Pointer) error {
	err := d.do("cuLaunchKernel", function, uintptr(grid), 1, 1, uintptr(block), 1, 1, uintptr(dynamic), 0,
		uintptr(unsafe.Pointer(&args[0])), 0)
	runtime.KeepAlive(args)
	return err
}
