package enginetest

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/manifest"
)

const imageDigest = "sha256:00000000000000000000000000000000000000000000000000000000000000aa"

// BinaryEnv names a built workload command, for a test process that can't build one.
const BinaryEnv = "GRAFI_TEST_WORKLOAD"

var buildOnce = sync.OnceValues(func() ([]byte, error) {
	if built := os.Getenv(BinaryEnv); built != "" {
		return os.ReadFile(built)
	}
	dir, err := os.MkdirTemp("", "workload")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "workload")
	cmd := exec.Command("go", "build", "-trimpath", "-o", binary, "github.com/grafilab/grafi/offchain/executor/engine/enginetest/workload")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, &buildError{string(out)}
	}
	return os.ReadFile(binary)
})

type buildError struct{ out string }

func (e *buildError) Error() string { return "build the test workload: " + e.out }

// Binary returns the static program of the workload command.
func Binary(t *testing.T) []byte {
	t.Helper()
	binary, err := buildOnce()
	require.NoError(t, err)
	return binary
}

// Rootfs returns an unpacked image that has the workload command at /workload,
// and account files.
func Rootfs(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "rootfs")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "etc"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "workload"), Binary(t), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/passwd"), []byte("root:x:0:0::/:\nrunner:x:1000:1001::/:\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/secret"), []byte("root only"), 0o600))
	return root
}

// StateDir returns a directory for an engine, to which every user may walk.
func StateDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o711))
	return filepath.Join(dir, "state")
}

// Workload returns a valid workload that does the steps.
func Workload(rootfs string, rentalID uint64, steps ...string) engine.Workload {
	return engine.Workload{
		RentalID: rentalID,
		Manifest: manifest.Manifest{
			Image: "localhost/workload@" + imageDigest, Args: steps,
			Resources:        manifest.Resources{CPUMillis: 1000, MemoryMiB: 128, DiskMiB: 64, PIDs: 64},
			StopGraceSeconds: 5,
		},
		Image: engine.Image{Digest: imageDigest, Rootfs: rootfs, Entrypoint: []string{"/workload"}},
	}
}

// WaitExit returns the status of a workload that has ended.
func WaitExit(t *testing.T, e engine.Engine, rentalID uint64) engine.Status {
	t.Helper()
	return WaitState(t, e, rentalID, engine.StateExited)
}

// WaitState waits up to 30 s for a state.
func WaitState(t *testing.T, e engine.Engine, rentalID uint64, want engine.State) engine.Status {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		status, err := e.Status(t.Context(), rentalID)
		require.NoError(t, err)
		if status.State == want {
			return status
		}
		require.True(t, time.Now().Before(deadline), "rental %d is %s, not %s: %s", rentalID, status.State, want, Log(t, e, rentalID))
		time.Sleep(20 * time.Millisecond)
	}
}

// Log returns all of a workload's log.
func Log(t *testing.T, e engine.Engine, rentalID uint64) string {
	t.Helper()
	log, err := e.Logs(t.Context(), rentalID, engine.LogOptions{})
	require.NoError(t, err)
	defer log.Close()
	raw, err := io.ReadAll(log)
	require.NoError(t, err)
	return string(raw)
}

// WaitLog waits until the log has the text.
func WaitLog(t *testing.T, e engine.Engine, rentalID uint64, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(Log(t, e, rentalID), text) },
		20*time.Second, 20*time.Millisecond, "log never has %q", text)
}

// Run starts a workload, waits for its end and returns it with its log.
func Run(t *testing.T, e engine.Engine, w engine.Workload) (engine.Status, string) {
	t.Helper()
	require.NoError(t, e.Start(t.Context(), w))
	status := WaitExit(t, e, w.RentalID)
	return status, Log(t, e, w.RentalID)
}

// StopAtEnd ends what a test has left running.
func StopAtEnd(t *testing.T, e engine.Engine) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		all, err := e.List(ctx)
		require.NoError(t, err)
		for _, status := range all {
			require.NoError(t, e.Stop(ctx, status.RentalID, 0))
			require.NoError(t, e.Remove(ctx, status.RentalID))
		}
	})
}

// Exec runs a step inside a running workload and returns its output.
func Exec(t *testing.T, e engine.Engine, rentalID uint64, stdin string, program string, steps ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code, err := e.Exec(t.Context(), rentalID, engine.ExecProcess{
		Args: append([]string{program}, steps...), Env: []string{"EXTRA=extra"},
		Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &out,
	})
	require.NoError(t, err)
	return code, out.String()
}
