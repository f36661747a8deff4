package attest

import (
	"context"
	"fmt"

	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// unanswered returns the GPUs that have to be marked down in the slot because a
// challenge of them ended in it without an answer: a GPU that could not answer
// was not up, and saying that it was is the fault that the chain punishes.
//
// The chain is asked after the slot's closing block, from a state that has it, so
// that no challenge of the slot is missed. Without an answer the slot is not attested yet.
func (a *Agent) unanswered(ctx context.Context, v *view, anchor attestation.Anchor) ([]uint32, error) {
	r, err := a.chain.Challenge(ctx, v.id.HostID, anchor.Height)
	if chainclient.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("challenge of the host: %w", err)
	}
	c := r.Challenge
	if c.State != attestation.CHALLENGE_STATE_UNANSWERED || c.EndedSlot != anchor.Slot {
		return nil, nil
	}
	var out []uint32
	for _, g := range c.Gpus {
		if g.Outcome == attestation.CHALLENGE_OUTCOME_MISSED {
			out = append(out, g.Ordinal)
		}
	}
	if len(out) > 0 {
		a.log.Error("GPUs are attested as down: they did not answer a challenge", "slot", anchor.Slot, "challenge", c.Id, "gpus", out)
	}
	return out, nil
}
