package types

import (
	"crypto/sha256"
	"encoding/binary"
	"unicode/utf8"
)

// Bounds of device attestation.
const (
	// RecentBlocks is the number of blocks whose hashes are kept for nonces.
	RecentBlocks = 64
	// DeviceBudget is the number of expired registrations ended in one block.
	DeviceBudget = 64
	// MaxReasonLength bounds the reason of a revocation, in bytes.
	MaxReasonLength = 256
	// MaxSerialLength is that of a certificate's serial number (RFC 5280), in bytes.
	MaxSerialLength = 20
	// BlockHashSize is the length of a block's hash.
	BlockHashSize = sha256.Size

	domainDevice = "grafi/device/v1"
)

// DeviceNonce returns the nonce of a report: which GPU of whom answers, and after
// which block. gpu is the chain-wide index, first_gpu + ordinal. It is
//
//	SHA-256(domain ‖ chain id ‖ operator ‖ agent key ‖ gpu ‖ block hash ‖ height)
//
// with a two-byte length before each part but the domain and the two numbers, which
// have eight bytes; all big endian.
func DeviceNonce(chainID string, operator, agentKey []byte, gpu uint64, blockHash []byte, height int64) [sha256.Size]byte {
	doc := []byte(domainDevice)
	for _, part := range [][]byte{[]byte(chainID), operator, agentKey} {
		doc = appendPart(doc, part)
	}
	doc = binary.BigEndian.AppendUint64(doc, gpu)
	doc = appendPart(doc, blockHash)
	doc = binary.BigEndian.AppendUint64(doc, uint64(height))
	return sha256.Sum256(doc)
}

func appendPart(doc, part []byte) []byte {
	doc = binary.BigEndian.AppendUint16(doc, uint16(len(part)))
	return append(doc, part...)
}

// NewDeviceReportDoc returns what the agent key signs for a report.
func NewDeviceReportDoc(chainID string, report *DeviceReport) (DeviceReportDoc, error) {
	canonical, err := report.Marshal()
	if err != nil {
		return DeviceReportDoc{}, err
	}
	digest := sha256.Sum256(canonical)
	return DeviceReportDoc{ChainId: chainID, ReportDigest: digest[:]}, nil
}

// SignBytes returns what the agent key signs.
func (d *DeviceReportDoc) SignBytes() ([]byte, error) { return SignBytes(DomainReport, d) }

// ValidateSerial checks the form of a certificate's serial number: big endian,
// without a leading zero.
func ValidateSerial(serial []byte) error {
	if n := len(serial); n == 0 || n > MaxSerialLength || serial[0] == 0 {
		return ErrInvalidRevocation.Wrapf("serial number %x, want 1 to %d bytes without a leading zero", serial, MaxSerialLength)
	}
	return nil
}

// Validate checks the form of a revocation.
func (r *Revocation) Validate() error {
	if err := ValidateSerial(r.Serial); err != nil {
		return err
	}
	if r.Reason == "" || len(r.Reason) > MaxReasonLength || !utf8.ValidString(r.Reason) {
		return ErrInvalidRevocation.Wrapf("reason of %d bytes, want 1 to %d of text", len(r.Reason), MaxReasonLength)
	}
	return nil
}
