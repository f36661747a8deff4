package image_test

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/image"
)

// fixture is a registry that really serves, and an empty store.
type fixture struct {
	host  string
	blobs *atomic.Int64 // how many were asked for
	spoil *atomic.Bool  // changes a byte of what is served
	store *image.Store
	dir   string
}

func newFixture(t *testing.T, options image.Options) fixture {
	t.Helper()
	f := fixture{blobs: new(atomic.Int64), spoil: new(atomic.Bool), dir: filepath.Join(t.TempDir(), "images")}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			f.blobs.Add(1)
		}
		if r.Method != http.MethodGet || !f.spoil.Load() {
			inner.ServeHTTP(w, r)
			return
		}
		recorded := httptest.NewRecorder()
		inner.ServeHTTP(recorded, r)
		body := recorded.Body.Bytes()
		if len(body) > 40 {
			body[len(body)/2] ^= 1
		}
		for key, values := range recorded.Header() {
			w.Header()[key] = values
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	f.host = strings.TrimPrefix(server.URL, "http://")
	var err error
	options.AllowPrivate = true
	f.store, err = image.NewStore(f.dir, options)
	require.NoError(t, err)
	return f
}

// layer makes one of tar entries; content of regular files is in the map.
func layer(t *testing.T, headers []tar.Header, content map[string]string) v1.Layer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		h.Size = int64(len(content[h.Name]))
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		h.ModTime = time.Unix(1_700_000_000, 0)
		require.NoError(t, w.WriteHeader(&h))
		_, err := w.Write([]byte(content[h.Name]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
	require.NoError(t, err)
	return l
}

func (f fixture) push(t *testing.T, layers ...v1.Layer) string {
	t.Helper()
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH, Config: v1.Config{
		Entrypoint: []string{"/bin/app"}, Cmd: []string{"serve"}, Env: []string{"A=b"}, WorkingDir: "/srv", User: "1000",
	}})
	require.NoError(t, err)
	img, err = mutate.AppendLayers(img, layers...)
	require.NoError(t, err)
	return f.pushImage(t, img)
}

func (f fixture) pushImage(t *testing.T, img v1.Image) string {
	t.Helper()
	digest, err := img.Digest()
	require.NoError(t, err)
	reference := f.host + "/team/app@" + digest.String()
	ref, err := name.NewDigest(reference)
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img))
	return reference
}

func file(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }
func dir(name string) tar.Header  { return tar.Header{Name: name, Typeflag: tar.TypeDir} }
func link(name, to string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
}
func hard(name, to string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: to}
}

// tree is the content of regular files, and the target of links after "-> ".
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	got := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(p string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		rel := strings.TrimPrefix(strings.TrimPrefix(p, root), "/")
		switch {
		case entry.IsDir():
			return nil
		case entry.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(p)
			require.NoError(t, err)
			got[rel] = "-> " + to
		default:
			raw, err := os.ReadFile(p)
			require.NoError(t, err)
			got[rel] = string(raw)
		}
		return nil
	}))
	return got
}
