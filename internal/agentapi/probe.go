package agentapi

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ProbeName is the DNS name in every certificate of a probe. It is not a gateway's,
// and a probe's certificate serves both ends of a connection, so that neither is
// ever taken for the other.
const ProbeName = "probe.grafi.invalid"

// ErrWrongPeer means that the other side of a probe has none of the expected agent keys.
var ErrWrongPeer = errors.New("not the agent that was expected")

var probeUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}

// ProbeCertificate makes a new TLS key and a certificate for it by the agent key,
// for both ends of probes.
func ProbeCertificate(agent crypto.Signer, now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return tls.Certificate{}, err
	}
	c, err := issue(agent, pub, "grafi probe", ProbeName, now, probeUsage...)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{c.DER}, PrivateKey: key}, nil
}

// ProbeTLS returns either end of a probe's connection: TLS 1.3, both sides shown
// by their agent keys. allowed returns the keys that may be at the other end now.
func ProbeTLS(certificate tls.Certificate, now func() time.Time, allowed func() []ed25519.PublicKey) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{certificate}, ServerName: ProbeName,
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true,
		// The check of VerifyConnection is stricter than that of an authority.
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection: func(cs tls.ConnectionState) error {
			_, err := ProbePeer(cs, now(), allowed())
			return err
		},
	}
}

// ProbePeer returns which of the agent keys is at the other end.
//
// Errors: ErrWrongPeer.
func ProbePeer(cs tls.ConnectionState, now time.Time, keys []ed25519.PublicKey) (ed25519.PublicKey, error) {
	if len(cs.PeerCertificates) == 0 {
		return nil, fmt.Errorf("%w: no certificate", ErrWrongPeer)
	}
	leaf := cs.PeerCertificates[0]
	key, err := verify(leaf, now, ErrWrongPeer, keys)
	if err != nil {
		return nil, err
	}
	if leaf.IsCA || !slices.Equal(leaf.ExtKeyUsage, probeUsage) || !slices.Equal(leaf.DNSNames, []string{ProbeName}) {
		return nil, fmt.Errorf("%w: certificate is not for probes", ErrWrongPeer)
	}
	return key, nil
}
