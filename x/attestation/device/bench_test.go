package device_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"

	"github.com/grafilab/grafi/x/attestation/device"
)

// BenchmarkSecp256k1 is the yardstick: one signature of an account, as CheckTx
// verifies it.
func BenchmarkSecp256k1(b *testing.B) {
	key := secp256k1.GenPrivKeyFromSecret([]byte("bench"))
	message := sha256.Sum256([]byte("message"))
	signature, err := key.Sign(message[:])
	require.NoError(b, err)
	public := key.PubKey()
	for b.Loop() {
		if !public.VerifySignature(message[:], signature) {
			b.Fatal("no")
		}
	}
}

// BenchmarkFirst verifies a whole chain and a report: five P-384 signatures.
func BenchmarkFirst(b *testing.B) {
	report, chain, root := reportOf(b, "blackwell-a"), chainOf(b, "blackwell-a"), device.NVIDIA()
	nonce := nonceOf(report)
	for b.Loop() {
		if _, err := device.Verify(root, report, chain, nonce); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRepeat verifies a report of a leaf that is known.
func BenchmarkRepeat(b *testing.B) {
	report := reportOf(b, "blackwell-a")
	leaf, err := device.ParseCertificate(chainOf(b, "blackwell-a")[0])
	require.NoError(b, err)
	key, nonce := device.Leaf{Key: leaf.Key, FWID: leaf.FWID}, nonceOf(report)
	for b.Loop() {
		if _, err := key.VerifyReport(report, nonce); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead reads a chain and a report, without signatures.
func BenchmarkRead(b *testing.B) {
	report, chain := reportOf(b, "blackwell-a"), chainOf(b, "blackwell-a")
	for b.Loop() {
		for _, raw := range chain {
			if _, err := device.ParseCertificate(raw); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := device.ParseReport(report); err != nil {
			b.Fatal(err)
		}
	}
}
