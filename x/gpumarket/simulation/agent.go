package simulation

import (
	"crypto/ed25519"
	"crypto/sha256"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
)

// AgentKeys finds the private key that a simulated host's agent signs with now;
// nil when it is not known, and then the host's rentals never start.
type AgentKeys func(host attestationtypes.Host) ed25519.PrivateKey

// NoKeys knows no key.
func NoKeys(attestationtypes.Host) ed25519.PrivateKey { return nil }

// signReport signs what an agent reports: domain ‖ SHA-256(document).
func signReport(key ed25519.PrivateKey, domain string, report interface{ Marshal() ([]byte, error) }) []byte {
	sum := sha256.Sum256(must(report.Marshal()))
	return ed25519.Sign(key, append([]byte(domain), sum[:]...))
}
