package device

import "bytes"

// Object identifiers of extensions, as in their encoding.
const (
	oidSubjectKeyID     = "\x55\x1d\x0e"
	oidKeyUsage         = "\x55\x1d\x0f"
	oidBasicConstraints = "\x55\x1d\x13"
	oidAuthorityKeyID   = "\x55\x1d\x23"
	// TCG DICE: 2.23.133.5.4.1 with a CompositeDeviceID in the leaf of a Hopper,
	// 2.23.133.5.4.1.1 with a DiceTcbInfo in the leaf of a Blackwell.
	oidCompositeDeviceID = "\x67\x81\x05\x05\x04\x01"
	oidTCBInfo           = "\x67\x81\x05\x05\x04\x01\x01"
)

// Bits of a keyUsage's first byte.
const (
	bitDigitalSignature = 0x80
	bitKeyCertSign      = 0x04
)

// sha384 is the OBJECT IDENTIFIER 2.16.840.1.101.3.4.2.2.
var sha384 = []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}

// parseExtensions reads the extensions. One that is critical must be known.
func (c *Certificate) parseExtensions(explicit der) error {
	list, err := explicit.read(tagSequence)
	if err != nil {
		return err
	}
	if err := explicit.end(); err != nil {
		return err
	}
	var seen [][]byte
	for len(list) > 0 {
		extension, err := list.read(tagSequence)
		if err != nil {
			return err
		}
		oid, err := extension.read(tagOID)
		if err != nil {
			return err
		}
		for _, other := range seen {
			if bytes.Equal(oid, other) {
				return malformed("extension %x twice", []byte(oid))
			}
		}
		seen = append(seen, oid)
		critical := false
		if extension.is(tagBoolean) {
			if critical, err = extension.boolean(); err != nil {
				return err
			}
			if !critical {
				return malformed("extension %x: its default is written out", []byte(oid))
			}
		}
		value, err := extension.read(tagOctetString)
		if err != nil {
			return err
		}
		if err := extension.end(); err != nil {
			return err
		}
		if err := c.parseExtension(string(oid), value, critical); err != nil {
			return err
		}
	}
	return nil
}

func (c *Certificate) parseExtension(oid string, value der, critical bool) (err error) {
	switch oid {
	case oidBasicConstraints:
		return c.parseBasicConstraints(value)
	case oidKeyUsage:
		return c.parseKeyUsage(value)
	case oidSubjectKeyID:
		c.subjectKeyID, err = only(value, tagOctetString)
		return err
	case oidAuthorityKeyID:
		return c.parseAuthorityKeyID(value)
	case oidCompositeDeviceID, oidTCBInfo:
		if c.FWID != nil {
			return malformed("two firmware identities")
		}
		if oid == oidTCBInfo {
			c.FWID, err = tcbInfoFWID(value)
		} else {
			c.FWID, err = compositeFWID(value)
		}
		return err
	}
	if critical {
		return malformed("unknown critical extension %x", oid)
	}
	return nil
}

func (c *Certificate) parseBasicConstraints(value der) error {
	body, err := only(value, tagSequence)
	if err != nil {
		return err
	}
	if body.is(tagBoolean) {
		if c.CA, err = body.boolean(); err != nil {
			return err
		}
		if !c.CA {
			return malformed("basic constraints: the default is written out")
		}
	}
	if body.is(tagInteger) {
		n, err := body.read(tagInteger)
		if err != nil {
			return err
		}
		if len(n) != 1 || n[0] > 0x7f || !c.CA {
			return malformed("path length %x, want 0 to 127, of a CA", []byte(n))
		}
		c.PathLen = int(n[0])
	}
	return body.end()
}

func (c *Certificate) parseKeyUsage(value der) error {
	bits, err := only(value, tagBitString)
	if err != nil {
		return err
	}
	// A list of named bits ends with its last bit that is set (X.690, 11.2.2).
	if len(bits) < 2 || len(bits) > 3 || bits[0] > 7 || bits[len(bits)-1]&(1<<bits[0]) == 0 ||
		bits[len(bits)-1]&(1<<bits[0]-1) != 0 {
		return malformed("key usage %x", []byte(bits))
	}
	c.signs, c.certifies = bits[1]&bitDigitalSignature != 0, bits[1]&bitKeyCertSign != 0
	return nil
}

// parseAuthorityKeyID keeps the keyIdentifier, [0]; the others say the same.
func (c *Certificate) parseAuthorityKeyID(value der) error {
	body, err := only(value, tagSequence)
	if err != nil {
		return err
	}
	if body.is(tagContext0) {
		if c.authorityKeyID, err = body.read(tagContext0); err != nil {
			return err
		}
	}
	for len(body) > 0 {
		if _, _, _, err := body.next(); err != nil {
			return err
		}
	}
	return nil
}

// compositeFWID reads CompositeDeviceID ::= SEQUENCE { version INTEGER,
// deviceID SubjectPublicKeyInfo, fwid FWID }.
func compositeFWID(value der) ([]byte, error) {
	body, err := only(value, tagSequence)
	if err != nil {
		return nil, err
	}
	if _, err := body.positive(); err != nil {
		return nil, err
	}
	if _, err := body.read(tagSequence); err != nil {
		return nil, err
	}
	fwid, err := body.fwid()
	if err != nil {
		return nil, err
	}
	return fwid, body.end()
}

// tcbInfoFWID reads the first FWID of DiceTcbInfo's fwids [6]; it passes over the
// other fields, all of which are optional.
func tcbInfoFWID(value der) ([]byte, error) {
	body, err := only(value, tagSequence)
	if err != nil {
		return nil, err
	}
	var fwid []byte
	for len(body) > 0 {
		tag, content, _, err := body.next()
		if err != nil {
			return nil, err
		}
		if tag != tagImplicit6 {
			continue
		}
		if fwid != nil {
			return nil, malformed("two lists of firmware identities")
		}
		if fwid, err = content.fwid(); err != nil {
			return nil, err
		}
		for len(content) > 0 {
			if _, err := content.read(tagSequence); err != nil {
				return nil, err
			}
		}
	}
	if fwid == nil {
		return nil, malformed("no firmware identity in the TCB info")
	}
	return fwid, nil
}

// fwid reads FWID ::= SEQUENCE { hashAlg OBJECT IDENTIFIER, digest OCTET STRING }.
func (d *der) fwid() ([]byte, error) {
	body, err := d.read(tagSequence)
	if err != nil {
		return nil, err
	}
	hash, err := body.read(tagOID)
	if err != nil {
		return nil, err
	}
	digest, err := body.read(tagOctetString)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(hash, sha384) || len(digest) != DigestSize {
		return nil, malformed("firmware identity of %d bytes by hash %x, want SHA-384", len(digest), []byte(hash))
	}
	return digest, body.end()
}
