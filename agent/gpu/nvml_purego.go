//go:build linux && !cgo

package gpu

import (
	"fmt"

	"github.com/ebitengine/purego"
)

// binding names how this build calls the library.
const binding = "purego"

// dynamic is a library that the loader has mapped.
type dynamic uintptr

// openDynamic maps the library at path, or the system's, and returns what it took.
func openDynamic(path string) (dynamic, string, error) {
	path, err := libraryPath(path, "libnvidia-ml.so.1")
	if err != nil {
		return 0, "", err
	}
	h, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return 0, "", fmt.Errorf("%w: %w", ErrNoLibrary, err)
	}
	return dynamic(h), path, nil
}

// lookup returns the address of a function, or 0.
func (h dynamic) lookup(name string) uintptr {
	p, err := purego.Dlsym(uintptr(h), name)
	if err != nil {
		return 0
	}
	return p
}

func (h dynamic) close() { _ = purego.Dlclose(uintptr(h)) }

// invoke calls a C function.
//
//go:uintptrescapes
func invoke(proc uintptr, args ...uintptr) uintptr {
	r, _, _ := purego.SyscallN(proc, args...)
	return r
}
