package keeper_test

import (
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// oneHost is a network in which host 1 with 4 GPUs can attest startSlot.
func oneHost(t testing.TB) *fixture {
	f := newFixture(t)
	f.register(4)
	f.slot(startSlot + 1)
	f.ctx = f.ctx.WithEventManager(sdk.NewEventManager())
	return f
}

func TestSubmitAttestations(t *testing.T) {
	f := oneHost(t)
	before := f.state()
	att := f.attest(agentKey(1), 1, startSlot, types.Attestation{
		Down: []byte{0b0010}, NotRunning: []uint64{7, 9}, DetailRoot: make([]byte, 32),
	})

	resp := f.mustSubmit(f.group(startSlot, att))

	require.Equal(t, &types.MsgSubmitAttestationsResponse{Accepted: 1}, resp)
	want := before
	want.Attested = []types.SlotBitmap{{Slot: startSlot, Bucket: 0, Bits: []byte{0b10}}}
	want.Up = []types.SlotBitmap{{Slot: startSlot, Bucket: 0, Bits: []byte{0b1101}}}
	want.Counters = []types.DayCounters{{Day: startSlot / 144, Bucket: 0, Counts: []byte{1, 0, 1, 1}}}
	want.AttestedHosts = []types.AttestedHosts{{Day: startSlot / 144, Hosts: []uint32{1}}}
	require.Equal(t, want, f.state())
	notRunning := types.EventRentalsReportedNotRunning{HostId: 1, Slot: startSlot, RentalIds: []uint64{7, 9}}
	require.Equal(t, []types.EventRentalsReportedNotRunning{notRunning}, f.hooks.notRunning)
	accepted, err := sdk.TypedEventToEvent(&types.EventAttestationsAccepted{Slot: startSlot, Accepted: 1})
	require.NoError(t, err)
	listed, err := sdk.TypedEventToEvent(&notRunning)
	require.NoError(t, err)
	f.told(accepted, listed)
	f.sound()

	up, err := f.k.GPUsUp(f.ctx, 1, startSlot, []uint32{0, 2, 3})
	require.NoError(t, err)
	require.True(t, up)
	up, err = f.k.GPUsUp(f.ctx, 1, startSlot, []uint32{0, 1})
	require.NoError(t, err)
	require.False(t, up, "GPU 1 was down")
}

func TestRejections(t *testing.T) {
	tests := map[string]struct {
		change func(f *fixture, g *types.AttestationGroup)
		want   types.RejectReason
		detail string // what it must name
	}{
		"unknown host": {
			func(_ *fixture, g *types.AttestationGroup) { g.Attestations[0].HostId = 99 },
			types.REJECT_REASON_UNKNOWN_HOST, "99",
		},
		"host 0": {
			func(_ *fixture, g *types.AttestationGroup) { g.Attestations[0].HostId = 0 },
			types.REJECT_REASON_UNKNOWN_HOST, "0",
		},
		"revoked host": {
			func(f *fixture, _ *types.AttestationGroup) {
				_, err := f.k.RevokeAgentKey(f.ctx, operator, 1)
				require.NoError(f.t, err)
			}, types.REJECT_REASON_HOST_NOT_ACTIVE, "REVOKED",
		},
		"retired host": {
			func(f *fixture, _ *types.AttestationGroup) {
				require.NoError(f.t, f.k.RetireHost(f.ctx, operator, 1))
			}, types.REJECT_REASON_HOST_NOT_ACTIVE, "RETIRED",
		},
		"open slot": {
			func(_ *fixture, g *types.AttestationGroup) { g.Slot = startSlot + 1 },
			types.REJECT_REASON_SLOT_OPEN, "2880001",
		},
		"largest slot": {
			func(_ *fixture, g *types.AttestationGroup) { g.Slot = 1<<64 - 1 },
			types.REJECT_REASON_SLOT_OPEN, "18446744073709551615",
		},
		"slot before the chain": {
			func(_ *fixture, g *types.AttestationGroup) { g.Slot = startSlot - 1 },
			types.REJECT_REASON_TOO_LATE, "2879999",
		},
		"wrong anchor height": {
			func(_ *fixture, g *types.AttestationGroup) { g.AnchorHeight++ },
			types.REJECT_REASON_WRONG_ANCHOR, "want anchor",
		},
		"wrong anchor hash": {
			func(_ *fixture, g *types.AttestationGroup) { g.AnchorHash = make([]byte, 32) },
			types.REJECT_REASON_WRONG_ANCHOR, "want anchor",
		},
		"no anchor hash": {
			func(_ *fixture, g *types.AttestationGroup) { g.AnchorHash = nil },
			types.REJECT_REASON_WRONG_ANCHOR, "want anchor",
		},
		"short signature": {
			func(_ *fixture, g *types.AttestationGroup) { g.Attestations[0].Signature = make([]byte, 63) },
			types.REJECT_REASON_MALFORMED, "63",
		},
		"short detail root": {
			func(_ *fixture, g *types.AttestationGroup) { g.Attestations[0].DetailRoot = make([]byte, 31) },
			types.REJECT_REASON_MALFORMED, "31",
		},
		"down bitmap too long": {
			func(_ *fixture, g *types.AttestationGroup) { g.Attestations[0].Down = []byte{1, 0} },
			types.REJECT_REASON_MALFORMED, "2 bytes",
		},
		"down bit beyond the last GPU": {
			func(_ *fixture, g *types.AttestationGroup) { g.Attestations[0].Down = []byte{0b10000} },
			types.REJECT_REASON_MALFORMED, "beyond GPU 3",
		},
		"down all zero": {
			func(_ *fixture, g *types.AttestationGroup) { g.Attestations[0].Down = []byte{0} },
			types.REJECT_REASON_MALFORMED, "no bit",
		},
		"rentals out of order": {
			func(_ *fixture, g *types.AttestationGroup) { g.Attestations[0].NotRunning = []uint64{9, 7} },
			types.REJECT_REASON_MALFORMED, "7 after 9",
		},
		"more rentals than GPUs": {
			func(_ *fixture, g *types.AttestationGroup) { g.Attestations[0].NotRunning = []uint64{1, 2, 3, 4, 5} },
			types.REJECT_REASON_MALFORMED, "at most 4",
		},
		"signed for another content": {
			func(_ *fixture, g *types.AttestationGroup) { g.Attestations[0].Down = []byte{1} },
			types.REJECT_REASON_BAD_SIGNATURE, "generation 1",
		},
		"signed by a foreign key": {
			func(f *fixture, g *types.AttestationGroup) {
				g.Attestations[0] = f.attest(agentKey(77), 1, startSlot, types.Attestation{})
			}, types.REJECT_REASON_BAD_SIGNATURE, "host 1",
		},
		"signed over the inventory before": {
			func(f *fixture, _ *types.AttestationGroup) {
				_, err := f.k.UpdateInventory(f.ctx, operator, 1, h100s(1, 4))
				require.NoError(f.t, err)
			}, types.REJECT_REASON_BAD_SIGNATURE, "generation 2",
		},
		"of another chain": {
			func(f *fixture, _ *types.AttestationGroup) { f.ctx = f.ctx.WithChainID("grafi-2") },
			types.REJECT_REASON_BAD_SIGNATURE, "grafi-2",
		},
		"sent again": {
			func(f *fixture, g *types.AttestationGroup) { f.mustSubmit(*g) },
			types.REJECT_REASON_DUPLICATE, "already",
		},
		"another document for the slot": {
			func(f *fixture, g *types.AttestationGroup) {
				f.mustSubmit(*g)
				g.Attestations[0] = f.attest(agentKey(1), 1, startSlot, types.Attestation{Down: []byte{1}})
			}, types.REJECT_REASON_DUPLICATE, "already",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := oneHost(t)
			// Host 2 is good throughout, so that the message itself succeeds.
			f.at(start)
			f.register(2)
			f.slot(startSlot + 1)
			g := f.group(startSlot, f.good(1, startSlot))
			tc.change(f, &g)
			companion := f.group(startSlot)
			doc := f.attest(agentKey(2), 2, startSlot, types.Attestation{})
			if f.ctx.ChainID() != chainID {
				host, err := f.k.Host(f.ctx, 2)
				require.NoError(t, err)
				anchor, err := f.k.Anchor(f.ctx, startSlot)
				require.NoError(t, err)
				d := types.NewAttestationDoc(f.ctx.ChainID(), &host, startSlot, &anchor, &types.Attestation{})
				signBytes, err := d.SignBytes()
				require.NoError(t, err)
				doc.Signature = ed25519.Sign(agentKey(2), signBytes)
			}
			companion.Attestations = []types.Attestation{doc}

			f.failsWithoutTrace(types.ErrNothingAccepted, func() error {
				_, err := f.submit(g)
				require.ErrorContains(t, err, tc.want.String(), "the first reason is named")
				return err
			})

			resp := f.mustSubmit(g, companion)
			require.EqualValues(t, 1, resp.Accepted)
			require.Len(t, resp.Rejections, 1)
			r := resp.Rejections[0]
			require.Equal(t, tc.want, r.Reason, r.Detail)
			require.Contains(t, r.Detail, tc.detail)
			require.Equal(t, types.Rejection{Index: 0, HostId: g.Attestations[0].HostId, Slot: g.Slot, Reason: r.Reason, Detail: r.Detail}, r)
			f.sound()
		})
	}
}

