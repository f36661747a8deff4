package gpu

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

// binding names how this build calls the library.
const binding = "dll"

// dynamic is a DLL that is loaded.
type dynamic windows.Handle

// openDynamic loads the DLL at path, or the system's, and returns what it took. The
// search never looks in the working folder or on PATH, where anybody may put a DLL.
func openDynamic(path string) (dynamic, string, error) {
	if path != "" {
		path, err := libraryPath(path, "")
		if err != nil {
			return 0, "", err
		}
		return load(path, windows.LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR|windows.LOAD_LIBRARY_SEARCH_SYSTEM32)
	}
	h, at, err := load("nvml.dll", windows.LOAD_LIBRARY_SEARCH_SYSTEM32)
	if err == nil {
		return h, at, nil
	}
	// Where drivers before 2018 (R390) put it.
	old := filepath.Join(os.Getenv("ProgramW6432"), "NVIDIA Corporation", "NVSMI", "nvml.dll")
	if _, missing := os.Stat(old); missing != nil || !filepath.IsAbs(old) {
		return 0, "", err
	}
	h, at, oldErr := load(old, windows.LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR|windows.LOAD_LIBRARY_SEARCH_SYSTEM32)
	if oldErr != nil {
		return 0, "", errors.Join(err, oldErr)
	}
	return h, at, nil
}

func load(path string, flags uintptr) (dynamic, string, error) {
	h, err := windows.LoadLibraryEx(path, 0, flags)
	if err != nil {
		return 0, "", fmt.Errorf("%w: %s: %w", ErrNoLibrary, path, err)
	}
	return dynamic(h), path, nil
}

// lookup returns the address of a function, or 0.
func (h dynamic) lookup(name string) uintptr {
	p, err := windows.GetProcAddress(windows.Handle(h), name)
	if err != nil {
		return 0
	}
	return p
}

func (h dynamic) close() { _ = windows.FreeLibrary(windows.Handle(h)) }

// invoke calls a C function. On 64-bit Windows there is one calling convention.
//
//go:uintptrescapes
func invoke(proc uintptr, args ...uintptr) uintptr {
	r, _, _ := syscall.SyscallN(proc, args...)
	return r
}
