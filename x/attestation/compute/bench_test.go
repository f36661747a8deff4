package compute_test

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
	const signatures = 200
	start := time.Now()
	for range signatures {
		if !key.PubKey().VerifySignature(msg, sig) {
			b.Fatal("signature")
		}
	}
	signature := float64(time.Since(start).Nanoseconds()) / signatures

	for name, w := range works {
		b.Run(name, func(b *testing.B) {
			proof, err := compute.Prove(w)
			require.NoError(b, err)
			opening, err := proof.Open(compute.Hash{1}, 32)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if err := compute.Verify(w, proof.Commitment, compute.Hash{1}, 32, opening); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/signature, "secp256k1/op")
			b.ReportMetric(float64(len(opening)), "bytes")
		})
	}
}

func BenchmarkDot(b *testing.B) {
	x, y := make([]byte, compute.MaxM), make([]byte, compute.MaxM)
	b.SetBytes(compute.MaxM)
	for b.Loop() {
		compute.Dot(x, y)
	}
}

func BenchmarkFill(b *testing.B) {
	v := compute.NewVectors(compute.Key{1})
	x := make([]byte, compute.MaxM)
	b.SetBytes(compute.MaxM)
	for b.Loop() {
		v.Fill(x, 3)
	}
}
