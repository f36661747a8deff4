package keeper

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/compute"
	"github.com/grafilab/grafi/x/attestation/types"
)

// CommitChallenge stores commitments of GPUs, each once and within its window.
// Several messages may do it; with the last one the challenge waits for its sample.
//
// Errors: ErrChallengeNotFound, ErrChallengeState, ErrInvalidCommitment,
// ErrNotChallenged, ErrChallengeTooLate, ErrInvalidSignature.
func (k *Keeper) CommitChallenge(ctx context.Context, hostID, challengeID uint64, commitments []types.GpuCommitment, signature []byte) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(params.Challenge.CommitGas, "challenge commitment")
	c, err := k.openChallenge(ctx, hostID, challengeID, types.CHALLENGE_STATE_OPEN)
	if err != nil {
		return err
	}
	clock, err := k.ChallengeClock(ctx)
	if err != nil {
		return err
	}
	entry := queueEntry(&c)
	if err := commit(&c, commitments, clock); err != nil {
		return err
	}
	doc := types.ChallengeCommitDoc{
		ChainId: sdk.UnwrapSDKContext(ctx).ChainID(), HostId: hostID, ChallengeId: challengeID, Commitments: commitments,
	}
	signBytes, err := doc.SignBytes()
	if err != nil {
		return err
	}
	if err := k.verifyAnswer(ctx, &c, signBytes, signature); err != nil {
		return err
	}
	return k.goOn(ctx, params, &c, entry)
}

// commit checks commitments and enters them.
func commit(c *types.Challenge, commitments []types.GpuCommitment, clock uint64) error {
	if len(commitments) == 0 {
		return types.ErrInvalidCommitment.Wrap("none, want at least one")
	}
	for i := range commitments {
		ordinal := commitments[i].Ordinal
		if i > 0 && ordinal <= commitments[i-1].Ordinal {
			return types.ErrInvalidCommitment.Wrapf("GPU %d after %d, want them ascending", ordinal, commitments[i-1].Ordinal)
		}
		if n := len(commitments[i].Commitment); n != sha256.Size {
			return types.ErrInvalidCommitment.Wrapf("of GPU %d has %d bytes, want %d", ordinal, n, sha256.Size)
		}
		g := c.Find(ordinal)
		if g == nil {
			return types.ErrNotChallenged.Wrapf("GPU %d of host %d, challenged are %v", ordinal, c.HostId, c.Ordinals())
		}
		if len(g.Commitment) > 0 {
			return types.ErrInvalidCommitment.Wrapf("GPU %d has committed to %x already", ordinal, g.Commitment)
		}
		if last := c.StartedMs + g.Profile.WindowMs; clock > last {
			return types.ErrChallengeTooLate.Wrapf("GPU %d commits at %d ms of the challenge clock, in time was %d", ordinal, clock, last)
		}
		g.Commitment, g.CommittedMs = commitments[i].Commitment, clock
	}
	return nil
}

// Answer is what came of an opening.
type Answer struct {
	Outcome types.ChallengeOutcome
	Gops    uint64
	Detail  string
}

// OpenChallenge verifies the opening of one GPU's answer. A wrong one is punished
// and no error: it is a fact that must be kept.
//
// Errors: ErrChallengeNotFound, ErrChallengeState, ErrNotChallenged,
// ErrChallengeTooLate, ErrInvalidSignature.
func (k *Keeper) OpenChallenge(ctx context.Context, hostID, challengeID uint64, ordinal uint32, opening, signature []byte) (Answer, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return Answer{}, err
	}
	c, err := k.openChallenge(ctx, hostID, challengeID, types.CHALLENGE_STATE_SAMPLED)
	if err != nil {
		return Answer{}, err
	}
	g := c.Find(ordinal)
	if g == nil {
		return Answer{}, types.ErrNotChallenged.Wrapf("GPU %d of host %d, challenged are %v", ordinal, hostID, c.Ordinals())
	}
	if g.Outcome != types.CHALLENGE_OUTCOME_PENDING {
		return Answer{}, types.ErrChallengeState.Wrapf("GPU %d of host %d: %s", ordinal, hostID, g.Outcome)
	}
	clock, err := k.ChallengeClock(ctx)
	if err != nil {
		return Answer{}, err
	}
	if clock > c.OpenByMs {
		return Answer{}, types.ErrChallengeTooLate.Wrapf("opened at %d ms of the challenge clock, in time was %d", clock, c.OpenByMs)
	}
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(params.Challenge.OpeningGas(g.Profile.M, c.Samples), "challenge opening")
	doc := types.NewChallengeOpeningDoc(sdk.UnwrapSDKContext(ctx).ChainID(), hostID, challengeID, ordinal, opening)
	signBytes, err := doc.SignBytes()
	if err != nil {
		return Answer{}, err
	}
	if err := k.verifyAnswer(ctx, &c, signBytes, signature); err != nil {
		return Answer{}, err
	}
	entry := queueEntry(&c)
	answer, err := k.judgeOpening(ctx, params, &c, g, opening)
	if err != nil {
		return Answer{}, err
	}
	return answer, k.goOn(ctx, params, &c, entry)
}

