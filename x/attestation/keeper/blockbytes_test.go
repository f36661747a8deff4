package keeper_test

import (
	"crypto/ed25519"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// TestBlockBytesPerGPU measures a full message as it lies in a block.
// Goal: at most 10 bytes per GPU and slot with 8 GPUs a host.
func TestBlockBytesPerGPU(t *testing.T) {
	for _, tc := range []struct {
		gpus int
		most float64
	}{{1, 80}, {8, 10}, {16, 5}} {
		t.Run(fmt.Sprintf("%d GPUs a host", tc.gpus), func(t *testing.T) {
			got := bytesPerGPU(t, tc.gpus)
			t.Logf("%.2f bytes per GPU and slot", got)
			require.LessOrEqual(t, got, tc.most)
		})
	}
}

// BenchmarkBlockBytes prints the same figures among the benchmarks.
func BenchmarkBlockBytes(b *testing.B) {
	for b.Loop() {
	}
	for _, gpus := range []int{1, 8, 16} {
		b.ReportMetric(bytesPerGPU(b, gpus), fmt.Sprintf("B/GPU@%d", gpus))
	}
}

func bytesPerGPU(t testing.TB, gpus int) float64 {
	t.Helper()
	group := types.AttestationGroup{Slot: startSlot, AnchorHeight: 1 << 24, AnchorHash: make([]byte, 32)}
	for n := range 1024 {
		group.Attestations = append(group.Attestations, types.Attestation{
			HostId: uint64(n + 100_000), Signature: make([]byte, ed25519.SignatureSize),
		})
	}
	msg := &types.MsgSubmitAttestations{Submitter: text(sdk.AccAddress("relayer_____________")), Groups: []types.AttestationGroup{group}}
	const envelope = 250 // signer info, signature, fee and Any of the transaction
	return float64(msg.Size()+envelope) / 1024 / float64(gpus)
}
