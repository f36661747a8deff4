package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBOMOfThisProgram describes the test itself: a program with known modules.
func TestBOMOfThisProgram(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	out := filepath.Join(t.TempDir(), "bom.json")
	at := time.Unix(1_800_000_000, 0).UTC()
	require.NoError(t, run(out, "v1.2.3", at, []string{self}))
	first, err := os.ReadFile(out)
	require.NoError(t, err)
	require.NoError(t, run(out, "v1.2.3", at, []string{self}))
	again, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, string(first), string(again), "the same programs have the same file")

	var b bom
	require.NoError(t, json.Unmarshal(first, &b))
	require.Equal(t, "CycloneDX", b.Format)
	require.Equal(t, "1.6", b.Spec)
	require.Equal(t, "2027-01-15T08:00:00Z", b.Metadata.Timestamp)
	require.Regexp(t, regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`), b.Serial)

	raw, err := os.ReadFile(self)
	require.NoError(t, err)
	sum := sha256.Sum256(raw)
	require.Equal(t, []hash{{"SHA-256", hex.EncodeToString(sum[:])}}, b.Components[0].Hashes)
	info, ok := debug.ReadBuildInfo()
	require.True(t, ok)
	refs := map[string]component{}
	for _, c := range b.Components {
		require.NotContains(t, refs, c.Ref, "named twice")
		refs[c.Ref] = c
	}
	for _, m := range info.Deps {
		require.Contains(t, refs, library(m).Ref)
	}
	require.Equal(t, runtime.Version(), refs["pkg:golang/std@"+runtime.Version()].Version)
	require.Len(t, b.Components, 1+len(info.Deps)+1)
	for _, d := range b.Dependencies {
		for _, on := range d.On {
			require.Contains(t, refs, on, "a dependency that is not described")
		}
	}
}

func TestReplacedModules(t *testing.T) {
	c := library(&debug.Module{
		Path: "github.com/Old/x", Version: "v1.0.0",
		Replace: &debug.Module{Path: "github.com/New/x", Version: "v1.1.0", Sum: "h1:AAAA"},
	})
	require.Equal(t, "pkg:golang/github.com/new/x@v1.1.0", c.PURL)
	require.Contains(t, c.Properties, property{Name: "go:replaces", Value: "github.com/Old/x@v1.0.0"})
	require.Contains(t, c.Properties, property{Name: "go:sum:h1", Value: "000000"})
}

func TestOtherFilesAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(path, []byte("no program"), 0o600))
	require.Error(t, run("", "v1", time.Time{}, []string{path}))
}
