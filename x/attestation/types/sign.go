package types

import (
	"crypto/sha256"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

const (
	// AgentKeySize is the length of an ed25519 public key.
	AgentKeySize = ed25519.PublicKeySize
	// SignatureSize is the length of an ed25519 signature.
	SignatureSize = ed25519.SignatureSize
	// EncryptionKeySize is the length of an X25519 public key.
	EncryptionKeySize = 32
	// DetailRootSize is the length of a Merkle root.
	DetailRootSize = sha256.Size
)

// zip215 is the one verification rule of every agent signature: batch and
// single verification agree under it, on every node.
var zip215 = &ed25519.Options{Verify: ed25519.VerifyOptionsZIP_215}

// ZIP215 returns the options under which every agent signature is verified.
func ZIP215() *ed25519.Options { return zip215 }

// Document is a generated proto message; its gogoproto encoding is canonical.
type Document interface {
	Marshal() ([]byte, error)
}

// SignBytes returns what an agent key signs for the document:
// domain ‖ SHA-256(canonical encoding).
func SignBytes(domain string, doc Document) ([]byte, error) {
	canonical, err := doc.Marshal()
	if err != nil {
		return nil, err
	}
	return SignBytesOf(domain, canonical), nil
}

// SignBytesOf returns domain ‖ SHA-256(canonical) for an encoded document.
func SignBytesOf(domain string, canonical []byte) []byte {
	digest := sha256.Sum256(canonical)
	out := make([]byte, 0, len(domain)+len(digest))
	out = append(out, domain...)
	return append(out, digest[:]...)
}

// NewAttestationDoc returns the document that an agent signs for a closed
// slot: the host's record and the closing block give most of it.
func NewAttestationDoc(chainID string, host *Host, slot uint64, anchor *Anchor, att *Attestation) AttestationDoc {
	return AttestationDoc{
		ChainId:      chainID,
		HostId:       host.Id,
		Slot:         slot,
		AnchorHeight: anchor.Height,
		AnchorHash:   anchor.Hash,
		Generation:   host.Generation,
		Down:         att.Down,
		NotRunning:   att.NotRunning,
		DetailRoot:   att.DetailRoot,
	}
}

// NewAgentKeyBinding returns the document that proves possession of an agent
// key. hostID is 0 for a registration.
func NewAgentKeyBinding(chainID, operator string, hostID uint64, agentKey, encryptionKey []byte) AgentKeyBinding {
	return AgentKeyBinding{
		ChainId:       chainID,
		Operator:      operator,
		HostId:        hostID,
		AgentKey:      agentKey,
		EncryptionKey: encryptionKey,
	}
}

// SignBytes returns what the agent key signs for the attestation.
func (d *AttestationDoc) SignBytes() ([]byte, error) { return SignBytes(DomainAttestation, d) }

// SignBytes returns what the agent key signs to prove possession.
func (b *AgentKeyBinding) SignBytes() ([]byte, error) { return SignBytes(DomainAgentKey, b) }

// Verify tells whether the signature over signBytes is the key's, by ZIP-215.
// A key or signature of a wrong length verifies nothing.
func Verify(agentKey, signBytes, signature []byte) bool {
	if len(agentKey) != AgentKeySize || len(signature) != SignatureSize {
		return false
	}
	return ed25519.VerifyWithOptions(agentKey, signBytes, signature, zip215)
}

// ValidateAgentKey refuses what is not the canonical encoding of a point, and
// points of small order: under ZIP-215 anybody can sign for those.
func ValidateAgentKey(key []byte) error {
	if len(key) != AgentKeySize {
		return ErrInvalidAgentKey.Wrapf("got %d bytes, want %d", len(key), AgentKeySize)
	}
	var compressed curve.CompressedEdwardsY
	var point curve.EdwardsPoint
	if _, err := compressed.SetBytes(key); err != nil {
		return ErrInvalidAgentKey.Wrapf("%x: %s", key, err)
	}
	if _, err := point.SetCompressedY(&compressed); err != nil {
		return ErrInvalidAgentKey.Wrapf("%x is not a point of the curve", key)
	}
	if !compressed.IsCanonicalVartime() || point.IsSmallOrder() {
		return ErrInvalidAgentKey.Wrapf("%x is not canonical, or of small order", key)
	}
	return nil
}
