package system

import (
	"context"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/x/attestation/device"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// evidence returns the path of genuine evidence of a GPU.
func evidence(name string) string { return filepath.Join(root, "testutil", "golden", "nvidia", name) }

// relayedReport sends a report that a genuine die signed for somebody else's nonce,
// and looks that nothing came of it.
func relayedReport(t *testing.T, ctx context.Context, l *liar) {
	text, err := os.ReadFile(evidence("hopper-a.chain.pem"))
	require.NoError(t, err)
	chain, err := device.DecodeChain(text)
	require.NoError(t, err)
	text, err = os.ReadFile(evidence("hopper-a.report.hex"))
	require.NoError(t, err)
	report, err := device.DecodeReport(text)
	require.NoError(t, err)
	chain = chain[:len(chain)-1] // without the root
	signedFor := [device.NonceSize]byte(report[4:])
	_, err = device.Verify(device.NVIDIA(), report, chain, signedFor)
	require.NoError(t, err, "the report is genuine")

	before, err := l.at(ctx)
	require.NoError(t, err)
	wanted, err := l.queries.DeviceNonce(ctx, &attestation.QueryDeviceNonceRequest{HostId: l.hostID})
	require.NoError(t, err)
	require.NotEqual(t, signedFor[:], wanted.Nonce)
	relayed := attestation.DeviceReport{
		HostId: l.hostID, AgentKey: wanted.AgentKey, NonceHeight: wanted.Height, BlockHash: wanted.BlockHash,
		Report: report, Certificates: chain,
	}
	doc, err := attestation.NewDeviceReportDoc(l.client.ChainID(), &relayed)
	require.NoError(t, err)
	signBytes, err := doc.SignBytes()
	require.NoError(t, err)
	// With gas for it, so that it is in a block and not only simulated.
	_, err = l.client.SubmitWith(ctx, l.wallet, chainclient.Options{GasLimit: 2_000_000}, &attestation.MsgRegisterDevice{
		Submitter: l.operator, Report: relayed, Signature: ed25519.Sign(l.agent, signBytes),
	})
	requireRefusedInBlock(t, err, attestation.ErrInvalidReport, device.ErrNonce.Error())
	t.Logf("report 1 of 1: %s", err)

	devices, err := l.queries.Devices(ctx, &attestation.QueryDevicesRequest{})
	require.NoError(t, err)
	require.Empty(t, devices.Devices)
	certificates, err := l.queries.Certificates(ctx, &attestation.QueryCertificatesRequest{})
	require.NoError(t, err)
	require.Empty(t, certificates.Certificates, "nor are the certificates kept")
	g, err := l.gpu(ctx, 0)
	require.NoError(t, err)
	require.False(t, g.DeviceAttested)
	require.Empty(t, g.DeviceSerial)
	require.Less(t, g.TrustTier, uint32(attestation.TierAttested))
	after, err := l.at(ctx)
	require.NoError(t, err)
	require.Equal(t, before.OwnStake, after.OwnStake, "a report for another is no forgery")
	require.Equal(t, before.FaultCounts, after.FaultCounts)
}
