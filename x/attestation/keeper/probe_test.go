package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

func TestSubmitProbes(t *testing.T) {
	f := newProbeFixture(t)
	before := f.state()
	f.mustProbe(f.receipt(1, 3, 500, 200), f.receipt(2, 3, 600, 100))
	event, err := sdk.TypedEventToEvent(&types.EventProbesAccepted{Accepted: 2})
	require.NoError(t, err)
	events := f.ctx.EventManager().Events()
	require.Equal(t, event, events[len(events)-1])
	want := before
	want.Connections = []types.HostConnection{{HostId: 3, Day: startSlot / 144, Measures: []types.ProbeMeasure{
		{Slot: startSlot + 1, Prober: 1, Operator: text(prober(1)), UpMbps: 500, DownMbps: 200, RttUs: 20_000},
		{Slot: startSlot + 1, Prober: 2, Operator: text(prober(2)), UpMbps: 600, DownMbps: 100, RttUs: 20_000},
	}}}
	require.Equal(t, want, f.state())
	f.sound()
}

// TestProbeRejected: each bad receipt is named, the good one beside it is kept.
func TestProbeRejected(t *testing.T) {
	for name, tc := range map[string]struct {
		bad  func(*probeFixture) types.ProbeReceipt
		want string
	}{
		"of one operator": {func(f *probeFixture) types.ProbeReceipt { return f.receipt(6, 7, 1_000, 1_000) }, "are of one operator"},
		"no signature of the prober": {func(f *probeFixture) types.ProbeReceipt {
			r := f.receipt(1, 2, 100, 100)
			r.ProberSignature = nil
			return r
		}, "signature of the prober has 0 bytes"},
		"no signature of the target": {func(f *probeFixture) types.ProbeReceipt {
			r := f.receipt(1, 2, 100, 100)
			r.TargetSignature = nil
			return r
		}, "signature of the target has 0 bytes"},
		"another's signature": {func(f *probeFixture) types.ProbeReceipt {
			return f.sign(f.doc(1, 2, 100, 100), agentKey(1), agentKey(1))
		}, "not signed by the agent key of the target"},
		"sides mixed up": {func(f *probeFixture) types.ProbeReceipt {
			return f.sign(f.doc(1, 2, 100, 100), agentKey(2), agentKey(1))
		}, "not signed by the agent key of the prober"},
		"signed for another pair": {func(f *probeFixture) types.ProbeReceipt {
			r := f.receipt(1, 3, 100, 100)
			r.Doc.Target = 2
			return r
		}, "not signed by the agent key"},
		"other numbers than the target signed": {func(f *probeFixture) types.ProbeReceipt {
			r := f.receipt(1, 2, 900, 100)
			r.TargetSignature = f.receipt(1, 2, 100, 100).TargetSignature
			return r
		}, "not signed by the agent key of the target"},
		"too few bytes":      {func(f *probeFixture) types.ProbeReceipt { return f.receipt(1, 2, 1, 100) }, "up_bytes is 125000"},
		"a host that is not": {func(f *probeFixture) types.ProbeReceipt { return f.receipt(1, 99, 100, 100) }, "does not probe host 99"},
		"the slot before": {func(f *probeFixture) types.ProbeReceipt {
			f.slotNow -= 2
			defer func() { f.slotNow += 2 }()
			return f.receipt(1, 2, 100, 100)
		}, "has no beacon"},
		"the slot to come": {func(f *probeFixture) types.ProbeReceipt {
			f.slotNow++
			defer func() { f.slotNow-- }()
			return f.receipt(1, 2, 100, 100)
		}, "has no beacon"},
		"the same probe twice": {func(f *probeFixture) types.ProbeReceipt { return f.receipt(4, 3, 100, 900) }, "has a receipt"},
		"a revoked key": {func(f *probeFixture) types.ProbeReceipt {
			_, err := f.k.RevokeAgentKey(f.ctx, prober(2), 2)
			require.NoError(f.t, err)
			return f.receipt(1, 2, 100, 100)
		}, "no agent key of host 2"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newProbeFixture(t)
			bad := tc.bad(f)
			resp, err := f.probe(f.receipt(4, 3, 100, 100), bad)
			require.NoError(t, err)
			require.EqualValues(t, 1, resp.Accepted)
			require.Len(t, resp.Rejections, 1)
			require.Contains(t, resp.Rejections[0].Detail, tc.want)
			require.Equal(t, types.ProbeRejection{Index: 1, HostId: bad.Doc.Target, Slot: bad.Doc.Slot, Detail: resp.Rejections[0].Detail}, resp.Rejections[0])
			require.Len(t, f.state().Connections, 1)
			f.sound()
		})
	}
}

func TestProbesRefused(t *testing.T) {
	f := newProbeFixture(t, func(p *types.ProbeParams) { p.MaxReceipts = 2 })
	bad := f.sign(f.doc(1, 2, 100, 100), agentKey(1), agentKey(1))
	for want, receipts := range map[error][]types.ProbeReceipt{
		types.ErrNothingAccepted: {bad},
		types.ErrInvalidBatch:    {bad, bad, bad},
	} {
		f.failsWithoutTrace(want, func() error { _, err := f.probe(receipts...); return err })
	}
	f.failsWithoutTrace(types.ErrInvalidBatch, func() error { _, err := f.probe(); return err })
}

