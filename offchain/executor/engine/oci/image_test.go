//go:build linux && cgo

package oci_test

import (
	"archive/tar"
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/engine/enginetest"
	"github.com/grafilab/grafi/offchain/executor/image"
	"github.com/grafilab/grafi/offchain/executor/manifest"
)

// TestFromRegistry joins the store and the engine: an image that is pushed to a
// real registry is pulled by digest and runs, with its own users and modes.
func TestFromRegistry(t *testing.T) {
	requireEngine(t)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	reference := pushWorkload(t, strings.TrimPrefix(server.URL, "http://"))
	store, err := image.NewStore(filepath.Join(t.TempDir(), "images"), image.Options{AllowPrivate: true})
	require.NoError(t, err)
	unpacked, err := store.Pull(t.Context(), reference)
	require.NoError(t, err)
	e := startEngine(t)

	status, out := enginetest.Run(t, e, engine.Workload{
		RentalID: 1, Image: unpacked,
		Manifest: manifest.Manifest{
			Image: reference, Args: []string{"ids", "stat=/app/private", "write=volume:out/x,from inside"},
			Resources: manifest.Resources{CPUMillis: 500, MemoryMiB: 64},
			Volumes:   []manifest.Volume{{Name: "out", Path: "/srv/out"}},
		},
	})

	require.Equal(t, 0, status.ExitCode, out)
	require.Contains(t, out, "wrote volume:out/x\n")
	if c := requireEngine(t); c.Root {
		require.Contains(t, out, "uid 1000 gid 1000 pid 1\nstat /app/private: -rwx------ uid 1000\n")
	}
}

func pushWorkload(t *testing.T, host string) string {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	binary := enginetest.Binary(t)
	for _, file := range []struct {
		header  tar.Header
		content []byte
	}{
		{tar.Header{Name: "app/", Typeflag: tar.TypeDir, Mode: 0o755}, nil},
		{tar.Header{Name: "app/workload", Mode: 0o755}, binary},
		{tar.Header{Name: "app/private", Mode: 0o4700, Uid: 1000, Gid: 1000}, []byte("of user 1000")},
	} {
		file.header.Size = int64(len(file.content))
		require.NoError(t, w.WriteHeader(&file.header))
		_, err := w.Write(file.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
	require.NoError(t, err)
	user := ""
	if requireEngine(t).Root {
		user = "1000:1000"
	}
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH, Config: v1.Config{
		Entrypoint: []string{"/app/workload"}, User: user,
	}})
	require.NoError(t, err)
	img, err = mutate.AppendLayers(img, layer)
	require.NoError(t, err)
	digest, err := img.Digest()
	require.NoError(t, err)
	ref, err := name.NewDigest(host + "/demo/workload@" + digest.String())
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img))
	return ref.String()
}
