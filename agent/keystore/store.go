// Package keystore keeps the agent's keys where nobody else can read them:
// the ed25519 agent key (signs attestations and reports), the X25519 key of the
// host (opens sealed secrets) and the secp256k1 fee key (a hot account that pays
// fees). The operator's wallet key is never here.
//
// A Store is a folder of files, on Windows sealed by DPAPI, or the credentials
// that systemd gives to a unit.
package keystore

import (
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Errors of a store.
var (
	// ErrExists means that there is a key already. It is never overwritten.
	ErrExists = errors.New("key exists already")
	// ErrNotFound means that there is no key.
	ErrNotFound = errors.New("key not found")
	// ErrUnsafe means that others could read or replace the key.
	ErrUnsafe = errors.New("key file is not safe")
	// ErrMalformed means that the file is no key of the wanted kind.
	ErrMalformed = errors.New("key file is malformed")
	// ErrReadOnly means that the store's keys are made elsewhere.
	ErrReadOnly = errors.New("key store can't be written")
)

// Store keeps secrets by name. A secret is a PEM block of a kind.
type Store interface {
	// Load returns the secret's bytes.
	//
	// Errors: ErrNotFound, ErrUnsafe, ErrMalformed.
	Load(name, kind string) ([]byte, error)
	// Create keeps a new secret, on disk before it returns. It never replaces one.
	//
	// Errors: ErrExists, ErrReadOnly.
	Create(name, kind string, secret []byte) error
	// Promote gives the secret the name of another, which stays under the name
	// that is returned.
	//
	// Errors: ErrReadOnly.
	Promote(next, name string, suffix string) (kept string, err error)
	// Where says for people where the secret is.
	Where(name string) string
}

// credentialsEnv is set by systemd for a unit with LoadCredential=.
const credentialsEnv = "CREDENTIALS_DIRECTORY"

// Open returns the store of this machine: the folder's files, sealed where the
// system can, and before them the credentials that systemd gave, if any.
func Open(dir string) Store {
	files := Files{Dir: dir, Sealer: platformSealer(dir)}
	if given := os.Getenv(credentialsEnv); given != "" {
		return layered{first: Credentials{Dir: given}, then: files}
	}
	return files
}

// Sealer encrypts secrets before they are written.
type Sealer interface {
	// Label is written beside the sealed secret.
	Label() string
	Seal(secret []byte) ([]byte, error)
	Open(sealed []byte) ([]byte, error)
}

// layered reads from the first store that has the key and writes to the second.
type layered struct{ first, then Store }

func (l layered) of(name, kind string) ([]byte, Store, error) {
	secret, err := l.first.Load(name, kind)
	if errors.Is(err, ErrNotFound) {
		secret, err = l.then.Load(name, kind)
		return secret, l.then, err
	}
	return secret, l.first, err
}

// Load implements Store.
func (l layered) Load(name, kind string) ([]byte, error) {
	secret, _, err := l.of(name, kind)
	return secret, err
}

// Create implements Store.
func (l layered) Create(name, kind string, secret []byte) error {
	if _, err := l.first.Load(name, kind); !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: %s", ErrExists, l.first.Where(name))
	}
	return l.then.Create(name, kind, secret)
}

// Promote implements Store. A key that systemd gives must be replaced there.
func (l layered) Promote(next, name, suffix string) (string, error) {
	if _, err := os.Lstat(l.first.Where(name)); err == nil {
		return "", fmt.Errorf("%w: %s comes from the unit's LoadCredential: put %s in its place", ErrReadOnly, name, l.then.Where(next))
	}
	return l.then.Promote(next, name, suffix)
}

// Where implements Store.
func (l layered) Where(name string) string {
	if at := l.first.Where(name); fileExists(at) {
		return at
	}
	return l.then.Where(name)
}

func fileExists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// sealedHeader names the sealer in a PEM block.
const sealedHeader = "Sealed"

// encode makes the file's content.
func encode(s Sealer, kind string, secret []byte) ([]byte, error) {
	block := &pem.Block{Type: kind, Bytes: secret}
	if s != nil {
		sealed, err := s.Seal(secret)
		if err != nil {
			return nil, fmt.Errorf("seal the key by %s: %w", s.Label(), err)
		}
		block.Headers, block.Bytes = map[string]string{sealedHeader: s.Label()}, sealed
	}
	return pem.EncodeToMemory(block), nil
}

// decode is the reverse of encode. A plain file is read where a sealer is, too:
// it may have come from a backup or another system.
func decode(s Sealer, path, kind string, raw []byte) ([]byte, error) {
	block, rest := pem.Decode(raw)
	if block == nil || block.Type != kind || len(strings.TrimSpace(string(rest))) != 0 {
		return nil, fmt.Errorf("%w: %s: want one PEM block %q", ErrMalformed, path, kind)
	}
	label, sealed := block.Headers[sealedHeader]
	if !sealed {
		return block.Bytes, nil
	}
	if s == nil || s.Label() != label {
		return nil, fmt.Errorf("%w: %s is sealed by %q, which this system does not have", ErrMalformed, path, label)
	}
	secret, err := s.Open(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %s was sealed on another machine or for another user: %w", ErrMalformed, path, err)
	}
	return secret, nil
}
