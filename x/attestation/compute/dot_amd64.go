package compute

import "golang.org/x/sys/cpu"

var hasAVX2 = cpu.X86.HasAVX2

//go:noescape
func dotAVX2(a, b *byte, n int) uint32

// dot takes the fast way for whole blocks of 32. Both ways are exact integers
// modulo 2^32, so machines with and without AVX2 agree on every entry.
func dot(a, b []byte) uint32 {
	n := len(a) &^ 31
	if !hasAVX2 || n == 0 {
		return dotGeneric(a, b)
	}
	b = b[:len(a)]
	return dotAVX2(&a[0], &b[0], n) + dotGeneric(a[n:], b[n:])
}
