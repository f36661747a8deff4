package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/enginetest"
	"github.com/grafilab/grafi/offchain/executor/manifest"
	"github.com/grafilab/grafi/offchain/executor/store"
)

func load(t *testing.T, environ []string, args ...string) (config, error) {
	t.Helper()
	f := pflag.NewFlagSet("run", pflag.ContinueOnError)
	addConfigFlags(f)
	require.NoError(t, f.Parse(args))
	return loadConfig(f, environ)
}

func TestConfigOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "executor.yaml")
	require.NoError(t, os.WriteFile(file, []byte("node: [http://a:1, http://b:2]\nlisten: :1\nclock-grace: 5s\nreconcile-interval: 3s\n"), 0o600))

	c, err := load(t, []string{"GRAFI_EXECUTOR_LISTEN=:2", "GRAFI_EXECUTOR_RECONCILE_INTERVAL=2s", "HOME=/x"},
		"--config", file, "--reconcile-interval", "1s")
	require.NoError(t, err)
	require.Equal(t, []string{"http://a:1", "http://b:2"}, c.Node, "file over default")
	require.Equal(t, 5*time.Second, c.ClockGrace, "file over default")
	require.Equal(t, ":2", c.Listen, "environment over file")
	require.Equal(t, time.Second, c.Interval, "flag over environment")
	require.Equal(t, time.Hour, c.Retention, "default")
}

func TestConfigIsRefused(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("lissten: :1\n"), 0o600))
	tests := map[string]struct {
		environ []string
		args    []string
		says    string
	}{
		"unknown engine":           {args: []string{"--engine", "docker"}, says: `got "docker"`},
		"process without the flag": {args: []string{"--engine", "process"}, says: "--allow-unisolated"},
		"interval too short":       {args: []string{"--reconcile-interval", "1ms"}, says: "100ms"},
		"negative grace":           {args: []string{"--clock-grace", "-1s"}, says: "clock-grace"},
		"unknown name in the file": {args: []string{"--config", bad}, says: `"lissten"`},
		"no such file":             {args: []string{"--config", bad + "x"}, says: "no such file"},
		"unknown variable":         {environ: []string{"GRAFI_EXECUTOR_LISSTEN=:1"}, says: `"lissten"`},
		"no duration":              {environ: []string{"GRAFI_EXECUTOR_RETENTION=soon"}, says: "retention"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tc.environ, tc.args...)
			require.ErrorContains(t, err, tc.says)
			require.ErrorAs(t, err, new(usageError))
		})
	}
}

func TestPick(t *testing.T) {
	oci := func(usable bool) candidate {
		return candidate{Kind: engineOCI, Allowed: true, Capabilities: engine.Capabilities{Usable: usable, Isolated: true, Reasons: []string{"no namespaces"}}}
	}
	process := func(allowed bool) candidate {
		return candidate{Kind: engineProcess, Allowed: allowed, Capabilities: engine.Capabilities{Usable: true}}
	}
	tests := map[string]struct {
		list   []candidate
		engine string
		want   string
		says   string
	}{
		"the strongest":                   {[]candidate{oci(true), process(true)}, engineAuto, engineOCI, ""},
		"the next one when allowed":       {[]candidate{oci(false), process(true)}, engineAuto, engineProcess, ""},
		"nothing weaker without a word":   {[]candidate{oci(false), process(false)}, engineAuto, "", "--allow-unisolated"},
		"the one asked for":               {[]candidate{oci(true), process(true)}, engineProcess, engineProcess, ""},
		"no other than the one asked for": {[]candidate{oci(false), process(true)}, engineOCI, "", "no namespaces"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := pick(tc.list, config{Engine: tc.engine})
			if tc.says != "" {
				require.ErrorIs(t, err, errNoEngine)
				require.ErrorContains(t, err, tc.says)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got.Kind)
		})
	}
}

func TestPruneKeepsWhatIsRented(t *testing.T) {
	home := t.TempDir()
	images, err := openImages(config{Home: home})
	require.NoError(t, err)
	db, err := store.Open(filepath.Join(home, "executor.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	digests := []string{strings.Repeat("a", 64), strings.Repeat("b", 64)}
	for _, d := range digests {
		require.NoError(t, os.MkdirAll(filepath.Join(home, "images", d, "rootfs"), 0o700))
	}
	m := manifest.Manifest{Image: "localhost:5000/job@sha256:" + digests[0], Resources: manifest.Resources{CPUMillis: 1, MemoryMiB: 16}}
	doc, err := m.Canonical()
	require.NoError(t, err)
	require.NoError(t, db.Update(1, func(r *store.Record) { r.Manifest = doc }))
	eng := enginetest.NewFake(time.Now)

	require.NoError(t, eng.Start(t.Context(), engine.Workload{RentalID: 2, Manifest: m}))
	removed, err := pruneImages(t.Context(), images, eng, db)
	require.NoError(t, err)
	require.Empty(t, removed, "a workload without a record may need any image")

	require.NoError(t, eng.Stop(t.Context(), 2, 0))
	require.NoError(t, eng.Remove(t.Context(), 2))
	removed, err = pruneImages(t.Context(), images, eng, db)
	require.NoError(t, err)
	require.Equal(t, []string{"sha256:" + digests[1]}, removed)
}
