package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// crossBuild builds the agent for another machine.
func crossBuild(t *testing.T, target string) string {
	t.Helper()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go tool")
	}
	system, arch, _ := strings.Cut(target, "/")
	out := filepath.Join(t.TempDir(), "grafi-agent.exe")
	cmd := exec.Command(goTool, "build", "-buildvcs=false", "-o", out, ".")
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=")
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", text)
	return out
}

// TestAgentBuildsForEveryMachine needs minutes of a cold build cache.
func TestAgentBuildsForEveryMachine(t *testing.T) {
	if os.Getenv("CI") == "" && os.Getenv("GRAFI_WINE") == "" && os.Getenv("GRAFI_LONG_TESTS") == "" {
		t.Skip("builds for other machines, with GRAFI_WINE=1, GRAFI_LONG_TESTS=1 or in CI")
	}
	crossBuild(t, "linux/arm64")
	crossBuild(t, "windows/amd64")
}

// TestWindowsProgram runs the Windows program as a person would: under wine.
func TestWindowsProgram(t *testing.T) {
	if os.Getenv("GRAFI_WINE") == "" && os.Getenv("CI") == "" {
		t.Skip("the Windows program runs under wine, with GRAFI_WINE=1 or in CI")
	}
	if _, err := exec.LookPath("x86_64-w64-mingw32-gcc"); err != nil {
		t.Skip("wine and mingw are not installed (GRAFI_WINE=1 make setup)")
	}
	program := os.Getenv("GRAFI_WINDOWS_AGENT") // built before
	if program == "" {
		program = crossBuild(t, "windows/amd64")
	}
	prefix := t.TempDir()
	environ := append(os.Environ(), "WINEPREFIX="+prefix)
	wine := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "../../scripts/wine.sh", append([]string{program}, args...)...)
		cmd.Env = environ
		return cmd
	}
	t.Cleanup(func() {
		stop := exec.Command("../../scripts/wine.sh", "--stop")
		stop.Env = environ
		_ = stop.Run() // nothing runs when the test ended early
	})
	run := func(code int, args ...string) string {
		t.Helper()
		cmd := wine(args...)
		out, err := cmd.CombinedOutput()
		require.NotNil(t, cmd.ProcessState, "%v", err)
		require.Equal(t, code, cmd.ProcessState.ExitCode(), "%v: %s", args, out)
		return string(out)
	}
	home := []string{"--home", `C:\grafi`, "--gpu-source", "sim", "--node", "http://127.0.0.1:1"}
	with := func(args ...string) []string { return append(args, home...) }

	require.Contains(t, run(0, "--help"), "Available Commands")
	require.Contains(t, run(0, with("init", "--chain-id", "grafi-test-1")...), "agent key")
	require.Contains(t, run(0, with("init", "--chain-id", "grafi-test-1")...), "kept", "keys are read back, and not made again")
	key, err := os.ReadFile(filepath.Join(prefix, "drive_c", "grafi", "keys", "agent.key"))
	require.NoError(t, err)
	require.Contains(t, string(key), "Sealed: dpapi")
	require.Contains(t, run(exitFailure, with("doctor")...), "does not answer on \\\\.\\pipe\\grafi-agent-")
	require.Contains(t, run(exitAbsent, with("status")...), "no agent answers")
	require.Contains(t, run(0, with("service", "install", "--print")...), "LocalSystem")

	agent := wine(with("run")...)
	log := &strings.Builder{}
	agent.Stderr = log
	require.NoError(t, agent.Start())
	t.Cleanup(func() { _ = agent.Process.Kill(); _ = agent.Wait() })
	require.Eventually(t, func() bool {
		out, err := wine(with("status")...).CombinedOutput()
		return err == nil && strings.Contains(string(out), "SIM")
	}, 60*time.Second, time.Second, "the agent answers on its pipe")
	require.Contains(t, run(0, with("top", "--once")...), "grafi-test-1")
	other, err := wine(with("run")...).CombinedOutput()
	require.Error(t, err, "a second agent of one home: %s", other)
}
