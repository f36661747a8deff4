package device

import (
	"encoding/binary"
)

// Sizes of a report (DSP0274 1.1.0, GET_MEASUREMENTS and MEASUREMENTS).
const (
	// NonceSize is the length of the requester's nonce, and of the responder's.
	NonceSize = 32
	// MaxReport is the length of the longest report that is read: NVML's buffer.
	MaxReport = 8_192
	// SignatureSize is the length of r ‖ s on P-384.
	SignatureSize = 96

	requestSize        = 4 + NonceSize + 1
	responseHeaderSize = 8
	maxOpaque          = 1_024

	spdm11          = 0x11
	getMeasurements = 0xe0
	measurements    = 0x60
	wantSignature   = 0x01
	allMeasurements = 0xff
	slotMask        = 0x0f
	dmtf            = 0x01
)

// Types of NVIDIA's opaque data, in which each field is type ‖ length ‖ value.
const (
	opaqueDriver = 3
	opaqueVBIOS  = 6
	opaqueFWID   = 20
)

// Measurement is one measurement block in the form of the DMTF.
type Measurement struct {
	Index uint8
	Type  uint8
	Value []byte
}

// Field is one field of the opaque data.
type Field struct {
	Type  uint16
	Value []byte
}

// Report is a parsed report. It is true only after [Leaf.VerifyReport].
type Report struct {
	// Nonce is what the requester asked for.
	Nonce [NonceSize]byte
	// Measurements are in the order of the report.
	Measurements []Measurement
	// Opaque is what NVIDIA adds.
	Opaque []Field
	// Driver is the version of the driver, "550.90.07"; empty when not reported.
	Driver string
	// VBIOS is the version as nvidia-smi shows it, "96.00.9F.00.01"; or empty.
	VBIOS string
	// FWID is the SHA-384 of the firmware; nil when not reported.
	FWID []byte

	signed, signature []byte
}

// ParseReport reads an SPDM 1.1 GET_MEASUREMENTS request for all measurements with a
// signature, and its response, up to the last byte. The signature covers both, all
// but itself: transcript L1 with this one exchange. It is not verified here.
//
// Errors: ErrMalformed.
func ParseReport(raw []byte) (*Report, error) {
	if len(raw) < requestSize+responseHeaderSize+NonceSize+2+SignatureSize || len(raw) > MaxReport {
		return nil, malformed("report of %d bytes, want %d to %d", len(raw),
			requestSize+responseHeaderSize+NonceSize+2+SignatureSize, MaxReport)
	}
	request, rest := raw[:requestSize], raw[requestSize:]
	if request[0] != spdm11 || request[1] != getMeasurements || request[2] != wantSignature || request[3] != allMeasurements {
		return nil, malformed("request % x, want SPDM 1.1 GET_MEASUREMENTS, signed, of all", request[:4])
	}
	r := &Report{Nonce: [NonceSize]byte(request[4:])}
	slot := request[requestSize-1]
	header := rest[:responseHeaderSize]
	if header[0] != spdm11 || header[1] != measurements {
		return nil, malformed("response % x, want SPDM 1.1 MEASUREMENTS", header[:2])
	}
	if slot&^slotMask != 0 || header[3]&slotMask != slot {
		return nil, malformed("asked for certificate slot %#x, answered for %#x", slot, header[3])
	}
	blocks := int(header[4])
	length := int(header[5]) | int(header[6])<<8 | int(header[7])<<16
	rest = rest[responseHeaderSize:]
	if length > len(rest)-NonceSize-2-SignatureSize {
		return nil, malformed("measurements of %d bytes, %d are there", length, len(rest)-NonceSize-2-SignatureSize)
	}
	if err := r.parseMeasurements(rest[:length], blocks); err != nil {
		return nil, err
	}
	rest = rest[length+NonceSize:]
	length = int(binary.LittleEndian.Uint16(rest))
	rest = rest[2:]
	if length > maxOpaque || length != len(rest)-SignatureSize {
		return nil, malformed("opaque data of %d bytes, %d are there, want at most %d", length, len(rest)-SignatureSize, maxOpaque)
	}
	if err := r.parseOpaque(rest[:length]); err != nil {
		return nil, err
	}
	r.signed, r.signature = raw[:len(raw)-SignatureSize], rest[length:]
	return r, nil
}

// parseMeasurements reads exactly this many blocks, each index once.
func (r *Report) parseMeasurements(record []byte, blocks int) error {
	var seen [256]bool
	r.Measurements = make([]Measurement, 0, blocks)
	for range blocks {
		if len(record) < 7 {
			return malformed("measurement block of %d bytes, want at least 7", len(record))
		}
		index, specification := record[0], record[1]
		size := int(binary.LittleEndian.Uint16(record[2:]))
		valueSize := int(binary.LittleEndian.Uint16(record[5:]))
		if specification != dmtf || size != valueSize+3 || len(record) < 4+size {
			return malformed("measurement %d: specification %#x, %d bytes with a value of %d, %d are there",
				index, specification, size, valueSize, len(record)-4)
		}
		if index == 0 || seen[index] {
			return malformed("measurement %d twice, or 0", index)
		}
		seen[index] = true
		r.Measurements = append(r.Measurements, Measurement{Index: index, Type: record[4], Value: record[7 : 4+size]})
		record = record[4+size:]
	}
	if len(record) > 0 {
		return malformed("%d bytes after %d measurements", len(record), blocks)
	}
	return nil
}

// parseOpaque reads the fields; of a type that comes again the first counts, but the
// firmware can't have two identities.
func (r *Report) parseOpaque(data []byte) error {
	for len(data) > 0 {
		if len(data) < 4 {
			return malformed("opaque field of %d bytes, want at least 4", len(data))
		}
		f := Field{Type: binary.LittleEndian.Uint16(data)}
		length := int(binary.LittleEndian.Uint16(data[2:]))
		if length > len(data)-4 {
			return malformed("opaque field %d of %d bytes, %d are there", f.Type, length, len(data)-4)
		}
		f.Value, data = data[4:4+length], data[4+length:]
		r.Opaque = append(r.Opaque, f)
		switch {
		case f.Type == opaqueDriver && r.Driver == "":
			r.Driver = text(f.Value)
		case f.Type == opaqueVBIOS && r.VBIOS == "":
			r.VBIOS = vbios(f.Value)
		case f.Type == opaqueFWID:
			if r.FWID != nil || len(f.Value) != DigestSize {
				return malformed("firmware identity of %d bytes, want one, of %d", len(f.Value), DigestSize)
			}
			r.FWID = f.Value
		}
	}
	return nil
}

// text returns a short printable string that ends at its first NUL; "" for others.
func text(value []byte) string {
	for i, b := range value {
		if b == 0 {
			value = value[:i]
			break
		}
		if b < ' ' || b > '~' {
			return ""
		}
	}
	if len(value) > 32 {
		return ""
	}
	return string(value)
}

// vbios writes the version as nvidia-smi does: the bytes of two little-endian words,
// of the first all and of the second the lowest.
func vbios(value []byte) string {
	if len(value) != 8 {
		return ""
	}
	const digits = "0123456789ABCDEF"
	out := make([]byte, 0, 14)
	for i, b := range []byte{value[3], value[2], value[1], value[0], value[4]} {
		if i > 0 {
			out = append(out, '.')
		}
		out = append(out, digits[b>>4], digits[b&0x0f])
	}
	return string(out)
}
