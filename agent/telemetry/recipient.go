package telemetry

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// ErrRecipient wraps what is wrong with a recipient.
var ErrRecipient = errors.New("telemetry recipient")

// Suites of HPKE (RFC 9180) by their names in the configuration.
var suites = map[string]hpke.KEM{
	"x25519":         hpke.DHKEM(ecdh.X25519()),
	"mlkem768x25519": hpke.MLKEM768X25519(),
}

// Recipient is somebody who can open the samples: the operator, or a renter.
type Recipient struct {
	Name string
	Key  hpke.PublicKey
}

// ParseRecipient reads NAME=SUITE:KEY, where the suite is x25519 or mlkem768x25519
// and the key is its public key in base64.
//
// Errors: ErrRecipient.
func ParseRecipient(s string) (Recipient, error) {
	name, rest, ok := strings.Cut(s, "=")
	suite, encoded, ok2 := strings.Cut(rest, ":")
	kem := suites[suite]
	if !ok || !ok2 || name == "" || kem == nil {
		return Recipient{}, fmt.Errorf("%w: got %q, want NAME=x25519:KEY or NAME=mlkem768x25519:KEY", ErrRecipient, s)
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return Recipient{}, fmt.Errorf("%w %s: key: %w", ErrRecipient, name, err)
	}
	key, err := kem.NewPublicKey(raw)
	if err != nil {
		return Recipient{}, fmt.Errorf("%w %s: key: %w", ErrRecipient, name, err)
	}
	return Recipient{Name: name, Key: key}, nil
}

// ParseRecipients reads a list of them and refuses an empty one, and a name twice.
//
// Errors: ErrRecipient.
func ParseRecipients(list []string) ([]Recipient, error) {
	if len(list) == 0 || len(list) > maxRecipients {
		return nil, fmt.Errorf("%w: got %d, want 1 to %d", ErrRecipient, len(list), maxRecipients)
	}
	names := map[string]bool{}
	var out []Recipient
	for _, s := range list {
		r, err := ParseRecipient(s)
		if err != nil {
			return nil, err
		}
		if names[r.Name] {
			return nil, fmt.Errorf("%w: %s is named twice", ErrRecipient, r.Name)
		}
		names[r.Name] = true
		out = append(out, r)
	}
	return out, nil
}

const maxRecipients = 64

// KeyID names a public key: the first 8 bytes of its SHA-256.
func KeyID(key hpke.PublicKey) []byte {
	sum := sha256.Sum256(key.Bytes())
	return sum[:8]
}
