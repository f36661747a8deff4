package device

// Tags of ASN.1 that the profile uses.
const (
	tagBoolean         = 0x01
	tagInteger         = 0x02
	tagBitString       = 0x03
	tagOctetString     = 0x04
	tagOID             = 0x06
	tagUTF8String      = 0x0c
	tagPrintableString = 0x13
	tagUTCTime         = 0x17
	tagGeneralizedTime = 0x18
	tagSequence        = 0x30
	tagSet             = 0x31
	tagContext0        = 0x80 // [0] IMPLICIT, primitive
	tagExplicit0       = 0xa0 // [0], constructed
	tagExplicit3       = 0xa3
	tagImplicit6       = 0xa6
)

// der is what is left to read of a DER encoding (X.690): definite lengths in
// their shortest form, and tags of one byte, only.
type der []byte

// next reads any element. full is the element with its tag and length.
func (d *der) next() (tag byte, content, full der, err error) {
	in := *d
	if len(in) < 2 {
		return 0, nil, nil, malformed("%d bytes left, want an element", len(in))
	}
	tag = in[0]
	if tag&0x1f == 0x1f {
		return 0, nil, nil, malformed("tag %#x of more than one byte", tag)
	}
	length, header := int(in[1]), 2
	if length >= 0x80 {
		size := length & 0x7f
		if size == 0 || size > 3 || len(in) < 2+size {
			return 0, nil, nil, malformed("length of %d bytes, want 1 to 3 that are there", size)
		}
		length, header = 0, 2+size
		for _, b := range in[2:header] {
			length = length<<8 | int(b)
		}
		if length < 0x80 || length>>(8*(size-1)) == 0 {
			return 0, nil, nil, malformed("length %d is not in its shortest form", length)
		}
	}
	if length > len(in)-header {
		return 0, nil, nil, malformed("element of %d bytes, %d are left", length, len(in)-header)
	}
	end := header + length
	*d = in[end:]
	return tag, in[header:end], in[:end], nil
}

// read reads an element of this tag and returns its content.
func (d *der) read(tag byte) (der, error) {
	got, content, _, err := d.next()
	if err != nil {
		return nil, err
	}
	if got != tag {
		return nil, malformed("tag %#x, want %#x", got, tag)
	}
	return content, nil
}

// readFull reads an element of this tag and returns all of it, and its content.
func (d *der) readFull(tag byte) (full, content der, err error) {
	got, content, full, err := d.next()
	if err != nil {
		return nil, nil, err
	}
	if got != tag {
		return nil, nil, malformed("tag %#x, want %#x", got, tag)
	}
	return full, content, nil
}

// is tells whether the next element has this tag.
func (d der) is(tag byte) bool { return len(d) > 0 && d[0] == tag }

// end refuses bytes that are left.
func (d der) end() error {
	if len(d) > 0 {
		return malformed("%d bytes after the last element", len(d))
	}
	return nil
}

// only reads the one element of this tag that data holds.
func only(data []byte, tag byte) (der, error) {
	d := der(data)
	content, err := d.read(tag)
	if err != nil {
		return nil, err
	}
	return content, d.end()
}

// positive reads an INTEGER over 0 and returns its magnitude, big endian.
func (d *der) positive() ([]byte, error) {
	n, err := d.read(tagInteger)
	if err != nil {
		return nil, err
	}
	return magnitude(n)
}

// magnitude returns the bytes of a positive INTEGER in its shortest form, without
// the zero byte that makes it positive.
func magnitude(n der) ([]byte, error) {
	if len(n) == 0 || n[0]&0x80 != 0 {
		return nil, malformed("integer %x, want a positive one", []byte(n))
	}
	if n[0] != 0 {
		return n, nil
	}
	if len(n) == 1 || n[1]&0x80 == 0 {
		return nil, malformed("integer %x, want a positive one in its shortest form", []byte(n))
	}
	return n[1:], nil
}

// boolean reads a BOOLEAN, which DER writes as 0x00 or 0xff.
func (d *der) boolean() (bool, error) {
	b, err := d.read(tagBoolean)
	if err != nil {
		return false, err
	}
	if len(b) != 1 || b[0] != 0 && b[0] != 0xff {
		return false, malformed("boolean %x, want 00 or ff", []byte(b))
	}
	return b[0] == 0xff, nil
}

// wholeBits reads a BIT STRING of whole bytes.
func (d *der) wholeBits() (der, error) {
	b, err := d.read(tagBitString)
	if err != nil {
		return nil, err
	}
	if len(b) < 1 || b[0] != 0 {
		return nil, malformed("bit string that is not of whole bytes")
	}
	return b[1:], nil
}
