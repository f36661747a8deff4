//go:build linux && cgo

package oci_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/enginetest"
	"github.com/grafilab/grafi/offchain/executor/engine/oci"
)

func TestMain(m *testing.M) {
	oci.Reexec()
	os.Exit(m.Run())
}

// requireEngine skips where the machine can't run containers, but not for root
// in CI: there one engine at least must run.
func requireEngine(t *testing.T) engine.Capabilities {
	t.Helper()
	c, err := oci.Probe(t.Context(), oci.Options{})
	require.NoError(t, err)
	if !c.Usable {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			t.Fatalf("root in CI, but no containers: %q", c.Reasons)
		}
		t.Skipf("no containers on this machine: %q", c.Reasons)
	}
	return c
}

func open(t *testing.T, stateDir string) engine.Engine {
	t.Helper()
	e, err := oci.New(t.Context(), oci.Options{StateDir: stateDir})
	require.NoError(t, err)
	return e
}

func TestConformance(t *testing.T) {
	c := requireEngine(t)
	t.Logf("%+v", c)
	enginetest.Conformance(t, open)
}
