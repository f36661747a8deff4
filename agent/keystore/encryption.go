package keystore

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"fmt"
)

// CreateEncryptionKey makes the host's X25519 key, to which secrets are sealed,
// and keeps it (PKCS #8).
//
// Errors: ErrExists, ErrReadOnly.
func CreateEncryptionKey(s Store, name string) (*ecdh.PrivateKey, error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, s.Create(name, pkcs8, der)
}

// LoadEncryptionKey reads the key.
//
// Errors: ErrNotFound, ErrUnsafe, ErrMalformed.
func LoadEncryptionKey(s Store, name string) (*ecdh.PrivateKey, error) {
	der, err := s.Load(name, pkcs8)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, s.Where(name), err)
	}
	priv, ok := key.(*ecdh.PrivateKey)
	if !ok || priv.Curve() != ecdh.X25519() {
		return nil, fmt.Errorf("%w: %s holds a %T, want X25519", ErrMalformed, s.Where(name), key)
	}
	return priv, nil
}
