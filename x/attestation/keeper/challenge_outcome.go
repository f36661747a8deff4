package keeper

import (
	"context"
	"fmt"
	"time"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// passed enters a right answer with its throughput. A pass that a renter asked for
// proves and measures, but doesn't raise the day's P: the renter may be the
// operator himself.
func (k *Keeper) passed(ctx context.Context, params types.Params, c *types.Challenge, g *types.ChallengedGpu, gops uint64) error {
	proof, err := k.proof(ctx, c.HostId, g.Ordinal)
	if err != nil {
		return err
	}
	g.Outcome, g.Gops = types.CHALLENGE_OUTCOME_PASSED, gops
	if c.Reason != types.CHALLENGE_REASON_RENTER {
		proof.Note(params.DayOf(params.SlotAt(blockTime(ctx))), g.Outcome)
	}
	proof.ProvenAt = blockTime(ctx)
	proof.Measure(gops)
	if err := k.tell(ctx, c, g, ""); err != nil {
		return err
	}
	if err := k.reclassify(ctx, params, c, g, &proof); err != nil {
		return err
	}
	return k.setProof(ctx, &proof)
}

// wrong enters a wrong answer: nothing is proven any more, and the operator is
// punished.
func (k *Keeper) wrong(ctx context.Context, params types.Params, c *types.Challenge, g *types.ChallengedGpu, detail string) error {
	proof, err := k.proof(ctx, c.HostId, g.Ordinal)
	if err != nil {
		return err
	}
	g.Outcome = types.CHALLENGE_OUTCOME_WRONG
	proof.Note(params.DayOf(params.SlotAt(blockTime(ctx))), g.Outcome)
	proof.ProvenAt, proof.RecentGops = time.Time{}, nil
	if err := k.setProof(ctx, &proof); err != nil {
		return err
	}
	if err := k.tell(ctx, c, g, detail); err != nil {
		return err
	}
	return k.punish(ctx, c, stakingext.FAULT_WRONG_ANSWER, g.Ordinal, nil)
}

// missed enters a GPU that did not answer. Whether it is punished is told when the
// slot is judged in which the challenge ends, see judgeDue.
func (k *Keeper) missed(ctx context.Context, params types.Params, c *types.Challenge, g *types.ChallengedGpu) error {
	proof, err := k.proof(ctx, c.HostId, g.Ordinal)
	if err != nil {
		return err
	}
	g.Outcome = types.CHALLENGE_OUTCOME_MISSED
	proof.Note(params.DayOf(params.SlotAt(blockTime(ctx))), g.Outcome)
	if err := k.setProof(ctx, &proof); err != nil {
		return err
	}
	return k.tell(ctx, c, g, "")
}

func (k *Keeper) tell(ctx context.Context, c *types.Challenge, g *types.ChallengedGpu, detail string) error {
	return emit(ctx, &types.EventChallengeAnswered{
		HostId: c.HostId, ChallengeId: c.Id, Ordinal: g.Ordinal, Outcome: g.Outcome.String(), Gops: g.Gops, Detail: detail,
	})
}

// punish slashes the host's operator by the schedule, for a fault dated to the
// start of the challenge; amend fills in what the row of the schedule asks for. It
// is all or nothing, and no error of the caller: a punishment that can't be carried
// out, say of an operator without stake, stops neither an answer nor a queue.
func (k *Keeper) punish(ctx context.Context, c *types.Challenge, fault stakingext.Fault, ordinal uint32,
	amend func(context.Context, *stakingext.SlashRequest) error,
) error {
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	if err := k.slash(cached, c, fault, ordinal, amend); err != nil {
		return emit(ctx, &types.EventPenaltyFailed{HostId: c.HostId, Fault: fault.String(), Error: err.Error()})
	}
	write()
	return nil
}

func (k *Keeper) slash(ctx context.Context, c *types.Challenge, fault stakingext.Fault, ordinal uint32,
	amend func(context.Context, *stakingext.SlashRequest) error,
) error {
	host, err := k.Host(ctx, c.HostId)
	if err != nil {
		return err
	}
	operator, err := k.addressCodec.StringToBytes(host.Operator)
	if err != nil {
		return err
	}
	req := stakingext.SlashRequest{
		Operator: operator, FaultID: fmt.Sprintf("challenge/%s/%d/%d/%d", fault, c.HostId, c.Id, ordinal), CommittedAt: c.StartedAt,
	}
	if amend != nil {
		if err := amend(ctx, &req); err != nil {
			return err
		}
		if req.Amount.IsZero() { // nothing was to be earned
			return nil
		}
	}
	_, err = k.staking.SlashBySchedule(ctx, fault, req)
	return err
}

// reclassify gives a GPU the class that it was measured at. It takes most of
// slow_answers, so that one late answer of an honest agent costs nothing; as many fast
// ones in a row give the claimed class back.
func (k *Keeper) reclassify(ctx context.Context, params types.Params, c *types.Challenge, g *types.ChallengedGpu, proof *types.ComputeProof) error {
	gpu, err := k.GPU(ctx, c.HostId, g.Ordinal)
	if err != nil {
		return err
	}
	current, err := k.classOf(ctx, gpu.Class)
	if err != nil {
		return err
	}
	switch {
	case params.Challenge.MostSlow(proof.RecentGops, current.Profile.MinGops):
		it, err := k.classes.Iterate(ctx, nil)
		if err != nil {
			return err
		}
		classes, err := it.Values() // at most MaxClasses
		if err != nil {
			return err
		}
		measured, _ := types.MeasuredClass(classes, current.WeightPpm, proof.RecentGops)
		if err := k.setClass(ctx, &gpu, measured, g.Gops); err != nil {
			return err
		}
		proof.RecentGops = nil
		return k.punish(ctx, c, stakingext.FAULT_CLASS_MISMATCH, g.Ordinal, nil)
	case gpu.ClaimedClass != "":
		claimed, err := k.classOf(ctx, gpu.ClaimedClass)
		if err != nil || !params.Challenge.AllFast(proof.RecentGops, claimed.Profile.MinGops) {
			return err
		}
		proof.RecentGops = nil
		return k.setClass(ctx, &gpu, claimed, g.Gops)
	}
	return nil
}

// classOf returns a class; one without a weight for none, or an unknown one.
func (k *Keeper) classOf(ctx context.Context, key string) (types.HardwareClass, error) {
	if key == "" {
		return types.HardwareClass{}, nil
	}
	class, err := k.classes.Get(ctx, key)
	if isNotFound(err) {
		return types.HardwareClass{}, nil
	}
	return class, err
}

// setClass writes the class that a GPU was measured at, and tells how much stake it
// asks for now. When that can't follow it is told, and follows at the next
// inventory, as after a change of a weight.
func (k *Keeper) setClass(ctx context.Context, gpu *types.Gpu, measured types.HardwareClass, gops uint64) error {
	claimed := gpu.DeclaredClass()
	gpu.Class, gpu.ClaimedClass = measured.Key, claimed
	if measured.Key == claimed {
		gpu.ClaimedClass = ""
	}
	if err := k.gpus.Set(ctx, collections.Join(gpu.HostId, gpu.Ordinal), *gpu); err != nil {
		return err
	}
	host, err := k.Host(ctx, gpu.HostId)
	if err != nil {
		return err
	}
	if err := k.refreshHost(ctx, &host, make(map[string]uint64)); err != nil {
		return err
	}
	return emit(ctx, &types.EventGpuReclassified{
		HostId: gpu.HostId, Ordinal: gpu.Ordinal, Claimed: claimed, Measured: measured.Key, Gops: gops,
	})
}
