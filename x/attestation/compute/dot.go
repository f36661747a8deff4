package compute

// Dot is the sum of the products of the int8 in a and b, modulo 2^32.
// a and b have the same length, a multiple of 8.
func Dot(a, b []byte) uint32 { return dot(a, b) }

// dotGeneric works on every machine. Four sums keep the multiplier busy.
func dotGeneric(a, b []byte) uint32 {
	var s0, s1, s2, s3 int32
	b = b[:len(a)]
	for len(a) >= 8 && len(b) >= 8 {
		s0 += int32(int8(a[0])) * int32(int8(b[0]))
		s1 += int32(int8(a[1])) * int32(int8(b[1]))
		s2 += int32(int8(a[2])) * int32(int8(b[2]))
		s3 += int32(int8(a[3])) * int32(int8(b[3]))
		s0 += int32(int8(a[4])) * int32(int8(b[4]))
		s1 += int32(int8(a[5])) * int32(int8(b[5]))
		s2 += int32(int8(a[6])) * int32(int8(b[6]))
		s3 += int32(int8(a[7])) * int32(int8(b[7]))
		a, b = a[8:], b[8:]
	}
	return uint32(s0) + uint32(s1) + uint32(s2) + uint32(s3)
}
