package keystore

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
)

// feeBlock is the PEM type of a fee key; its content is the 32-byte scalar.
const feeBlock = "GRAFI SECP256K1 FEE KEY"

// CreateFeeKey makes the hot key that pays the agent's fees, and keeps it. It
// should hold little, or only a fee grant of the operator.
//
// Errors: ErrExists, ErrReadOnly.
func CreateFeeKey(s Store, name string) (*secp256k1.PrivKey, error) {
	key := secp256k1.GenPrivKey()
	if err := s.Create(name, feeBlock, key.Key); err != nil {
		return nil, err
	}
	return key, nil
}

// ImportFeeKey keeps a key given as 64 hex digits, such as
// "grafid keys export NAME --unarmored-hex --unsafe" prints.
//
// Errors: ErrExists, ErrMalformed.
func ImportFeeKey(s Store, name, hexKey string) (*secp256k1.PrivKey, error) {
	raw, err := hex.DecodeString(strings.TrimSpace(hexKey))
	if err != nil || len(raw) != secp256k1.PrivKeySize {
		return nil, fmt.Errorf("%w: want %d hex digits", ErrMalformed, 2*secp256k1.PrivKeySize) // the key itself is never shown
	}
	return &secp256k1.PrivKey{Key: raw}, s.Create(name, feeBlock, raw)
}

// LoadFeeKey reads the key.
//
// Errors: ErrNotFound, ErrUnsafe, ErrMalformed.
func LoadFeeKey(s Store, name string) (*secp256k1.PrivKey, error) {
	raw, err := s.Load(name, feeBlock)
	if err != nil {
		return nil, err
	}
	if len(raw) != secp256k1.PrivKeySize {
		return nil, fmt.Errorf("%w: %s holds %d bytes, want %d", ErrMalformed, s.Where(name), len(raw), secp256k1.PrivKeySize)
	}
	return &secp256k1.PrivKey{Key: raw}, nil
}
