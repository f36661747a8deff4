package keeper_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"

	"github.com/grafilab/grafi/x/attestation/compute"
	"github.com/grafilab/grafi/x/attestation/types"
)

// BenchmarkOpenChallenge measures a whole MsgOpenChallenge at m = 2^15 and t = 32,
// and one secp256k1 verification in the same run: the ratio doesn't depend on the
// machine. N is small, so that the answer can be made here; the paths of the largest
// N are 16 hashes longer, 1,024 of the hashes that 32 entries take anyway.
func BenchmarkOpenChallenge(b *testing.B) {
	f := challenged(b, 1, func(gs *types.GenesisState) {
		gs.Params.Challenge.Samples = 32
		for i := range gs.Classes {
			if gs.Classes[i].Key == h100 {
				gs.Classes[i].Profile = types.ChallengeProfile{N: 64, M: compute.MaxM, Rounds: 64, WindowMs: 20_000}
			}
		}
	})
	p := f.prove(1, 0)
	require.NoError(b, f.commitChallenge(f.commitMsg(1, commitment(0, p))))
	f.sampled(1)
	msg := f.openMsg(1, 0, f.opening(1, p))
	key := secp256k1.GenPrivKeyFromSecret([]byte("bench"))
	text := sha256.Sum256([]byte("text"))
	signature, err := key.Sign(text[:])
	require.NoError(b, err)
	public := key.PubKey()

	var opening, verification time.Duration
	var gas uint64
	b.ResetTimer()
	for range b.N {
		cached, _ := f.ctx.CacheContext()
		before := cached.GasMeter().GasConsumed()
		began := time.Now()
		resp, err := f.msg.OpenChallenge(cached, msg)
		opening += time.Since(began)
		if err != nil || resp.Outcome != types.CHALLENGE_OUTCOME_PASSED {
			b.Fatal(resp, err)
		}
		gas = cached.GasMeter().GasConsumed() - before
		began = time.Now()
		if !public.VerifySignature(text[:], signature) {
			b.Fatal("signature")
		}
		verification += time.Since(began)
	}
	b.ReportMetric(float64(opening.Microseconds())/float64(b.N)/1_000, "ms/open")
	b.ReportMetric(float64(verification.Microseconds())/float64(b.N)/1_000, "ms/secp256k1")
	b.ReportMetric(float64(opening)/float64(verification), "ratio")
	b.ReportMetric(float64(gas), "gas")
}
