//go:build linux && cgo

package oci

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCopyTree is the way of machines without id-mapped mounts.
func TestCopyTree(t *testing.T) {
	src, dst := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.MkdirAll(filepath.Join(src, "a/b"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(src, "a/b/file"), []byte("content"), 0o640))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(src, "a/link")))
	require.NoError(t, os.Chmod(filepath.Join(src, "a"), 0o2711))
	first := 0
	if os.Geteuid() == 0 {
		first = 5 * idsPerRange
		require.NoError(t, os.Lchown(filepath.Join(src, "a/b/file"), 33, 34))
	}

	require.NoError(t, copyTree(src, dst, first))

	raw, err := os.ReadFile(filepath.Join(dst, "a/b/file"))
	require.NoError(t, err)
	require.Equal(t, "content", string(raw))
	link, err := os.Readlink(filepath.Join(dst, "a/link"))
	require.NoError(t, err)
	require.Equal(t, "/etc/passwd", link)
	for _, name := range []string{"a", "a/b", "a/b/file", "a/link"} {
		was, err := os.Lstat(filepath.Join(src, name))
		require.NoError(t, err)
		is, err := os.Lstat(filepath.Join(dst, name))
		require.NoError(t, err)
		require.Equal(t, was.Mode(), is.Mode(), name)
		from, to := was.Sys().(*syscall.Stat_t), is.Sys().(*syscall.Stat_t)
		require.Equal(t, from.Uid+uint32(first), to.Uid, name)
		require.Equal(t, from.Gid+uint32(first), to.Gid, name)
	}
}

// TestHostIDsStayApart: neighbours in time never share host ids.
func TestHostIDsStayApart(t *testing.T) {
	o, err := Options{StateDir: "/x"}.withDefaults()
	require.NoError(t, err)
	require.Equal(t, o.hostID(1)+idsPerRange, o.hostID(2))
	require.Less(t, uint64(o.hostID(IDRanges-1))+idsPerRange, uint64(1)<<31)
	for _, first := range []uint32{1, idsPerRange + 1, 1 << 31} {
		_, err := Options{FirstUID: first}.withDefaults()
		require.ErrorContains(t, err, "first_uid")
	}
}
