package prove

import (
	"fmt"
	"sync"

	"github.com/ebitengine/purego"
)

// systemLibrary is the driver's library, which comes with the driver.
const systemLibrary = "libcuda.so.1"

// library calls the functions of a shared library, with or without cgo.
type library struct {
	handle uintptr
	mu     sync.Mutex
	found  map[string]uintptr
}

func openLibrary(name string) (*library, error) {
	handle, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoDriver, err)
	}
	return &library{handle: handle, found: map[string]uintptr{}}, nil
}

// find fails when the library has no function of this name.
func (l *library) find(name string) (uintptr, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if fn := l.found[name]; fn != 0 {
		return fn, nil
	}
	fn, err := purego.Dlsym(l.handle, name)
	if err != nil {
		return 0, fmt.Errorf("%w: no %s: %w", ErrDriverTooOld, name, err)
	}
	l.found[name] = fn
	return fn, nil
}

// call calls a function that returns an int. Pointers among args stay alive and
// in place until it returns.
//
//go:uintptrescapes
func (l *library) call(name string, args ...uintptr) (int32, error) {
	fn, err := l.find(name)
	if err != nil {
		return 0, err
	}
	r, _, _ := purego.SyscallN(fn, args...)
	return int32(r), nil
}
