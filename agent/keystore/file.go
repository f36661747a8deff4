package keystore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const maxKeyFile = 16 << 10

// Files keeps each secret in a file of its own that only this user can read. A nil
// Sealer writes plain PEM.
type Files struct {
	Dir    string
	Sealer Sealer
}

var _ Store = Files{}

// Where implements Store.
func (s Files) Where(name string) string { return filepath.Join(s.Dir, name) }

// Create implements Store: the file is written whole or not at all.
func (s Files) Create(name, kind string, secret []byte) (err error) {
	path := s.Where(name)
	content, err := encode(s.Sealer, kind, secret)
	if err != nil {
		return err
	}
	if err := makePrivateDir(s.Dir); err != nil {
		return fmt.Errorf("key folder: %w", err)
	}
	f, err := createPrivate(filepath.Join(s.Dir, ".key-"+rand.Text()))
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, werr := f.Write(content)
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("key file %s: %w", path, err)
	}
	// A hard link, unlike a rename, fails when the name is taken.
	if err := os.Link(f.Name(), path); errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%w: %s", ErrExists, path)
	} else if err != nil {
		return fmt.Errorf("key file %s: %w", path, err)
	}
	return syncDir(s.Dir)
}

// Load implements Store.
func (s Files) Load(name, kind string) ([]byte, error) {
	return load(s.Where(name), kind, s.Sealer, 0o600)
}

// Promote implements Store.
func (s Files) Promote(next, name, suffix string) (string, error) {
	kept := s.Where(name) + suffix
	if err := os.Rename(s.Where(name), kept); err != nil {
		return "", fmt.Errorf("keep the old key: %w", err)
	}
	if err := os.Rename(s.Where(next), s.Where(name)); err != nil {
		return kept, fmt.Errorf("take the next key: %w", err)
	}
	return kept, syncDir(s.Dir)
}

// Credentials are the files that systemd gives to a unit by LoadCredential= or
// LoadCredentialEncrypted=, in a folder that only the unit can enter.
type Credentials struct{ Dir string }

var _ Store = Credentials{}

// Where implements Store.
func (s Credentials) Where(name string) string { return filepath.Join(s.Dir, name) }

// Load implements Store. systemd makes its copies with mode 0440.
func (s Credentials) Load(name, kind string) ([]byte, error) {
	return load(s.Where(name), kind, nil, 0o440|0o600)
}

// Create implements Store.
func (s Credentials) Create(name, _ string, _ []byte) error {
	return fmt.Errorf("%w: %s is a systemd credential", ErrReadOnly, s.Where(name))
}

// Promote implements Store.
func (s Credentials) Promote(_, name, _ string) (string, error) {
	return "", fmt.Errorf("%w: %s is a systemd credential", ErrReadOnly, s.Where(name))
}

// load returns the secret of a file that nobody else can read or replace.
func load(path, kind string, sealer Sealer, allowed os.FileMode) ([]byte, error) {
	f, err := openNoFollow(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, path)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	fi, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	if !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no regular file", ErrUnsafe, path)
	}
	if err := private(fi, path, allowed); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	if len(raw) > maxKeyFile {
		return nil, fmt.Errorf("%w: %s is larger than %d bytes", ErrMalformed, path, maxKeyFile)
	}
	return decode(sealer, path, kind, raw)
}
