package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/attestation/types"
)

// CommitChallenge implements types.MsgServer. Anyone may submit: the agent's
// signature is all that counts.
func (s msgServer) CommitChallenge(ctx context.Context, msg *types.MsgCommitChallenge) (*types.MsgCommitChallengeResponse, error) {
	if _, err := s.account("submitter", msg.Submitter); err != nil {
		return nil, err
	}
	if err := s.k.CommitChallenge(ctx, msg.HostId, msg.ChallengeId, msg.Commitments, msg.Signature); err != nil {
		return nil, err
	}
	ordinals := make([]uint32, len(msg.Commitments))
	for i := range msg.Commitments {
		ordinals[i] = msg.Commitments[i].Ordinal
	}
	return &types.MsgCommitChallengeResponse{}, emit(ctx, &types.EventChallengeCommitted{
		HostId: msg.HostId, ChallengeId: msg.ChallengeId, Ordinals: ordinals,
	})
}

// OpenChallenge implements types.MsgServer. Its event is the keeper's, with those
// of what follows from it.
func (s msgServer) OpenChallenge(ctx context.Context, msg *types.MsgOpenChallenge) (*types.MsgOpenChallengeResponse, error) {
	if _, err := s.account("submitter", msg.Submitter); err != nil {
		return nil, err
	}
	answer, err := s.k.OpenChallenge(ctx, msg.HostId, msg.ChallengeId, msg.Ordinal, msg.Opening, msg.Signature)
	if err != nil {
		return nil, err
	}
	return &types.MsgOpenChallengeResponse{Outcome: answer.Outcome, Gops: answer.Gops, Detail: answer.Detail}, nil
}

// Challenge implements types.QueryServer.
func (s queryServer) Challenge(ctx context.Context, req *types.QueryChallengeRequest) (*types.QueryChallengeResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	c, err := s.k.Challenge(ctx, req.HostId)
	if err != nil {
		return nil, asStatus(err)
	}
	host, err := s.k.Host(ctx, req.HostId)
	if err != nil {
		return nil, asStatus(err)
	}
	clock, err := s.k.ChallengeClock(ctx)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryChallengeResponse{Challenge: c, ClockMs: clock, FirstGpu: host.FirstGpu, Samples: c.Samples}, nil
}
