package prove

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/grafilab/grafi/x/attestation/compute"
)

// CUDA is the prover of NVIDIA GPUs of compute capability 8.0 (Ampere) and
// later. It holds no memory of a GPU between proofs.
//
// An error of a kernel can leave a process unable to use the GPU ever after, and
// a loaded driver takes more memory than an agent should: see Worker.
type CUDA struct {
	driver  driver
	devices []Device
	turns   []chan struct{} // one proof at a time on each device
}

// Device is a GPU that the driver lists.
type Device struct {
	Name, UUID, PCI string
	// Compute capability.
	Major, Minor int32
	// Multiprocessors and their highest clock.
	Multiprocessors, ClockKHz int32

	handle, sharedOptIn int32
}

// OpenCUDA loads the driver. library is another file than the system's, or "".
// It fails with ErrNoDriver where there is none, or it finds no GPU to drive.
func OpenCUDA(library string) (*CUDA, error) {
	if library == "" {
		library = systemLibrary
	}
	lib, err := openLibrary(library)
	if err != nil {
		return nil, err
	}
	c := &CUDA{driver: driver{lib: lib}}
	if err := c.driver.init(); err != nil {
		return nil, err
	}
	if c.devices, err = c.driver.devices(); err != nil {
		return nil, err
	}
	for range c.devices {
		c.turns = append(c.turns, make(chan struct{}, 1))
	}
	return c, nil
}

// Devices lists the GPUs in the driver's order.
func (c *CUDA) Devices() []Device { return c.devices }

// Close implements Prover. The library stays loaded: a driver can't be unloaded.
func (c *CUDA) Close() error { return nil }

// Prove implements Prover. Proofs on one GPU take turns, those on several run at
// the same time.
func (c *CUDA) Prove(ctx context.Context, device string, w compute.Work) (Proof, error) {
	open, err := c.opener(device)
	if err != nil {
		return nil, err
	}
	return prove(ctx, w, open)
}

func (c *CUDA) opener(device string) (opener, error) {
	index, err := c.find(device)
	if err != nil {
		return nil, err
	}
	return c.at(index), nil
}

// find returns the index of the device of this UUID or PCI bus id.
func (c *CUDA) find(name string) (int, error) {
	var have []string
	for i, d := range c.devices {
		if strings.EqualFold(d.UUID, name) || samePCI(d.PCI, name) {
			if d.Major < 8 {
				return 0, fmt.Errorf("%w: %s %s has compute capability %d.%d, proving needs 8.0", ErrNoDevice, d.Name, name, d.Major, d.Minor)
			}
			return i, nil
		}
		have = append(have, d.UUID)
	}
	return 0, fmt.Errorf("%w: %q, the driver has [%s]", ErrNoDevice, name, strings.Join(have, " "))
}

// samePCI compares bus ids: NVML writes the domain with 8 digits, CUDA with 4.
func samePCI(a, b string) bool {
	short := func(s string) string { return strings.ToLower(strings.TrimLeft(s, "0")) }
	return strings.Contains(b, ":") && short(a) == short(b)
}

