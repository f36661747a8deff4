package keeper_test

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

func TestRegisterDevice(t *testing.T) {
	f := newFixture(t)
	host := f.register(2)
	c := chip(1)
	before := f.state()
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	require.False(t, f.attestedDevice(host, 1))

	resp, err := f.send(f.claim(c, host, 1))

	require.NoError(t, err)
	require.Equal(t, &types.MsgRegisterDeviceResponse{Accepted: true, Serial: serialOf(c)}, resp)
	require.True(t, f.attestedDevice(host, 1))
	require.False(t, f.attestedDevice(host, 0))
	want := before
	leaf := parsed(c)[0]
	device := types.Device{
		Serial: serialOf(c), HostId: host, Ordinal: 1, Operator: text(operator), Architecture: "hopper",
		DriverVersion: "570.86.15", VbiosVersion: "96.00.9F.00.01",
		RegisteredAt: start, RefreshedAt: start, ExpiresAt: start.Add(7 * 24 * time.Hour),
		NonceHeight: 1, AgentKey: public(agentKey(host)),
		Leaf: digestOf(c.Chain[0]), LeafKey: leaf.Key, Fwid: leaf.FWID,
	}
	for _, certificate := range parsed(c) {
		device.Chain = append(device.Chain, certificate.Serial)
	}
	want.Devices = []types.Device{device}
	root := issuer.Root().Certificate().Digest()
	want.Certificates = []types.Certificate{
		{Digest: digestOf(c.Chain[2]), Serial: parsed(c)[2].Serial, Der: c.Chain[2], Issuer: digestOf(c.Chain[3]), Depth: 2, UsedAt: start},
		{Digest: digestOf(c.Chain[3]), Serial: parsed(c)[3].Serial, Der: c.Chain[3], Issuer: root[:], Depth: 1, UsedAt: start},
	}
	if bytes.Compare(want.Certificates[0].Digest, want.Certificates[1].Digest) > 0 {
		want.Certificates[0], want.Certificates[1] = want.Certificates[1], want.Certificates[0]
	}
	require.Equal(t, want, f.state())
	event, err := sdk.TypedEventToEvent(&types.EventDeviceRegistered{
		HostId: host, Ordinal: 1, Serial: hex.EncodeToString(serialOf(c)), Architecture: "hopper",
	})
	require.NoError(t, err)
	f.told(event)
	f.sound()
}

func TestRegisterDeviceRefuses(t *testing.T) {
	f := newFixture(t)
	host, second := f.register(2), f.register(1)
	f.next()
	c := chip(1)
	f.mustSend(f.claim(c, host, 0))
	f.next()
	hash := f.ctx.HeaderInfo().Hash
	tests := map[string]struct {
		change func(r *types.DeviceReport)
		want   error
	}{
		"unknown host":            {func(r *types.DeviceReport) { r.HostId = 9 }, types.ErrHostNotFound},
		"unknown GPU":             {func(r *types.DeviceReport) { r.Ordinal = 2 }, types.ErrGPUNotFound},
		"key of another host":     {func(r *types.DeviceReport) { r.AgentKey = public(agentKey(second)) }, types.ErrInvalidAgentKey},
		"another hash":            {func(r *types.DeviceReport) { r.BlockHash = bytes.Repeat([]byte{1}, 32) }, types.ErrStaleNonce},
		"hash of another height":  {func(r *types.DeviceReport) { r.NonceHeight-- }, types.ErrStaleNonce},
		"a height to come":        {func(r *types.DeviceReport) { r.NonceHeight++ }, types.ErrStaleNonce},
		"height 0":                {func(r *types.DeviceReport) { r.NonceHeight = 0 }, types.ErrStaleNonce},
		"another GPU's nonce":     {func(r *types.DeviceReport) { r.Report = f.claim(chip(2), host, 0).Report }, types.ErrInvalidReport},
		"nonce of another height": {func(r *types.DeviceReport) { r.Report = f.claimAt(chip(2), host, 1, 2, hash).Report }, types.ErrInvalidReport},
		"relayed from a host":     {func(r *types.DeviceReport) { r.Report = f.claim(chip(2), second, 0).Report }, types.ErrInvalidReport},
		"no report":               {func(r *types.DeviceReport) { r.Report = nil }, types.ErrInvalidReport},
		"no certificates":         {func(r *types.DeviceReport) { r.Certificates = nil }, types.ErrInvalidReport},
		"chain without its leaf":  {func(r *types.DeviceReport) { r.Certificates = r.Certificates[1:] }, types.ErrInvalidReport},
		"too many certificates": {func(r *types.DeviceReport) {
			r.Certificates = append(r.Certificates[:4:4], r.Certificates...)[:8:8]
			r.Certificates = append(r.Certificates, r.Certificates[0])
		}, types.ErrInvalidReport},
		"unknown digest": {func(r *types.DeviceReport) {
			r.Certificates = [][]byte{r.Certificates[0], r.Certificates[1], make([]byte, 32)}
		}, types.ErrCertificateNotFound},
		"digest in the middle": {func(r *types.DeviceReport) {
			r.Certificates = [][]byte{r.Certificates[0], digestOf(r.Certificates[1]), r.Certificates[2], r.Certificates[3]}
		}, types.ErrInvalidReport},
		"leaf not registered":  {func(r *types.DeviceReport) { r.Certificates = [][]byte{digestOf(r.Certificates[0])} }, types.ErrCertificateNotFound},
		"leaf of another GPU":  {func(r *types.DeviceReport) { r.Certificates = [][]byte{digestOf(c.Chain[0])} }, types.ErrCertificateNotFound},
		"die of another GPU":   {func(r *types.DeviceReport) { *r = f.claim(c, host, 1) }, types.ErrDeviceInUse},
		"die of another host":  {func(r *types.DeviceReport) { *r = f.claim(c, second, 0) }, types.ErrDeviceInUse},
		"the same nonce again": {func(r *types.DeviceReport) { *r = f.claimAt(c, host, 0, 2, f.state().RecentBlocks[1].Hash) }, types.ErrStaleNonce},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f.t = t
			report := f.claim(chip(2), host, 1)
			tc.change(&report)
			f.failsWithoutTrace(tc.want, func() error {
				_, err := f.send(report)
				return err
			})
			require.Empty(t, f.staking.slashes)
		})
	}
	f.t = t
	report := f.claim(chip(2), host, 1)
	f.failsWithoutTrace(types.ErrInvalidSignature, func() error {
		_, err := f.sendSigned(report, f.signReport(agentKey(second), report))
		return err
	})
	_, err := f.k.RevokeAgentKey(f.ctx, operator, host)
	require.NoError(t, err)
	f.failsWithoutTrace(types.ErrHostNotActive, func() error {
		_, err := f.send(report)
		return err
	})
}

