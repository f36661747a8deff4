//go:build linux

package prove_test

import (
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/prove"
)

// fake is a CUDA driver without a GPU (testdata/fakecuda.cc) whose kernels are
// the real ones compiled for the host.
type fake struct {
	path string
	set  func(name, value string)
	used func() uintptr
}

var buildFake = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "libcuda.so.1")
	out, err := exec.Command("g++", "-O2", "-U_FORTIFY_SOURCE", "-shared", "-fPIC", "-I", "kernel", "-I", "testdata", "-o", path, "testdata/fakecuda.cc").CombinedOutput()
	if err != nil {
		return "", &buildError{err: err, output: string(out)}
	}
	return path, nil
})

type buildError struct {
	err    error
	output string
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + e.output }

func newFake(t *testing.T) fake {
	t.Helper()
	if _, err := exec.LookPath("g++"); err != nil {
		t.Skip("g++ is not installed: the kernels can't be compiled for the host")
	}
	path, err := buildFake()
	require.NoError(t, err)
	handle, err := purego.Dlopen(path, purego.RTLD_NOW)
	require.NoError(t, err)
	symbol := func(name string) uintptr {
		fn, err := purego.Dlsym(handle, name)
		require.NoError(t, err)
		return fn
	}
	set, used := symbol("fakeSet"), symbol("fakeUsed")
	return fake{
		path: path,
		set: func(name, value string) {
			n, v := append([]byte(name), 0), append([]byte(value), 0)
			purego.SyscallN(set, uintptr(unsafe.Pointer(&n[0])), uintptr(unsafe.Pointer(&v[0])))
		},
		used: func() uintptr {
			size, _, _ := purego.SyscallN(used)
			return size
		},
	}
}

// fault sets a fault of the fake driver for the rest of the test.
func (f fake) fault(t *testing.T, name, value, healthy string) {
	f.set(name, value)
	t.Cleanup(func() { f.set(name, healthy) })
}

func (f fake) open(t *testing.T) *prove.CUDA {
	t.Helper()
	c, err := prove.OpenCUDA(f.path)
	require.NoError(t, err)
	return c
}
