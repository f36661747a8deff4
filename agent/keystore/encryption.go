package keystore

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// CreateEncryptionKey makes the host's X25519 key, to which secrets are sealed,
// and its file (PKCS #8 in PEM).
//
// Errors: ErrExists.
func CreateEncryptionKey(path string) (*ecdh.PrivateKey, error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, create(path, &pem.Block{Type: pkcs8, Bytes: der})
}

// LoadEncryptionKey reads the key.
//
// Errors: ErrNotFound, ErrUnsafe, ErrMalformed.
func LoadEncryptionKey(path string) (*ecdh.PrivateKey, error) {
	der, err := read(path, pkcs8)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, path, err)
	}
	priv, ok := key.(*ecdh.PrivateKey)
	if !ok || priv.Curve() != ecdh.X25519() {
		return nil, fmt.Errorf("%w: %s holds a %T, want X25519", ErrMalformed, path, key)
	}
	return priv, nil
}
