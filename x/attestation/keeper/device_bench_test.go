package keeper_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"

	"github.com/grafilab/grafi/x/attestation/types"
)

// BenchmarkDevice measures whole messages next to one secp256k1 verification, so that
// the ratios hold on another machine: a first registration brings a whole chain, a
// later one only the report. Reports gas too: divided by the gas of a secp256k1
// signature (1,000) it is to be near the ratio of the times.
func BenchmarkDevice(b *testing.B) {
	b.Run("secp256k1", func(b *testing.B) {
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
	})
	f := newFixture(b)
	host := f.register(1)
	first := f.claim(chip(1), host, 0)
	measure := func(b *testing.B, report types.DeviceReport) {
		b.Helper()
		msg := &types.MsgRegisterDevice{Submitter: text(other), Report: report, Signature: f.signReport(agentKey(host), report)}
		var gas uint64
		for b.Loop() {
			ctx, _ := f.ctx.CacheContext()
			before := ctx.GasMeter().GasConsumed()
			resp, err := f.msg.RegisterDevice(ctx, msg)
			if err != nil || !resp.Accepted {
				b.Fatal(resp, err)
			}
			gas = ctx.GasMeter().GasConsumed() - before
		}
		b.ReportMetric(float64(gas), "gas/op")
	}
	b.Run("first", func(b *testing.B) { measure(b, first) })
	f.mustSend(first)
	f.next()
	repeat := f.claim(chip(1), host, 0)
	repeat.Certificates = [][]byte{digestOf(chip(1).Chain[0])}
	b.Run("repeat", func(b *testing.B) { measure(b, repeat) })
}
