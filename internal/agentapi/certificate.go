package agentapi

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// CertificateLifetime is how long a gateway certificate is valid. It is renewed
// well before; a key that is rotated on chain makes its certificates useless at once.
const CertificateLifetime = 7 * 24 * time.Hour

// clockSkew is how far a renter's clock may be behind the host's.
const clockSkew = 5 * time.Minute

// SignGatewayCertificate returns a TLS server certificate (DER) for the public
// key, issued by the agent key itself. The agent key is its own authority: who
// has it from the chain needs nothing else. now is when it is issued.
func SignGatewayCertificate(agent crypto.Signer, publicKeyDER []byte, now time.Time) (Certificate, error) {
	return issue(agent, publicKeyDER, "grafi gateway", GatewayName, now, x509.ExtKeyUsageServerAuth)
}

// issue returns a certificate of the agent key for another key and one use.
func issue(agent crypto.Signer, publicKeyDER []byte, subject, dnsName string, now time.Time, usage ...x509.ExtKeyUsage) (Certificate, error) {
	agentPub, ok := agent.Public().(ed25519.PublicKey)
	if !ok {
		return Certificate{}, fmt.Errorf("agent key is %T, want ed25519", agent.Public())
	}
	leafPub, err := x509.ParsePKIXPublicKey(publicKeyDER)
	if err != nil {
		return Certificate{}, fmt.Errorf("%w: public key: %w", ErrInvalid, err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return Certificate{}, err
	}
	name := pkix.Name{CommonName: "grafi agent " + hex.EncodeToString(agentPub)}
	authority := &x509.Certificate{Subject: name, PublicKey: agentPub}
	leaf := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: subject},
		DNSNames:     []string{dnsName},
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     now.Add(CertificateLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  usage,

		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, leafPub, agent)
	if err != nil {
		return Certificate{}, fmt.Errorf("sign certificate of the %s: %w", subject, err)
	}
	return Certificate{DER: der, NotAfter: leaf.NotAfter.UTC()}, nil
}

// GatewayName is the DNS name in every gateway certificate. A gateway is known by
// its agent key, not by where it is reached.
const GatewayName = "gateway.grafi.invalid"

// ErrWrongGateway means that the other side is not the gateway of this agent key.
var ErrWrongGateway = errors.New("not the gateway of this agent key")

// GatewayTLS returns the renter's side of a connection to the gateway of a host
// whose live agent keys are these (as registered on chain).
func GatewayTLS(agentKeys ...ed25519.PublicKey) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ServerName: GatewayName,
		// The usual check asks for a public authority. The one in
		// VerifyConnection is stricter: exactly these keys.
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection: func(cs tls.ConnectionState) error {
			if len(cs.PeerCertificates) == 0 {
				return fmt.Errorf("%w: no certificate", ErrWrongGateway)
			}
			return VerifyGateway(cs.PeerCertificates[0], time.Now(), agentKeys...)
		},
	}
}

// VerifyGateway checks that the certificate was issued by one of the agent keys
// for a gateway and is valid at now.
func VerifyGateway(leaf *x509.Certificate, now time.Time, agentKeys ...ed25519.PublicKey) error {
	if _, err := verify(leaf, now, ErrWrongGateway, agentKeys); err != nil {
		return err
	}
	if leaf.IsCA || len(leaf.ExtKeyUsage) != 1 || leaf.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth {
		return fmt.Errorf("%w: certificate is not for a gateway", ErrWrongGateway)
	}
	return nil
}

// verify returns the one of the agent keys that issued the certificate, which
// must be valid at now. What it is for is not looked at.
func verify(leaf *x509.Certificate, now time.Time, wrong error, agentKeys []ed25519.PublicKey) (issuer ed25519.PublicKey, err error) {
	if leaf.SignatureAlgorithm != x509.PureEd25519 {
		return nil, fmt.Errorf("%w: certificate is signed with %s", wrong, leaf.SignatureAlgorithm)
	}
	for _, k := range agentKeys {
		if len(k) != ed25519.PublicKeySize || bytes.Equal(k, make([]byte, ed25519.PublicKeySize)) {
			continue
		}
		if ed25519.Verify(k, leaf.RawTBSCertificate, leaf.Signature) {
			issuer = k
		}
	}
	if issuer == nil {
		return nil, fmt.Errorf("%w: certificate was issued by %q", wrong, leaf.Issuer.CommonName)
	}
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return nil, fmt.Errorf("%w: certificate is valid from %s to %s", wrong, leaf.NotBefore, leaf.NotAfter)
	}
	return issuer, nil
}
