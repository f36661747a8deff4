//go:build unix

package keeper_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
)

// benchBatch is a network of hosts with 8 GPUs and one full message for a slot,
// together with the raw signatures in it.
type benchBatch struct {
	f      *fixture
	group  types.AttestationGroup
	keys   []voi.PublicKey
	signed [][]byte
}

func newBenchBatch(b *testing.B, hosts int) *benchBatch {
	b.Helper()
	return newBenchBatchOn(b, newFixture(b), hosts)
}

func newBenchBatchOn(b *testing.B, f *fixture, hosts int) *benchBatch {
	b.Helper()
	for n := range uint64(hosts) {
		msg := registration(b, operator, agentKey(n+1), h100s(n+1, 8))
		_, err := f.msg.RegisterHost(f.ctx, msg)
		require.NoError(b, err)
		if n%64 == 0 {
			f.commit()
		}
	}
	f.slot(startSlot + 1)
	f.commit()
	out := &benchBatch{f: f, keys: make([]voi.PublicKey, hosts)}
	for n := range uint64(hosts) {
		out.keys[n] = public(agentKey(n + 1))
	}
	out.sign(b, startSlot)
	return out
}

// sign makes the message for a slot.
func (bb *benchBatch) sign(b *testing.B, slot uint64) {
	b.Helper()
	bb.group, bb.signed = bb.f.group(slot), nil
	anchor, err := bb.f.k.Anchor(bb.f.ctx, slot)
	require.NoError(b, err)
	for n := range uint64(len(bb.keys)) {
		att := bb.f.good(n+1, slot)
		host, err := bb.f.k.Host(bb.f.ctx, n+1)
		require.NoError(b, err)
		doc := types.NewAttestationDoc(chainID, &host, slot, &anchor, &att)
		signBytes, err := doc.SignBytes()
		require.NoError(b, err)
		bb.group.Attestations = append(bb.group.Attestations, att)
		bb.signed = append(bb.signed, signBytes)
	}
}

// expand computes what the key cache of the chain holds.
func (bb *benchBatch) expand(b *testing.B) []*voi.ExpandedPublicKey {
	b.Helper()
	out := make([]*voi.ExpandedPublicKey, len(bb.keys))
	for i, key := range bb.keys {
		expanded, err := voi.NewExpandedPublicKey(key)
		require.NoError(b, err)
		out[i] = expanded
	}
	return out
}

// raw verifies the signatures and does nothing else. expanded is nil for cold keys.
func (bb *benchBatch) raw(b *testing.B, expanded []*voi.ExpandedPublicKey) time.Duration {
	b.Helper()
	begin := cpuTime(b)
	batch := voi.NewBatchVerifierWithCapacity(len(bb.keys))
	for i, att := range bb.group.Attestations {
		if expanded != nil {
			batch.AddExpandedWithOptions(expanded[i], bb.signed[i], att.Signature, types.ZIP215())
		} else {
			batch.AddWithOptions(bb.keys[i], bb.signed[i], att.Signature, types.ZIP215())
		}
	}
	ok, _ := batch.Verify(nil)
	took := cpuTime(b) - begin
	require.True(b, ok)
	return took
}

// submit runs the whole message on a state that is thrown away.
func (bb *benchBatch) submit(b *testing.B) time.Duration {
	b.Helper()
	ctx, _ := bb.f.ctx.CacheContext()
	msg := &types.MsgSubmitAttestations{Submitter: text(other), Groups: []types.AttestationGroup{bb.group}}
	begin := cpuTime(b)
	resp, err := bb.f.msg.SubmitAttestations(ctx, msg)
	took := cpuTime(b) - begin
	require.NoError(b, err)
	require.EqualValues(b, len(bb.keys), resp.Accepted)
	return took
}

// BenchmarkBatch1024 compares a message of 1,024 attestations with the batch
// verification of the same signatures alone, both in one loop.
// Goal: at most 1.25 with warm keys.
func BenchmarkBatch1024(b *testing.B) {
	bb := newBenchBatch(b, 1024)
	expanded := bb.expand(b)
	bb.submit(b) // fills the key cache
	msg, raw, rawCold := times{}, times{}, times{}
	for b.Loop() {
		msg.add(bb.submit(b))
		raw.add(bb.raw(b, expanded))
		rawCold.add(bb.raw(b, nil))
	}
	report(b, "warm", msg, raw)
	b.ReportMetric(msg.median()/rawCold.median(), "warm/raw_cold")
	b.ReportMetric(msg.median()/1024, "µs/attestation")
}

// BenchmarkBatch1024Cold has the key cache empty: a process sees each key so once.
func BenchmarkBatch1024Cold(b *testing.B) {
	bb := newBenchBatch(b, 1024)
	msg, raw := times{}, times{}
	for b.Loop() {
		keeper.ForgetKeys()
		msg.add(bb.submit(b))
		raw.add(bb.raw(b, nil))
	}
	report(b, "cold", msg, raw)
}

// BenchmarkBatch1024OneBad is the dearest message: one bad signature makes all of
// them be verified one by one.
func BenchmarkBatch1024OneBad(b *testing.B) {
	bb := newBenchBatch(b, 1024)
	expanded := bb.expand(b)
	msg, raw := times{}, times{}
	for b.Loop() {
		raw.add(bb.raw(b, expanded))
		bb.group.Attestations[512].Signature[0] ^= 1
		ctx, _ := bb.f.ctx.CacheContext()
		begin := cpuTime(b)
		resp, err := bb.f.msg.SubmitAttestations(ctx, &types.MsgSubmitAttestations{
			Submitter: text(other), Groups: []types.AttestationGroup{bb.group},
		})
		msg.add(cpuTime(b) - begin)
		bb.group.Attestations[512].Signature[0] ^= 1
		require.NoError(b, err)
		require.EqualValues(b, 1023, resp.Accepted)
	}
	report(b, "one_bad", msg, raw)
}

// times are what the rounds cost, in µs; the middle one is compared.
type times []float64

func (t *times) add(d time.Duration) { *t = append(*t, float64(d.Nanoseconds())/1_000) }

func (t times) median() float64 {
	sorted := slices.Sorted(slices.Values(t))
	return sorted[len(sorted)/2]
}

// cpuTime is what the process has cost so far, garbage collection included. On a
// busy machine it compares where a clock on the wall doesn't.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func report(b *testing.B, name string, msg, raw times) {
	b.ReportMetric(msg.median()/raw.median(), name+"/raw")
	b.ReportMetric(raw.median(), "raw-µs")
}
