package image_test

import (
	"archive/tar"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/offchain/executor/image"
)

func TestPullAppliesLayers(t *testing.T) {
	f := newFixture(t, image.Options{})
	reference := f.push(t,
		layer(t, []tar.Header{
			dir("bin"), file("bin/app"), hard("bin/alias", "bin/app"), dir("run"), link("var", "/run"),
			dir("opaque"), file("opaque/old"), dir("opaque/sub"), file("opaque/sub/old"), file("removed"), file("replaced"),
			{Name: "setuid", Typeflag: tar.TypeReg, Mode: 0o4755}, {Name: "dev", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3},
		}, map[string]string{"bin/app": "app v1", "opaque/old": "x", "opaque/sub/old": "x", "removed": "x", "replaced": "x", "setuid": "s"}),
		layer(t, []tar.Header{
			file("var/through-link"), file("opaque/sub/new"), file("opaque/.wh..wh..opq"), file(".wh.removed"), link("replaced", "bin/app"),
		}, map[string]string{"var/through-link": "in run", "opaque/sub/new": "n"}),
	)

	got, err := f.store.Pull(t.Context(), reference)

	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"bin/app": "app v1", "bin/alias": "app v1", "run/through-link": "in run", "var": "-> /run",
		"opaque/sub/new": "n", "replaced": "-> bin/app", "setuid": "s",
	}, tree(t, got.Rootfs))
	info, err := os.Stat(filepath.Join(got.Rootfs, "setuid"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o755), info.Mode(), "no set-id bits on the host")
	require.True(t, strings.HasSuffix(reference, got.Digest))
	require.Equal(t, []string{"/bin/app"}, got.Entrypoint)
	require.Equal(t, []string{"serve"}, got.Cmd)
	require.Equal(t, []string{"A=b"}, got.Env)
	require.Equal(t, "/srv", got.WorkingDir)
	require.Equal(t, "1000", got.User)

	asked := f.blobs.Load()
	again, err := f.store.Pull(t.Context(), reference)
	require.NoError(t, err)
	require.Equal(t, got, again)
	require.Equal(t, asked, f.blobs.Load(), "the cache asks nobody")

	removed, err := f.store.Prune([]string{got.Digest})
	require.NoError(t, err)
	require.Empty(t, removed)
	removed, err = f.store.Prune(nil)
	require.NoError(t, err)
	require.Equal(t, []string{got.Digest}, removed)
	require.NoDirExists(t, got.Rootfs)
}

func TestPullOnceForMany(t *testing.T) {
	f := newFixture(t, image.Options{})
	reference := f.push(t, layer(t, []tar.Header{file("a")}, map[string]string{"a": "x"}))
	other, err := image.NewStore(f.dir, image.Options{AllowPrivate: true}) // another process's
	require.NoError(t, err)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			store := f.store
			if i%2 == 1 {
				store = other
			}
			_, err := store.Pull(t.Context(), reference)
			require.NoError(t, err)
		})
	}
	wait.Wait()
	require.Equal(t, int64(2), f.blobs.Load(), "one configuration and one layer")
}

func TestPullRefuses(t *testing.T) {
	const content = "not much"
	unsafe := map[string]struct {
		layers [][]tar.Header
		want   error
	}{
		"parent path":         {[][]tar.Header{{file("../escape")}}, image.ErrUnsafe},
		"inner parent path":   {[][]tar.Header{{file("a/../../escape")}}, image.ErrUnsafe},
		"hard link out":       {[][]tar.Header{{hard("a", "../../etc/passwd")}}, image.ErrUnsafe},
		"hard link to dir":    {[][]tar.Header{{dir("d"), hard("a", "d")}}, image.ErrUnsafe},
		"missing hard link":   {[][]tar.Header{{hard("a", "/etc/hostname")}}, fs.ErrNotExist},
		"link loop":           {[][]tar.Header{{link("a", "b"), link("b", "a"), file("a/x")}}, image.ErrUnsafe},
		"whiteout of parent":  {[][]tar.Header{{file("d/.wh...")}}, image.ErrUnsafe},
		"file as a directory": {[][]tar.Header{{file("a"), file("a/x")}}, image.ErrUnsafe},
		"too many entries":    {[][]tar.Header{{file("a"), file("b"), file("c"), file("d"), file("e"), file("f")}}, image.ErrTooLarge},
		"too many bytes":      {[][]tar.Header{{file("a")}, {file("a")}, {file("a")}}, image.ErrTooLarge},
	}
	for name, tc := range unsafe {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, image.Options{MaxEntries: 5, MaxBytes: 4 << 10})
			var layers []v1.Layer
			for _, headers := range tc.layers {
				text := map[string]string{}
				for _, h := range headers {
					if h.Typeflag == tar.TypeReg && !strings.Contains(h.Name, ".wh.") {
						text[h.Name] = content
						if name == "too many bytes" {
							text[h.Name] = strings.Repeat("x", 1500)
						}
					}
				}
				layers = append(layers, layer(t, headers, text))
			}
			_, err := f.store.Pull(t.Context(), f.push(t, layers...))
			require.ErrorIs(t, err, tc.want)
			left, globErr := filepath.Glob(filepath.Join(f.dir, "[^.]*"))
			require.NoError(t, globErr)
			require.Empty(t, left, "nothing is cached")
			left, globErr = filepath.Glob(filepath.Join(f.dir, ".unpacking-*"))
			require.NoError(t, globErr)
			require.Empty(t, left, "nothing is left over")
			require.NoFileExists(t, filepath.Join(filepath.Dir(f.dir), "escape"))
		})
	}
}

