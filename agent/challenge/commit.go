package challenge

import (
	"bytes"
	"context"
	"fmt"

	"github.com/grafilab/grafi/agent/attest"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// keepChallenges is how many challenges back commitments are remembered.
const keepChallenges = 64

// commitKey names a GPU's answer. The seed is in it, so that a chain that was
// begun anew under its old id asks something else.
func commitKey(id attest.Identity, challenge uint64, ordinal uint32, seed [32]byte) []byte {
	return append(id.Key(challenge, uint64(ordinal)), seed[:]...)
}

func (f *Flow) prune(id attest.Identity, challenge uint64) error {
	return f.ledger.PruneBelow(id.Key(), id.Key(challenge-min(challenge, keepChallenges)))
}

// commit sends the commitments that the chain does not have. What an earlier
// process wrote down is sent as it is, before its proof is computed again.
func (t *turn) commit(ctx context.Context) error {
	if t.c.State != attestation.CHALLENGE_STATE_OPEN {
		return nil
	}
	var ready []attestation.GpuCommitment
	for i := range t.c.Gpus {
		g := &t.c.Gpus[i]
		if g.Outcome != attestation.CHALLENGE_OUTCOME_PENDING || len(g.Commitment) > 0 || t.left(g) == 0 {
			continue
		}
		commitment, err := t.commitment(g)
		if err != nil {
			return err
		}
		if commitment == nil {
			continue
		}
		if hold, err := t.holdBack(ctx, g); err != nil {
			return err
		} else if !hold {
			ready = append(ready, attestation.GpuCommitment{Ordinal: g.Ordinal, Commitment: commitment})
		}
	}
	if len(ready) == 0 {
		return nil
	}
	doc, err := (&attestation.ChallengeCommitDoc{
		ChainId: t.id.ChainID, HostId: t.id.HostID, ChallengeId: t.c.Id, Commitments: ready,
	}).Marshal()
	if err != nil {
		return fmt.Errorf("commitment: %w", err)
	}
	_, err = t.chain.Submit(ctx, &attestation.MsgCommitChallenge{
		Submitter: t.chain.Sender(), HostId: t.id.HostID, ChallengeId: t.c.Id, Commitments: ready,
		Signature: t.signer.SignDoc(attestation.DomainCommit, doc),
	})
	if err != nil { // whether it arrived is seen at the next look
		return fmt.Errorf("commit to challenge %d: %w", t.c.Id, err)
	}
	t.log.Info("answers are committed", "challenge", t.c.Id, "gpus", len(ready))
	return nil
}

// commitment returns what the GPU commits to: what is on disk, or else what its
// finished job computed, once that is on disk. It is nil while there is nothing.
func (t *turn) commitment(g *attestation.ChallengedGpu) ([]byte, error) {
	w := t.work(g)
	at := commitKey(t.id, t.c.Id, g.Ordinal, w.Seed)
	stored, err := t.ledger.Get(at)
	if err != nil {
		return nil, &storeError{err}
	}
	j := t.jobs[g.Ordinal]
	if j == nil || !j.finished() || j.err != nil || j.bad {
		return stored, nil
	}
	computed := j.proof.Commitment()
	if stored == nil {
		if stored, _, err = t.ledger.Once(at, computed[:]); err != nil {
			return nil, &storeError{err}
		}
		if err := t.noteRate(g, j); err != nil {
			return nil, &storeError{err}
		}
	}
	if !bytes.Equal(stored, computed[:]) {
		j.bad = true
		t.once("GPU computed another answer than before: it is not reliable, and the challenge stays unanswered",
			"challenge", t.c.Id, "gpu", g.Ordinal, "before", fmt.Sprintf("%x", stored), "now", fmt.Sprintf("%x", computed))
	}
	return stored, nil
}