// TestNonceAge: a nonce is good for max_nonce_age blocks.
func TestNonceAge(t *testing.T) {
	f := newFixture(t)
	host := f.register(1)
	report := f.claim(chip(1), host, 0)
	for range 50 {
		f.next()
	}
	f.mustSend(report)
	report = f.claim(chip(1), host, 0)
	for range 51 {
		f.next()
	}
	f.failsWithoutTrace(types.ErrStaleNonce, func() error {
		_, err := f.send(report)
		return err
	})
	for range types.RecentBlocks {
		f.next()
	}
	blocks := f.state().RecentBlocks
	require.Len(t, blocks, types.RecentBlocks)
	require.Equal(t, f.ctx.BlockHeight(), blocks[len(blocks)-1].Height)
}

// TestForgedReport: the chain is genuine, the nonce right, and the die signed
// nothing of it.
func TestForgedReport(t *testing.T) {
	f := newFixture(t)
	host := f.register(1)
	f.next()
	report := f.claim(chip(1), host, 0)
	report.Report[len(report.Report)-1] ^= 1
	before := f.state()
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())

	resp, err := f.send(report)

	require.NoError(t, err)
	require.False(t, resp.Accepted)
	require.Contains(t, resp.Detail, "wrong report signature")
	require.Equal(t, []stakingext.SlashRequest{{
		Operator: operator, Fault: stakingext.FAULT_FORGED_REPORT, FaultID: "forged-report/1/0/2", CommittedAt: f.ctx.BlockTime(),
	}}, f.staking.slashes)
	event, err := sdk.TypedEventToEvent(&types.EventDeviceForged{HostId: host, Detail: resp.Detail})
	require.NoError(t, err)
	f.told(event)
	after := f.state()
	require.Len(t, after.Certificates, 2, "the chain is genuine")
	after.Certificates = nil
	require.Equal(t, before, after)

	f.staking.err = errRefused
	f.failsWithoutTrace(errRefused, func() error {
		_, err := f.send(report)
		return err
	})
}

// TestRenewal: once registered, a die proves itself by its report alone.
func TestRenewal(t *testing.T) {
	f := newFixture(t)
	host := f.register(1)
	c := chip(1)
	f.mustSend(f.claim(c, host, 0))
	f.at(start.Add(24 * time.Hour))
	report := f.claim(c, host, 0)
	report.Certificates = [][]byte{digestOf(c.Chain[0])}

	f.mustSend(report)

	d := f.state().Devices[0]
	require.Equal(t, start, d.RegisteredAt)
	require.Equal(t, start.Add(24*time.Hour), d.RefreshedAt)
	require.Equal(t, start.Add(8*24*time.Hour), d.ExpiresAt)
	require.Equal(t, report.NonceHeight, d.NonceHeight)
	require.Equal(t, start, f.state().Certificates[0].UsedAt, "it led over no certificate")
	f.sound()

	// A wrong signature under a leaf that is only named forges nothing: an agent that
	// missed a change of the firmware does this too.
	f.next()
	report = f.claim(issuer.Chip("GH100", 1, "other firmware"), host, 0)
	updated := report.Certificates
	report.Certificates = [][]byte{digestOf(c.Chain[0])}
	f.failsWithoutTrace(types.ErrInvalidReport, func() error {
		_, err := f.send(report)
		return err
	})
	require.Empty(t, f.staking.slashes)

	// Its new leaf with the certificates that the chain has.
	report.Certificates = [][]byte{updated[0], updated[1], digestOf(updated[2])}
	f.mustSend(report)
	require.Equal(t, digestOf(updated[0]), f.state().Devices[0].Leaf)
	require.Equal(t, start, f.state().Devices[0].RegisteredAt)
	require.Equal(t, f.ctx.BlockTime(), f.state().Certificates[0].UsedAt)
	f.sound()
}

