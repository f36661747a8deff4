// Package bench_test measures what verification costs beside a signature. It is
// apart from compute so that compute's tests, which are fuzzed, don't link the SDK.
package bench_test

import (
	"testing"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/compute"
)

// BenchmarkVerify is the cost on chain of one opening at M = 2^15 and 32 samples,
// alone and as a multiple of one secp256k1 verification of the same run.
func BenchmarkVerify(b *testing.B) {
	works := map[string]compute.Work{
		"products": {N: 64, M: compute.MaxM, Rounds: 32},
		"walk":     {N: 64, M: compute.MaxM, Rounds: 32, WalkLanes: 16, WalkSteps: 64},
	}
	key := secp256k1.GenPrivKey()
	msg := make([]byte, 200)
	sig, err := key.Sign(msg)
	require.NoError(b, err)
	signature := fastest(func() {
		if !key.PubKey().VerifySignature(msg, sig) {
			b.Fatal("signature")
		}
	})
	b.Logf("one secp256k1 verification: %s", signature)

	for name, w := range works {
		b.Run(name, func(b *testing.B) {
			proof, err := compute.Prove(w)
			require.NoError(b, err)
			opening, err := proof.Open(compute.Hash{1}, 32)
			require.NoError(b, err)
			b.ReportAllocs()
			verify := func() {
				if err := compute.Verify(w, proof.Commitment, compute.Hash{1}, 32, opening); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				verify()
			}
			took := fastest(verify)
			b.ReportMetric(float64(took.Microseconds()), "fastest-µs")
			b.ReportMetric(float64(took)/float64(signature), "secp256k1")
			b.ReportMetric(float64(len(opening)), "bytes")
		})
	}
}

// fastest of 300 runs, which a busy machine disturbs least.
func fastest(fn func()) time.Duration {
	least := time.Hour
	for range 300 {
		start := time.Now()
		fn()
		least = min(least, time.Since(start))
	}
	return least
}
