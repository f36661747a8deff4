package device_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/device"
)

// nextBit visits every bit with GRAFI_LONG_TESTS=1, else every bit of the first 8 and
// the last 128 bytes, in which all is that no signature covers, and of the rest every
// 61st, which is prime to 8.
func nextBit(bit, length int) int {
	if os.Getenv("GRAFI_LONG_TESTS") == "1" || bit < 8*8 || bit >= 8*(length-128) {
		return bit + 1
	}
	return min(bit+61, 8*(length-128))
}

// TestEveryBitOfAReport: a report with any one bit flipped is refused.
func TestEveryBitOfAReport(t *testing.T) {
	for _, name := range []string{"hopper-a", "hopper-b", "blackwell-a"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := reportOf(t, name)
			nonce := nonceOf(report)
			leaf, err := device.ParseCertificate(chainOf(t, name)[0])
			require.NoError(t, err)
			key := device.Leaf{Key: leaf.Key, FWID: leaf.FWID}
			_, err = key.VerifyReport(report, nonce)
			require.NoError(t, err)
			for bit := 0; bit < 8*len(report); bit = nextBit(bit, len(report)) {
				report[bit/8] ^= 1 << (bit % 8)
				if _, err := key.VerifyReport(report, nonce); err == nil {
					t.Fatalf("bit %d of byte %d doesn't count", bit%8, bit/8)
				}
				report[bit/8] ^= 1 << (bit % 8)
			}
		})
	}
}

// TestEveryBitOfAChain: a chain with any one bit flipped is refused, in the root at
// its end too.
func TestEveryBitOfAChain(t *testing.T) {
	root := device.NVIDIA()
	for _, name := range []string{"hopper-a", "blackwell-a"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := chainOf(t, name)
			chain := make([]*device.Certificate, len(raw))
			for i := range raw {
				var err error
				chain[i], err = device.ParseCertificate(raw[i])
				require.NoError(t, err)
			}
			for i, certificate := range raw {
				good := chain[i]
				above := len(raw) - 1 - i // they are good: their signatures need no look
				_, err := device.VerifyChain(root, chain, above)
				require.NoError(t, err)
				for bit := 0; bit < 8*len(certificate); bit = nextBit(bit, len(certificate)) {
					certificate[bit/8] ^= 1 << (bit % 8)
					flipped, err := device.ParseCertificate(append([]byte(nil), certificate...))
					certificate[bit/8] ^= 1 << (bit % 8)
					if err != nil {
						continue
					}
					chain[i] = flipped
					if _, err := device.VerifyChain(root, chain, above); err == nil {
						t.Fatalf("bit %d of byte %d of certificate %d doesn't count", bit%8, bit/8, i)
					}
				}
				chain[i] = good
			}
		})
	}
}

// TestNoByteMore: a certificate has one encoding. What a lenient reader would let
// pass outside of the signed part is refused by the reader alone.
func TestNoByteMore(t *testing.T) {
	raw := chainOf(t, "hopper-a")[0]
	signature := len(raw) - 105 // of the bit string's 105 bytes: unused bits, then the signature
	require.Equal(t, byte(0), raw[signature])
	for name, change := range map[string]func(b []byte) []byte{
		"unused bits":             func(b []byte) []byte { b[signature] = 1; return b },
		"a byte after":            func(b []byte) []byte { return append(b, 0) },
		"long length":             func(b []byte) []byte { return append([]byte{0x30, 0x83, 0, b[2], b[3]}, b[4:]...) },
		"indefinite length":       func(b []byte) []byte { return append([]byte{0x30, 0x80}, append(b[4:], 0, 0)...) },
		"other outer algorithm":   func(b []byte) []byte { b[signature-3] = 2; return b },
		"negative number":         func(b []byte) []byte { b[signature+5] = 0x80; return b },
		"tag of more than a byte": func(b []byte) []byte { b[0] = 0x3f; return b },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := device.ParseCertificate(change(append([]byte(nil), raw...)))
			require.ErrorIs(t, err, device.ErrMalformed)
		})
	}
}
