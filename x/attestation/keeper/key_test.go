package keeper_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

func (f *fixture) rotate(hostID uint64, key ed25519.PrivateKey) error {
	f.t.Helper()
	_, err := f.msg.RotateAgentKey(f.ctx, &types.MsgRotateAgentKey{
		Operator: text(operator), HostId: hostID, AgentKey: public(key), EncryptionKey: encryptionKey(2),
		AgentSignature: bindingSignature(f.t, key, operator, hostID, encryptionKey(2)),
	})
	return err
}

// TestRotationOverlap: rotated in slot s, the new key signs from s, the old one
// until s + 1.
func TestRotationOverlap(t *testing.T) {
	const s = startSlot + 5
	old, updated := agentKey(1), agentKey(100)
	for name, tc := range map[string]struct {
		key  ed25519.PrivateKey
		slot uint64
		want bool
	}{
		"new key before the overlap": {updated, s - 1, false},
		"old key before the overlap": {old, s - 1, true},
		"new key in its first slot":  {updated, s, true},
		"old key in that slot":       {old, s, true},
		"old key in its last slot":   {old, s + 1, true},
		"new key in that slot":       {updated, s + 1, true},
		"old key after the overlap":  {old, s + 2, false},
		"new key after the overlap":  {updated, s + 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.register(1)
			f.slot(s - 1)
			f.slot(s)
			require.NoError(t, f.rotate(1, updated))
			f.slot(tc.slot + 1)
			resp, err := f.submit(f.group(tc.slot, f.attest(tc.key, 1, tc.slot, types.Attestation{})))
			if tc.want {
				require.NoError(t, err)
				require.EqualValues(t, 1, resp.Accepted)
				return
			}
			require.ErrorContains(t, err, types.REJECT_REASON_BAD_SIGNATURE.String())
		})
	}
}

func TestRotate(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	f.at(start.Add(time.Second))
	before := f.state()
	require.NoError(t, f.rotate(1, agentKey(100)))

	want := before
	host := before.Hosts[0]
	host.EncryptionKey = encryptionKey(2)
	host.AgentKeys = []types.AgentKey{
		{PublicKey: public(agentKey(1)), FromSlot: startSlot, UntilSlot: startSlot + 1},
		{PublicKey: public(agentKey(100)), FromSlot: startSlot},
	}
	want.Hosts = []types.Host{host}
	require.Equal(t, want, f.state())
	event, err := sdk.TypedEventToEvent(&types.EventAgentKeyRotated{HostId: 1, AgentKey: public(agentKey(100))})
	require.NoError(t, err)
	f.told(event)
	f.sound()

	f.failsWithoutTrace(types.ErrRotationTooSoon, func() error { return f.rotate(1, agentKey(101)) })
	f.slot(startSlot + 1)
	f.failsWithoutTrace(types.ErrRotationTooSoon, func() error { return f.rotate(1, agentKey(101)) })
	f.slot(startSlot + 2)
	f.failsWithoutTrace(types.ErrAgentKeyInUse, func() error { return f.rotate(1, agentKey(1)) })
	require.NoError(t, f.rotate(1, agentKey(101)))
	f.sound()
}

func TestRotateRefused(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	f.register(1)
	key := agentKey(100)
	msg := func() *types.MsgRotateAgentKey {
		return &types.MsgRotateAgentKey{
			Operator: text(operator), HostId: 1, AgentKey: public(key), EncryptionKey: encryptionKey(2),
			AgentSignature: bindingSignature(t, key, operator, 1, encryptionKey(2)),
		}
	}
	identity := append([]byte{1}, make([]byte, 31)...) // the neutral element: anybody can sign for it
	for name, tc := range map[string]struct {
		change func(*types.MsgRotateAgentKey)
		want   error
	}{
		"foreign owner":      {func(m *types.MsgRotateAgentKey) { m.Operator = text(other) }, types.ErrNotOwner},
		"unknown host":       {func(m *types.MsgRotateAgentKey) { m.HostId = 9 }, types.ErrHostNotFound},
		"key of small order": {func(m *types.MsgRotateAgentKey) { m.AgentKey = identity }, types.ErrInvalidAgentKey},
		"short key":          {func(m *types.MsgRotateAgentKey) { m.AgentKey = m.AgentKey[:31] }, types.ErrInvalidAgentKey},
		"key of host 2":      {func(m *types.MsgRotateAgentKey) { m.AgentKey = public(agentKey(2)) }, types.ErrAgentKeyInUse},
		"no encryption key":  {func(m *types.MsgRotateAgentKey) { m.EncryptionKey = nil }, types.ErrInvalidHost},
		"binding of a registration": {func(m *types.MsgRotateAgentKey) {
			m.AgentSignature = bindingSignature(t, key, operator, 0, encryptionKey(2))
		}, types.ErrInvalidSignature},
		"binding of another encryption key": {func(m *types.MsgRotateAgentKey) { m.EncryptionKey = encryptionKey(3) }, types.ErrInvalidSignature},
		"no signature":                      {func(m *types.MsgRotateAgentKey) { m.AgentSignature = nil }, types.ErrInvalidSignature},
	} {
		t.Run(name, func(t *testing.T) {
			m := msg()
			tc.change(m)
			f.failsWithoutTrace(tc.want, func() error { _, err := f.msg.RotateAgentKey(f.ctx, m); return err })
		})
	}
}