func TestBadMessages(t *testing.T) {
	f := oneHost(t)
	good := f.group(startSlot, f.good(1, startSlot))
	tooMany := f.group(startSlot)
	tooMany.Attestations = make([]types.Attestation, 1025)
	tests := map[string][]types.AttestationGroup{
		"no groups":     nil,
		"an empty one":  {good, f.group(startSlot)},
		"over the most": {tooMany},
		"over the most in two groups": {good, {
			Slot: startSlot, AnchorHeight: good.AnchorHeight, AnchorHash: good.AnchorHash, Attestations: tooMany.Attestations[:1024],
		}},
	}
	for name, groups := range tests {
		t.Run(name, func(t *testing.T) {
			f.failsWithoutTrace(types.ErrInvalidBatch, func() error { _, err := f.submit(groups...); return err })
		})
	}
	t.Run("submitter is no address", func(t *testing.T) {
		_, err := f.msg.SubmitAttestations(f.ctx, &types.MsgSubmitAttestations{Submitter: "x", Groups: []types.AttestationGroup{good}})
		require.Error(t, err)
	})
}

// TestMixedBatch: bad ones are named by index, good ones of the same batch stay.
func TestMixedBatch(t *testing.T) {
	f := newFixture(t)
	for range 5 {
		f.register(2)
	}
	f.slot(startSlot + 2)
	g1 := f.group(startSlot, f.good(1, startSlot), f.good(2, startSlot), f.good(3, startSlot))
	g1.Attestations[1].Signature[40] ^= 1
	g2 := f.group(startSlot+1, f.good(1, startSlot+1), f.good(1, startSlot+1), f.good(4, startSlot+1), f.good(5, startSlot+1))
	g2.Attestations[3].Down = []byte{8}

	resp := f.mustSubmit(g1, g2)

	require.EqualValues(t, 4, resp.Accepted)
	var got [][2]uint64
	for _, r := range resp.Rejections {
		got = append(got, [2]uint64{uint64(r.Index), uint64(r.Reason)})
	}
	require.Equal(t, [][2]uint64{
		{1, uint64(types.REJECT_REASON_BAD_SIGNATURE)},
		{4, uint64(types.REJECT_REASON_DUPLICATE)},
		{6, uint64(types.REJECT_REASON_MALFORMED)},
	}, got)
	require.Equal(t, []types.SlotBitmap{
		{Slot: startSlot, Bits: []byte{0b1010}},
		{Slot: startSlot + 1, Bits: []byte{0b10010}},
	}, f.state().Attested)
	f.sound()
	// The one with the bad signature was not marked: a good one is still taken.
	f.mustSubmit(f.group(startSlot, f.good(2, startSlot)))
}

