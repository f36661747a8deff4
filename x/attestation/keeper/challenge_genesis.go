package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/attestation/types"
)

// initChallenges writes the state of proofs of compute. The queue and the number of
// operators are derived.
func (k *Keeper) initChallenges(ctx context.Context, gs types.GenesisState) error {
	if err := k.challenge.clock.Set(ctx, gs.ChallengeClock); err != nil {
		return err
	}
	for i := range gs.Challenges {
		if err := k.setChallenge(ctx, &gs.Challenges[i], nil); err != nil {
			return err
		}
	}
	for _, h := range gs.HostChallenges {
		if err := k.challenge.ids.Set(ctx, h.HostId, h.LastId); err != nil {
			return err
		}
	}
	for i := range gs.ComputeProofs {
		if err := k.setProof(ctx, &gs.ComputeProofs[i]); err != nil {
			return err
		}
	}
	for _, d := range gs.ChallengeDue {
		if err := k.challenge.due.Set(ctx, d.HostId, d); err != nil {
			return err
		}
	}
	operators := map[string]bool{}
	for i := range gs.Hosts {
		operators[gs.Hosts[i].Operator] = true
	}
	if len(operators) == 0 {
		return nil
	}
	return k.challenge.operators.Set(ctx, uint64(len(operators)))
}

func (k *Keeper) exportChallenges(ctx context.Context, gs *types.GenesisState) (err error) {
	if gs.ChallengeClock, err = getOr(ctx, k.challenge.clock, types.ChallengeClock{}); err != nil {
		return err
	}
	if gs.Challenges, err = values(ctx, k.challenge.open.Iterate); err != nil {
		return err
	}
	if gs.ComputeProofs, err = values(ctx, k.challenge.proofs.Iterate); err != nil {
		return err
	}
	if gs.ChallengeDue, err = values(ctx, k.challenge.due.Iterate); err != nil {
		return err
	}
	return k.challenge.ids.Walk(ctx, nil, func(host, last uint64) (bool, error) {
		gs.HostChallenges = append(gs.HostChallenges, types.HostChallenges{HostId: host, LastId: last})
		return false, nil
	})
}