func TestDeviceExpires(t *testing.T) {
	f := newFixture(t)
	host, second := f.register(1), f.register(1)
	c := chip(1)
	f.mustSend(f.claim(c, host, 0))
	f.at(start.Add(7*24*time.Hour - time.Second))
	require.True(t, f.attestedDevice(host, 0))
	f.endBlock()
	require.Len(t, f.state().Devices, 1)

	f.at(start.Add(7 * 24 * time.Hour))
	require.False(t, f.attestedDevice(host, 0), "before the queue gets to it")
	cached, _ := f.ctx.CacheContext()
	_, err := f.msg.RegisterDevice(cached, &types.MsgRegisterDevice{ // a bought card
		Submitter: text(other), Report: f.claim(c, second, 0), Signature: f.signReport(agentKey(second), f.claim(c, second, 0)),
	})
	require.NoError(t, err)
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	f.endBlock()
	require.Empty(t, f.state().Devices)
	require.Contains(t, f.ctx.EventManager().Events(), removed(host, 0, c, "expired"))
	f.sound()
}

// TestDeviceEnds: whatever ends a GPU, or the keys that claimed it, ends its die.
func TestDeviceEnds(t *testing.T) {
	for name, end := range map[string]func(f *fixture, host uint64) error{
		"other card": func(f *fixture, host uint64) error {
			gpus := h100s(host, 2)
			gpus[0].Uuid = "GPU-other"
			_, err := f.k.UpdateInventory(f.ctx, operator, host, gpus)
			return err
		},
		"retired": func(f *fixture, host uint64) error { return f.k.RetireHost(f.ctx, operator, host) },
		"revoked": func(f *fixture, host uint64) error {
			_, err := f.k.RevokeAgentKey(f.ctx, operator, host)
			return err
		},
		"other die": func(f *fixture, host uint64) error {
			f.next()
			_, err := f.send(f.claim(chip(3), host, 0))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			host := f.register(2)
			f.mustSend(f.claim(chip(1), host, 0))
			f.mustSend(f.claim(chip(2), host, 1))
			require.NoError(t, end(f, host))
			_, err := keeper.NewQueryServer(f.k).Device(f.ctx, &types.QueryDeviceRequest{Serial: hex.EncodeToString(serialOf(chip(1)))})
			require.ErrorContains(t, err, "not registered")
			f.sound()
		})
	}
}

func TestRevocation(t *testing.T) {
	for position, what := range []string{"leaf", "die", "intermediate", "top"} {
		t.Run(what, func(t *testing.T) {
			f := newFixture(t)
			host := f.register(1)
			c := chip(1)
			f.mustSend(f.claim(c, host, 0))
			serial := parsed(c)[position].Serial
			set := func(revoked bool) error {
				_, err := f.msg.SetRevocation(f.ctx, &types.MsgSetRevocation{Authority: text(gov), Serial: serial, Revoked: revoked, Reason: "key leaked"})
				return err
			}
			f.next()
			require.NoError(t, set(true))
			require.Equal(t, []types.Revocation{{Serial: serial, Reason: "key leaked", RevokedAt: f.ctx.BlockTime()}}, f.state().Revocations)
			require.False(t, f.attestedDevice(host, 0))
			f.failsWithoutTrace(types.ErrInvalidRevocation, func() error { return set(true) })
			report := f.claim(c, host, 0)
			f.failsWithoutTrace(types.ErrRevoked, func() error {
				_, err := f.send(report)
				return err
			})
			f.sound()
			require.NoError(t, set(false))
			require.True(t, f.attestedDevice(host, 0))
			f.failsWithoutTrace(types.ErrInvalidRevocation, func() error { return set(false) })
		})
	}
	f := newFixture(t)
	for name, msg := range map[string]types.MsgSetRevocation{
		"no serial":    {Authority: text(gov), Revoked: true, Reason: "r"},
		"leading zero": {Authority: text(gov), Serial: []byte{0, 1}, Revoked: true, Reason: "r"},
		"no reason":    {Authority: text(gov), Serial: []byte{1}, Revoked: true},
	} {
		t.Run(name, func(t *testing.T) {
			f.failsWithoutTrace(types.ErrInvalidRevocation, func() error {
				_, err := f.msg.SetRevocation(f.ctx, &msg)
				return err
			})
		})
	}
	f.failsWithoutTrace(types.ErrUnauthorized, func() error {
		_, err := f.msg.SetRevocation(f.ctx, &types.MsgSetRevocation{Authority: text(other), Serial: []byte{1}, Revoked: true, Reason: "r"})
		return err
	})
}
