//go:build linux && cgo

package oci_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/engine/enginetest"
	"github.com/grafilab/grafi/offchain/executor/engine/oci"
)

const (
	rootlessEnv  = "GRAFI_TEST_ROOTLESS"
	rootlessUser = 65534
)

// TestRootless runs what differs without root as a user without privileges.
func TestRootless(t *testing.T) {
	requireEngine(t)
	if os.Geteuid() != 0 {
		t.Skip("this whole package runs without root already")
	}
	enginetest.Binary(t)
	home := t.TempDir() // the test's own temporary directories, owned by that user
	for dir := home; dir != os.TempDir(); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chown(dir, rootlessUser, rootlessUser))
	}
	binary := filepath.Join(home, "oci.test")
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(binary, self, 0o755))
	workload := filepath.Join(home, "workload")
	require.NoError(t, os.WriteFile(workload, enginetest.Binary(t), 0o755))
	cmd := exec.Command(binary, "-test.run=^(TestConformance|TestRootlessProbe|TestIsolation)$/^(hello|exec|dial|results|stop_in|start_failed|restart)", "-test.v")
	cmd.Dir = home
	cmd.Env = []string{"TMPDIR=" + home, "PATH=" + os.Getenv("PATH"), rootlessEnv + "=1", enginetest.BinaryEnv + "=" + workload}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: rootlessUser, Gid: rootlessUser}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
}

// TestRootlessProbe: without root it is said what is missing.
func TestRootlessProbe(t *testing.T) {
	if os.Getenv(rootlessEnv) == "" {
		t.Skip("run by TestRootless")
	}
	c, err := oci.Probe(t.Context(), oci.Options{})
	require.NoError(t, err)
	require.False(t, c.Root)
	if !c.Usable {
		t.Skipf("the kernel gives no user namespaces to users: %q", c.Reasons)
	}
	require.Empty(t, c.Limits)
	require.Contains(t, c.Reasons, "no control group is delegated to this user: resource limits are not enforced")
	require.Equal(t, "oci (rootless, no resource limits, network none)", open(t, filepath.Join(t.TempDir(), "state")).Name())
}
