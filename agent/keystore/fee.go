package keystore

import (
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
)

// feeBlock is the PEM type of a fee key; its content is the 32-byte scalar.
const feeBlock = "GRAFI SECP256K1 FEE KEY"

// CreateFeeKey makes the hot key that pays the agent's fees, and its file. It
// should hold little, or only a fee grant of the operator.
//
// Errors: ErrExists.
func CreateFeeKey(path string) (*secp256k1.PrivKey, error) {
	key := secp256k1.GenPrivKey()
	return key, create(path, &pem.Block{Type: feeBlock, Bytes: key.Key})
}

// ImportFeeKey writes a key given as 64 hex digits, such as
// "grafid keys export NAME --unarmored-hex --unsafe" prints.
//
// Errors: ErrExists, ErrMalformed.
func ImportFeeKey(path, hexKey string) (*secp256k1.PrivKey, error) {
	raw, err := hex.DecodeString(strings.TrimSpace(hexKey))
	if err != nil || len(raw) != secp256k1.PrivKeySize {
		return nil, fmt.Errorf("%w: want %d hex digits", ErrMalformed, 2*secp256k1.PrivKeySize) // the key itself is never shown
	}
	return &secp256k1.PrivKey{Key: raw}, create(path, &pem.Block{Type: feeBlock, Bytes: raw})
}

// LoadFeeKey reads the key.
//
// Errors: ErrNotFound, ErrUnsafe, ErrMalformed.
func LoadFeeKey(path string) (*secp256k1.PrivKey, error) {
	raw, err := read(path, feeBlock)
	if err != nil {
		return nil, err
	}
	if len(raw) != secp256k1.PrivKeySize {
		return nil, fmt.Errorf("%w: %s holds %d bytes, want %d", ErrMalformed, path, len(raw), secp256k1.PrivKeySize)
	}
	return &secp256k1.PrivKey{Key: raw}, nil
}