func TestRevoke(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	f.slot(startSlot + 1)
	g := f.group(startSlot, f.good(1, startSlot))
	_, err := f.msg.RevokeAgentKey(f.ctx, &types.MsgRevokeAgentKey{Operator: text(operator), HostId: 1})
	require.NoError(t, err)
	_, err = f.submit(g)
	require.ErrorContains(t, err, types.REJECT_REASON_HOST_NOT_ACTIVE.String(), "revocation is immediate")
	f.sound()
	f.failsWithoutTrace(types.ErrHostNotActive, func() error {
		_, err := f.msg.RevokeAgentKey(f.ctx, &types.MsgRevokeAgentKey{Operator: text(operator), HostId: 1})
		return err
	})
	require.ErrorIs(t, f.k.VerifyAgentSignature(f.ctx, 1, "d", nil, make([]byte, 64)), types.ErrHostNotActive)

	f.failsWithoutTrace(types.ErrAgentKeyInUse, func() error { return f.rotate(1, agentKey(1)) })
	require.NoError(t, f.rotate(1, agentKey(100)), "a new key makes it active")
	_, err = f.submit(g)
	require.ErrorContains(t, err, types.REJECT_REASON_HOST_NOT_ACTIVE.String(), "no key may sign for the slot before")
	f.slot(startSlot + 2)
	f.mustSubmit(f.group(startSlot+1, f.attest(agentKey(100), 1, startSlot+1, types.Attestation{})))
	f.sound()
}

// TestKeysAreBounded: no more than MaxAgentKeys are remembered, and the oldest are
// forgotten when no evidence against them counts any more.
func TestKeysAreBounded(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	n := uint64(100)
	for i := range uint64(types.MaxAgentKeys - 1) {
		f.slot(startSlot + 2*(i+1))
		require.NoError(t, f.rotate(1, agentKey(n+i)))
	}
	f.slot(startSlot + 40)
	f.failsWithoutTrace(types.ErrTooManyAgentKeys, func() error { return f.rotate(1, agentKey(200)) })

	// The first key's last slot began at start + 3 slots, the age is 14 days.
	expiry := start.Add(3*600*time.Second + types.DefaultParams().EvidenceMaxAge)
	f.at(expiry)
	f.failsWithoutTrace(types.ErrTooManyAgentKeys, func() error { return f.rotate(1, agentKey(200)) })
	f.at(expiry.Add(time.Second))
	require.NoError(t, f.rotate(1, agentKey(200)))
	require.Len(t, f.state().Hosts[0].AgentKeys, types.MaxAgentKeys)
	f.sound()
	require.EqualValues(t, 2, f.registerKey(1, agentKey(1)), "the forgotten key is free")
}

func TestVerifyAgentSignature(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	doc := []byte("report")
	sign := func(n uint64, domain string) []byte {
		return ed25519.Sign(agentKey(n), types.SignBytesOf(domain, doc))
	}
	require.NoError(t, f.k.VerifyAgentSignature(f.ctx, 1, "grafi/start/v1", doc, sign(1, "grafi/start/v1")))
	for name, err := range map[string]error{
		"other domain":    f.k.VerifyAgentSignature(f.ctx, 1, "grafi/start/v1", doc, sign(1, "grafi/result/v1")),
		"other document":  f.k.VerifyAgentSignature(f.ctx, 1, "grafi/start/v1", []byte("x"), sign(1, "grafi/start/v1")),
		"other key":       f.k.VerifyAgentSignature(f.ctx, 1, "grafi/start/v1", doc, sign(2, "grafi/start/v1")),
		"empty signature": f.k.VerifyAgentSignature(f.ctx, 1, "grafi/start/v1", doc, nil),
	} {
		require.ErrorIs(t, err, types.ErrInvalidSignature, name)
	}
	require.ErrorIs(t, f.k.VerifyAgentSignature(f.ctx, 9, "d", doc, nil), types.ErrHostNotFound)
}