// TestNotAssigned: only who the beacon draws is heard.
func TestNotAssigned(t *testing.T) {
	f := newProbeFixture(t, func(p *types.ProbeParams) { p.Probers = 2 })
	beacon, err := f.k.ProbeBeacon(f.ctx, f.slotNow)
	require.NoError(t, err)
	params := f.state().Params.Probe
	require.EqualValues(t, probeHosts, beacon.Hosts)
	assigned := map[uint64]bool{}
	for _, id := range beacon.ProbersOf(1, params) {
		assigned[id] = true
	}
	require.Len(t, assigned, 2)
	for id := uint64(2); id <= probeHosts; id++ {
		_, err := f.probe(f.receipt(id, 1, 100, 100))
		require.Equal(t, assigned[id], err == nil, "host %d: %v", id, err)
	}
	resp, err := keeper.NewQueryServer(f.k).Probers(f.ctx, &types.QueryProbersRequest{HostId: 1, Slot: f.slotNow})
	require.NoError(t, err)
	require.Equal(t, beacon.ProbersOf(1, params), resp.Probers)
	require.Equal(t, beacon.TargetsOf(1, params), resp.Targets)
}

// TestProbeWindow: receipts are taken from the slot's first block on until the end
// of the window in which it is attested, to the second.
func TestProbeWindow(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration // from the end of the slot
		ok    bool
	}{
		"in the slot":              {-time.Second, true},
		"its closing block":        {0, true},
		"the last second":          {10 * time.Minute, true},
		"one second after":         {10*time.Minute + time.Second, false},
		"a slot after the closing": {20 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newProbeFixture(t)
			r := f.receipt(1, 2, 100, 100)
			end := time.Unix(int64(f.slotNow+1)*600, 0).UTC()
			if tc.after > 0 {
				f.at(end)
			}
			f.at(end.Add(tc.after))
			_, err := f.probe(r)
			require.Equal(t, tc.ok, err == nil, err)
			require.LessOrEqual(t, len(f.state().ProbeBeacons), 3)
			f.sound()
		})
	}
}

// TestHaltHasNoProbes: slots in which no block began have no beacon.
func TestHaltHasNoProbes(t *testing.T) {
	f := newProbeFixture(t)
	f.to(startSlot + 500)
	_, err := f.k.ProbeBeacon(f.ctx, startSlot+499)
	require.ErrorIs(t, err, types.ErrNoProbeBeacon)
	f.mustProbe(f.receipt(1, 2, 100, 100))
}

func TestMeasuresAreBounded(t *testing.T) {
	f := newProbeFixture(t, func(p *types.ProbeParams) { p.MaxMeasures = 3 })
	for id := uint64(1); id <= 3; id++ {
		f.mustProbe(f.receipt(id, 4, 100, 100))
	}
	f.failsWithoutTrace(types.ErrNothingAccepted, func() error { _, err := f.probe(f.receipt(5, 4, 100, 100)); return err })
}

// TestConnection: medians count from the day after, for max_age_days, also while no
// later receipt has closed their day.
func TestConnection(t *testing.T) {
	f := newProbeFixture(t)
	f.day(3, map[uint64]uint64{1: 400, 2: 500, 4: 600})
	day := f.slotNow/144 - 1
	want := types.Connection{Day: day, UpMbps: 500, DownMbps: 500, Operators: 3}
	for age := uint64(1); age <= 3; age++ {
		c, err := f.k.Connection(f.ctx, 3, day+age)
		require.NoError(t, err)
		require.Equal(t, want, c, age)
	}
	for _, on := range []uint64{day, day + 4} {
		c, err := f.k.Connection(f.ctx, 3, on)
		require.NoError(t, err)
		require.Zero(t, c, "on day %d", on)
	}
	// The next receipt closes the day: the same is said of it.
	f.mustProbe(f.receipt(1, 3, 9_000, 9_000))
	require.Equal(t, want, f.connection(3))
	require.Equal(t, day, f.state().Connections[0].MedianDay)
	// A day with too few operators keeps the medians of before.
	f.to((f.slotNow/144 + 1) * 144)
	require.Equal(t, want, f.connection(3))
	f.sound()
}

// TestLateReceiptOfAClosedDay: the last slot of a day may come after the day was closed.
func TestLateReceiptOfAClosedDay(t *testing.T) {
	f := newProbeFixture(t)
	f.to(startSlot + 143)
	late := f.receipt(1, 3, 400, 400)
	f.to(startSlot + 144)
	f.mustProbe(f.receipt(2, 3, 400, 400))
	resp, err := f.probe(late, f.receipt(4, 3, 400, 400))
	require.NoError(t, err)
	require.Contains(t, resp.Rejections[0].Detail, "is over")
}

