package simulation

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
)

// AgentKeys finds the private key that a simulated host's agent signs with now;
// nil when it is not known, and then the host's rentals never start.
type AgentKeys func(host attestationtypes.Host) ed25519.PrivateKey

// DerivedKeys finds keys made by AgentKey: the newest live key of the host that
// is one of its operator's first ones.
func DerivedKeys(host attestationtypes.Host) ed25519.PrivateKey {
	for i := len(host.AgentKeys) - 1; i >= 0; i-- {
		if host.AgentKeys[i].Revoked {
			continue
		}
		for n := range derivedKeys {
			key := AgentKey(host.Operator, n)
			if bytes.Equal(key.Public().(ed25519.PublicKey), host.AgentKeys[i].PublicKey) {
				return key
			}
		}
	}
	return nil
}

// derivedKeys is how many keys of one operator are tried.
const derivedKeys = 16

// AgentKey is the n-th agent key of an operator in a simulation: everybody who
// knows the operator can sign for its hosts.
func AgentKey(operator string, n int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "grafi/simulation/agent/%s/%d", operator, n))
	return ed25519.NewKeyFromSeed(seed[:])
}

// signReport signs what an agent reports: domain ‖ SHA-256(document).
func signReport(key ed25519.PrivateKey, domain string, report interface{ Marshal() ([]byte, error) }) []byte {
	sum := sha256.Sum256(must(report.Marshal()))
	return ed25519.Sign(key, append([]byte(domain), sum[:]...))
}
