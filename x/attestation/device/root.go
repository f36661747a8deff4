package device

import (
	"crypto/ecdsa"
	"crypto/sha512"
	_ "embed"
	"fmt"
)

// nvidiaRoot is the NVIDIA Device Identity CA, as NVIDIA publishes it with its
// verifiers (NVIDIA/nvtrust, Apache-2.0). Its SHA-256 is
// 102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48.
//
//go:embed nvidia_root.der
var nvidiaRoot []byte

// Root is the certificate that chains must lead to.
type Root struct{ certificate *Certificate }

// NewRoot returns a root. Its certificate must be a CA's, signed by itself.
//
// Errors: ErrMalformed, ErrChain.
func NewRoot(raw []byte) (*Root, error) {
	c, err := ParseCertificate(raw)
	if err != nil {
		return nil, err
	}
	if !c.SignedBy(c) {
		return nil, fmt.Errorf("%w: root %q is not signed by itself", ErrChain, c.CommonName)
	}
	if err := c.checkCA(0); err != nil {
		return nil, err
	}
	return &Root{certificate: c}, nil
}

// NVIDIA returns the root of every genuine NVIDIA device. It panics when the
// binary was built from a broken file, which no caller can mend.
func NVIDIA() *Root {
	root, err := NewRoot(nvidiaRoot)
	if err != nil {
		panic(err)
	}
	return root
}

// Certificate returns the root's certificate.
func (r *Root) Certificate() *Certificate { return r.certificate }

// SignedBy tells whether the issuer's key signed the certificate, and nothing more.
func (c *Certificate) SignedBy(issuer *Certificate) bool {
	digest := sha512.Sum384(c.signed)
	return ecdsa.VerifyASN1(issuer.public, digest[:], c.signature)
}
