package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/types"
)

// FuzzSubmitAttestations feeds bytes through the decoder to the message: whatever
// they are, nothing panics, an error leaves no trace, and the records stay sound.
func FuzzSubmitAttestations(f *testing.F) {
	n := newFixture(f)
	n.register(4)
	n.register(16)
	n.slot(startSlot + 2)
	for _, groups := range [][]types.AttestationGroup{
		{n.group(startSlot, n.good(1, startSlot), n.good(2, startSlot))},
		{n.group(startSlot, n.good(1, startSlot)), n.group(startSlot+1, n.attest(agentKey(2), 2, startSlot+1, types.Attestation{Down: []byte{1, 2}, NotRunning: []uint64{3}}))},
		{{Slot: 1<<64 - 1, AnchorHeight: -1, Attestations: make([]types.Attestation, 3)}},
	} {
		bz, err := (&types.MsgSubmitAttestations{Submitter: text(other), Groups: groups}).Marshal()
		require.NoError(f, err)
		f.Add(bz)
	}
	before := n.state()
	f.Fuzz(func(t *testing.T, bz []byte) {
		var msg types.MsgSubmitAttestations
		if msg.Unmarshal(bz) != nil {
			return
		}
		run := *n
		run.t = t
		run.ctx, _ = n.ctx.CacheContext()
		resp, err := run.msg.SubmitAttestations(run.ctx, &msg)
		if err != nil {
			require.Equal(t, before, run.state())
			return
		}
		total := 0
		for _, g := range msg.Groups {
			total += len(g.Attestations)
		}
		require.Equal(t, total, int(resp.Accepted)+len(resp.Rejections))
		run.sound()
	})
}
