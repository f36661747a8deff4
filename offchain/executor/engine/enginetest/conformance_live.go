package enginetest

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/manifest"
)

func testExec(t *testing.T, e engine.Engine, rootfs string) {
	require.NoError(t, e.Start(t.Context(), Workload(rootfs, 1, "print=up", "sleep=60s")))
	WaitLog(t, e, 1, "up")
	code, out := Exec(t, e, 1, "a line\n", "/workload", "stdin", "env=EXTRA", "env=GRAFI_RENTAL_ID", "exit=4")
	require.Equal(t, 4, code, out)
	require.Equal(t, "read a line\nEXTRA=extra\nGRAFI_RENTAL_ID=1\n", out)

	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := e.Exec(ctx, 1, engine.ExecProcess{Args: []string{"/workload", "sleep=60s"}})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, engine.StateRunning, WaitState(t, e, 1, engine.StateRunning).State)

	_, err = e.Exec(t.Context(), 1, engine.ExecProcess{Args: []string{"/no/such"}})
	require.ErrorContains(t, err, "/no/such")
}

func testDial(t *testing.T, e engine.Engine, rootfs string) {
	w := Workload(rootfs, 1, "listen=18080")
	w.Manifest.Ports = []manifest.Port{{Name: "http", Port: 18080}}
	require.NoError(t, e.Start(t.Context(), w))
	WaitLog(t, e, 1, "listening")
	conn, err := e.Dial(t.Context(), 1, 18080)
	require.NoError(t, err)
	defer conn.Close()
	raw, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, "answer from inside\n", string(raw))
	_, err = e.Dial(t.Context(), 1, 18081)
	require.ErrorContains(t, err, "refused")
}

func testDiskLimit(t *testing.T, e engine.Engine, rootfs string) {
	w := Workload(rootfs, 1, "fill=volume:out")
	w.Manifest.Volumes = []manifest.Volume{{Name: "out", Path: "/data/out"}}
	w.Manifest.Resources.DiskMiB = 8
	status, _ := Run(t, e, w)
	require.Equal(t, engine.ReasonDiskLimit, status.Reason)
}

func testRestart(t *testing.T, _ engine.Engine, open func(*testing.T, string) engine.Engine, rootfs string) {
	state := StateDir(t)
	before := open(t, state)
	StopAtEnd(t, before)
	require.NoError(t, before.Start(t.Context(), Workload(rootfs, 1, "onterm=bye")))
	first := WaitState(t, before, 1, engine.StateRunning)

	after := open(t, state)
	require.NoError(t, after.Start(t.Context(), Workload(rootfs, 1, "onterm=bye")))
	require.Equal(t, first.PID, WaitState(t, after, 1, engine.StateRunning).PID)
	WaitLog(t, after, 1, "waiting")
	require.NoError(t, after.Stop(t.Context(), 1, 20*time.Second))
	require.Equal(t, 0, WaitExit(t, after, 1).ExitCode)
	require.Contains(t, Log(t, after, 1), "bye")
}
