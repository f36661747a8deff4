package prove

import (
	"encoding/binary"
	"math/bits"
)

// sboxTable is made once: a round expands two keys.
var sboxTable = sbox()

// sbox is S of FIPS 197, made from its definition: the inverse in GF(2^8), then
// an affine map.
func sbox() (s [256]byte) {
	var inverse [256]byte
	for x := 1; x < 256; x++ {
		for y := 1; y < 256; y++ {
			if gfMul(byte(x), byte(y)) == 1 {
				inverse[x] = byte(y)
			}
		}
	}
	for x := range s {
		i := inverse[x]
		s[x] = i ^ bits.RotateLeft8(i, 1) ^ bits.RotateLeft8(i, 2) ^ bits.RotateLeft8(i, 3) ^ bits.RotateLeft8(i, 4) ^ 0x63
	}
	return s
}

// gfMul multiplies in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
func gfMul(a, b byte) (product byte) {
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			product ^= a
		}
		carry := a >> 7
		a = a<<1 ^ carry*0x1b
	}
	return product
}

// aesTable is the kernel's table: for each byte the column (2s, s, s, 3s) that
// SubBytes and MixColumns make of it, as little-endian words for the device.
func aesTable() []byte {
	out := make([]byte, 0, 4*256)
	for _, s := range sboxTable {
		word := uint32(gfMul(s, 2))<<24 | uint32(s)<<16 | uint32(s)<<8 | uint32(gfMul(s, 3))
		out = binary.LittleEndian.AppendUint32(out, word)
	}
	return out
}

// aesKeys is the expanded key, 44 words of FIPS 197, as little-endian words for
// the device.
func aesKeys(key [16]byte) []byte {
	s := &sboxTable
	var w [44]uint32
	for i := range 4 {
		w[i] = binary.BigEndian.Uint32(key[4*i:])
	}
	rcon := byte(1)
	for i := 4; i < len(w); i++ {
		t := w[i-1]
		if i%4 == 0 {
			t = bits.RotateLeft32(t, 8)
			t = uint32(s[t>>24])<<24 | uint32(s[t>>16&255])<<16 | uint32(s[t>>8&255])<<8 | uint32(s[t&255])
			t ^= uint32(rcon) << 24
			rcon = gfMul(rcon, 2)
		}
		w[i] = w[i-4] ^ t
	}
	out := make([]byte, 0, 4*len(w))
	for _, word := range w {
		out = binary.LittleEndian.AppendUint32(out, word)
	}
	return out
}
