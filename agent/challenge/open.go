package challenge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/grafilab/grafi/x/attestation/compute"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// openAll sends the openings of all GPUs whose answer is computed, one transaction each.
func (t *turn) openAll(ctx context.Context) error {
	if len(t.c.Sample) != 32 {
		return fmt.Errorf("challenge %d: sample has %d bytes, want 32", t.c.Id, len(t.c.Sample))
	}
	for i := range t.c.Gpus {
		g := &t.c.Gpus[i]
		if g.Outcome != attestation.CHALLENGE_OUTCOME_PENDING || len(g.Commitment) == 0 || t.answered[g.Ordinal] {
			continue
		}
		if err := t.open(ctx, g); err != nil {
			return fmt.Errorf("open GPU %d of challenge %d: %w", g.Ordinal, t.c.Id, err)
		}
	}
	return nil
}

// open sends one opening. The agent never opens what the chain would find wrong:
// such a challenge stays unanswered, which costs no stake.
func (t *turn) open(ctx context.Context, g *attestation.ChallengedGpu) error {
	j := t.jobs[g.Ordinal]
	if j == nil || !j.finished() || j.err != nil || j.bad {
		return nil
	}
	commitment := j.proof.Commitment()
	if !bytes.Equal(commitment[:], g.Commitment) {
		j.bad = true
		t.once("chain has another commitment than this GPU computed: the challenge stays unanswered",
			"challenge", t.c.Id, "gpu", g.Ordinal, "chain", fmt.Sprintf("%x", g.Commitment), "computed", fmt.Sprintf("%x", commitment))
		return nil
	}
	if j.open == nil {
		t.beginOpening(g, j)
		return nil
	}
	select {
	case <-j.open.done:
	default:
		return nil
	}
	if j.open.err != nil {
		j.bad = true
		t.once("opening is wrong and is not sent: the GPU may be defective", "challenge", t.c.Id, "gpu", g.Ordinal, "err", j.open.err)
		return nil
	}
	opening := j.open.bytes
	digest := sha256.Sum256(opening)
	doc, err := (&attestation.ChallengeOpeningDoc{
		ChainId: t.id.ChainID, HostId: t.id.HostID, ChallengeId: t.c.Id, Ordinal: g.Ordinal, OpeningDigest: digest[:],
	}).Marshal()
	if err != nil {
		return err
	}
	res, err := t.chain.Submit(ctx, &attestation.MsgOpenChallenge{
		Submitter: t.chain.Sender(), HostId: t.id.HostID, ChallengeId: t.c.Id, Ordinal: g.Ordinal, Opening: opening,
		Signature: t.signer.SignDoc(attestation.DomainOpening, doc),
	})
	if err != nil {
		return err
	}
	var answer attestation.MsgOpenChallengeResponse
	if err := res.Response(0, &answer); err != nil {
		return err
	}
	j.stop()
	delete(t.jobs, g.Ordinal)
	t.answered[g.Ordinal] = true
	return t.ended(g.Ordinal, answer)
}

// beginOpening computes the opening beside everything else, and checks it as the
// chain will: all of a host's GPUs do so at once.
func (t *turn) beginOpening(g *attestation.ChallengedGpu, j *job) {
	o := &opening{done: make(chan struct{})}
	j.open = o
	sample, n, commitment := compute.Hash(t.c.Sample), t.r.Samples, compute.Hash(g.Commitment)
	proof, work, verify, wake := j.proof, j.work, t.verify, t.wake
	go func() {
		defer kick(wake)
		defer close(o.done)
		if o.bytes, o.err = proof.Open(sample, int(n)); o.err == nil {
			o.err = verify(work, commitment, sample, n, o.bytes)
		}
	}()
}
