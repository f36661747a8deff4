package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// judgeDue punishes unanswered challenges once the slot in which they ended is
// judged: GPUs that their own agent attested as up in it, and that therefore lied,
// either then or by not answering. A GPU attested as down, or not at all, has
// nothing to pay here: uptime and P already cost it. Nor has anybody in a slot that
// was a network fault.
func (k *Keeper) judgeDue(ctx context.Context, params types.Params) error {
	due, err := k.waiting(ctx, untilJudged, types.JudgeBudget, func(slot uint64) (bool, error) {
		at, exact, err := k.JudgedAt(ctx, slot)
		return exact && !blockTime(ctx).Before(at), err
	})
	if err != nil {
		return err
	}
	for _, entry := range due {
		c, err := k.challenge.open.Get(ctx, entry.K3())
		if err != nil {
			return err
		}
		if err := k.judge(ctx, params, &c); err != nil {
			return err
		}
		if err := k.removeChallenge(ctx, c.HostId, entry); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) judge(ctx context.Context, params types.Params, c *types.Challenge) error {
	fault, err := k.NetworkFault(ctx, c.EndedSlot)
	if errors.Is(err, types.ErrSlotPruned) { // after a backlog of days nobody can tell any more
		return nil
	}
	if err != nil || fault {
		return err
	}
	for i := range c.Gpus {
		g := &c.Gpus[i]
		if g.Outcome != types.CHALLENGE_OUTCOME_MISSED {
			continue
		}
		up, err := k.GPUsUp(ctx, c.HostId, c.EndedSlot, []uint32{g.Ordinal})
		if err != nil {
			return err
		}
		if !up {
			continue
		}
		if err := k.punishMiss(ctx, params, c, g.Ordinal); err != nil {
			return err
		}
	}
	return nil
}

// punishMiss takes some days' expected reward of the GPU from what isn't released,
// and jails after misses_to_jail of them in a day.
func (k *Keeper) punishMiss(ctx context.Context, params types.Params, c *types.Challenge, ordinal uint32) error {
	err := k.punish(ctx, c, stakingext.FAULT_MISSED_CHALLENGE, ordinal, func(ctx context.Context, req *stakingext.SlashRequest) error {
		reward, err := k.hooks.ExpectedReward(ctx, c.HostId, ordinal)
		if err != nil {
			return err
		}
		req.Amount = reward.Mul(math.NewIntFromUint64(params.Challenge.MissDaysPpm)).QuoRaw(types.PPM)
		return nil
	})
	if err != nil {
		return err
	}
	proof, err := k.proof(ctx, c.HostId, ordinal)
	if err != nil {
		return err
	}
	proof.Miss(params.SlotStart(c.EndedSlot))
	if len(proof.Misses) >= int(params.Challenge.MissesToJail) {
		proof.Misses = nil
		if err := k.punish(ctx, c, stakingext.FAULT_MISSED_CHALLENGES, ordinal, nil); err != nil {
			return err
		}
	}
	return k.setProof(ctx, &proof)
}

// ComputeProven tells whether the GPU answered a challenge rightly within
// proof_max_age, and nothing wrong came after it.
func (k *Keeper) ComputeProven(ctx context.Context, hostID uint64, ordinal uint32) (bool, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return false, err
	}
	proof, err := k.proof(ctx, hostID, ordinal)
	return isProven(ctx, &proof, params), err
}

func isProven(ctx context.Context, p *types.ComputeProof, params types.Params) bool {
	return !p.ProvenAt.IsZero() && !blockTime(ctx).After(p.ProvenAt.Add(params.Challenge.ProofMaxAge))
}

// PerformanceOf returns the results of the GPU's challenges on the latest day before
// this one that had any; known is false when there was none.
func (k *Keeper) PerformanceOf(ctx context.Context, hostID uint64, ordinal uint32, day uint64) (passed, missed, wrong uint32, known bool, err error) {
	proof, err := k.proof(ctx, hostID, ordinal)
	if err != nil {
		return 0, 0, 0, false, err
	}
	results, known := proof.Before(day)
	return results.Passed, results.Missed, results.Wrong, known, nil
}

// ComputeProof returns what challenges have shown of the GPU.
func (k *Keeper) ComputeProof(ctx context.Context, hostID uint64, ordinal uint32) (types.ComputeProof, error) {
	return k.proof(ctx, hostID, ordinal)
}

// checkUnchallenged refuses to change GPUs that still have to answer.
func (k *Keeper) checkUnchallenged(ctx context.Context, hostID uint64, ordinals []uint32) error {
	c, err := k.challenge.open.Get(ctx, hostID)
	if isNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	for _, ordinal := range ordinals {
		if g := c.Find(ordinal); g != nil && g.Outcome == types.CHALLENGE_OUTCOME_PENDING {
			return types.ErrChallengeOpen.Wrapf("GPU %d of host %d answers challenge %d first", ordinal, hostID, c.Id)
		}
	}
	return nil
}

// forgetProof forgets what was shown of a card that leaves. Its misses stay: they
// are the operator's, and another card must not wash them off.
func (k *Keeper) forgetProof(ctx context.Context, hostID uint64, ordinal uint32) error {
	proof, err := k.proof(ctx, hostID, ordinal)
	if err != nil {
		return err
	}
	if len(proof.Misses) == 0 {
		return k.challenge.proofs.Remove(ctx, collections.Join(hostID, ordinal))
	}
	return k.setProof(ctx, &types.ComputeProof{HostId: hostID, Ordinal: ordinal, Misses: proof.Misses})
}
