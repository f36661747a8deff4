package keeper_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// probeFixture is a network of single hosts, each of its own operator, but for the
// last two: "pair" has both. All are probed in every slot, by all others.
type probeFixture struct {
	*fixture
	slotNow uint64
}

// probeHosts is the number of hosts of a probeFixture; the last two are of one operator.
const probeHosts = 7

func prober(n uint64) sdk.AccAddress {
	if n == probeHosts {
		n--
	}
	return sdk.AccAddress(fmt.Appendf(nil, "prober%014d", n))
}

func newProbeFixture(t testing.TB, change ...func(*types.ProbeParams)) *probeFixture {
	t.Helper()
	gs := genesis()
	gs.Params.Probe.ProbePpm, gs.Params.Probe.Probers = types.PPM, 16
	for _, c := range change {
		c(&gs.Params.Probe)
	}
	f := &probeFixture{fixture: newFixtureWith(t, gs)}
	for id := uint64(1); id <= probeHosts; id++ {
		f.staking.operators[string(prober(id))] = true
		msg := registration(t, prober(id), agentKey(id), h100s(id, 2))
		_, err := f.msg.RegisterHost(f.ctx, msg)
		require.NoError(t, err)
	}
	f.to(startSlot + 1)
	return f
}

// to begins the first block of a slot.
func (f *probeFixture) to(slot uint64) {
	f.t.Helper()
	f.slotNow = slot
	f.slot(slot)
}

// doc is a probe of the slot of now at these rates.
func (f *probeFixture) doc(prober, target, up, down uint64) types.ProbeDoc {
	exporter := sha256.Sum256(fmt.Appendf(nil, "session %d %d %d", f.slotNow, prober, target))
	return types.ProbeDoc{
		ChainId: chainID, Slot: f.slotNow, Prober: prober, Target: target,
		UpBytes: 1_000_000 * up / 8, UpUs: 1_000_000, DownBytes: 1_000_000 * down / 8, DownUs: 1_000_000, RttUs: 20_000, Exporter: exporter[:],
	}
}

func (f *probeFixture) sign(doc types.ProbeDoc, proberKey, targetKey ed25519.PrivateKey) types.ProbeReceipt {
	f.t.Helper()
	signBytes, err := doc.SignBytes()
	require.NoError(f.t, err)
	return types.ProbeReceipt{Doc: doc, ProberSignature: ed25519.Sign(proberKey, signBytes), TargetSignature: ed25519.Sign(targetKey, signBytes)}
}

// receipt is a probe of the slot of now, signed by both.
func (f *probeFixture) receipt(prober, target, up, down uint64) types.ProbeReceipt {
	f.t.Helper()
	return f.sign(f.doc(prober, target, up, down), agentKey(prober), agentKey(target))
}

// probe sends receipts as a transaction would: a failure leaves no trace.
func (f *probeFixture) probe(receipts ...types.ProbeReceipt) (*types.MsgSubmitProbesResponse, error) {
	cached, write := f.ctx.CacheContext()
	resp, err := f.msg.SubmitProbes(cached, &types.MsgSubmitProbes{Submitter: text(other), Receipts: receipts})
	if err == nil {
		write()
	}
	return resp, err
}

func (f *probeFixture) mustProbe(receipts ...types.ProbeReceipt) {
	f.t.Helper()
	resp, err := f.probe(receipts...)
	require.NoError(f.t, err)
	require.Empty(f.t, resp.Rejections)
}

// day measures the target in one slot of each of the probers, and goes to the day after.
func (f *probeFixture) day(target uint64, rates map[uint64]uint64) {
	f.t.Helper()
	for id := uint64(1); id <= probeHosts; id++ {
		if rate, ok := rates[id]; ok {
			f.mustProbe(f.receipt(id, target, rate, rate))
		}
	}
	f.to((f.slotNow/144 + 1) * 144)
}

func (f *probeFixture) connection(hostID uint64) types.Connection {
	f.t.Helper()
	c, err := f.k.Connection(f.ctx, hostID, f.slotNow/144)
	require.NoError(f.t, err)
	return c
}
