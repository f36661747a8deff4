package keystore

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
)

const pkcs8 = "PRIVATE KEY"

// AgentKey signs what the host says to the chain. Its private part stays inside.
type AgentKey struct{ priv ed25519.PrivateKey }

var _ crypto.Signer = (*AgentKey)(nil)

// CreateAgentKey makes a key and keeps it (PKCS #8).
//
// Errors: ErrExists, ErrReadOnly.
func CreateAgentKey(s Store, name string) (*AgentKey, error) {
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return nil, err
	}
	if err := s.Create(name, pkcs8, der); err != nil {
		return nil, err
	}
	return &AgentKey{priv: priv}, nil
}

// LoadAgentKey reads the key.
//
// Errors: ErrNotFound, ErrUnsafe, ErrMalformed.
func LoadAgentKey(s Store, name string) (*AgentKey, error) {
	der, err := s.Load(name, pkcs8)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, s.Where(name), err)
	}
	priv, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%w: %s holds a %T, want ed25519", ErrMalformed, s.Where(name), key)
	}
	return &AgentKey{priv: priv}, nil
}

// PublicKey returns the 32 bytes that are registered on chain.
func (k *AgentKey) PublicKey() ed25519.PublicKey { return k.priv.Public().(ed25519.PublicKey) }

// SignDoc signs domain ‖ SHA-256(doc), as the chain checks it.
func (k *AgentKey) SignDoc(domain string, doc []byte) []byte {
	h := sha256.Sum256(doc)
	return ed25519.Sign(k.priv, append([]byte(domain), h[:]...))
}

// Public implements crypto.Signer, for certificates.
func (k *AgentKey) Public() crypto.PublicKey { return k.PublicKey() }

// Sign implements crypto.Signer, for certificates. What it signs starts with an
// ASN.1 tag, and so is never mistaken for a document, which starts with "grafi/".
func (k *AgentKey) Sign(r io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.priv.Sign(r, message, opts)
}
