// Package keystore keeps the agent's keys in files that nobody else can read:
// the ed25519 agent key (signs attestations and reports), the X25519 key of the
// host (opens sealed secrets) and the secp256k1 fee key (a hot account that pays
// fees). The operator's wallet key is never here.
package keystore

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Errors of the store.
var (
	// ErrExists means that there is a key already. It is never overwritten.
	ErrExists = errors.New("key exists already")
	// ErrNotFound means that there is no key.
	ErrNotFound = errors.New("key not found")
	// ErrUnsafe means that others could read or replace the key.
	ErrUnsafe = errors.New("key file is not safe")
	// ErrMalformed means that the file is no key of the wanted kind.
	ErrMalformed = errors.New("key file is malformed")
)

const maxKeyFile = 16 << 10

// credentialsEnv is set by systemd for a unit with LoadCredential=.
const credentialsEnv = "CREDENTIALS_DIRECTORY"

// Locate returns the file to read a key from: systemd's credential of this name
// when the unit was given one, and else path.
func Locate(path, credential string) string {
	if dir := os.Getenv(credentialsEnv); dir != "" {
		c := filepath.Join(dir, credential)
		if _, err := os.Lstat(c); err == nil {
			return c
		}
	}
	return path
}

// create writes a new file with mode 0600, whole or not at all, and on disk
// before it returns. It never replaces a file.
func create(path string, block *pem.Block) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("key folder: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, werr := f.Write(pem.EncodeToMemory(block))
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("key file %s: %w", path, err)
	}
	// A hard link, unlike a rename, fails when the name is taken.
	if err := os.Link(f.Name(), path); errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%w: %s", ErrExists, path)
	} else if err != nil {
		return fmt.Errorf("key file %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// read returns the PEM block of a safe file.
func read(path, kind string) ([]byte, error) {
	// O_NOFOLLOW: a link could point to a file that others can change.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, path)
	}
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%w: %s is a symbolic link", ErrUnsafe, path)
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	if err := safe(f, path); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	if len(raw) > maxKeyFile {
		return nil, fmt.Errorf("%w: %s is larger than %d bytes", ErrMalformed, path, maxKeyFile)
	}
	block, rest := pem.Decode(raw)
	if block == nil || block.Type != kind || len(strings.TrimSpace(string(rest))) != 0 {
		return nil, fmt.Errorf("%w: %s: want one PEM block %q", ErrMalformed, path, kind)
	}
	return block.Bytes, nil
}

// safe checks who can read and replace the file.
func safe(f *os.File, path string) error {
	fi, err := f.Stat()
	if err != nil {
		return fmt.Errorf("key file %s: %w", path, err)
	}
	if !fi.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is no regular file", ErrUnsafe, path)
	}
	allowed := os.FileMode(0o600)
	if dir := os.Getenv(credentialsEnv); dir != "" && filepath.Dir(path) == filepath.Clean(dir) {
		allowed = 0o440 // what systemd sets, in a folder that only the unit can enter
	}
	if mode := fi.Mode().Perm(); mode&^allowed != 0 {
		return fmt.Errorf("%w: %s has mode %04o, want at most %04o (mend it with: chmod 600 %s)", ErrUnsafe, path, mode, allowed, path)
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: %s belongs to user %d, want %d or root", ErrUnsafe, path, st.Uid, os.Geteuid())
	}
	return nil
}
