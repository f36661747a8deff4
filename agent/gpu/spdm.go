package gpu

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// SPDM 1.1 (DMTF DSP0274): a GET_MEASUREMENTS request with a signature asked for is
// a header of 4 bytes, the nonce, and the slot of the certificate chain.
const (
	spdmVersion         = 0x11
	spdmGetMeasurements = 0xE0
	spdmMeasurements    = 0x60
	spdmHeader          = 4
	spdmNonce           = 32
	spdmRequest         = spdmHeader + spdmNonce + 1
)

// checkSPDM refuses what can't be a report over our nonce, before anybody pays for
// sending it. NVML hands out request ‖ response, which is what the card signs; nvml.h
// is silent about that, NVIDIA's own verifier cuts at byte 37.
func checkSPDM(b []byte, nonce [32]byte) error {
	switch {
	case len(b) < spdmRequest+spdmHeader:
		return fmt.Errorf("%w: %d bytes", ErrBadReport, len(b))
	case b[0] != spdmVersion || b[1] != spdmGetMeasurements:
		return fmt.Errorf("%w: starts with %x, want an SPDM 1.1 GET_MEASUREMENTS request (11e0)", ErrBadReport, b[:2])
	case b[spdmRequest] != spdmVersion || b[spdmRequest+1] != spdmMeasurements:
		return fmt.Errorf("%w: the answer starts with %x, want SPDM 1.1 MEASUREMENTS (1160)", ErrBadReport, b[spdmRequest:spdmRequest+2])
	case !bytes.Equal(b[spdmHeader:spdmHeader+spdmNonce], nonce[:]):
		return fmt.Errorf("%w: it is over nonce %x, want %x", ErrBadReport, b[spdmHeader:spdmHeader+spdmNonce], nonce)
	}
	return nil
}

// maxChain bounds a chain; NVIDIA's have five certificates with the root.
const maxChain = 10

// parseChain turns NVML's PEM into DER, leaf first, and leaves the root out. What
// may stand between and after the certificates is white space and NULs.
func parseChain(b []byte) ([][]byte, error) {
	var chain [][]byte
	var above []byte // issuer of the certificate before
	rest := bytes.TrimRight(b, "\x00 \r\n\t")
	for len(rest) > 0 {
		if len(chain) > maxChain {
			return nil, fmt.Errorf("%w: more than %d certificates", ErrBadReport, maxChain)
		}
		block, after := pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%w: certificate %d of the chain is not PEM", ErrBadReport, len(chain))
		}
		rest = bytes.TrimLeft(after, "\x00 \r\n\t")
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate %d of the chain: %w", ErrBadReport, len(chain), err)
		}
		if above != nil && !bytes.Equal(cert.RawSubject, above) {
			return nil, fmt.Errorf("%w: certificate %d did not issue the one before it: the chain must be leaf first", ErrBadReport, len(chain))
		}
		above = cert.RawIssuer
		if bytes.Equal(cert.RawSubject, cert.RawIssuer) {
			if len(rest) > 0 || len(chain) == 0 {
				return nil, fmt.Errorf("%w: the root is certificate %d, want it last", ErrBadReport, len(chain))
			}
			break
		}
		chain = append(chain, block.Bytes)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: no certificates", ErrBadReport)
	}
	return chain, nil
}
