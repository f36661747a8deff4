package compute

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

// Key is an AES-128 key.
type Key = [16]byte

// KeyA is the key that the rows of A are drawn from in the round with seed s.
func KeyA(s Hash) Key {
	h := digest("grafi/gemm/a", s[:])
	return Key(h[:16])
}

// KeyB is the key that the columns of B are drawn from in the round with seed s.
func KeyB(s Hash) Key {
	h := digest("grafi/gemm/b", s[:])
	return Key(h[:16])
}

// Vectors draws the rows of A or the columns of B. It is safe for concurrent use.
type Vectors struct{ block cipher.Block }

// NewVectors returns the vectors of a key.
func NewVectors(key Key) Vectors {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // only for a key of another length
	}
	return Vectors{block: block}
}

// Fill sets dst to row (column) i: AES-128-CTR keystream whose first counter
// block is i, big-endian in 64 bits, and 64 zero bits. Each byte is an int8.
func (v Vectors) Fill(dst []byte, i uint32) {
	var iv [aes.BlockSize]byte
	binary.BigEndian.PutUint64(iv[:], uint64(i))
	clear(dst)
	cipher.NewCTR(v.block, iv[:]).XORKeyStream(dst, dst)
}
