package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	systemd "github.com/grafilab/grafi/deploy/systemd"
)

// values returns what the unit sets under a name.
func values(unit, name string) (out []string) {
	for line := range strings.Lines(unit) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), name+"="); ok {
			out = append(out, v)
		}
	}
	return out
}

func TestUnitIsHardened(t *testing.T) {
	unit, err := installation{Program: "/usr/bin/grafi-agent", Arguments: []string{"run"}, Home: stateHome, User: "root"}.unit()
	require.NoError(t, err)
	for name, want := range map[string]string{
		"ExecStart": "/usr/bin/grafi-agent run", "User": "root", "Restart": "always", "NoNewPrivileges": "yes",
		"CapabilityBoundingSet": "", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
		"StateDirectory": "grafi-agent", "StateDirectoryMode": "0700", "RuntimeDirectory": "grafi-agent", "UMask": "0077",
		"SystemCallFilter": "@system-service", "SystemCallArchitectures": "native", "RestrictNamespaces": "yes",
		"RestrictSUIDSGID": "yes", "LockPersonality": "yes", "ProtectKernelLogs": "yes", "MemoryMax": "1G",
	} {
		require.Equal(t, []string{want}, values(unit, name), name)
	}
	// These would take the GPUs away: both put the unit into a device cgroup, or
	// stop the driver's compiler.
	for _, never := range []string{"PrivateDevices", "ProtectClock", "DevicePolicy", "MemoryDenyWriteExecute"} {
		require.Empty(t, values(unit, never), never)
	}
	require.Empty(t, values(unit, "ReadWritePaths"))
	require.Equal(t, strings.Count(systemd.AgentUnit, "\n"), strings.Count(unit, "\n"), "only lines are changed")
}

func TestUnitOfAHomeElsewhere(t *testing.T) {
	i := installation{
		Program: "/opt/my agent/grafi-agent", Arguments: []string{"run", "--home=/home/gpu/100% $HOME"}, Home: "/home/gpu/100% $HOME",
		User: "gpu", Credentials: "/etc/grafi-agent",
	}
	unit, err := i.unit()
	require.NoError(t, err)
	require.Equal(t, []string{`"/opt/my agent/grafi-agent" run "--home=/home/gpu/100%% $$HOME"`}, values(unit, "ExecStart"))
	require.Equal(t, []string{`"/home/gpu/100%% $$HOME"`}, values(unit, "ReadWritePaths"))
	require.Equal(t, []string{"no"}, values(unit, "ProtectHome"))
	require.Equal(t, []string{
		"agent.key:/etc/grafi-agent/agent.key", "encryption.key:/etc/grafi-agent/encryption.key", "fee.key:/etc/grafi-agent/fee.key",
	}, values(unit, "LoadCredential"))
	require.Less(t, strings.Index(unit, "LoadCredential="), strings.Index(unit, "[Install]"), "in [Service]")

	i.Arguments = []string{"run", "--home=/a\nExecStartPre=/bin/evil"}
	_, err = i.unit()
	require.Error(t, err)
	i.Arguments = []string{"run", "--home={{Path}}"}
	_, err = i.unit()
	require.Error(t, err, "the text is a template")
}

func TestSystemdAcceptsTheUnit(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze")
	}
	unit, err := installation{Program: "/bin/true", Arguments: []string{"run", "--home=/srv/a b"}, Home: "/srv/a b", User: "root", Credentials: "/etc"}.unit()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "grafi-agent.service")
	require.NoError(t, os.WriteFile(path, []byte(unit), 0o600))
	out, err := exec.Command(tool, "verify", "--man=no", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), "grafi-agent.service:", "a line is unknown or wrong")
}

func TestInstallPrints(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the unit is Linux's")
	}
	home := t.TempDir()
	t.Chdir(filepath.Dir(home))
	stdout, stderr, code := do(t, "service", "install", "--print", "--home", filepath.Base(home), "--node", "http://a:1,http://b:2",
		"--chain-id", "grafi-test-1", "--log-format", "json")
	require.Zero(t, code, stderr)
	start := values(stdout, "ExecStart")
	require.Len(t, start, 1)
	args := strings.Fields(start[0])[1:]
	slices.Sort(args)
	require.Equal(t, []string{"--chain-id=grafi-test-1", "--home=" + home, "--log-format=json", "--node=http://a:1,http://b:2", "run"}, args)
	entries, err := os.ReadDir(home)
	require.NoError(t, err)
	require.Empty(t, entries, "nothing was changed")

	_, stderr, code = do(t, "service", "install", "--print", "--credentials", "relative")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--credentials")
}

func TestWindowsEntry(t *testing.T) {
	got := installation{Program: `C:\Program Files\grafi-agent.exe`, Arguments: []string{"run"}}.windowsEntry()
	require.Contains(t, got, "LocalSystem")
	require.Contains(t, got, `C:\Program Files\grafi-agent.exe`)
}

func TestLogFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.log")
	l, err := openLog(path)
	require.NoError(t, err)
	line := []byte(strings.Repeat("x", 1<<20) + "\n")
	for range 20 {
		n, err := l.Write(line)
		require.NoError(t, err)
		require.Equal(t, len(line), n)
	}
	require.NoError(t, l.Close())
	for _, p := range []string{path, path + ".1"} {
		fi, err := os.Stat(p)
		require.NoError(t, err)
		require.LessOrEqual(t, fi.Size(), int64(maxLog))
		require.NotZero(t, fi.Size())
	}
}
