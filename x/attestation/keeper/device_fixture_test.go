package keeper_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/device"
	"github.com/grafilab/grafi/x/attestation/device/devicetest"
	"github.com/grafilab/grafi/x/attestation/types"
)

// issuer is the manufacturer whose root the keeper of a fixture trusts.
var issuer = devicetest.NewIssuer("keeper tests")

// chip is a Hopper; each number is another die.
func chip(number int) *devicetest.Chip { return issuer.Chip("GH100", number, "firmware") }

// claim is a report that the chip makes for a GPU, by the host's test key, with the
// hash of this block in its nonce.
func (f *fixture) claim(c *devicetest.Chip, hostID uint64, ordinal uint32) types.DeviceReport {
	f.t.Helper()
	info := f.ctx.HeaderInfo()
	return f.claimAt(c, hostID, ordinal, info.Height, info.Hash)
}

func (f *fixture) claimAt(c *devicetest.Chip, hostID uint64, ordinal uint32, height int64, hash []byte) types.DeviceReport {
	f.t.Helper()
	host, err := f.k.Host(f.ctx, hostID)
	require.NoError(f.t, err)
	owner, err := codec.StringToBytes(host.Operator)
	require.NoError(f.t, err)
	key := public(agentKey(hostID))
	nonce := types.DeviceNonce(chainID, owner, key, host.FirstGpu+uint64(ordinal), hash, height)
	return types.DeviceReport{
		HostId: hostID, Ordinal: ordinal, AgentKey: key, NonceHeight: height, BlockHash: hash,
		Report: c.Report(nonce), Certificates: c.Chain,
	}
}

func (f *fixture) signReport(key ed25519.PrivateKey, report types.DeviceReport) []byte {
	f.t.Helper()
	doc, err := types.NewDeviceReportDoc(chainID, &report)
	require.NoError(f.t, err)
	signBytes, err := doc.SignBytes()
	require.NoError(f.t, err)
	return ed25519.Sign(key, signBytes)
}

// send submits a report, signed by the test key of its host, as a transaction would.
func (f *fixture) send(report types.DeviceReport) (*types.MsgRegisterDeviceResponse, error) {
	f.t.Helper()
	return f.sendSigned(report, f.signReport(agentKey(report.HostId), report))
}

func (f *fixture) sendSigned(report types.DeviceReport, signature []byte) (*types.MsgRegisterDeviceResponse, error) {
	cached, write := f.ctx.CacheContext()
	resp, err := f.msg.RegisterDevice(cached, &types.MsgRegisterDevice{Submitter: text(other), Report: report, Signature: signature})
	if err == nil {
		write()
	}
	return resp, err
}

func (f *fixture) mustSend(report types.DeviceReport) {
	f.t.Helper()
	resp, err := f.send(report)
	require.NoError(f.t, err)
	require.True(f.t, resp.Accepted, resp.Detail)
}

func (f *fixture) attestedDevice(hostID uint64, ordinal uint32) bool {
	f.t.Helper()
	ok, err := f.k.DeviceAttested(f.ctx, hostID, ordinal)
	require.NoError(f.t, err)
	return ok
}

// next begins the next block.
func (f *fixture) next() {
	f.t.Helper()
	f.at(f.ctx.BlockTime().Add(1_000_000_000))
}

func parsed(c *devicetest.Chip) []*device.Certificate {
	out := make([]*device.Certificate, len(c.Chain))
	for i, raw := range c.Chain {
		var err error
		if out[i], err = device.ParseCertificate(raw); err != nil {
			panic(err)
		}
	}
	return out
}

func serialOf(c *devicetest.Chip) []byte { return parsed(c)[1].Serial }

func digestOf(raw []byte) []byte {
	digest := sha256.Sum256(raw)
	return digest[:]
}

func removed(hostID uint64, ordinal uint32, c *devicetest.Chip, reason string) sdk.Event {
	event, err := sdk.TypedEventToEvent(&types.EventDeviceRemoved{
		HostId: hostID, Ordinal: ordinal, Serial: hex.EncodeToString(serialOf(c)), Reason: reason,
	})
	if err != nil {
		panic(err)
	}
	return event
}
