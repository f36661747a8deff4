package challenge

import (
	"context"
	"fmt"
	"slices"

	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// blockMs is what passes until a transaction is in a block, about.
const blockMs = 6_000

// holdBack tells whether a finished answer is not committed: it comes so late that
// it would measure the GPU as slow, the GPU itself was fast enough, and one more
// slow answer would take its class and a part of the stake. That happens when the
// way to the chain is bad again and again. The challenge then stays unanswered,
// which costs no stake.
func (t *turn) holdBack(ctx context.Context, g *attestation.ChallengedGpu) (bool, error) {
	_, _, _, params, _ := t.Flow.host.Host()
	p := params.Challenge
	committed := t.r.ClockMs + blockMs
	passed := committed - min(committed, t.c.StartedMs)
	if !p.IsSlow(g.Profile.Gops(passed, p.AllowanceMs), g.Profile.MinGops) {
		return false, nil
	}
	var rate float64
	if known, err := t.ledger.GetJSON(rateKey(t.uuid(g.Ordinal)), &rate); err != nil || !known || p.IsSlow(uint64(rate/1e9), g.Profile.MinGops) {
		return false, err // the GPU is that slow: what is measured is true
	}
	proofs, err := t.chain.Proofs(ctx, t.id.HostID)
	if err != nil {
		return true, fmt.Errorf("earlier answers of GPU %d: %w", g.Ordinal, err)
	}
	var with []uint64 // this answer too
	for _, gpu := range proofs.Gpus {
		if gpu.Ordinal == g.Ordinal {
			with = slices.Concat(gpu.Compute.RecentGops, []uint64{0})
		}
	}
	if !p.MostSlow(with, g.Profile.MinGops) {
		return false, nil
	}
	t.once("answer is late for a reason that is not the GPU, and is not committed: one more slow answer would cost its class",
		"challenge", t.c.Id, "gpu", g.Ordinal, "recent_gops", with[:len(with)-1], "late_ms", passed)
	return true, nil
}
