//go:build linux && cgo

package oci_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/enginetest"
)

// executorEnv makes the test binary an executor that starts one workload and
// then waits to be killed: TestExecutorProcess.
const executorEnv = "GRAFI_TEST_EXECUTOR"

// executorJob is what it starts.
type executorJob struct {
	StateDir string
	Workload engine.Workload
}

func TestExecutorProcess(t *testing.T) {
	raw := os.Getenv(executorEnv)
	if raw == "" {
		t.Skip("run by TestSurvivesTheExecutor")
	}
	var job executorJob
	require.NoError(t, json.Unmarshal([]byte(raw), &job))
	e := open(t, job.StateDir)
	require.NoError(t, e.Start(t.Context(), job.Workload))
	fmt.Println("started")
	time.Sleep(time.Minute)
}

// startExecutor returns a running executor process, after which wants was printed.
func startExecutor(t *testing.T, job executorJob, wants string) *exec.Cmd {
	t.Helper()
	raw, err := json.Marshal(job)
	require.NoError(t, err)
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestExecutorProcess$", "-test.v")
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), executorEnv+"="+string(raw))
	var out strings.Builder
	read, write, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = write, write
	require.NoError(t, cmd.Start())
	require.NoError(t, write.Close())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); _ = read.Close() })
	buf := make([]byte, 4096)
	for !strings.Contains(out.String(), wants) {
		n, err := read.Read(buf)
		out.Write(buf[:n])
		require.NoError(t, err, out.String())
	}
	return cmd
}

// TestSurvivesTheExecutor: an executor is killed without warning; the workload
// runs on, its log misses nothing, and the next executor takes it over.
func TestSurvivesTheExecutor(t *testing.T) {
	requireEngine(t)
	state := filepath.Join(t.TempDir(), "state")
	w := enginetest.Workload(enginetest.Rootfs(t), 1, "count=100", "exit=6")
	executor := startExecutor(t, executorJob{state, w}, "started")

	require.NoError(t, executor.Process.Kill())
	_, err := executor.Process.Wait()
	require.NoError(t, err)

	e := open(t, state)
	enginetest.StopAtEnd(t, e)
	status, err := e.Status(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, engine.StateRunning, status.State)
	require.NoError(t, e.Start(t.Context(), w), "the new executor may start it again")
	ended := enginetest.WaitExit(t, e, 1)
	require.Equal(t, 6, ended.ExitCode)
	require.Equal(t, engine.ReasonCompleted, ended.Reason)
	var want strings.Builder
	for i := range 100 {
		fmt.Fprintln(&want, "count", i+1)
	}
	require.Equal(t, want.String(), enginetest.Log(t, e, 1), "once, and without a gap")
}

// TestKilledWhileStarting: wherever the executor is killed, the workload runs
// at most once, and a next Start leads to one run.
func TestKilledWhileStarting(t *testing.T) {
	requireEngine(t)
	rootfs := enginetest.Rootfs(t)
	for i := range 6 {
		state := filepath.Join(t.TempDir(), "state")
		w := enginetest.Workload(rootfs, 1, "print=ran")
		raw, err := json.Marshal(executorJob{state, w})
		require.NoError(t, err)
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestExecutorProcess$")
		cmd.Env = append(os.Environ(), executorEnv+"="+string(raw))
		require.NoError(t, cmd.Start())
		time.Sleep(time.Duration(i) * 90 * time.Millisecond)
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait(), "killed")

		e := open(t, state)
		enginetest.StopAtEnd(t, e)
		require.NoError(t, e.Start(t.Context(), w))
		require.Equal(t, 0, enginetest.WaitExit(t, e, 1).ExitCode)
		require.Equal(t, "ran\n", enginetest.Log(t, e, 1))
	}
}

// shimOf is the parent of a workload's first process.
func shimOf(t *testing.T, pid int) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(raw)) {
		var parent int
		if _, err := fmt.Sscanf(line, "PPid:\t%d", &parent); err == nil {
			return parent
		}
	}
	t.Fatal("no parent")
	return 0
}

// TestShimKilled: the workload goes with its shim, and is known as lost.
func TestShimKilled(t *testing.T) {
	requireEngine(t)
	e := startEngine(t)
	require.NoError(t, e.Start(t.Context(), enginetest.Workload(enginetest.Rootfs(t), 1, "ignore", "print=up", "children=3", "sleep=60s")))
	enginetest.WaitLog(t, e, 1, "no limit")
	status := enginetest.WaitState(t, e, 1, engine.StateRunning)

	require.NoError(t, unix.Kill(shimOf(t, status.PID), unix.SIGKILL))

	lost := enginetest.WaitExit(t, e, 1)
	require.Equal(t, engine.ReasonLost, lost.Reason)
	require.False(t, lost.ExitKnown)
	require.Eventually(t, func() bool { return unix.Kill(status.PID, 0) == unix.ESRCH }, 5*time.Second, 10*time.Millisecond,
		"the workload does not run on without its shim")
	require.NoDirExists(t, "/sys/fs/cgroup/pids/grafi/rental-1")
	require.NoError(t, e.Remove(t.Context(), 1))
}

// TestReboot: the records say running, but of another start of the machine.
func TestReboot(t *testing.T) {
	requireEngine(t)
	state := filepath.Join(t.TempDir(), "state")
	e := open(t, state)
	enginetest.StopAtEnd(t, e)
	enginetest.Run(t, e, enginetest.Workload(enginetest.Rootfs(t), 1, "print=before"))
	require.NoError(t, os.Remove(filepath.Join(state, "1", "exit.json")))
	// The recorded pid is now another process: it must be left alone.
	bystander := exec.Command("sleep", "60")
	require.NoError(t, bystander.Start())
	t.Cleanup(func() { _ = bystander.Process.Kill(); _ = bystander.Wait() })
	require.NoError(t, os.WriteFile(filepath.Join(state, "1", "state.json"),
		fmt.Appendf(nil, `{"state":"running","pid":%d,"pid_start":1,"boot_id":"before"}`, bystander.Process.Pid), 0o600))

	lost, err := e.Status(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, engine.StateExited, lost.State)
	require.Equal(t, engine.ReasonLost, lost.Reason)
	require.False(t, lost.ExitKnown)
	require.NoError(t, unix.Kill(bystander.Process.Pid, 0))
	require.Equal(t, "before\n", enginetest.Log(t, e, 1))
}
