package types_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/attestation/types"
)

// TestSignerPage: a page returns what was put in, and nothing else.
func TestSignerPage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var page types.SignerPage
		want := map[uint64]types.Signer{}
		for range rapid.IntRange(0, 30).Draw(rt, "n") {
			at := rapid.Uint64Range(0, types.SignersPerPage-1).Draw(rt, "position")
			s := types.Signer{
				Status:   types.HostStatus(rapid.Int32Range(1, 3).Draw(rt, "status")),
				GPUCount: rapid.Uint32().Draw(rt, "gpus"), Generation: rapid.Uint64().Draw(rt, "generation"),
				FirstGPU: rapid.Uint64().Draw(rt, "first"), SoleFrom: rapid.Uint64().Draw(rt, "sole"),
			}
			copy(s.Key[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "key"))
			page, want[at] = page.With(at, s), s
		}
		for at := range uint64(types.SignersPerPage + 2) {
			if got := page.Get(at); got != want[at] {
				rt.Fatalf("signer %d is %v, want %v", at, got, want[at])
			}
		}
	})
}

// TestSignerAgreesWithTheHost: from SoleFrom on the signer's key is the one key
// that the host's own record allows.
func TestSignerAgreesWithTheHost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := types.Host{Status: types.HOST_STATUS_ACTIVE}
		from := uint64(1)
		n := rapid.IntRange(1, 8).Draw(rt, "keys")
		for i := range n {
			key := types.AgentKey{PublicKey: bytes.Repeat([]byte{byte(i + 1)}, 32), FromSlot: from}
			from += rapid.Uint64Range(0, 4).Draw(rt, "bound for")
			if i < n-1 {
				key.Revoked = rapid.Bool().Draw(rt, "revoked")
				key.UntilSlot = from + 1
				if key.Revoked {
					key.UntilSlot = from
				}
			}
			h.AgentKeys = append(h.AgentKeys, key)
		}
		s := types.SignerOf(&h)
		slot := s.SoleFrom + rapid.Uint64Range(0, 10).Draw(rt, "after")
		keys := h.SigningKeys(slot)
		if len(keys) != 1 || !bytes.Equal(keys[0], s.Key[:]) {
			rt.Fatalf("slot %d of %v: host allows %x, signer says %x", slot, h.AgentKeys, keys, s.Key)
		}
	})
}
