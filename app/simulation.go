package app

import (
	"crypto/ed25519"

	attestationsim "github.com/grafilab/grafi/x/attestation/simulation"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
)

// simulatedAgentKey finds the newest live agent key of a host that the
// simulation of x/attestation registered, so that the simulation of x/gpumarket
// can sign for it. It knows no key of a real host.
func simulatedAgentKey(host attestationtypes.Host) ed25519.PrivateKey {
	for i := len(host.AgentKeys) - 1; i >= 0; i-- {
		bound := host.AgentKeys[i]
		if bound.Revoked {
			continue
		}
		if key, ok := attestationsim.PrivateKey(host.Id, bound.PublicKey); ok {
			return key
		}
	}
	return nil
}
