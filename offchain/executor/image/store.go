// Package image pulls OCI images by digest and unpacks them into a cache that
// all workloads share. What comes from a registry is untrusted until its digest
// was compared, and its content stays untrusted after that: it was written by
// whoever rents.
package image

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"golang.org/x/sync/singleflight"
	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// The errors of Pull.
var (
	// ErrDigestMismatch says that a registry sent other bytes than were asked for.
	ErrDigestMismatch = errors.New("image digest does not match")
	// ErrTooLarge says that an image is over the store's limits.
	ErrTooLarge = errors.New("image is too large")
	// ErrUnsafe says that an image has an entry that leads out of it.
	ErrUnsafe = errors.New("image has an unsafe entry")
	// ErrPlatform says that an image is not for this machine.
	ErrPlatform = errors.New("image is not for this machine")
	// ErrReference says that a reference is not registry/name@sha256:….
	ErrReference = errors.New("invalid image reference")
)

// Options limit a Store. The zero value of each has a default.
type Options struct {
	// MaxBytes bounds an unpacked image, DefaultMaxBytes when it is 0.
	MaxBytes int64
	// MaxEntries bounds the files of an image, DefaultMaxEntries when it is 0.
	MaxEntries int
	// AllowPrivate lets images be pulled from loopback, private and link-local
	// addresses, by plain HTTP on loopback. The renter chooses the registry, so
	// without it nobody can make the host ask services of its own network.
	AllowPrivate bool
	// Keychain has the operator's registry credentials, none when it is nil.
	Keychain authn.Keychain
}

// The defaults: images with a CUDA toolkit and a model are tens of GiB.
const (
	DefaultMaxBytes   = 128 << 30
	DefaultMaxEntries = 2_000_000
)

// Store is a cache of unpacked images in a directory: one per digest.
type Store struct {
	dir       string
	options   Options
	transport http.RoundTripper
	pulls     singleflight.Group
}

const (
	rootfsDir = "rootfs"
	imageFile = "image.json"
	tmpPrefix = ".unpacking-"
)

// NewStore opens a store and removes what a crash left half done.
func NewStore(dir string, options Options) (*Store, error) {
	if !filepath.IsAbs(dir) {
		return nil, fmt.Errorf("image store: got %q, want an absolute path", dir)
	}
	if options.MaxBytes == 0 {
		options.MaxBytes = DefaultMaxBytes
	}
	if options.MaxEntries == 0 {
		options.MaxEntries = DefaultMaxEntries
	}
	// Closed to other users: an image's files have owners and modes of the renter's choice.
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o700)); err != nil {
		return nil, err
	}
	s := &Store{dir: dir, options: options, transport: newTransport(options.AllowPrivate)}
	return s, s.removeLeftovers()
}

// removeLeftovers skips directories that another process works on.
func (s *Store) removeLeftovers() error {
	left, err := filepath.Glob(filepath.Join(s.dir, tmpPrefix+"*"))
	if err != nil {
		return err
	}
	for _, path := range left {
		digest, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), tmpPrefix), "-")
		lock, err := s.lock(digest, unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			continue
		} else if err != nil {
			return err
		}
		if err := errors.Join(removeTree(path), lock.Close()); err != nil {
			return err
		}
	}
	return nil
}

// lock serialises the work on one digest across processes.
func (s *Store) lock(digest string, flag int) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(s.dir, "."+digest+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|flag); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Pull returns the unpacked image, from the cache when it is there. Callers
// that want the same image at the same time wait for one download.
func (s *Store) Pull(ctx context.Context, reference string) (engine.Image, error) {
	ref, err := parseReference(reference)
	if err != nil {
		return engine.Image{}, err
	}
	key := ref.DigestStr()
	results := s.pulls.DoChan(key, func() (any, error) {
		// The download is not the first caller's alone, so it ends with the last
		// byte or an error and not with a caller's context. A next call joins it.
		return s.pull(context.WithoutCancel(ctx), reference)
	})
	select {
	case result := <-results:
		if result.Err != nil {
			return engine.Image{}, fmt.Errorf("pull %s: %w", reference, result.Err)
		}
		return result.Val.(engine.Image), nil
	case <-ctx.Done():
		return engine.Image{}, fmt.Errorf("pull %s: %w", reference, ctx.Err())
	}
}

func (s *Store) pull(ctx context.Context, reference string) (engine.Image, error) {
	ref, err := parseReference(reference)
	if err != nil {
		return engine.Image{}, err
	}
	digest := digestHex(ref.DigestStr())
	lock, err := s.lock(digest, 0)
	if err != nil {
		return engine.Image{}, err
	}
	defer lock.Close()
	image, err := s.load(digest)
	if !errors.Is(err, fs.ErrNotExist) {
		return image, err
	}
	tmp, err := os.MkdirTemp(s.dir, tmpPrefix+digest+"-")
	if err != nil {
		return engine.Image{}, err
	}
	if image, err = s.fetch(ctx, ref, tmp); err == nil {
		err = s.commit(tmp, digest, image)
	}
	if err != nil {
		return engine.Image{}, errors.Join(err, removeTree(tmp))
	}
	return s.load(digest)
}

// commit makes an unpacked image visible, after all of it is on disk.
func (s *Store) commit(tmp, digest string, image engine.Image) error {
	raw, err := json.Marshal(image)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, imageFile), raw, 0o600); err != nil {
		return err
	}
	dir, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := unix.Syncfs(int(dir.Fd())); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := os.Rename(tmp, filepath.Join(s.dir, digest)); err != nil {
		return err
	}
	return dir.Sync()
}

func (s *Store) load(digest string) (engine.Image, error) {
	raw, err := os.ReadFile(filepath.Join(s.dir, digest, imageFile))
	if err != nil {
		return engine.Image{}, err
	}
	var image engine.Image
	if err := json.Unmarshal(raw, &image); err != nil {
		return engine.Image{}, fmt.Errorf("%s: %w", filepath.Join(s.dir, digest, imageFile), err)
	}
	image.Rootfs = filepath.Join(s.dir, digest, rootfsDir)
	return image, nil
}

// Prune removes all images but those to keep ("sha256:…"), and returns what it removed.
func (s *Store) Prune(keep []string) ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var removed []string
	for _, entry := range entries {
		digest := entry.Name()
		if raw, err := hex.DecodeString(digest); err != nil || len(raw) != 32 || slices.Contains(keep, "sha256:"+digest) {
			continue
		}
		lock, err := s.lock(digest, 0)
		if err != nil {
			return removed, err
		}
		// Renamed first, so that half an image is never found.
		trash := filepath.Join(s.dir, tmpPrefix+digest+"-pruned")
		err = os.Rename(filepath.Join(s.dir, digest), trash)
		if err == nil {
			err = removeTree(trash)
		}
		if err = errors.Join(err, lock.Close()); err != nil {
			return removed, err
		}
		removed = append(removed, "sha256:"+digest)
	}
	return removed, nil
}

// removeTree also removes directories that the image closed to their owner.
func removeTree(root string) error {
	if err := os.RemoveAll(root); err == nil {
		return nil
	}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	})
	return errors.Join(err, os.RemoveAll(root))
}

func digestHex(digest string) string { return strings.TrimPrefix(digest, "sha256:") }
