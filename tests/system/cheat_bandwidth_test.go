package system

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

const (
	boastMbps = attestation.MaxMbps // 100 Gbit/s, what friends say of each other
	trueMbps  = 100                 // what others measure, and a little more each
)

// boasts has two hosts of different operators sign false receipts for each other in
// every slot. Others measure the one, with whom it signs too, and not the other, which
// signs with its friend alone.
func boasts(t *testing.T, ctx context.Context, measured, alone *liar, neighbours []*liar) {
	first, err := attestation.NewQueryClient(measured.client).Clock(ctx, &attestation.QueryClockRequest{})
	require.NoError(t, err)
	var refused, kept int
	var judged bool
	voices := map[uint64]map[string]uint64{} // of measured: day → operator → what it says of the way up
	for slot := first.Slot + 1; !judged || refused == 0 || kept == 0; slot++ {
		require.Less(t, slot, first.Slot+30, "refused %d, kept %d, judged %t", refused, kept, judged)
		beacon := beaconOf(t, ctx, measured, slot)
		for _, pair := range [][2]*liar{{measured, alone}, {alone, measured}} {
			target, prober := pair[0], pair[1]
			err := target.submit(ctx, receipt(t, target, prober, slot, boastMbps))
			if !slices.Contains(beacon.ProbersOf(target.hostID, probeParams()), prober.hostID) {
				refused++
				requireRefusedInBlock(t, err, attestation.ErrNothingAccepted, "does not probe host")
				continue
			}
			require.NoError(t, err, "drawn, and both signed")
			kept++
			if target == measured {
				voice(voices, slot, prober, boastMbps)
			}
		}
		for i, neighbour := range neighbours {
			if slices.Contains(beacon.ProbersOf(measured.hostID, probeParams()), neighbour.hostID) {
				mbps := uint64(trueMbps + 10*i)
				require.NoError(t, measured.submit(ctx, receipt(t, measured, neighbour, slot, mbps)))
				voice(voices, slot, neighbour, mbps)
			}
		}
		judged = judged || dayIsHonest(t, ctx, measured, alone, slot, voices)
	}
	connection, err := alone.queries.Connection(ctx, &attestation.QueryConnectionRequest{HostId: alone.hostID})
	require.NoError(t, err)
	require.Zero(t, connection.MedianDay, "one voice, whatever it says, is no measure")
	require.Zero(t, connection.UpMbps)
	g, err := alone.gpu(ctx, 0)
	require.NoError(t, err)
	require.False(t, g.Witnessed)
	require.Less(t, g.TrustTier, uint32(attestation.TierWitnessed))
	unpunished(t, ctx, alone)
	t.Logf("false receipts: %d refused, %d kept as one voice, 0 counted", refused, kept)
}

// probeParams are those of the test's genesis.
func probeParams() attestation.ProbeParams {
	p := attestation.DefaultProbeParams()
	p.ProbePpm = attestation.PPM
	return p
}

// dayIsHonest tells whether a day is over on which enough operators had a voice, the
// friend's among them, and checks what came of it.
func dayIsHonest(t *testing.T, ctx context.Context, measured, friend *liar, slot uint64, voices map[uint64]map[string]uint64) bool {
	t.Helper()
	c, err := measured.queries.Connection(ctx, &attestation.QueryConnectionRequest{HostId: measured.hostID})
	require.NoError(t, err)
	heard := voices[c.MedianDay]
	if c.MedianDay == 0 || heard[friend.operator] == 0 {
		return false
	}
	said := make([]uint64, 0, len(heard))
	for _, mbps := range heard {
		said = append(said, mbps)
	}
	slices.Sort(said)
	require.GreaterOrEqual(t, len(said), int(probeParams().MinOperators))
	require.EqualValues(t, len(said), c.Operators)
	require.Equal(t, said[(len(said)-1)/2], c.UpMbps, "the lower median of one voice for each operator: %v", said)
	require.Less(t, c.UpMbps, uint64(boastMbps))
	t.Logf("slot %d: voices of day %d were %v Mbit/s, the measure is %d", slot, c.MedianDay, said, c.UpMbps)
	return true
}

func voice(voices map[uint64]map[string]uint64, slot uint64, prober *liar, mbps uint64) {
	day := slot / cheatersDay
	if voices[day] == nil {
		voices[day] = map[string]uint64{}
	}
	voices[day][prober.operator] = mbps
}

// beaconOf waits for the beacon of a slot.
func beaconOf(t *testing.T, ctx context.Context, l *liar, slot uint64) attestation.ProbeBeacon {
	t.Helper()
	var beacon attestation.ProbeBeacon
	eventually(t, ctx, time.Minute, fmt.Sprintf("the beacon of slot %d", slot), func() (bool, error) {
		probers, err := l.queries.Probers(ctx, &attestation.QueryProbersRequest{HostId: l.hostID, Slot: slot})
		if err == nil {
			beacon = probers.Beacon
		}
		return err == nil, err
	})
	return beacon
}

// receipt is one of a transfer that never was, signed by both.
func receipt(t *testing.T, target, prober *liar, slot, mbps uint64) attestation.ProbeReceipt {
	t.Helper()
	const us = 1_000_000
	exporter := sha256.Sum256(fmt.Appendf(nil, "%d/%d/%d", slot, prober.hostID, target.hostID))
	doc := attestation.ProbeDoc{
		ChainId: target.client.ChainID(), Slot: slot, Prober: prober.hostID, Target: target.hostID,
		UpBytes: mbps * us / 8, UpUs: us, DownBytes: mbps * us / 8, DownUs: us, RttUs: 200, Exporter: exporter[:],
	}
	signBytes, err := doc.SignBytes()
	require.NoError(t, err)
	return attestation.ProbeReceipt{
		Doc: doc, ProberSignature: ed25519.Sign(prober.agent, signBytes), TargetSignature: ed25519.Sign(target.agent, signBytes),
	}
}

// submit sends a receipt with gas for it, so that a refusal is in a block too.
func (l *liar) submit(ctx context.Context, receipt attestation.ProbeReceipt) error {
	_, err := l.client.SubmitWith(ctx, l.wallet, chainclient.Options{GasLimit: 300_000}, &attestation.MsgSubmitProbes{
		Submitter: l.operator, Receipts: []attestation.ProbeReceipt{receipt},
	})
	return err
}