// judgeOpening recomputes what was sampled, and enters the outcome.
func (k *Keeper) judgeOpening(ctx context.Context, params types.Params, c *types.Challenge, g *types.ChallengedGpu, opening []byte) (Answer, error) {
	host, err := k.Host(ctx, c.HostId)
	if err != nil {
		return Answer{}, err
	}
	work := g.Profile.Work(types.ChallengeSeed(c.Beacon, c.AgentKey, host.FirstGpu+uint64(g.Ordinal)))
	err = compute.Verify(work, [32]byte(g.Commitment), [32]byte(c.Sample), c.Samples, opening)
	var wrong *compute.Wrong
	switch {
	case err == nil:
		gops := g.Profile.Gops(g.CommittedMs-c.StartedMs, params.Challenge.AllowanceMs)
		return Answer{Outcome: types.CHALLENGE_OUTCOME_PASSED, Gops: gops}, k.passed(ctx, params, c, g, gops)
	case errors.As(err, &wrong):
		return Answer{Outcome: types.CHALLENGE_OUTCOME_WRONG, Detail: wrong.Reason}, k.wrong(ctx, params, c, g, wrong.Reason)
	default:
		return Answer{}, err
	}
}

// openChallenge returns the host's challenge when it has this id and state.
func (k *Keeper) openChallenge(ctx context.Context, hostID, challengeID uint64, state types.ChallengeState) (types.Challenge, error) {
	c, err := k.Challenge(ctx, hostID)
	if err != nil {
		return types.Challenge{}, err
	}
	if c.Id != challengeID {
		return types.Challenge{}, types.ErrChallengeNotFound.Wrapf("%d of host %d, its challenge now is %d", challengeID, hostID, c.Id)
	}
	if c.State != state {
		return types.Challenge{}, types.ErrChallengeState.Wrapf("%d of host %d is %s, want %s", challengeID, hostID, c.State, state)
	}
	return c, nil
}

// Challenge returns the challenge of a host. Errors: ErrChallengeNotFound.
func (k *Keeper) Challenge(ctx context.Context, hostID uint64) (types.Challenge, error) {
	c, err := k.challenge.open.Get(ctx, hostID)
	if isNotFound(err) {
		return types.Challenge{}, types.ErrChallengeNotFound.Wrapf("of host %d", hostID)
	}
	return c, err
}

// verifyAnswer checks a signature by the key that the challenge names. It answers
// after it was rotated out too, but not when it was revoked.
func (k *Keeper) verifyAnswer(ctx context.Context, c *types.Challenge, signBytes, signature []byte) error {
	host, err := k.Host(ctx, c.HostId)
	if err != nil {
		return err
	}
	for i := range host.AgentKeys {
		if key := &host.AgentKeys[i]; !key.Revoked && bytes.Equal(key.PublicKey, c.AgentKey) {
			if keyCache.verifyAny([][]byte{c.AgentKey}, signBytes, signature) {
				return nil
			}
			return types.ErrInvalidSignature.Wrapf("by agent key %x, which challenge %d of host %d names", c.AgentKey, c.Id, c.HostId)
		}
	}
	return types.ErrInvalidSignature.Wrapf("agent key %x, which challenge %d of host %d names, was revoked", c.AgentKey, c.Id, c.HostId)
}
