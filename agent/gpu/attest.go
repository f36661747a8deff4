package gpu

import (
	"context"
	"errors"
	"fmt"
)

// Report is what a card signs with the key that is fused into its die.
type Report struct {
	// SPDM is the SPDM 1.1 GET_MEASUREMENTS request ‖ MEASUREMENTS response, as
	// x/attestation/device verifies it. The request holds the nonce, the response
	// ends with the signature.
	SPDM []byte
	// Chain is the certificates in DER, leaf first, without the self-signed root:
	// every verifier has that pinned.
	Chain [][]byte
}

// ErrUnsupported means that this source, card or driver has no reports.
var ErrUnsupported = errors.New("GPU has no attestation reports")

// ErrNotHopper means that the card's architecture is older than the first one that
// signs reports. It is an ErrUnsupported.
var ErrNotHopper = fmt.Errorf("%w: only NVIDIA Hopper and later sign them", ErrUnsupported)

// ErrConfidentialComputingOff means that the card could sign reports, and the
// machine does not let it.
var ErrConfidentialComputingOff = errors.New("confidential computing is off")

// ErrNoGPU means that no GPU has this index, or that the one that had it is lost.
var ErrNoGPU = errors.New("no such GPU")

// ErrBadReport means that the driver handed out something that no verifier takes.
var ErrBadReport = errors.New("attestation report is malformed")

// Attest implements Source: a GPU that does not exist signs nothing.
func (s *Sim) Attest(context.Context, int, [32]byte) (Report, error) {
	return Report{}, fmt.Errorf("%w: it is simulated", ErrUnsupported)
}
