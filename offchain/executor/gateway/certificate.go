package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync"
	"time"

	"github.com/grafilab/grafi/internal/agentapi"
)

// Issuer signs the gateway's TLS key with the agent key that is on chain.
type Issuer interface {
	Certificate(ctx context.Context, publicKey []byte) (agentapi.Certificate, error)
}

// Certificates holds the gateway's TLS key, which lives as long as the process,
// and its certificate, which is renewed by the agent.
type Certificates struct {
	issuer Issuer
	now    func() time.Time
	key    *ecdsa.PrivateKey
	pub    []byte // PKIX DER

	mu      sync.Mutex
	current *tls.Certificate
	renewAt time.Time
	expires time.Time
}

// renewEvery is short against the certificate's life, so that a rotated agent
// key is in use soon after it is on chain.
const renewEvery = 10 * time.Minute

// NewCertificates makes a TLS key. The first certificate is asked for by the
// first handshake, so that the gateway may start before the agent.
func NewCertificates(issuer Issuer, now func() time.Time) (*Certificates, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("gateway key: %w", err)
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("gateway key: %w", err)
	}
	return &Certificates{issuer: issuer, now: now, key: key, pub: pub}, nil
}

// Get is for tls.Config.GetCertificate. While the agent is away the last
// certificate goes on, until it has expired.
func (c *Certificates) Get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.current != nil && now.Before(c.renewAt) {
		return c.current, nil
	}
	ctx, cancel := context.WithTimeout(hello.Context(), 5*time.Second)
	defer cancel()
	cert, err := c.issuer.Certificate(ctx, c.pub)
	if err != nil {
		if c.current != nil && now.Before(c.expires) {
			c.renewAt = now.Add(10 * time.Second)
			return c.current, nil
		}
		return nil, fmt.Errorf("gateway certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(cert.DER)
	if err != nil {
		return nil, fmt.Errorf("gateway certificate: %w", err)
	}
	c.current = &tls.Certificate{Certificate: [][]byte{cert.DER}, PrivateKey: c.key, Leaf: leaf}
	c.renewAt, c.expires = now.Add(renewEvery), leaf.NotAfter
	return c.current, nil
}