// TestStrayersAreWeightedOut: who lies day after day is not heard any more, and two
// of its hosts have one voice anyhow.
func TestStrayersAreWeightedOut(t *testing.T) {
	f := newProbeFixture(t)
	rates := map[uint64]uint64{1: 100, 2: 110, 4: 120, 6: 90_000, 7: 90_000}
	for range 4 {
		f.day(3, rates)
		require.Equal(t, uint32(4), f.connection(3).Operators)
		require.EqualValues(t, 110, f.connection(3).UpMbps, "the lower of the two in the middle")
	}
	f.day(3, rates) // closes the fourth day: eight strayed
	require.Equal(t, uint32(3), f.connection(3).Operators)
	for _, s := range f.state().ProberScores {
		if s.Operator == text(prober(6)) {
			require.Equal(t, types.ProberScore{Operator: s.Operator, Strayed: 8}, s)
		} else {
			require.Equal(t, types.ProberScore{Operator: s.Operator, Agreed: 4}, s)
		}
	}
	// It is heard again once it agreed often enough.
	rates[6], rates[7] = 110, 110
	for range 6 {
		f.day(3, rates)
	}
	require.Equal(t, uint32(4), f.connection(3).Operators)
	f.sound()
}

func TestContradiction(t *testing.T) {
	for name, hostID := range map[string]uint64{"the prober": 1, "the target": 2} {
		t.Run(name, func(t *testing.T) {
			f := newProbeFixture(t)
			first, second := f.receipt(1, 2, 100, 100), f.receipt(1, 2, 900, 900)
			f.to(f.slotNow + 300)
			_, err := f.msg.SubmitContradiction(f.ctx, &types.MsgSubmitContradiction{Submitter: text(other), HostId: hostID, First: first, Second: second})
			require.NoError(t, err)
			require.Equal(t, []stakingext.SlashRequest{{
				Operator: prober(hostID), Fault: stakingext.FAULT_EQUIVOCATION, FaultID: fmt.Sprintf("receipt/%d/%d/1/2", hostID, startSlot+1),
				CommittedAt: start.Add(10 * time.Minute), Reporter: other,
			}}, f.staking.slashes)
			require.Equal(t, [][2]uint64{{hostID, startSlot + 1}}, f.hooks.proven)
			event, err := sdk.TypedEventToEvent(&types.EventContradictionProven{HostId: hostID, Slot: startSlot + 1, Reporter: text(other)})
			require.NoError(t, err)
			events := f.ctx.EventManager().Events()
			require.Equal(t, event, events[len(events)-1])
		})
	}
}

func TestContradictionRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		want   error
		change func(*probeFixture, *types.MsgSubmitContradiction)
	}{
		"the same twice": {types.ErrInvalidEvidence, func(_ *probeFixture, m *types.MsgSubmitContradiction) { m.Second = m.First }},
		"neither side":   {types.ErrInvalidEvidence, func(_ *probeFixture, m *types.MsgSubmitContradiction) { m.HostId = 3 }},
		"no host":        {types.ErrInvalidEvidence, func(_ *probeFixture, m *types.MsgSubmitContradiction) { m.HostId = 0 }},
		"another chain":  {types.ErrInvalidEvidence, func(_ *probeFixture, m *types.MsgSubmitContradiction) { m.First.Doc.ChainId = "x" }},
		"another target": {types.ErrInvalidEvidence, func(f *probeFixture, m *types.MsgSubmitContradiction) { m.Second = f.receipt(1, 3, 1, 1) }},
		"another slot":   {types.ErrInvalidEvidence, func(f *probeFixture, m *types.MsgSubmitContradiction) { f.slotNow--; m.Second = f.receipt(1, 2, 1, 1) }},
		"not signed by it": {types.ErrInvalidSignature, func(f *probeFixture, m *types.MsgSubmitContradiction) {
			m.Second = f.sign(f.doc(1, 2, 5, 5), agentKey(3), agentKey(2))
		}},
		"signed as an attestation": {types.ErrInvalidSignature, func(_ *probeFixture, m *types.MsgSubmitContradiction) { m.First.ProberSignature[3] ^= 1 }},
		"too old": {types.ErrEvidenceTooOld, func(f *probeFixture, _ *types.MsgSubmitContradiction) {
			f.at(start.Add(10*time.Minute + 14*24*time.Hour + time.Second))
		}},
		"to come": {types.ErrSlotOpen, func(f *probeFixture, m *types.MsgSubmitContradiction) {
			f.slotNow++
			m.First, m.Second = f.receipt(1, 2, 1, 1), f.receipt(1, 2, 2, 2)
		}},
		"slashed before": {errRefused, func(f *probeFixture, _ *types.MsgSubmitContradiction) { f.staking.err = errRefused }},
	} {
		t.Run(name, func(t *testing.T) {
			f := newProbeFixture(t)
			msg := &types.MsgSubmitContradiction{Submitter: text(other), HostId: 1, First: f.receipt(1, 2, 100, 100), Second: f.receipt(1, 2, 900, 900)}
			tc.change(f, msg)
			f.failsWithoutTrace(tc.want, func() error { _, err := f.msg.SubmitContradiction(f.ctx, msg); return err })
			require.Empty(t, f.hooks.proven)
		})
	}
}
