package keeper

import (
	"context"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// challengeBlock is what every block does for proofs of compute: the clock goes
// on, what is due is sampled, closed and judged, and operators are drawn. Each of
// it has a budget; the rest carries over.
func (k *Keeper) challengeBlock(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	clock, err := getOr(ctx, k.challenge.clock, types.ChallengeClock{})
	if err != nil {
		return err
	}
	elapsed := tick(&clock, blockTime(ctx).UnixMilli(), params.Challenge.MaxBlockMs)
	if err := k.sampleDue(ctx, params, &clock); err != nil {
		return err
	}
	if err := k.closeDue(ctx, params, &clock); err != nil {
		return err
	}
	if err := k.judgeDue(ctx, params); err != nil {
		return err
	}
	s := k.newStarter(ctx, params, &clock)
	if err := s.startDue(ctx); err != nil {
		return err
	}
	if err := s.draw(ctx, elapsed); err != nil {
		return err
	}
	return k.challenge.clock.Set(ctx, clock)
}

// tick adds the time since the latest block, at most so much, and returns what it
// added. Block time doesn't go back; if it did, the clock would stand.
func tick(clock *types.ChallengeClock, nowMs int64, most uint64) uint64 {
	var elapsed uint64
	if last := clock.LastBlockMs; last > 0 && nowMs > last {
		elapsed = min(uint64(nowMs-last), most)
	}
	clock.Ms += elapsed
	clock.LastBlockMs = max(clock.LastBlockMs, nowMs)
	return elapsed
}

// ChallengeClock returns the challenge clock of this block in milliseconds.
func (k *Keeper) ChallengeClock(ctx context.Context) (uint64, error) {
	clock, err := getOr(ctx, k.challenge.clock, types.ChallengeClock{})
	return clock.Ms, err
}

// LastBlockTime is the time of the latest block, in whole milliseconds; zero before
// the first.
func (k *Keeper) LastBlockTime(ctx context.Context) (time.Time, error) {
	clock, err := getOr(ctx, k.challenge.clock, types.ChallengeClock{})
	if err != nil || clock.LastBlockMs == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(clock.LastBlockMs).UTC(), nil
}

// sampleDue gives committed challenges the beacon that says what is opened.
func (k *Keeper) sampleDue(ctx context.Context, params types.Params, clock *types.ChallengeClock) error {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	due, err := k.waiting(ctx, untilHeight, types.ChallengeBudget, func(at uint64) (bool, error) {
		return int64(at) <= sdkCtx.BlockHeight(), nil
	})
	if err != nil || len(due) == 0 {
		return err
	}
	beacon := types.BlockBeacon(sdkCtx, types.DomainSampleBeacon)
	for _, entry := range due {
		c, err := k.challenge.open.Get(ctx, entry.K3())
		if err != nil {
			return err
		}
		c.State, c.Sample, c.OpenByMs = types.CHALLENGE_STATE_SAMPLED, beacon[:], clock.Ms+params.Challenge.OpenWindowMs
		if err := k.setChallenge(ctx, &c, &entry); err != nil {
			return err
		}
		if err := emit(ctx, &types.EventChallengeSampled{HostId: c.HostId, ChallengeId: c.Id}); err != nil {
			return err
		}
	}
	return nil
}

// closeDue ends the windows that are over: who did not answer has missed.
func (k *Keeper) closeDue(ctx context.Context, params types.Params, clock *types.ChallengeClock) error {
	due, err := k.waiting(ctx, untilClock, types.ChallengeBudget, func(at uint64) (bool, error) { return at < clock.Ms, nil })
	if err != nil {
		return err
	}
	for _, entry := range due {
		c, err := k.challenge.open.Get(ctx, entry.K3())
		if err != nil {
			return err
		}
		for i := range c.Gpus {
			g := &c.Gpus[i]
			if g.Outcome != types.CHALLENGE_OUTCOME_PENDING || (c.State == types.CHALLENGE_STATE_OPEN && len(g.Commitment) > 0) {
				continue
			}
			if err := k.missed(ctx, params, &c, g); err != nil {
				return err
			}
		}
		if err := k.goOn(ctx, params, &c, entry); err != nil {
			return err
		}
	}
	return nil
}

// goOn moves a challenge to its next state, and writes it. entry is the one that it
// has in the queue.
func (k *Keeper) goOn(ctx context.Context, params types.Params, c *types.Challenge, entry queueKey) error {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	switch {
	case !c.Pending() && !c.Missed():
		return k.removeChallenge(ctx, c.HostId, entry)
	case !c.Pending():
		c.State, c.EndedSlot = types.CHALLENGE_STATE_UNANSWERED, params.SlotAt(sdkCtx.BlockTime())
	case c.State == types.CHALLENGE_STATE_OPEN && c.Committed():
		c.State, c.SampleHeight = types.CHALLENGE_STATE_COMMITTED, sdkCtx.BlockHeight()+int64(params.Challenge.SampleDelay)
	}
	return k.setChallenge(ctx, c, &entry)
}
