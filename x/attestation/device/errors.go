package device

import (
	"errors"
	"fmt"
)

// Errors of verification. Each comes wrapped with the value that is wrong.
var (
	// ErrMalformed: the bytes are no certificate or report of this profile.
	ErrMalformed = errors.New("malformed")
	// ErrChain: the certificates do not lead from the leaf to the trusted root.
	ErrChain = errors.New("broken certificate chain")
	// ErrNotGPU: the chain is genuine, but of no Hopper or Blackwell GPU.
	ErrNotGPU = errors.New("not a Hopper or Blackwell GPU")
	// ErrNonce: the report answers another request.
	ErrNonce = errors.New("wrong nonce")
	// ErrSignature: the report is not what the leaf's key signed. Everything else
	// about it is right.
	ErrSignature = errors.New("wrong report signature")
	// ErrFirmware: the leaf was issued for other firmware than the report names.
	ErrFirmware = errors.New("wrong firmware identity")
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}
