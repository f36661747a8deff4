package enginetest

import (
	"bufio"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/manifest"
)

// Conformance checks what every engine promises. open returns a new engine on a
// state directory, as after a restart.
func Conformance(t *testing.T, open func(t *testing.T, stateDir string) engine.Engine) {
	rootfs := Rootfs(t)
	start := func(t *testing.T) engine.Engine {
		t.Helper()
		e := open(t, StateDir(t))
		StopAtEnd(t, e)
		return e
	}
	for name, test := range map[string]func(*testing.T, engine.Engine, string){
		"hello and exit code":       testHello,
		"not found":                 testNotFound,
		"start once":                testStartOnce,
		"start failed":              testStartFailed,
		"stop in grace":             testStopInGrace,
		"stop by force":             testStopByForce,
		"deadline":                  testDeadline,
		"logs followed":             testFollow,
		"log bounded, newest kept":  testLogBound,
		"results":                   testResults,
		"exec":                      testExec,
		"dial":                      testDial,
		"disk limit":                testDiskLimit,
		"stats, list and remove":    testListRemove,
		"restart finds it running":  func(t *testing.T, e engine.Engine, _ string) { testRestart(t, e, open, rootfs) },
		"record that can't be read": func(t *testing.T, _ engine.Engine, _ string) { testUnreadable(t, open, rootfs) },
	} {
		t.Run(name, func(t *testing.T) { test(t, start(t), rootfs) })
	}
}

func testHello(t *testing.T, e engine.Engine, rootfs string) {
	w := Workload(rootfs, 7, "print=hello", "stderr=from stderr", "env=GREETING", "env=GRAFI_RENTAL_ID", "env=IMAGE", "exit=3")
	w.Manifest.Env = map[string]string{"GREETING": "good day"}
	w.Image.Env = []string{"IMAGE=from the image", "GREETING=hidden"}

	status, log := Run(t, e, w)

	require.Equal(t, "hello\nfrom stderr\nGREETING=good day\nGRAFI_RENTAL_ID=7\nIMAGE=from the image\n", log)
	require.True(t, status.ExitKnown)
	require.Equal(t, 3, status.ExitCode)
	require.Equal(t, engine.ReasonCompleted, status.Reason)
	require.False(t, status.ExitedAt.Before(status.StartedAt))
	digest, err := w.Manifest.DigestHex()
	require.NoError(t, err)
	require.Equal(t, digest, status.ManifestDigest)
	require.NoError(t, e.Start(t.Context(), w), "a second start of an ended workload does nothing")
	require.Equal(t, status, WaitExit(t, e, 7))
}

