package device

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha512"
	"fmt"
)

// Result is what a verified report and its chain say.
type Result struct {
	Chain  *Chain
	Report *Report
}

// Verify checks that the report answers the nonce, is signed by the leaf of the
// chain, and that the chain (DER, leaf first, with or without the root at its end)
// leads to the root and is of a Hopper or Blackwell GPU.
//
// Errors: ErrMalformed, ErrChain, ErrNotGPU, ErrNonce, ErrSignature, ErrFirmware.
func Verify(root *Root, report []byte, chain [][]byte, nonce [NonceSize]byte) (*Result, error) {
	if len(chain) > MaxChain+1 {
		return nil, fmt.Errorf("%w: %d certificates, want at most %d", ErrChain, len(chain), MaxChain+1)
	}
	certificates := make([]*Certificate, len(chain))
	for i, raw := range chain {
		var err error
		if certificates[i], err = ParseCertificate(raw); err != nil {
			return nil, fmt.Errorf("certificate %d: %w", i, err)
		}
	}
	verified, err := VerifyChain(root, certificates, 0)
	if err != nil {
		return nil, err
	}
	r, err := verified.Leaf().VerifyReport(report, nonce)
	if err != nil {
		return nil, err
	}
	return &Result{Chain: verified, Report: r}, nil
}

// VerifyReport parses a report and checks its nonce, its signature by the leaf's key
// and its firmware identity, in this order. A report without one is held to none:
// early drivers do not report it.
//
// Errors: ErrMalformed, ErrNonce, ErrSignature, ErrFirmware.
func (l Leaf) VerifyReport(raw []byte, nonce [NonceSize]byte) (*Report, error) {
	public, err := parsePoint(l.Key)
	if err != nil {
		return nil, err
	}
	r, err := ParseReport(raw)
	if err != nil {
		return nil, err
	}
	if r.Nonce != nonce {
		return nil, fmt.Errorf("%w: got %x, want %x", ErrNonce, r.Nonce, nonce)
	}
	digest := sha512.Sum384(r.signed)
	if !ecdsa.VerifyASN1(public, digest[:], encodeSignature(r.signature)) {
		return nil, fmt.Errorf("%w by key %x", ErrSignature, l.Key)
	}
	if r.FWID != nil && !bytes.Equal(r.FWID, l.FWID) {
		return nil, fmt.Errorf("%w: the report names %x, the leaf %x", ErrFirmware, r.FWID, l.FWID)
	}
	return r, nil
}

// encodeSignature turns r ‖ s into an ECDSA-Sig-Value, the form that crypto/ecdsa reads.
func encodeSignature(raw []byte) []byte {
	body := make([]byte, 0, 2*(2+1+48))
	for _, n := range [][]byte{raw[:SignatureSize/2], raw[SignatureSize/2:]} {
		n = bytes.TrimLeft(n, "\x00")
		if len(n) == 0 || n[0]&0x80 != 0 {
			n = append([]byte{0}, n...)
		}
		body = append(body, tagInteger, byte(len(n)))
		body = append(body, n...)
	}
	return append([]byte{tagSequence, byte(len(body))}, body...)
}
