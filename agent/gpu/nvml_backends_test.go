//go:build linux

package gpu_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/gpu"
)

// backend is one way of calling NVIDIA's library, with what builds and runs it here.
type backend struct {
	name    string
	env     []string // of go build
	child   string   // file name
	library string   // file name that the system's loader looks for
	windows bool
}

var backends = []backend{
	{name: "go-nvml", env: []string{"GOOS=linux", "CGO_ENABLED=1"}, child: "nvmlchild", library: "libnvidia-ml.so.1"},
	{name: "purego", env: []string{"GOOS=linux", "CGO_ENABLED=0"}, child: "nvmlchild-nocgo", library: "libnvidia-ml.so.1"},
	{name: "windows", env: []string{"GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0"}, child: "nvmlchild.exe", library: "nvml.dll", windows: true},
}

// workshop has what the tests of one run build, each thing once.
var workshop struct {
	sync.Mutex
	dir    string
	prefix string // wine's folder
	built  map[string]bool
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "grafi-nvml-")
	if err != nil {
		panic(err)
	}
	workshop.dir, workshop.built = dir, map[string]bool{}
	code := m.Run()
	if workshop.prefix != "" {
		stop := exec.Command("../../scripts/wine.sh", "--stop")
		stop.Env = append(os.Environ(), "WINEPREFIX="+workshop.prefix)
		_ = stop.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// once builds a file of the workshop unless it is there, and returns its path.
func once(t testing.TB, name string, build func(path string) *exec.Cmd) string {
	t.Helper()
	workshop.Lock()
	defer workshop.Unlock()
	path := filepath.Join(workshop.dir, name)
	if !workshop.built[name] {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		cmd := build(path)
		log, err := os.Create(path + ".log")
		require.NoError(t, err)
		defer func() { _ = log.Close() }()
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Run(); err != nil {
			out, _ := os.ReadFile(log.Name())
			require.NoError(t, err, "%s: %s", cmd, out)
		}
		workshop.built[name] = true
	}
	return path
}

// need skips the test when a program is not here.
func need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed (scripts/setup.sh, for wine with GRAFI_WINE=1)", program)
	}
	return path
}

// prepare builds the child and starts wine where it is asked for.
func (b backend) prepare(t testing.TB) {
	t.Helper()
	need(t, "gcc")
	goTool := need(t, "go")
	if b.windows {
		if os.Getenv("GRAFI_WINE") == "" && os.Getenv("CI") == "" {
			t.Skip("the Windows suite runs under wine, with GRAFI_WINE=1 or in CI")
		}
		need(t, "x86_64-w64-mingw32-gcc")
		once(t, "wine", func(prefix string) *exec.Cmd {
			workshop.prefix = prefix
			cmd := exec.Command("../../scripts/wine.sh")
			cmd.Env = append(os.Environ(), "WINEPREFIX="+prefix)
			return cmd
		})
	}
	once(t, b.child, func(path string) *exec.Cmd {
		cmd := exec.Command(goTool, "build", "-buildvcs=false", "-o", path, "./gputest/nvmlchild")
		cmd.Env = append(os.Environ(), b.env...)
		return cmd
	})
}

// stub builds the library with these flags and returns its file.
func (b backend) stub(t testing.TB, flags ...string) string {
	t.Helper()
	name := filepath.Join(b.name+strings.Join(flags, ""), b.library)
	return once(t, name, func(path string) *exec.Cmd {
		args := []string{"-shared", "-Wall", "-Wno-unused", "-Werror", "-O1", "-o", path, "testdata/nvmlstub/nvmlstub.c"}
		args = append(args, flags...)
		if b.windows {
			return exec.Command("x86_64-w64-mingw32-gcc", args...)
		}
		return exec.Command("gcc", append(args, "-fPIC", "-Wl,-soname,"+b.library)...)
	})
}

// step is what the child prints after each command of its script.
type step struct {
	Devices []gpu.Device
	Sample  gpu.Sample
	Report  gpu.Report
	Kind    gpu.Kind
	Err     string
	Is      []string
	PerCall time.Duration
}

// is reports whether the command's error is the named one.
func (s step) is(name string) bool { return slices.Contains(s.Is, name) }

// play runs the script in a child on the library at lib; "" leaves the search to the
// system.
func (b backend) play(t testing.TB, lib string, script ...string) ([]step, string, error) {
	t.Helper()
	state := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.WriteFile(state, nil, 0o600))
	cmd := exec.Command(filepath.Join(workshop.dir, b.child))
	if b.windows {
		cmd = exec.Command("../../scripts/wine.sh", filepath.Join(workshop.dir, b.child))
	}
	if !slices.ContainsFunc(script, func(c string) bool { return strings.HasPrefix(c, "set ") }) {
		state = "" // spares the stub to read it at every call
	}
	cmd.Env = append(os.Environ(), "GRAFI_NVML_SCRIPT="+strings.Join(script, "|"), "GRAFI_NVML_PATH="+b.path(lib),
		"NVML_STUB_STATE="+b.path(state), "NVML_STUB_REPORT="+b.path(golden("hopper-a.report.hex")),
		"NVML_STUB_CHAIN="+b.path(golden("hopper-a.chain.pem")), "WINEPREFIX="+workshop.prefix)
	// Files, not pipes: wine leaves services behind that would hold a pipe open.
	stdout, stderr := output(t, "stdout"), output(t, "stderr")
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err := cmd.Run()
	text, readErr := os.ReadFile(stdout.Name())
	require.NoError(t, readErr)
	complaint, readErr := os.ReadFile(stderr.Name())
	require.NoError(t, readErr)
	var steps []step
	dec := json.NewDecoder(bytes.NewReader(text))
	for dec.More() {
		var s step
		require.NoError(t, dec.Decode(&s), "%s", text)
		steps = append(steps, s)
	}
	return steps, string(complaint), err
}

// output returns a new file for a process to write to.
func output(t testing.TB, name string) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), name))
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func (b backend) mustPlay(t testing.TB, lib string, script ...string) []step {
	t.Helper()
	steps, stderr, err := b.play(t, lib, script...)
	require.NoError(t, err, stderr)
	require.Len(t, steps, len(script), stderr)
	return steps
}

// path returns a file's name as the backend's system writes it: wine shows / as Z:.
func (b backend) path(file string) string {
	if b.windows && file != "" {
		return "Z:" + strings.ReplaceAll(file, "/", `\`)
	}
	return file
}

// golden returns the absolute path of one of NVIDIA's published vectors.
func golden(name string) string {
	path, err := filepath.Abs("../../testutil/golden/nvidia/" + name)
	if err != nil {
		panic(err)
	}
	return path
}

// goldenReport returns a vector's report and the nonce that it is over.
func goldenReport(t testing.TB, name string) (report []byte, nonce string) {
	t.Helper()
	text, err := os.ReadFile(golden(name))
	require.NoError(t, err)
	report, err = hex.DecodeString(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	return report, hex.EncodeToString(report[4:36])
}