func testNotFound(t *testing.T, e engine.Engine, _ string) {
	_, err := e.Status(t.Context(), 9)
	require.ErrorIs(t, err, engine.ErrNotFound)
	_, err = e.Logs(t.Context(), 9, engine.LogOptions{})
	require.ErrorIs(t, err, engine.ErrNotFound)
	require.ErrorIs(t, e.Stop(t.Context(), 9, 0), engine.ErrNotFound)
	_, err = e.Results(t.Context(), 9)
	require.ErrorIs(t, err, engine.ErrNotFound)
	require.NoError(t, e.Remove(t.Context(), 9))
	all, err := e.List(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
}

func testStartOnce(t *testing.T, e engine.Engine, rootfs string) {
	w := Workload(rootfs, 1, "print=started", "sleep=60s")
	results := make(chan error, 4)
	for range cap(results) {
		go func() { results <- e.Start(t.Context(), w) }()
	}
	for range cap(results) {
		require.NoError(t, <-results)
	}
	first := WaitState(t, e, 1, engine.StateRunning)
	require.NoError(t, e.Start(t.Context(), w))
	again := WaitState(t, e, 1, engine.StateRunning)
	require.Equal(t, first.PID, again.PID)
	WaitLog(t, e, 1, "started")
	require.Equal(t, "started\n", Log(t, e, 1))

	other := Workload(rootfs, 1, "print=other")
	require.ErrorIs(t, e.Start(t.Context(), other), engine.ErrConflict)
}

func testStartFailed(t *testing.T, e engine.Engine, rootfs string) {
	w := Workload(rootfs, 1)
	w.Manifest.Command = []string{"/no/such/program"}
	err := e.Start(t.Context(), w)
	require.ErrorIs(t, err, engine.ErrStartFailed)
	require.ErrorContains(t, err, "/no/such/program")
	status := WaitExit(t, e, 1)
	require.Equal(t, engine.ReasonStartFailed, status.Reason)
	require.False(t, status.ExitKnown)
	require.ErrorIs(t, e.Start(t.Context(), w), engine.ErrStartFailed)
}

func testStopInGrace(t *testing.T, e engine.Engine, rootfs string) {
	require.NoError(t, e.Start(t.Context(), Workload(rootfs, 1, "onterm=goodbye", "exit=5")))
	WaitLog(t, e, 1, "waiting for SIGTERM")
	require.NoError(t, e.Stop(t.Context(), 1, 20*time.Second))
	status := WaitExit(t, e, 1)
	require.Equal(t, engine.ReasonStopped, status.Reason)
	require.Equal(t, 5, status.ExitCode)
	require.Contains(t, Log(t, e, 1), "goodbye")
	require.NoError(t, e.Stop(t.Context(), 1, 0), "stopping twice is no error")
}

func testStopByForce(t *testing.T, e engine.Engine, rootfs string) {
	require.NoError(t, e.Start(t.Context(), Workload(rootfs, 1, "ignore", "print=ignoring", "sleep=60s")))
	WaitLog(t, e, 1, "ignoring")
	began := time.Now()
	require.NoError(t, e.Stop(t.Context(), 1, 300*time.Millisecond))
	require.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
	require.Less(t, time.Since(began), 10*time.Second)
	status := WaitExit(t, e, 1)
	require.Equal(t, 137, status.ExitCode)
	require.Equal(t, engine.ReasonStopped, status.Reason)
}

func testDeadline(t *testing.T, e engine.Engine, rootfs string) {
	w := Workload(rootfs, 1, "onterm=deadline came", "exit=0")
	w.Manifest.StopGraceSeconds = 1
	w.Deadline = time.Now().Add(time.Hour)
	require.NoError(t, e.Start(t.Context(), w))
	WaitLog(t, e, 1, "waiting")
	deadline := time.Now().Add(1500 * time.Millisecond)
	require.NoError(t, e.SetDeadline(t.Context(), 1, deadline))
	status := WaitExit(t, e, 1)
	require.Equal(t, engine.ReasonDeadline, status.Reason)
	require.True(t, status.Deadline.Equal(deadline))
	require.True(t, status.ExitedAt.Before(deadline.Add(500*time.Millisecond)), "%s after the deadline", status.ExitedAt.Sub(deadline))
	require.Contains(t, Log(t, e, 1), "deadline came")
}

func testFollow(t *testing.T, e engine.Engine, rootfs string) {
	require.NoError(t, e.Start(t.Context(), Workload(rootfs, 1, "count=30")))
	log, err := e.Logs(t.Context(), 1, engine.LogOptions{Follow: true})
	require.NoError(t, err)
	defer log.Close()
	lines := bufio.NewScanner(log)
	require.True(t, lines.Scan())
	require.Equal(t, "count 1", lines.Text())
	status, err := e.Status(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, engine.StateRunning, status.State, "the first line comes before the end")
	n := 1
	for lines.Scan() {
		n++
	}
	require.NoError(t, lines.Err())
	require.Equal(t, 30, n)

	tail, err := e.Logs(t.Context(), 1, engine.LogOptions{TailBytes: 9})
	require.NoError(t, err)
	defer tail.Close()
	raw, err := io.ReadAll(tail)
	require.NoError(t, err)
	require.Equal(t, "count 30\n", string(raw))
}

func testLogBound(t *testing.T, e engine.Engine, rootfs string) {
	status, log := Run(t, e, Workload(rootfs, 1, "flood=40", "print=the very last line"))
	require.Equal(t, 0, status.ExitCode)
	require.LessOrEqual(t, len(log), 32<<20)
	require.Greater(t, len(log), 20<<20)
	require.True(t, strings.HasSuffix(log, "\nthe very last line\n"))
}

func testResults(t *testing.T, e engine.Engine, rootfs string) {
	w := Workload(rootfs, 1, "write=volume:out/picture,pixels", "link=volume:out/escape,/etc/passwd", "sleep=1s")
	w.Manifest.Volumes = []manifest.Volume{{Name: "out", Path: "/data/out"}}
	w.Manifest.Results = []string{"/data/out/picture"}
	require.NoError(t, e.Start(t.Context(), w))
	_, err := e.Results(t.Context(), 1)
	require.ErrorIs(t, err, engine.ErrRunning)
	require.Equal(t, 0, WaitExit(t, e, 1).ExitCode, Log(t, e, 1))

	results, err := e.Results(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, results, 1)
	require.Equal(t, int64(6), results[0].Bytes)
	require.Len(t, engine.OutputDigest(results), 32)
	f, err := e.OpenResult(t.Context(), 1, "/data/out/picture")
	require.NoError(t, err)
	raw, err := io.ReadAll(f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, "pixels", string(raw))

	escape := w
	escape.RentalID, escape.Manifest.Results = 2, []string{"/data/out/escape"}
	require.NoError(t, e.Start(t.Context(), escape))
	WaitExit(t, e, 2)
	_, err = e.Results(t.Context(), 2)
	require.ErrorContains(t, err, "escape")

	missing := w
	missing.RentalID, missing.Manifest.Results = 3, []string{"/data/out/missing"}
	require.NoError(t, e.Start(t.Context(), missing))
	WaitExit(t, e, 3)
	_, err = e.Results(t.Context(), 3)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func testListRemove(t *testing.T, e engine.Engine, rootfs string) {
	w := Workload(rootfs, 10, "print=up", "sleep=60s")
	w.Manifest.Volumes = []manifest.Volume{{Name: "out", Path: "/data/out"}}
	require.NoError(t, e.Start(t.Context(), w))
	Run(t, e, Workload(rootfs, 9, "print=done"))
	WaitLog(t, e, 10, "up")

	stats, err := e.Stats(t.Context(), 10)
	require.NoError(t, err)
	require.GreaterOrEqual(t, stats.DiskBytes, int64(0))
	_, err = e.Stats(t.Context(), 9)
	require.ErrorIs(t, err, engine.ErrNotRunning)

	all, err := e.List(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, []uint64{9, 10}, []uint64{all[0].RentalID, all[1].RentalID})
	require.Equal(t, engine.StateRunning, all[1].State)

	require.ErrorIs(t, e.Remove(t.Context(), 10), engine.ErrRunning)
	require.NoError(t, e.Remove(t.Context(), 9))
	_, err = e.Status(t.Context(), 9)
	require.ErrorIs(t, err, engine.ErrNotFound)
	_, log := Run(t, e, Workload(rootfs, 9, "print=anew"))
	require.Equal(t, "anew\n", log, "after a removal the rental can start again")
}

func testUnreadable(t *testing.T, open func(*testing.T, string) engine.Engine, rootfs string) {
	state := StateDir(t)
	e := open(t, state)
	Run(t, e, Workload(rootfs, 4, "print=done"))
	require.NoError(t, os.WriteFile(filepath.Join(state, "4", "exit.json"), []byte("{"), 0o600))
	_, err := e.Status(t.Context(), 4)
	require.Error(t, err)
	require.NotErrorIs(t, err, engine.ErrNotFound, "could not look is not the same as not there")
	all, err := e.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, engine.StateUnknown, all[0].State)
}
