//go:build linux && cgo

package gpu_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/agent/gpu"
)

// The loader keeps a library for the life of the process once a symbol of it is
// bound, so every test runs its part in a process of its own: this test binary,
// executed again with the stub first on LD_LIBRARY_PATH. That also shows a
// process that dies, which is what an unguarded call does.
const childEnv = "GRAFI_NVML_CHILD"

func TestMain(m *testing.M) {
	if script := os.Getenv(childEnv); script != "" {
		os.Exit(child(script))
	}
	os.Exit(m.Run())
}

// step is what the child prints after each step of its script.
type step struct {
	Devices []gpu.Device
	Sample  gpu.Sample
	Gone    bool
	Old     bool
	Busy    bool
	Updated bool
	NoLib   bool
	Kind    gpu.Kind
	Err     string
}

// child runs a script: "devices", "sample", "auto", "unguarded", or a state
// such as "set count=1;lost=0" that is written to the stub's file.
func child(script string) int {
	src := gpu.NewNVML("", slog.New(slog.DiscardHandler))
	out := json.NewEncoder(os.Stdout)
	for _, cmd := range strings.Split(script, "|") {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		var s step
		var err error
		switch name, arg, _ := strings.Cut(cmd, " "); name {
		case "devices":
			s.Devices, err = src.Devices(ctx)
		case "sample":
			s.Sample, err = src.Sample(ctx)
		case "set":
			err = os.WriteFile(os.Getenv("NVML_STUB_STATE"), []byte(strings.ReplaceAll(arg, ";", "\n")+"\n"), 0o600)
		case "auto":
			var opened gpu.Source
			opened, err = gpu.Open(ctx, gpu.Options{Source: "auto", SimGPUs: 1}, slog.New(slog.DiscardHandler))
			if err == nil {
				s.Kind = opened.Kind()
			}
		case "unguarded":
			lib := nvml.New()
			lib.Init()
			h, _ := lib.DeviceGetHandleByIndex(0)
			h.GetUtilizationRates()
		}
		cancel()
		if err != nil {
			s.Err = err.Error()
			s.Gone, s.Old, s.Busy = errors.Is(err, gpu.ErrDriverGone), errors.Is(err, gpu.ErrDriverTooOld), errors.Is(err, gpu.ErrBusy)
			s.Updated, s.NoLib = errors.Is(err, gpu.ErrDriverUpdated), errors.Is(err, gpu.ErrNoLibrary)
		}
		_ = out.Encode(s)
	}
	return 0
}

// stub builds the library with these flags and returns its folder.
func stub(t *testing.T, flags ...string) string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc to build the NVML stub with")
	}
	dir := t.TempDir()
	args := append([]string{"-shared", "-fPIC", "-Wall", "-Wno-unused", "-Werror", "-O1", "-Wl,-soname,libnvidia-ml.so.1",
		"-o", filepath.Join(dir, "libnvidia-ml.so.1"), "testdata/nvmlstub/nvmlstub.c"}, flags...)
	out, err := exec.Command(gcc, args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return dir
}

// play runs the script in a child on the library in dir.
func play(t *testing.T, dir string, script ...string) ([]step, string, error) {
	t.Helper()
	state := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.WriteFile(state, nil, 0o600))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join(script, "|"), "NVML_STUB_STATE="+state, "LD_LIBRARY_PATH="+dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	var steps []step
	dec := json.NewDecoder(strings.NewReader(string(stdout)))
	for dec.More() {
		var s step
		require.NoError(t, dec.Decode(&s))
		steps = append(steps, s)
	}
	return steps, stderr.String(), err
}

func mustPlay(t *testing.T, dir string, script ...string) []step {
	t.Helper()
	steps, stderr, err := play(t, dir, script...)
	require.NoError(t, err, stderr)
	require.Len(t, steps, len(script))
	return steps
}

func TestHealthyDriver(t *testing.T) {
	s := mustPlay(t, stub(t), "devices", "sample")
	require.Equal(t, []gpu.Device{
		{Index: 0, Name: "NVIDIA Stub H100 0", UUID: "GPU-stub-0", MemoryMiB: 81920, PCIBusID: "00000000:17:00.0", Driver: "550.54.14"},
		{Index: 1, Name: "NVIDIA Stub H100 1", UUID: "GPU-stub-1", MemoryMiB: 81920, PCIBusID: "00000000:18:00.0", Driver: "550.54.14"},
	}, s[0].Devices)
	require.Equal(t, gpu.Reading{
		UUID: "GPU-stub-0", UtilizationPercent: 42, MemoryUsedMiB: 20480, MemoryTotalMiB: 81920,
		TemperatureC: 55, PowerMilliwatt: 350_000, ECCCorrected: 5,
	}, s[1].Sample.Readings[0])
	require.Equal(t, gpu.KindNVML, s[1].Sample.Kind)
}

