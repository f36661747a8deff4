package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/dao/types"
)

// OpenDispute implements types.MsgServer.
func (s msgServer) OpenDispute(ctx context.Context, msg *types.MsgOpenDispute) (*types.MsgOpenDisputeResponse, error) {
	claimant, err := s.k.parse("claimant", msg.Claimant)
	if err != nil {
		return nil, err
	}
	d, err := s.k.OpenDispute(ctx, claimant, *msg)
	if err != nil {
		return nil, err
	}
	return &types.MsgOpenDisputeResponse{DisputeId: d.Id}, nil
}

// JoinJury implements types.MsgServer.
func (s msgServer) JoinJury(ctx context.Context, msg *types.MsgJoinJury) (*types.MsgJoinJuryResponse, error) {
	juror, err := s.k.parse("juror", msg.Juror)
	if err != nil {
		return nil, err
	}
	if err := s.k.JoinJury(ctx, juror); err != nil {
		return nil, err
	}
	return &types.MsgJoinJuryResponse{}, nil
}

// LeaveJury implements types.MsgServer.
func (s msgServer) LeaveJury(ctx context.Context, msg *types.MsgLeaveJury) (*types.MsgLeaveJuryResponse, error) {
	juror, err := s.k.parse("juror", msg.Juror)
	if err != nil {
		return nil, err
	}
	left, err := s.k.LeaveJury(ctx, juror)
	if err != nil {
		return nil, err
	}
	return &types.MsgLeaveJuryResponse{Left: left}, nil
}

// CommitVote implements types.MsgServer.
func (s msgServer) CommitVote(ctx context.Context, msg *types.MsgCommitVote) (*types.MsgCommitVoteResponse, error) {
	juror, err := s.k.parse("juror", msg.Juror)
	if err != nil {
		return nil, err
	}
	if err := s.k.CommitVote(ctx, juror, msg.DisputeId, msg.Commitment); err != nil {
		return nil, err
	}
	return &types.MsgCommitVoteResponse{}, nil
}

// RevealVote implements types.MsgServer.
func (s msgServer) RevealVote(ctx context.Context, msg *types.MsgRevealVote) (*types.MsgRevealVoteResponse, error) {
	juror, err := s.k.parse("juror", msg.Juror)
	if err != nil {
		return nil, err
	}
	if err := s.k.RevealVote(ctx, juror, msg.DisputeId, msg.Vote, msg.Salt); err != nil {
		return nil, err
	}
	return &types.MsgRevealVoteResponse{}, nil
}

// Appeal implements types.MsgServer.
func (s msgServer) Appeal(ctx context.Context, msg *types.MsgAppeal) (*types.MsgAppealResponse, error) {
	appellant, err := s.k.parse("appellant", msg.Appellant)
	if err != nil {
		return nil, err
	}
	if err := s.k.Appeal(ctx, appellant, msg.DisputeId); err != nil {
		return nil, err
	}
	return &types.MsgAppealResponse{}, nil
}

// DecideAppeal implements types.MsgServer.
func (s msgServer) DecideAppeal(ctx context.Context, msg *types.MsgDecideAppeal) (*types.MsgDecideAppealResponse, error) {
	if err := s.authorize(ctx, msg.Authority); err != nil {
		return nil, err
	}
	if err := s.k.DecideAppeal(ctx, msg.DisputeId, msg.Verdict); err != nil {
		return nil, err
	}
	return &types.MsgDecideAppealResponse{}, nil
}

// ResumeDispute implements types.MsgServer.
func (s msgServer) ResumeDispute(ctx context.Context, msg *types.MsgResumeDispute) (*types.MsgResumeDisputeResponse, error) {
	if _, err := s.k.parse("sender", msg.Sender); err != nil {
		return nil, err
	}
	if err := s.k.ResumeDispute(ctx, msg.DisputeId); err != nil {
		return nil, err
	}
	return &types.MsgResumeDisputeResponse{}, nil
}