// at makes engines on a device, one after the other.
func (c *CUDA) at(index int) opener {
	return func(ctx context.Context, w compute.Work) (engine, error) {
		select {
		case c.turns[index] <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		e := &cudaEngine{driver: c.driver, device: c.devices[index], work: w, done: func() { <-c.turns[index] }}
		if err := e.open(); err != nil {
			e.close()
			return nil, fmt.Errorf("%s: %w", e.device.UUID, err)
		}
		return e, nil
	}
}

// cudaEngine has one context and the memory of one work.
type cudaEngine struct {
	driver  driver
	device  Device
	work    compute.Work
	done    func()
	context uintptr
	module  uintptr
	kernels map[string]uintptr

	owned                   []buffer
	a, b, c                 buffer
	rows, nodes, lanes      buffer // digests: of rows, of levels above, of lanes
	table, keyA, keyB, seed buffer
}

// within runs fn on an OS thread that has the engine's context.
func (e *cudaEngine) within(fn func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := e.driver.do("cuCtxSetCurrent", e.context); err != nil {
		return err
	}
	return errors.Join(fn(), e.driver.do("cuCtxSetCurrent", 0))
}

func (e *cudaEngine) open() error {
	if e.device.sharedOptIn < gemmShared {
		return fmt.Errorf("%w: %s offers a block %d bytes of shared memory, the kernel needs %d", ErrNoDevice, e.device.Name, e.device.sharedOptIn, gemmShared)
	}
	// Before the context is there, or it is in use and has its flags already.
	if err := e.driver.do("cuDevicePrimaryCtxSetFlags_v2", uintptr(e.device.handle), scheduleBlocking); err != nil && !errors.Is(err, ErrDriverTooOld) {
		return err
	}
	if err := e.driver.do("cuDevicePrimaryCtxRetain", uintptr(unsafe.Pointer(&e.context)), uintptr(e.device.handle)); err != nil {
		return err
	}
	return e.within(func() error {
		if err := e.allocate(); err != nil {
			return err
		}
		return e.load()
	})
}

// memory is what a work takes of a device, in bytes, by buffer.
func (e *cudaEngine) memory() map[*buffer]uint64 {
	n, m, lanes := uint64(e.work.N), uint64(e.work.M), uint64(e.work.WalkLanes)
	need := map[*buffer]uint64{
		&e.a: n * m, &e.b: n * m, &e.c: 4 * n * n,
		&e.rows: 32 * n, &e.nodes: 32 * max(n, lanes),
		&e.table: 4 * 256, &e.keyA: 4 * 44, &e.keyB: 4 * 44, &e.seed: 32,
	}
	if lanes > 0 {
		need[&e.lanes] = 32 * lanes
	}
	return need
}

// spare is left for the module and for what else runs on the GPU.
const spare = 64 << 20

func (e *cudaEngine) allocate() error {
	need := e.memory()
	sum := uint64(spare)
	for _, size := range need {
		sum += size
	}
	var free, total uintptr
	if err := e.driver.do("cuMemGetInfo_v2", uintptr(unsafe.Pointer(&free)), uintptr(unsafe.Pointer(&total))); err != nil {
		return err
	}
	if uint64(free) < sum {
		return fmt.Errorf("%w: the work needs %d MiB, %d of %d MiB are free", ErrMemory, sum>>20, free>>20, total>>20)
	}
	for to, size := range need {
		b, err := e.driver.alloc(size)
		if err != nil {
			return err
		}
		e.owned = append(e.owned, b)
		*to = b
	}
	return e.driver.upload(e.table, aesTable())
}

func (e *cudaEngine) load() error {
	image := append([]byte(ptx), 0)
	if err := e.driver.do("cuModuleLoadData", uintptr(unsafe.Pointer(&e.module)), uintptr(unsafe.Pointer(&image[0]))); err != nil {
		return err
	}
	e.kernels = map[string]uintptr{}
	for _, name := range []string{kernelOperands, kernelProduct, kernelRows, kernelNodes, kernelWalk} {
		var function uintptr
		symbol := append([]byte(name), 0)
		if err := e.driver.do("cuModuleGetFunction", uintptr(unsafe.Pointer(&function)), e.module, uintptr(unsafe.Pointer(&symbol[0]))); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		e.kernels[name] = function
	}
	return e.driver.do("cuFuncSetAttribute", e.kernels[kernelProduct], functionDynamicShared, gemmShared)
}

// close gives all memory back, also after an error of the device.
func (e *cudaEngine) close() {
	if e.context != 0 {
		_ = e.within(func() error {
			for _, b := range e.owned {
				_ = e.driver.free(b) // fails only on a device that is lost with all of its memory
			}
			if e.module != 0 {
				return e.driver.do("cuModuleUnload", e.module)
			}
			return nil
		})
		_ = e.driver.do("cuDevicePrimaryCtxRelease_v2", uintptr(e.device.handle))
		e.context = 0
	}
	if e.done != nil {
		e.done()
		e.done = nil
	}
}
