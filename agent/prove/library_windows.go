package prove

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// systemLibrary is the driver's library, which comes with the driver. It is
// loaded from the system directory only.
const systemLibrary = "nvcuda.dll"

// library calls the functions of a DLL.
type library struct{ dll *windows.LazyDLL }

func openLibrary(name string) (*library, error) {
	dll := windows.NewLazyDLL(name)
	if name == systemLibrary {
		dll = windows.NewLazySystemDLL(name)
	}
	if err := dll.Load(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoDriver, err)
	}
	return &library{dll: dll}, nil
}

// find fails when the library has no function of this name.
func (l *library) find(name string) (*windows.LazyProc, error) {
	proc := l.dll.NewProc(name)
	if err := proc.Find(); err != nil {
		return nil, fmt.Errorf("%w: no %s: %w", ErrDriverTooOld, name, err)
	}
	return proc, nil
}

// call calls a function that returns an int. Pointers among args stay alive and
// in place until it returns.
//
//go:uintptrescapes
func (l *library) call(name string, args ...uintptr) (int32, error) {
	proc, err := l.find(name)
	if err != nil {
		return 0, err
	}
	r, _, _ := proc.Call(args...) // its error is GetLastError, which CUDA doesn't set
	return int32(r), nil
}
