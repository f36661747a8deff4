package device

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
)

const (
	// MaxCertificate is the length of the longest certificate that is read, in bytes.
	MaxCertificate = 4_096
	// MaxSerial is the length of the longest serial number (RFC 5280, 4.1.2.2).
	MaxSerial = 20
	// KeySize is the length of an uncompressed point of P-384.
	KeySize = 1 + 2*48
	// DigestSize is the length of SHA-384, and so of a FWID.
	DigestSize = sha512.Size384
)

var (
	// ecdsaWithSHA384 is the only AlgorithmIdentifier of a signature, 1.2.840.10045.4.3.3.
	ecdsaWithSHA384 = []byte{0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03}
	// keyAlgorithm is that of a key: id-ecPublicKey on secp384r1.
	keyAlgorithm = []byte{
		0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
		0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22,
	}
	oidCommonName = []byte{0x55, 0x04, 0x03}
)

// Certificate is a parsed certificate. What it says is true only in a chain that
// [VerifyChain] accepts. Its fields are not to be changed.
type Certificate struct {
	// Raw is the DER encoding that was parsed.
	Raw []byte
	// Serial is the serial number, big endian, 1 to 20 bytes without a leading zero.
	Serial []byte
	// Issuer and Subject are the DER encodings of the names.
	Issuer, Subject []byte
	// CommonName is the subject's.
	CommonName string
	// Key is the uncompressed point of the subject's P-384 key.
	Key []byte
	// CA tells whether it may issue certificates; PathLen how many below that one
	// may stand between it and a leaf, -1 for any number.
	CA      bool
	PathLen int
	// FWID is the SHA-384 of the firmware that a leaf was issued for, or nil.
	FWID []byte

	subjectKeyID, authorityKeyID []byte
	signs, certifies             bool // keyUsage digitalSignature and keyCertSign
	public                       *ecdsa.PublicKey
	signed, signature            []byte // tbsCertificate, and ECDSA-Sig-Value
}

// Digest returns the SHA-256 of the encoding.
func (c *Certificate) Digest() [sha256.Size]byte { return sha256.Sum256(c.Raw) }

// ParseCertificate reads the one DER encoding of an X.509 v3 certificate with a
// P-384 key that is signed by ECDSA with SHA-384. It verifies no signature.
//
// Errors: ErrMalformed.
func ParseCertificate(raw []byte) (*Certificate, error) {
	if len(raw) > MaxCertificate {
		return nil, malformed("certificate of %d bytes, want at most %d", len(raw), MaxCertificate)
	}
	outer, err := only(raw, tagSequence)
	if err != nil {
		return nil, err
	}
	c := &Certificate{Raw: raw, PathLen: -1}
	full, body, err := outer.readFull(tagSequence)
	if err != nil {
		return nil, err
	}
	c.signed = full
	if err := outer.algorithm(); err != nil {
		return nil, err
	}
	signature, err := outer.wholeBits()
	if err != nil {
		return nil, err
	}
	if err := outer.end(); err != nil {
		return nil, err
	}
	c.signature = signature
	if err := checkSignature(signature); err != nil {
		return nil, err
	}
	return c, c.parseBody(body)
}

// algorithm reads the AlgorithmIdentifier of ECDSA with SHA-384.
func (d *der) algorithm() error {
	full, _, err := d.readFull(tagSequence)
	if err != nil {
		return err
	}
	if !bytes.Equal(full, ecdsaWithSHA384) {
		return malformed("signature algorithm %x, want ECDSA with SHA-384", []byte(full))
	}
	return nil
}

// checkSignature checks the form of an ECDSA-Sig-Value: two positive integers.
func checkSignature(signature []byte) error {
	pair, err := only(signature, tagSequence)
	if err != nil {
		return err
	}
	for range 2 {
		n, err := pair.positive()
		if err != nil {
			return err
		}
		if len(n) > 48 {
			return malformed("signature number of %d bytes, want at most 48", len(n))
		}
	}
	return pair.end()
}

// parseBody reads a tbsCertificate.
func (c *Certificate) parseBody(body der) error {
	version, err := body.read(tagExplicit0)
	if err != nil {
		return err
	}
	if !bytes.Equal(version, []byte{tagInteger, 1, 2}) {
		return malformed("version %x, want 3", []byte(version))
	}
	if c.Serial, err = body.positive(); err != nil {
		return err
	}
	if len(c.Serial) > MaxSerial {
		return malformed("serial number of %d bytes, want at most %d", len(c.Serial), MaxSerial)
	}
	if err := body.algorithm(); err != nil {
		return err
	}
	if c.Issuer, _, err = body.name(); err != nil {
		return err
	}
	if err := body.validity(); err != nil {
		return err
	}
	if c.Subject, c.CommonName, err = body.name(); err != nil {
		return err
	}
	if err := c.parseKey(&body); err != nil {
		return err
	}
	extensions, err := body.read(tagExplicit3)
	if err != nil {
		return err
	}
	if err := body.end(); err != nil {
		return err
	}
	return c.parseExtensions(extensions)
}

// name reads a Name, and the common name in it.
func (d *der) name() (full []byte, commonName string, err error) {
	full, names, err := d.readFull(tagSequence)
	if err != nil {
		return nil, "", err
	}
	for len(names) > 0 {
		set, err := names.read(tagSet)
		if err != nil {
			return nil, "", err
		}
		attribute, err := set.read(tagSequence)
		if err != nil {
			return nil, "", err
		}
		if err := set.end(); err != nil {
			return nil, "", err
		}
		oid, err := attribute.read(tagOID)
		if err != nil {
			return nil, "", err
		}
		tag, value, _, err := attribute.next()
		if err != nil {
			return nil, "", err
		}
		if err := attribute.end(); err != nil {
			return nil, "", err
		}
		if !bytes.Equal(oid, oidCommonName) {
			continue
		}
		if commonName != "" || tag != tagUTF8String && tag != tagPrintableString || len(value) == 0 {
			return nil, "", malformed("common name %x of type %#x, want one, of text", []byte(value), tag)
		}
		commonName = string(value)
	}
	return full, commonName, nil
}

// validity reads the two dates, which nothing depends on.
func (d *der) validity() error {
	dates, err := d.read(tagSequence)
	if err != nil {
		return err
	}
	for range 2 {
		tag, date, _, err := dates.next()
		if err != nil {
			return err
		}
		digits, zone := bytes.CutSuffix(date, []byte("Z"))
		if !zone || bytes.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) ||
			!(tag == tagUTCTime && len(digits) == 12 || tag == tagGeneralizedTime && len(digits) == 14) {
			return malformed("date %q of type %#x", []byte(date), tag)
		}
	}
	return dates.end()
}

// parseKey reads a SubjectPublicKeyInfo.
func (c *Certificate) parseKey(body *der) error {
	info, err := body.read(tagSequence)
	if err != nil {
		return err
	}
	algorithm, _, err := info.readFull(tagSequence)
	if err != nil {
		return err
	}
	if !bytes.Equal(algorithm, keyAlgorithm) {
		return malformed("key algorithm %x, want P-384", []byte(algorithm))
	}
	point, err := info.wholeBits()
	if err != nil {
		return err
	}
	if err := info.end(); err != nil {
		return err
	}
	c.Key = point
	c.public, err = parsePoint(point)
	return err
}

func parsePoint(point []byte) (*ecdsa.PublicKey, error) {
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P384(), point)
	if err != nil {
		return nil, malformed("key %x is no uncompressed point of P-384", point)
	}
	return public, nil
}