// TestLinksStayInside: a link out of the image is followed inside of it.
func TestLinksStayInside(t *testing.T) {
	f := newFixture(t, image.Options{})
	outside := t.TempDir()
	got, err := f.store.Pull(t.Context(), f.push(t, layer(t, []tar.Header{
		link("abs", outside), file("abs/x"), link("rel", "../../../../.."+outside), file("rel/y"),
	}, map[string]string{"abs/x": "1", "rel/y": "2"})))
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(outside, "x"))
	require.NoFileExists(t, filepath.Join(outside, "y"))
	require.FileExists(t, filepath.Join(got.Rootfs, outside, "x"))
	require.FileExists(t, filepath.Join(got.Rootfs, outside, "y"))
}

func TestPullDigestMismatch(t *testing.T) {
	f := newFixture(t, image.Options{})
	reference := f.push(t, layer(t, []tar.Header{file("a")}, map[string]string{"a": "content"}))
	f.spoil.Store(true)
	_, err := f.store.Pull(t.Context(), reference)
	require.ErrorIs(t, err, image.ErrDigestMismatch)
	require.ErrorContains(t, err, reference)

	f.spoil.Store(false)
	_, err = f.store.Pull(t.Context(), reference)
	require.NoError(t, err, "a failure is not remembered")
}

func TestPullLayerMismatch(t *testing.T) {
	f := newFixture(t, image.Options{})
	reference := f.push(t, layer(t, []tar.Header{file("a")}, map[string]string{"a": "content"}))
	f.blobs.Store(0)
	spoiled := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Only blobs are spoilt: the manifest passes.
		f.spoil.Store(strings.Contains(r.URL.Path, "/blobs/"))
		http.Redirect(w, r, "http://"+f.host+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(spoiled.Close)
	_, err := f.store.Pull(t.Context(), strings.Replace(reference, f.host, strings.TrimPrefix(spoiled.URL, "http://"), 1))
	require.ErrorIs(t, err, image.ErrDigestMismatch)
}

func TestPullReferences(t *testing.T) {
	f := newFixture(t, image.Options{})
	for _, reference := range []string{"", "busybox", f.host + "/a:latest", f.host + "/a@sha256:12", f.host + "/a@md5:" + strings.Repeat("0", 32)} {
		_, err := f.store.Pull(t.Context(), reference)
		require.ErrorIs(t, err, image.ErrReference, reference)
	}
	_, err := f.store.Pull(t.Context(), f.host+"/none@sha256:"+strings.Repeat("0", 64))
	require.ErrorContains(t, err, "NAME_UNKNOWN")
}

func TestPullOtherPlatform(t *testing.T) {
	f := newFixture(t, image.Options{})
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "windows", Architecture: runtime.GOARCH})
	require.NoError(t, err)
	_, err = f.store.Pull(t.Context(), f.pushImage(t, img))
	require.ErrorIs(t, err, image.ErrPlatform)
}

// TestPrivateAddresses: unless allowed, a renter can't make the host ask its own network.
func TestPrivateAddresses(t *testing.T) {
	f := newFixture(t, image.Options{})
	reference := f.push(t, layer(t, []tar.Header{file("a")}, nil))
	closed, err := image.NewStore(t.TempDir(), image.Options{})
	require.NoError(t, err)
	_, err = closed.Pull(t.Context(), reference)
	require.ErrorContains(t, err, "private addresses are not allowed")
}
