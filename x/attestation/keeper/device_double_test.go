package keeper_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

func (f *fixture) double(first, second types.DeviceReport) error {
	f.t.Helper()
	cached, write := f.ctx.CacheContext()
	_, err := f.msg.SubmitDoubleDevice(cached, &types.MsgSubmitDoubleDevice{
		Submitter: text(other), First: first, Second: second,
		FirstSignature: f.signReport(agentKey(first.HostId), first), SecondSignature: f.signReport(agentKey(second.HostId), second),
	})
	if err == nil {
		write()
	}
	return err
}

// TestDoubleDevice: an operator's agents claim one die for two of his hosts. It counts
// whether a claim was registered or not, and after the keys were revoked.
func TestDoubleDevice(t *testing.T) {
	f := newFixture(t)
	a, b := f.register(1), f.register(2)
	c := chip(1)
	first := f.claim(c, a, 0)
	f.mustSend(first)
	f.at(start.Add(40 * time.Second))
	second := f.claim(c, b, 1)
	_, err := f.send(second)
	require.ErrorIs(t, err, types.ErrDeviceInUse)
	f.at(start.Add(time.Hour))
	_, err = f.k.RevokeAgentKey(f.ctx, operator, b)
	require.NoError(t, err)
	before := f.state()
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())

	require.NoError(t, f.double(second, first))

	require.Equal(t, []stakingext.SlashRequest{{
		Operator: operator, Fault: stakingext.FAULT_DOUBLE_DEVICE, FaultID: "double-device/" + hex.EncodeToString(serialOf(c)),
		CommittedAt: start, Reporter: other,
	}}, f.staking.slashes)
	require.Equal(t, before, f.state())
	event, err := sdk.TypedEventToEvent(&types.EventDoubleDeviceProven{
		Serial: hex.EncodeToString(serialOf(c)), HostId: b, OtherHostId: a, Reporter: text(other),
	})
	require.NoError(t, err)
	f.told(event)

	f.staking.err = errRefused // punished already
	f.failsWithoutTrace(errRefused, func() error { return f.double(first, second) })
}

func TestDoubleDeviceRefuses(t *testing.T) {
	f := newFixture(t)
	a, b := f.register(2), f.register(1)
	resp, err := f.msg.RegisterHost(f.ctx, registration(t, other, agentKey(3), h100s(3, 1)))
	require.NoError(t, err)
	stranger := resp.HostId
	c, hash := chip(1), f.ctx.HeaderInfo().Hash
	first := f.claim(c, a, 0)
	f.at(start.Add(50 * time.Second))
	second := f.claim(c, b, 0)
	late := f.claimAt(c, b, 0, 52, hash)
	f.at(start.Add(51 * time.Second))
	require.NoError(t, f.double(first, second), "50 blocks apart")
	f.staking.slashes = nil

	tests := map[string]struct {
		second types.DeviceReport
		want   error
	}{
		"the same report":        {first, types.ErrInvalidEvidence},
		"two GPUs of one host":   {f.claim(c, a, 1), types.ErrInvalidEvidence},
		"51 blocks apart":        {late, types.ErrInvalidEvidence},
		"of two operators":       {f.claimAt(c, stranger, 0, 2, hash), types.ErrInvalidEvidence},
		"of two dies":            {f.claimAt(chip(2), b, 0, 2, hash), types.ErrInvalidEvidence},
		"with a foreign key":     {func() types.DeviceReport { r := second; r.AgentKey = public(agentKey(a)); return r }(), types.ErrInvalidEvidence},
		"another nonce":          {func() types.DeviceReport { r := second; r.NonceHeight--; return r }(), types.ErrInvalidReport},
		"a GPU that can't be":    {func() types.DeviceReport { r := second; r.Ordinal = 1; return r }(), types.ErrInvalidEvidence},
		"unknown host":           {func() types.DeviceReport { r := second; r.HostId = 9; return r }(), types.ErrHostNotFound},
		"broken chain":           {func() types.DeviceReport { r := second; r.Certificates = r.Certificates[:3]; return r }(), types.ErrInvalidReport},
		"height 0":               {func() types.DeviceReport { r := second; r.NonceHeight = 0; return r }(), types.ErrInvalidReport},
		"report of another host": {func() types.DeviceReport { r := second; r.Report = first.Report; return r }(), types.ErrInvalidReport},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f.t = t
			f.failsWithoutTrace(tc.want, func() error { return f.double(first, tc.second) })
			require.Empty(t, f.staking.slashes)
		})
	}
	f.t = t
	for name, signatures := range map[string][2][]byte{
		"first unsigned":           {nil, f.signReport(agentKey(b), second)},
		"second signed by a":       {f.signReport(agentKey(a), first), f.signReport(agentKey(a), second)},
		"signatures the wrong way": {f.signReport(agentKey(b), second), f.signReport(agentKey(a), first)},
	} {
		t.Run(name, func(t *testing.T) {
			f.failsWithoutTrace(types.ErrInvalidSignature, func() error {
				_, err := f.msg.SubmitDoubleDevice(f.ctx, &types.MsgSubmitDoubleDevice{
					Submitter: text(other), First: first, Second: second, FirstSignature: signatures[0], SecondSignature: signatures[1],
				})
				return err
			})
		})
	}
	future := f.claimAt(c, b, 0, f.ctx.BlockHeight()+1, hash)
	near := f.claim(c, a, 0)
	f.failsWithoutTrace(types.ErrInvalidEvidence, func() error { return f.double(near, future) })

	f.at(start.Add(15 * 24 * time.Hour))
	f.failsWithoutTrace(types.ErrEvidenceTooOld, func() error { return f.double(first, second) })
}
