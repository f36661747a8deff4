package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

const (
	whiteoutPrefix = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
	maxLinks       = 40 // as the kernel's own limit of symbolic links in a path
	mappedIDs      = 65536
	nobody         = 65534
)

// unpacker applies layers to a tree. Every operation goes through an os.Root,
// which the kernel or Go keeps inside the tree whatever the archive says.
type unpacker struct {
	root       *os.Root
	asRoot     bool
	bytesLeft  int64
	entries    int
	maxEntries int
	// Of the layer at hand:
	made  map[string]bool        // paths, which an opaque directory keeps
	modes map[string]fs.FileMode // of directories, set at the layer's end
}

func newUnpacker(dir string, maxBytes int64, maxEntries int) (*unpacker, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &unpacker{root: root, asRoot: os.Geteuid() == 0, bytesLeft: maxBytes, maxEntries: maxEntries}, nil
}

// Close releases the tree.
func (u *unpacker) Close() error { return u.root.Close() }

func (u *unpacker) layer(content io.Reader) error {
	u.made, u.modes = map[string]bool{}, map[string]fs.FileMode{}
	archive := tar.NewReader(content)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("archive: %w", err)
		}
		if u.entries++; u.entries > u.maxEntries {
			return fmt.Errorf("%w: over %d entries", ErrTooLarge, u.maxEntries)
		}
		if err := u.entry(header, archive); err != nil {
			return fmt.Errorf("entry %q: %w", header.Name, err)
		}
	}
	for dir, mode := range u.modes {
		if err := u.root.Chmod(dir, mode); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// clean returns the entry's path from the root, "." for the root itself.
func clean(name string) (string, error) {
	if slices.Contains(strings.Split(name, "/"), "..") || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("%w: path %q", ErrUnsafe, name)
	}
	if p := strings.TrimPrefix(path.Clean("/"+name), "/"); p != "" {
		return p, nil
	}
	return ".", nil
}

func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	name, err := clean(h.Name)
	if err != nil {
		return err
	}
	if name == "." {
		if h.Typeflag == tar.TypeDir {
			u.modes["."] = mode(h) | 0o555
		}
		return nil
	}
	dir, base := path.Split(name)
	if dir, err = u.parent(path.Clean(dir)); err != nil {
		return err
	}
	if strings.HasPrefix(base, whiteoutPrefix) {
		return u.whiteout(dir, base)
	}
	target := path.Join(dir, base)
	if err := u.clear(target, h.Typeflag == tar.TypeDir); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		if err := u.root.Mkdir(target, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if u.modes[target] = mode(h); !u.asRoot {
			u.modes[target] |= 0o700 // a later layer may write into it
		}
	case tar.TypeReg:
		if err := u.file(target, h, content); err != nil {
			return err
		}
	case tar.TypeSymlink:
		if err := u.root.Symlink(h.Linkname, target); err != nil {
			return err
		}
	case tar.TypeLink:
		if err := u.hardlink(h.Linkname, target); err != nil {
			return err
		}
	default:
		return nil // device nodes and pipes: an engine gives those that a workload may have
	}
	for p := target; p != "."; p = path.Dir(p) {
		u.made[p] = true
	}
	if h.Typeflag == tar.TypeLink {
		return nil // the owner is the file's
	}
	return u.own(target, h)
}

// mode drops the set-id bits: they have no effect in a workload (no new
// privileges), and would have one for the host's users.
func mode(h *tar.Header) fs.FileMode {
	m := fs.FileMode(h.Mode & 0o777)
	if h.Mode&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// own sets the owner where that is possible. Ids that no container maps become
// nobody's.
func (u *unpacker) own(target string, h *tar.Header) error {
	if !u.asRoot {
		return nil
	}
	uid, gid := h.Uid, h.Gid
	if uid < 0 || uid >= mappedIDs {
		uid = nobody
	}
	if gid < 0 || gid >= mappedIDs {
		gid = nobody
	}
	return u.root.Lchown(target, uid, gid)
}

func (u *unpacker) file(target string, h *tar.Header, content io.Reader) error {
	if h.Size > u.bytesLeft {
		return fmt.Errorf("%w: %d bytes with %d left", ErrTooLarge, h.Size, u.bytesLeft)
	}
	u.bytesLeft -= h.Size
	f, err := u.root.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	if err = errors.Join(err, f.Chmod(mode(h)), f.Close()); err != nil {
		return err
	}
	return u.root.Chtimes(target, h.ModTime, h.ModTime)
}

func (u *unpacker) hardlink(linkname, target string) error {
	source, err := clean(linkname)
	if err != nil {
		return err
	}
	dir, base := path.Split(source)
	if dir, err = u.parent(path.Clean(dir)); err != nil {
		return err
	}
	source = path.Join(dir, base)
	if info, err := u.root.Lstat(source); err != nil {
		return err
	} else if info.IsDir() {
		return fmt.Errorf("%w: hard link to the directory %q", ErrUnsafe, linkname)
	}
	return u.root.Link(source, target)
}

// clear removes what an earlier layer has at the path. A directory stays when
// the new entry is one too.
func (u *unpacker) clear(target string, wantDir bool) error {
	info, err := u.root.Lstat(target)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if info.IsDir() && wantDir {
		return nil
	}
	delete(u.modes, target)
	return u.root.RemoveAll(target)
}

func (u *unpacker) whiteout(dir, base string) error {
	if base == whiteoutOpaque {
		return u.clearOlder(dir)
	}
	hidden := strings.TrimPrefix(base, whiteoutPrefix)
	if hidden == "" || hidden == "." || hidden == ".." {
		return fmt.Errorf("%w: whiteout %q", ErrUnsafe, base)
	}
	return u.root.RemoveAll(path.Join(dir, hidden))
}

// clearOlder removes what earlier layers have in a directory.
func (u *unpacker) clearOlder(dir string) error {
	return fs.WalkDir(u.root.FS(), dir, func(p string, entry fs.DirEntry, err error) error {
		if err != nil || p == dir || u.made[p] {
			return err
		}
		if err := u.root.RemoveAll(p); err != nil {
			return err
		}
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
}

// parent returns the directory that an entry lies in, without links on the way
// and made when it is missing. Links are followed as they will be inside the
// container, where "/" is the tree's root; ".." stops there.
func (u *unpacker) parent(dir string) (string, error) {
	todo := strings.Split(dir, "/")
	done, links := ".", 0
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			done = path.Dir(done)
			continue
		}
		next := path.Join(done, part)
		info, err := u.root.Lstat(next)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if err := u.root.Mkdir(next, 0o755); err != nil {
				return "", err
			}
			u.made[next] = true
		case err != nil:
			return "", err
		case info.Mode()&fs.ModeSymlink != 0:
			if links++; links > maxLinks {
				return "", fmt.Errorf("%w: over %d links on the way to %q", ErrUnsafe, maxLinks, dir)
			}
			link, err := u.root.Readlink(next)
			if err != nil {
				return "", err
			}
			if path.IsAbs(link) {
				done = "."
			}
			todo = append(strings.Split(link, "/"), todo...)
			continue
		case !info.IsDir():
			return "", fmt.Errorf("%w: %q on the way to %q is not a directory", ErrUnsafe, next, dir)
		}
		done = next
	}
	return done, nil
}
