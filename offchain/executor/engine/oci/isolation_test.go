//go:build linux && cgo

package oci_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/enginetest"
	"github.com/grafilab/grafi/offchain/executor/engine/oci"
	"github.com/grafilab/grafi/offchain/executor/manifest"
)

func startEngine(t *testing.T) engine.Engine {
	t.Helper()
	e := open(t, filepath.Join(t.TempDir(), "state"))
	enginetest.StopAtEnd(t, e)
	return e
}

// TestIsolation looks from inside.
func TestIsolation(t *testing.T) {
	requireEngine(t)
	rootfs := enginetest.Rootfs(t)
	w := enginetest.Workload(rootfs, 3, "ids",
		"status=CapEff", "status=CapBnd", "status=NoNewPrivs", "status=Seccomp", "syscalls", "net",
		"write=/etc/passwd,x", "write=/new,x", "write=/tmp/x,x", "write=volume:out/x,x", "write=/proc/sys/kernel/hostname,x",
		"stat=/etc/secret", "write=/sys/kernel/x,x", "stat=/proc/interrupts", "devices=/dev/null", "devices=/dev/kmsg", "stat=/data/out/x")
	w.Manifest.Volumes = []manifest.Volume{{Name: "out", Path: "/data/out"}}
	e := startEngine(t)
	t.Log(e.Name())

	status, log := enginetest.Run(t, e, w)

	require.Equal(t, 0, status.ExitCode, log)
	require.Equal(t, `uid 0 gid 0 pid 1
CapEff: 0000000000000000
CapBnd: 0000000000000000
NoNewPrivs: 1
Seccomp: 2
unshare(CLONE_NEWUSER) EPERM
mount EPERM
keyctl EPERM
bpf EPERM
io_uring_setup EPERM
clone3 ENOSYS
clone(CLONE_NEWUSER) EPERM
socket(AF_VSOCK) EPERM
getpid allowed
interface lo true
loopback works
write /etc/passwd: read-only file system
write /new: read-only file system
wrote /tmp/x
wrote volume:out/x
write /proc/sys/kernel/hostname: read-only file system
stat /etc/secret: -rw------- uid 0
write /sys/kernel/x: read-only file system
stat /proc/interrupts: Dcrw-rw-rw- uid 65534
opened /dev/null
open /dev/kmsg: no such file or directory
stat /data/out/x: -rw-r--r-- uid 0
`, log)
	require.NoFileExists(t, filepath.Join(rootfs, "data"), "the shared image is not written to")
}

// TestHostIDs: outside, the workload is nobody that the host knows.
func TestHostIDs(t *testing.T) {
	if c := requireEngine(t); !c.Root {
		t.Skip("without root there is one id")
	}
	e := startEngine(t)
	w := enginetest.Workload(enginetest.Rootfs(t), 3, "ids", "sleep=60s")
	w.Image.User = "runner"
	require.NoError(t, e.Start(t.Context(), w))
	enginetest.WaitLog(t, e, 3, "uid 1000 gid 1001")
	status := enginetest.WaitState(t, e, 3, engine.StateRunning)
	var stat unix.Stat_t
	require.NoError(t, unix.Stat(fmt.Sprintf("/proc/%d", status.PID), &stat))
	require.Equal(t, uint32(0x10000000+3*65536+1000), stat.Uid)

	code, out := enginetest.Exec(t, e, 3, "", "/workload", "ids", "status=CapEff", "status=NoNewPrivs", "status=Seccomp", "syscalls")
	require.Equal(t, 0, code, out)
	require.Contains(t, out, "uid 1000 gid 1001")
	require.Contains(t, out, "CapEff: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2\nunshare(CLONE_NEWUSER) EPERM\n",
		"a process that enters is held as the first one is")
}