func TestFaults(t *testing.T) {
	dir := stub(t)
	tests := map[string]struct {
		state string
		want  [2]gpu.Flags
	}{
		"GPU lost":                 {"lost=1", [2]gpu.Flags{0, gpu.FlagLost}},
		"GPU no longer listed":     {"count=1", [2]gpu.Flags{0, gpu.FlagLost}},
		"fatal Xid":                {"xid=1:79", [2]gpu.Flags{0, gpu.FlagXidFatal}},
		"Xid of an application":    {"xid=0:13,0:31", [2]gpu.Flags{gpu.FlagXid, 0}},
		"uncorrectable ECC":        {"ecc0=3", [2]gpu.Flags{gpu.FlagECC, 0}},
		"remap pending and failed": {"pending0=1;failed1=1", [2]gpu.Flags{gpu.FlagRemapPending, gpu.FlagRemapFailed}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := mustPlay(t, dir, "sample", "set "+tc.state, "sample", "set count=2", "sample")
			for i, want := range tc.want {
				require.Zero(t, s[0].Sample.Readings[i].Flags, "healthy before")
				require.Equal(t, want, s[2].Sample.Readings[i].Flags, "GPU %d", i)
				require.Equal(t, fmt.Sprintf("GPU-stub-%d", i), s[2].Sample.Readings[i].UUID)
				require.Zero(t, s[4].Sample.Readings[i].Flags, "healthy after")
			}
		})
	}
}

func TestUnsupportedIsNotZero(t *testing.T) {
	s := mustPlay(t, stub(t), "set nosupport=1", "sample")
	ok, no := s[1].Sample.Readings[0], s[1].Sample.Readings[1]
	require.Zero(t, ok.Unsupported)
	require.True(t, no.Unsupported.Has(gpu.NoUtilization|gpu.NoTemperature|gpu.NoPower|gpu.NoECC|gpu.NoRemap))
	require.False(t, no.Unsupported.Has(gpu.NoMemory))
	require.Zero(t, no.Flags)
}

func TestDriverComesAndGoes(t *testing.T) {
	s := mustPlay(t, stub(t),
		"set init=9", "sample", // not loaded yet
		"set count=2", "sample", // loaded
		"set gone=9;init=9", "sample", "sample", // unloaded
		"set gen=2", "sample", // loaded anew: old handles are stale, new ones work
		"set gen=3", "sample", "sample", // restarted between two samples
		"set gen=3;gone=18;init=18", "sample", "sample", // updated under our feet
	)
	require.True(t, s[1].Gone, s[1].Err)
	require.Len(t, s[3].Sample.Readings, 2)
	require.True(t, s[5].Gone, s[5].Err)
	require.True(t, s[6].Gone, s[6].Err)
	require.Len(t, s[8].Sample.Readings, 2)
	require.True(t, s[10].Gone, "the sample that meets the restart is lost: %s", s[10].Err)
	require.Len(t, s[11].Sample.Readings, 2, s[11].Err)
	require.True(t, s[13].Gone)
	require.True(t, s[14].Updated, s[14].Err)
}

func TestHangingDriver(t *testing.T) {
	s := mustPlay(t, stub(t), "sample", "set hang=1", "sample", "sample", "set hang=0", "sample")
	require.True(t, s[2].Busy, s[2].Err)
	require.True(t, s[3].Busy, "a second call does not pile up behind the first")
	require.Len(t, s[5].Sample.Readings, 2, s[5].Err)
}

func TestOldDriver(t *testing.T) {
	old := stub(t, "-DOLD")
	s := mustPlay(t, old, "devices", "sample")
	require.Equal(t, "GPU-stub-1", s[0].Devices[1].UUID)
	r := s[1].Sample.Readings[0]
	require.Equal(t, gpu.NoUtilization|gpu.NoTemperature|gpu.NoPower|gpu.NoECC|gpu.NoRemap|gpu.NoXid|gpu.NoPCI, r.Unsupported)
	require.EqualValues(t, 20480, r.MemoryUsedMiB)

	// The reason for the guards: without one the process is gone.
	_, stderr, err := play(t, old, "unguarded")
	require.Error(t, err)
	require.Contains(t, stderr, "symbol lookup error")

	s = mustPlay(t, stub(t, "-DOLD", "-DANCIENT"), "sample")
	require.True(t, s[0].Old, s[0].Err)
	require.Contains(t, s[0].Err, "nvmlDeviceGetMemoryInfo")
}

func TestNoDriver(t *testing.T) {
	if _, err := os.Stat("/proc/driver/nvidia"); err == nil {
		t.Skip("this machine has an NVIDIA driver")
	}
	s := mustPlay(t, t.TempDir(), "sample", "auto")
	require.True(t, s[0].NoLib, s[0].Err)
	require.True(t, s[0].Gone)
	require.Equal(t, gpu.KindSim, s[1].Kind)
}

func TestAutoNeverSimulatesBesideALibrary(t *testing.T) {
	s := mustPlay(t, stub(t), "auto")
	require.Equal(t, gpu.KindNVML, s[0].Kind)
	s = mustPlay(t, stub(t), "set init=9", "auto")
	require.Equal(t, gpu.KindNVML, s[1].Kind, "the driver is away, not absent")
	s = mustPlay(t, stub(t, "-DOLD", "-DANCIENT"), "auto")
	require.True(t, s[0].Old, s[0].Err)
}
