package telemetry

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// ErrPeer means that the other side of the connection is not who it should be.
var ErrPeer = errors.New("telemetry peer")

// certificateLifetime is longer than a connection lives; the key is what counts.
const certificateLifetime = 24 * time.Hour

// Certificate makes a self-signed certificate of an ed25519 key for one connection.
// Nobody looks at more of it than the key.
func Certificate(key crypto.Signer, now time.Time) (tls.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "grafi telemetry"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("telemetry certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// PeerKey returns the ed25519 key that the other side has proved to have. TLS 1.3
// checks a signature by the certificate's key, whoever issued it.
//
// Errors: ErrPeer.
func PeerKey(cs tls.ConnectionState) (ed25519.PublicKey, error) {
	if len(cs.PeerCertificates) == 0 {
		return nil, fmt.Errorf("%w: no certificate", ErrPeer)
	}
	key, ok := cs.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: key is %T, want ed25519", ErrPeer, cs.PeerCertificates[0].PublicKey)
	}
	return key, nil
}

// ClientTLS is the agent's side: TLS 1.3, the agent key as its own certificate, and
// exactly this key on the other side. There is no certificate authority.
func ClientTLS(certificate func() (tls.Certificate, error), server ed25519.PublicKey) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			c, err := certificate()
			return &c, err
		},
		// The usual check asks for an authority; VerifyConnection asks for the key.
		InsecureSkipVerify:     true, //nolint:gosec // see above
		SessionTicketsDisabled: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			key, err := PeerKey(cs)
			if err != nil {
				return err
			}
			if !key.Equal(server) {
				return fmt.Errorf("%w: the data service has the key %x, want %x", ErrPeer, key, server)
			}
			return nil
		},
	}
}