func TestGasIsFlat(t *testing.T) {
	f := newFixture(t)
	f.register(1)
	f.register(16)
	f.slot(startSlot + 1)
	used := func(g types.AttestationGroup) uint64 {
		cached, _ := f.ctx.CacheContext()
		before := cached.GasMeter().GasConsumed()
		_, err := f.k.SubmitAttestations(cached, []types.AttestationGroup{g})
		require.NoError(t, err)
		return cached.GasMeter().GasConsumed() - before
	}
	params, first := types.DefaultParams(), f.group(startSlot, f.good(1, startSlot), f.good(2, startSlot))
	cost := used(first)
	_, err := f.submit(first)
	require.NoError(t, err)
	f.slot(startSlot + 2)
	slot := uint64(startSlot + 1)
	one, two := used(f.group(slot, f.good(1, slot))), used(f.group(slot, f.good(2, slot)))
	require.Equal(t, one, two, "whatever the host")
	require.Equal(t, one+params.AttestationGas+params.FirstOfDayGas(17), cost, "17 GPUs were counted for the first time on the day")
	bad := f.good(2, slot)
	bad.Signature[3] ^= 1
	require.Equal(t, one+params.AttestationGas, used(f.group(slot, f.good(1, slot), bad)), "whatever the fate")
}

func TestHookErrorFailsTheMessage(t *testing.T) {
	f := oneHost(t)
	f.hooks.err = errRefused
	g := f.group(startSlot, f.attest(agentKey(1), 1, startSlot, types.Attestation{NotRunning: []uint64{1}}))
	f.failsWithoutTrace(errRefused, func() error { _, err := f.submit(g); return err })
}
