package device

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
)

// Bounds of the certificates of a chain without its root: the leaf, the die's own
// (BROM), and those of NVIDIA above. Genuine chains have 4.
const (
	MinChain = 3
	MaxChain = 8
)

// Architectures of GPUs that attest themselves.
const (
	Hopper    = "hopper"
	Blackwell = "blackwell"
)

// Chain is a verified chain, leaf first, without the root.
type Chain struct{ certificates []*Certificate }

// Leaf is the key that signs reports, and the firmware that it was made for.
type Leaf struct {
	// Key is an uncompressed point of P-384.
	Key []byte
	// FWID is nil when the certificate names none.
	FWID []byte
}

// VerifyChain checks that the certificates, leaf first, lead to the root: names, key
// identifiers, the right to issue, path lengths, and signatures, except those of the
// last trusted ones, which the caller knows to be good. The root itself may stand at
// the end.
//
// Errors: ErrChain, ErrNotGPU.
func VerifyChain(root *Root, certificates []*Certificate, trusted int) (*Chain, error) {
	chain := withoutRoot(root, certificates)
	trusted = max(0, trusted-(len(certificates)-len(chain)))
	if len(chain) < MinChain || len(chain) > MaxChain {
		return nil, fmt.Errorf("%w: %d certificates below the root, want %d to %d", ErrChain, len(chain), MinChain, MaxChain)
	}
	if err := chain[0].checkLeaf(); err != nil {
		return nil, err
	}
	for i, c := range chain {
		issuer := root.certificate
		if i+1 < len(chain) {
			issuer = chain[i+1]
		}
		// i certificates stand between the issuer and nothing but the leaf.
		if err := c.checkIssuer(issuer, i); err != nil {
			return nil, fmt.Errorf("certificate %d: %w", i, err)
		}
	}
	if architecture(chain[1].chip()) == "" {
		return nil, fmt.Errorf("%w: the certificate of the die is of %q", ErrNotGPU, chain[1].CommonName)
	}
	// Last, because it is the dear part.
	for i := len(chain) - trusted - 1; i >= 0; i-- {
		issuer := root.certificate
		if i+1 < len(chain) {
			issuer = chain[i+1]
		}
		if !chain[i].SignedBy(issuer) {
			return nil, fmt.Errorf("%w: certificate %d (%q) is not signed by %q", ErrChain, i, chain[i].CommonName, issuer.CommonName)
		}
	}
	return &Chain{certificates: chain}, nil
}

// withoutRoot takes the root off the end: it is trusted anyway.
func withoutRoot(root *Root, certificates []*Certificate) []*Certificate {
	if n := len(certificates); n > 0 && bytes.Equal(certificates[n-1].Raw, root.certificate.Raw) {
		return certificates[:n-1]
	}
	return certificates
}

// checkLeaf: the leaf signs reports, and nothing else.
func (c *Certificate) checkLeaf() error {
	if c.CA || c.certifies || !c.signs {
		return fmt.Errorf("%w: leaf %q is a CA, or its key is not for signatures", ErrChain, c.CommonName)
	}
	return nil
}

// checkCA: the certificate may issue, with this many CAs below it.
func (c *Certificate) checkCA(below int) error {
	if !c.CA || !c.certifies {
		return fmt.Errorf("%w: %q may not issue certificates", ErrChain, c.CommonName)
	}
	if c.PathLen >= 0 && below > c.PathLen {
		return fmt.Errorf("%w: %d CAs below %q, which allows %d", ErrChain, below, c.CommonName, c.PathLen)
	}
	return nil
}

// checkIssuer checks all about the issuer but the signature.
func (c *Certificate) checkIssuer(issuer *Certificate, below int) error {
	if bytes.Equal(c.Issuer, c.Subject) {
		return fmt.Errorf("%w: %q names itself as its issuer, and is not the root", ErrChain, c.CommonName)
	}
	if !bytes.Equal(c.Issuer, issuer.Subject) {
		return fmt.Errorf("%w: %q was not issued by %q", ErrChain, c.CommonName, issuer.CommonName)
	}
	if c.authorityKeyID != nil && issuer.subjectKeyID != nil && !bytes.Equal(c.authorityKeyID, issuer.subjectKeyID) {
		return fmt.Errorf("%w: %q was issued by key %x, that of %q is %x", ErrChain,
			c.CommonName, c.authorityKeyID, issuer.CommonName, issuer.subjectKeyID)
	}
	return issuer.checkCA(below)
}

// chip is the first word of the common name: "GH100 A01 GSP BROM".
func (c *Certificate) chip() string {
	chip, _, _ := strings.Cut(c.CommonName, " ")
	return chip
}

// architecture returns the architecture of a GPU; "" for anything else that the
// root vouches for, such as switches and network cards.
func architecture(chip string) string {
	if len(chip) < 3 || chip[2] < '0' || chip[2] > '9' {
		return ""
	}
	switch chip[:2] {
	case "GH":
		return Hopper
	case "GB":
		return Blackwell
	}
	return ""
}

// Certificates returns the chain, leaf first.
func (c *Chain) Certificates() []*Certificate { return c.certificates }

// Serial returns the serial number of the die: that of the certificate whose key is
// burnt into it (BROM), the issuer of the leaf.
func (c *Chain) Serial() []byte { return c.certificates[1].Serial }

// Chip returns the name of the die, such as "GH100".
func (c *Chain) Chip() string { return c.certificates[1].chip() }

// Architecture returns Hopper or Blackwell.
func (c *Chain) Architecture() string { return architecture(c.Chip()) }

// LeafDigest returns the SHA-256 of the leaf.
func (c *Chain) LeafDigest() [sha256.Size]byte { return c.certificates[0].Digest() }

// Leaf returns the key that signs reports.
func (c *Chain) Leaf() Leaf { return Leaf{Key: c.certificates[0].Key, FWID: c.certificates[0].FWID} }