func TestLimits(t *testing.T) {
	c := requireEngine(t)
	rootfs := enginetest.Rootfs(t)
	requireLimit := func(t *testing.T, name string) {
		t.Helper()
		if !slices.Contains(c.Limits, name) {
			t.Skipf("no %s limit: %q", name, c.Reasons)
		}
	}
	t.Run("memory", func(t *testing.T) {
		requireLimit(t, "memory")
		w := enginetest.Workload(rootfs, 1, "memory=200")
		w.Manifest.Resources.MemoryMiB = 64
		status, log := enginetest.Run(t, startEngine(t), w)
		require.Equal(t, 137, status.ExitCode, log)
		require.Equal(t, engine.ReasonOutOfMemory, status.Reason)
	})
	t.Run("memory within", func(t *testing.T) {
		status, log := enginetest.Run(t, startEngine(t), enginetest.Workload(rootfs, 1, "memory=64"))
		require.Equal(t, 0, status.ExitCode, log)
	})
	t.Run("processes", func(t *testing.T) {
		requireLimit(t, "pids")
		w := enginetest.Workload(rootfs, 1, "children=200")
		w.Manifest.Resources.PIDs = 40
		_, log := enginetest.Run(t, startEngine(t), w)
		require.Equal(t, "limit after true children\n", log)
	})
	t.Run("stats", func(t *testing.T) {
		requireLimit(t, "memory")
		e := startEngine(t)
		require.NoError(t, e.Start(t.Context(), enginetest.Workload(rootfs, 1, "memory=32", "sleep=60s")))
		enginetest.WaitLog(t, e, 1, "held 32 MiB")
		stats, err := e.Stats(t.Context(), 1)
		require.NoError(t, err)
		require.Greater(t, stats.MemoryBytes, int64(32<<20))
		require.Less(t, stats.MemoryBytes, int64(64<<20))
		require.Positive(t, stats.CPUNanos)
		require.Positive(t, stats.PIDs)
	})
	t.Run("control groups are removed", func(t *testing.T) {
		requireLimit(t, "pids")
		enginetest.Run(t, startEngine(t), enginetest.Workload(rootfs, 77))
		for _, root := range []string{"/sys/fs/cgroup/pids/grafi/rental-77", "/sys/fs/cgroup/grafi/rental-77"} {
			require.NoDirExists(t, root)
		}
	})
}

// TestDevices: a device that was given is there and can be used, another can't.
func TestDevices(t *testing.T) {
	if c := requireEngine(t); !c.Root {
		t.Skip("needs root to look at device rules")
	}
	// A node that no container gets by itself (fuse, 10:229) stands for a GPU,
	// whose nodes are open to everybody too.
	gpu := fmt.Sprintf("/dev/grafi-test-%d", os.Getpid())
	if err := unix.Mknod(gpu, unix.S_IFCHR|0o666, int(unix.Mkdev(10, 229))); err != nil {
		t.Skipf("can't make a device node: %s", err)
	}
	t.Cleanup(func() { require.NoError(t, os.Remove(gpu)) })
	require.NoError(t, os.Chmod(gpu, 0o666))
	rootfs := enginetest.Rootfs(t)
	t.Run("device node", func(t *testing.T) {
		w := enginetest.Workload(rootfs, 1, "devices="+gpu)
		w.Manifest.Resources.GPUs, w.GPUs = 1, []string{gpu}
		_, log := enginetest.Run(t, startEngine(t), w)
		require.Contains(t, log, "opened "+gpu)
	})
	t.Run("by specification", func(t *testing.T) {
		specs := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(specs, "vendor.json"), fmt.Appendf(nil, `{
			"cdiVersion": "0.6.0", "kind": "vendor.example/gpu",
			"devices": [{"name": "0", "containerEdits": {
				"env": ["VENDOR_GPU=0"], "deviceNodes": [{"path": %q, "permissions": "rw"}]}}]}`, gpu), 0o644))
		e, err := oci.New(t.Context(), oci.Options{StateDir: filepath.Join(t.TempDir(), "state"), CDISpecDirs: []string{specs}})
		require.NoError(t, err)
		enginetest.StopAtEnd(t, e)
		require.True(t, e.Capabilities().CDI)
		w := enginetest.Workload(rootfs, 1, "devices="+gpu, "env=VENDOR_GPU")
		w.Manifest.Resources.GPUs, w.GPUs = 1, []string{"vendor.example/gpu=0"}
		_, log := enginetest.Run(t, e, w)
		require.Equal(t, "opened "+gpu+"\nVENDOR_GPU=0\n", log)
	})
	t.Run("not given", func(t *testing.T) {
		_, log := enginetest.Run(t, startEngine(t), enginetest.Workload(rootfs, 1, "devices="+gpu))
		require.Contains(t, log, "no such file")
	})
	t.Run("refused", func(t *testing.T) {
		e := startEngine(t)
		w := enginetest.Workload(rootfs, 1)
		w.Manifest.Resources.GPUs = 1
		require.ErrorContains(t, e.Start(t.Context(), w), "got 0 devices, the manifest wants 1")
		for _, name := range []string{"/dev/nvidia99", "/etc/passwd", "vendor.example/gpu=9", "/dev/../etc/passwd"} {
			w.GPUs = []string{name}
			require.ErrorContains(t, e.Start(t.Context(), w), strings.TrimPrefix(name, "/dev/../"))
		}
		_, err := e.Status(t.Context(), 1)
		require.ErrorIs(t, err, engine.ErrNotFound, "a refused start leaves nothing")
	})
}
