// Package telemetry sends the raw samples under a detail root to a data service,
// which can check them against the chain and can't read them: they are sealed to the
// operator's key and to those of renters. See README.md for the wire format.
package telemetry

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Version is that of the wire format.
const Version = 1

// Limits of one batch.
const (
	MaxSamples = 1 << 14
	// MaxPlain bounds what a batch unpacks to.
	MaxPlain = 64 << 20
	// MaxWire bounds a batch on the wire.
	MaxWire = 32 << 20
)

// domain starts everything that is hashed or sealed here.
const domain = "grafi/telemetry/v1"

// Errors of a batch.
var (
	// ErrBatch means that the batch contradicts itself.
	ErrBatch = errors.New("telemetry batch is wrong")
	// ErrNotForKey means that the batch was not sealed to the key.
	ErrNotForKey = errors.New("telemetry batch is not sealed to this key")
)

// Batch is the samples under one detail root.
type Batch struct {
	Version int    `json:"version"`
	ChainID string `json:"chain_id"`
	HostID  uint64 `json:"host_id"`
	// Slot is the one whose attestation carries the root.
	Slot       uint64 `json:"slot"`
	DetailRoot []byte `json:"detail_root"`
	// Leaves are the leaf hashes under the root, 32 bytes each, in the order of the
	// samples' time: SHA-256(0x00 ‖ sample).
	Leaves []byte      `json:"leaves"`
	Keys   []SealedKey `json:"keys"`
	// Ciphertext is the samples under the content key.
	Ciphertext []byte `json:"ciphertext"`
}

// SealedKey is the content key for one recipient.
type SealedKey struct {
	Recipient string `json:"recipient"`
	KeyID     []byte `json:"key_id"`
	KEM       uint16 `json:"kem"` // RFC 9180's number
	Enc       []byte `json:"enc"`
	Key       []byte `json:"key"`
}

// NewBatch seals the samples, which are in the order of their time, to the recipients.
func NewBatch(chainID string, hostID, slot uint64, samples [][]byte, to []Recipient) (Batch, error) {
	if len(samples) == 0 || len(samples) > MaxSamples {
		return Batch{}, fmt.Errorf("%w: %d samples, want 1 to %d", ErrBatch, len(samples), MaxSamples)
	}
	b := Batch{Version: Version, ChainID: chainID, HostID: hostID, Slot: slot}
	for _, s := range samples {
		leaf := leafHash(s)
		b.Leaves = append(b.Leaves, leaf[:]...)
	}
	root := rootOf(b.Leaves)
	b.DetailRoot = root[:]
	plain, err := pack(samples)
	if err != nil {
		return Batch{}, err
	}
	content := make([]byte, 32)
	if _, err := rand.Read(content); err != nil {
		return Batch{}, err
	}
	aead, err := contentCipher(content)
	if err != nil {
		return Batch{}, err
	}
	info := b.info()
	// The nonce is zero: a content key seals one batch.
	b.Ciphertext = aead.Seal(nil, make([]byte, aead.NonceSize()), plain, info)
	for _, r := range to {
		enc, sender, err := hpke.NewSender(r.Key, hpke.HKDFSHA256(), hpke.AES256GCM(), info)
		if err != nil {
			return Batch{}, fmt.Errorf("seal to %s: %w", r.Name, err)
		}
		key, err := sender.Seal(nil, content)
		if err != nil {
			return Batch{}, fmt.Errorf("seal to %s: %w", r.Name, err)
		}
		b.Keys = append(b.Keys, SealedKey{Recipient: r.Name, KeyID: KeyID(r.Key), KEM: r.Key.KEM().ID(), Enc: enc, Key: key})
	}
	return b, nil
}

// Check reports whether the leaves are those under the root; it needs no key. The
// root is worth what the chain says of it: compare DetailRoot with the attestation
// of HostID and Slot.
//
// Errors: ErrBatch.
func (b Batch) Check() error {
	switch {
	case b.Version != Version:
		return fmt.Errorf("%w: version %d, want %d", ErrBatch, b.Version, Version)
	case len(b.Leaves) == 0 || len(b.Leaves)%sha256.Size != 0 || len(b.Leaves)/sha256.Size > MaxSamples:
		return fmt.Errorf("%w: leaves of %d bytes", ErrBatch, len(b.Leaves))
	case len(b.Keys) > maxRecipients:
		return fmt.Errorf("%w: %d keys, at most %d", ErrBatch, len(b.Keys), maxRecipients)
	}
	if root := rootOf(b.Leaves); !bytes.Equal(root[:], b.DetailRoot) {
		return fmt.Errorf("%w: the leaves' root is %x, not %x", ErrBatch, root, b.DetailRoot)
	}
	return nil
}

