//go:build linux

package process_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/enginetest"
	"github.com/grafilab/grafi/offchain/executor/engine/process"
)

func TestMain(m *testing.M) {
	process.Reexec()
	os.Exit(m.Run())
}

func open(t *testing.T, stateDir string) engine.Engine {
	t.Helper()
	e, err := process.New(process.Options{StateDir: stateDir, AllowUnisolated: true})
	require.NoError(t, err)
	return e
}

func TestConformance(t *testing.T) { enginetest.Conformance(t, open) }

func TestNeedsConsent(t *testing.T) {
	_, err := process.New(process.Options{StateDir: t.TempDir()})
	require.ErrorIs(t, err, process.ErrUnisolated)
	e := open(t, enginetest.StateDir(t))
	require.Equal(t, "process (UNISOLATED)", e.Name())
}

func TestLimitsAndUser(t *testing.T) {
	e := open(t, enginetest.StateDir(t))
	enginetest.StopAtEnd(t, e)
	rootfs := enginetest.Rootfs(t)
	w := enginetest.Workload(rootfs, 1, "status=NoNewPrivs", "status=Uid", "memory=400")
	w.Manifest.Resources.MemoryMiB = 256
	status, log := enginetest.Run(t, e, w)
	uid := os.Geteuid()
	if uid == 0 {
		uid = 65534
	}
	require.Contains(t, log, fmt.Sprintf("NoNewPrivs: 1\nUid: %d %d %d %d\n", uid, uid, uid, uid))
	require.NotEqual(t, 0, status.ExitCode, "400 MiB are over the limit")
	require.NotContains(t, log, "held")
}

// TestNothingIsLeft: the end of the first process is the end of all.
func TestNothingIsLeft(t *testing.T) {
	e := open(t, enginetest.StateDir(t))
	enginetest.StopAtEnd(t, e)
	require.NoError(t, e.Start(t.Context(), enginetest.Workload(enginetest.Rootfs(t), 1, "children=3", "sleep=60s")))
	enginetest.WaitLog(t, e, 1, "no limit")
	group := enginetest.WaitState(t, e, 1, engine.StateRunning).PID
	require.NoError(t, e.Stop(t.Context(), 1, 0))
	require.Eventually(t, func() bool { return unix.Kill(-group, 0) == unix.ESRCH }, 5*time.Second, 10*time.Millisecond)
}
