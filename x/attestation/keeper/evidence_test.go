package keeper_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

func signDoc(t testing.TB, key ed25519.PrivateKey, doc types.AttestationDoc) types.SignedAttestation {
	t.Helper()
	signBytes, err := doc.SignBytes()
	require.NoError(t, err)
	return types.SignedAttestation{Doc: doc, Signature: ed25519.Sign(key, signBytes)}
}

// contradiction returns two different documents of host 1 for the slot.
func contradiction(t testing.TB, first, second ed25519.PrivateKey, slot uint64) *types.MsgSubmitEquivocation {
	doc := types.AttestationDoc{ChainId: chainID, HostId: 1, Slot: slot, AnchorHeight: 5, AnchorHash: make([]byte, 32), Generation: 1}
	twin := doc
	twin.Down = []byte{1}
	return &types.MsgSubmitEquivocation{Submitter: text(other), First: signDoc(t, first, doc), Second: signDoc(t, second, twin)}
}

func TestEquivocation(t *testing.T) {
	f := oneHost(t)
	before := f.state()
	msg := contradiction(t, agentKey(1), agentKey(1), startSlot)

	_, err := f.msg.SubmitEquivocation(f.ctx, msg)

	require.NoError(t, err)
	require.Equal(t, []stakingext.SlashRequest{{
		Operator: operator, Fault: stakingext.FAULT_EQUIVOCATION, FaultID: "equivocation/1/2880000", CommittedAt: start, Reporter: other,
	}}, f.staking.slashes)
	want := before
	want.Faults = []types.ProvenFault{{HostId: 1, Slot: startSlot}}
	require.Equal(t, want, f.state())
	event, err := sdk.TypedEventToEvent(&types.EventEquivocationProven{HostId: 1, Slot: startSlot, Reporter: text(other)})
	require.NoError(t, err)
	f.told(event)

	f.failsWithoutTrace(types.ErrFaultProven, func() error { _, err := f.msg.SubmitEquivocation(f.ctx, msg); return err })
	msg.First, msg.Second = msg.Second, msg.First
	f.failsWithoutTrace(types.ErrFaultProven, func() error { _, err := f.msg.SubmitEquivocation(f.ctx, msg); return err })
	require.Len(t, f.staking.slashes, 1, "once per host and slot")
}

func TestEvidenceRefused(t *testing.T) {
	key := agentKey(1)
	for name, tc := range map[string]struct {
		change func(m *types.MsgSubmitEquivocation)
		want   error
	}{
		"the same document twice": {func(m *types.MsgSubmitEquivocation) { m.Second = m.First }, types.ErrInvalidEvidence},
		"the same document, two signatures": {func(m *types.MsgSubmitEquivocation) {
			m.Second.Doc = m.First.Doc
		}, types.ErrInvalidEvidence},
		"two slots": {func(m *types.MsgSubmitEquivocation) {
			m.Second.Doc.Slot--
			m.Second = signDoc(t, key, m.Second.Doc)
		}, types.ErrInvalidEvidence},
		"two hosts": {func(m *types.MsgSubmitEquivocation) {
			m.Second.Doc.HostId = 2
			m.Second = signDoc(t, key, m.Second.Doc)
		}, types.ErrInvalidEvidence},
		"another chain": {func(m *types.MsgSubmitEquivocation) {
			m.First.Doc.ChainId = "grafi-2"
			m.First = signDoc(t, key, m.First.Doc)
		}, types.ErrInvalidEvidence},
		"unknown host": {func(m *types.MsgSubmitEquivocation) {
			m.First.Doc.HostId, m.Second.Doc.HostId = 9, 9
		}, types.ErrHostNotFound},
		"open slot": {func(m *types.MsgSubmitEquivocation) {
			*m = *contradiction(t, key, key, startSlot+1)
		}, types.ErrSlotOpen},
		"slot before the key": {func(m *types.MsgSubmitEquivocation) {
			*m = *contradiction(t, key, key, startSlot-1)
		}, types.ErrInvalidSignature},
		"one by a foreign key": {func(m *types.MsgSubmitEquivocation) {
			*m = *contradiction(t, key, agentKey(2), startSlot)
		}, types.ErrInvalidSignature},
		"no signature":            {func(m *types.MsgSubmitEquivocation) { m.First.Signature = nil }, types.ErrInvalidSignature},
		"submitter is no address": {func(m *types.MsgSubmitEquivocation) { m.Submitter = "x" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := oneHost(t)
			msg := contradiction(t, key, key, startSlot)
			tc.change(msg)
			if tc.want == nil {
				_, err := f.msg.SubmitEquivocation(f.ctx, msg)
				require.Error(t, err)
				return
			}
			f.failsWithoutTrace(tc.want, func() error { _, err := f.msg.SubmitEquivocation(f.ctx, msg); return err })
			require.Empty(t, f.staking.slashes)
		})
	}
}

// TestOldKeysAnswer: rotated and revoked keys count for the slots they were bound
// in, and for no other.
func TestOldKeysAnswer(t *testing.T) {
	f := oneHost(t)
	require.NoError(t, f.rotate(1, agentKey(2))) // in startSlot + 1
	f.slot(startSlot + 3)
	_, err := f.k.RevokeAgentKey(f.ctx, operator, 1)
	require.NoError(t, err)
	require.NoError(t, f.rotate(1, agentKey(3)))
	require.NoError(t, f.k.RetireHost(f.ctx, operator, 1))
	f.slot(startSlot + 6)
	for name, tc := range map[string]struct {
		first, second uint64
		slot          uint64
		want          error
	}{
		"rotated key":                  {1, 1, startSlot, nil},
		"old and new key in overlap":   {1, 2, startSlot + 1, nil},
		"rotated key after its end":    {1, 1, startSlot + 3, types.ErrInvalidSignature},
		"revoked key":                  {2, 2, startSlot + 3, nil},
		"revoked key after revocation": {2, 2, startSlot + 4, types.ErrInvalidSignature},
		"key of a retired host":        {3, 3, startSlot + 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			cached, _ := f.ctx.CacheContext()
			_, err := f.msg.SubmitEquivocation(cached, contradiction(t, agentKey(tc.first), agentKey(tc.second), tc.slot))
			require.ErrorIs(t, err, tc.want)
		})
	}
}

func TestEvidenceAge(t *testing.T) {
	f := oneHost(t)
	msg := contradiction(t, agentKey(1), agentKey(1), startSlot)
	age := types.DefaultParams().EvidenceMaxAge
	f.at(start.Add(age + time.Second))
	f.failsWithoutTrace(types.ErrEvidenceTooOld, func() error { _, err := f.msg.SubmitEquivocation(f.ctx, msg); return err })

	f = oneHost(t)
	f.at(start.Add(age))
	_, err := f.msg.SubmitEquivocation(f.ctx, msg)
	require.NoError(t, err, "at the boundary it still counts")

	// The fault is forgotten only when no params could make it punishable again.
	f.at(start.Add(types.MaxEvidenceAge))
	f.endBlock()
	require.Len(t, f.state().Faults, 1)
	f.at(start.Add(types.MaxEvidenceAge + time.Second))
	f.endBlock()
	require.Empty(t, f.state().Faults)
}

func TestSlashErrorFailsTheMessage(t *testing.T) {
	f := oneHost(t)
	f.staking.err = errRefused
	cached, _ := f.ctx.CacheContext()
	_, err := f.msg.SubmitEquivocation(cached, contradiction(t, agentKey(1), agentKey(1), startSlot))
	require.ErrorIs(t, err, errRefused)
}