// Open returns the samples for the owner of the key, each checked against its leaf.
//
// Errors: ErrBatch, ErrNotForKey.
func (b Batch) Open(key hpke.PrivateKey) ([][]byte, error) {
	if err := b.Check(); err != nil {
		return nil, err
	}
	id, info := KeyID(key.PublicKey()), b.info()
	for _, k := range b.Keys {
		if !bytes.Equal(k.KeyID, id) || k.KEM != key.KEM().ID() {
			continue
		}
		recipient, err := hpke.NewRecipient(k.Enc, key, hpke.HKDFSHA256(), hpke.AES256GCM(), info)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotForKey, err)
		}
		content, err := recipient.Open(nil, k.Key)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotForKey, err)
		}
		aead, err := contentCipher(content)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBatch, err)
		}
		plain, err := aead.Open(nil, make([]byte, aead.NonceSize()), b.Ciphertext, info)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBatch, err)
		}
		return b.unpack(plain)
	}
	return nil, ErrNotForKey
}

// info binds keys and samples to their place, so that no part can be moved to
// another batch.
func (b Batch) info() []byte {
	out := append([]byte(domain), 0)
	out = binary.BigEndian.AppendUint32(out, uint32(len(b.ChainID)))
	out = append(out, b.ChainID...)
	out = binary.BigEndian.AppendUint64(out, b.HostID)
	out = binary.BigEndian.AppendUint64(out, b.Slot)
	out = binary.BigEndian.AppendUint32(out, uint32(len(b.Leaves)/sha256.Size))
	return append(out, b.DetailRoot...)
}

func contentCipher(key []byte) (cipher.AEAD, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("content key of %d bytes, want 32", len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// pack writes each sample after its length (4 bytes, big-endian), deflated.
func pack(samples [][]byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	for _, s := range samples {
		if _, err := w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s)))); err != nil {
			return nil, err
		}
		if _, err := w.Write(s); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unpack is the reverse of pack, and checks each sample's leaf.
func (b Batch) unpack(packed []byte) ([][]byte, error) {
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), MaxPlain+1))
	if err != nil {
		return nil, fmt.Errorf("%w: content: %w", ErrBatch, err)
	}
	if len(plain) > MaxPlain {
		return nil, fmt.Errorf("%w: content of more than %d bytes", ErrBatch, MaxPlain)
	}
	var out [][]byte
	for i := 0; i < len(b.Leaves); i += sha256.Size {
		if len(plain) < 4 {
			return nil, fmt.Errorf("%w: %d samples for %d leaves", ErrBatch, len(out), len(b.Leaves)/sha256.Size)
		}
		size := binary.BigEndian.Uint32(plain)
		if plain = plain[4:]; uint64(size) > uint64(len(plain)) {
			return nil, fmt.Errorf("%w: sample %d has %d bytes, %d are left", ErrBatch, len(out), size, len(plain))
		}
		sample := plain[:size:size]
		plain = plain[size:]
		if leaf := leafHash(sample); !bytes.Equal(leaf[:], b.Leaves[i:i+sha256.Size]) {
			return nil, fmt.Errorf("%w: sample %d is not that of its leaf", ErrBatch, len(out))
		}
		out = append(out, sample)
	}
	if len(plain) != 0 {
		return nil, fmt.Errorf("%w: %d bytes after the last sample", ErrBatch, len(plain))
	}
	return out, nil
}

func leafHash(sample []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte{0}, sample...))
}

// rootOf is RFC 6962's tree over leaf hashes.
func rootOf(leaves []byte) [sha256.Size]byte {
	n := len(leaves) / sha256.Size
	if n == 1 {
		return [sha256.Size]byte(leaves)
	}
	split := 1
	for split*2 < n {
		split *= 2
	}
	left, right := rootOf(leaves[:split*sha256.Size]), rootOf(leaves[split*sha256.Size:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}
