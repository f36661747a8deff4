package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

type msgServer struct {
	k *Keeper
}

var _ types.MsgServer = msgServer{}

// NewMsgServer returns the module's message handlers.
func NewMsgServer(k *Keeper) types.MsgServer { return msgServer{k: k} }

// CreateStream implements types.MsgServer.
func (s msgServer) CreateStream(ctx context.Context, msg *types.MsgCreateStream) (*types.MsgCreateStreamResponse, error) {
	if err := s.authorize(ctx, msg.Authority); err != nil {
		return nil, err
	}
	recipient, err := s.k.parse("recipient", msg.Recipient)
	if err != nil {
		return nil, err
	}
	stream, err := s.k.CreateStream(ctx, StreamTerms{
		Title: msg.Title, Recipient: recipient, Amount: msg.Amount, Start: msg.StartsAt, Duration: msg.Duration,
	})
	if err != nil {
		return nil, err
	}
	return &types.MsgCreateStreamResponse{StreamId: stream.Id}, nil
}

// CancelStream implements types.MsgServer.
func (s msgServer) CancelStream(ctx context.Context, msg *types.MsgCancelStream) (*types.MsgCancelStreamResponse, error) {
	if err := s.authorize(ctx, msg.Authority); err != nil {
		return nil, err
	}
	paid, returned, err := s.k.CancelStream(ctx, msg.StreamId)
	if err != nil {
		return nil, err
	}
	return &types.MsgCancelStreamResponse{Paid: paid, Returned: returned}, nil
}

// WithdrawStream implements types.MsgServer.
func (s msgServer) WithdrawStream(ctx context.Context, msg *types.MsgWithdrawStream) (*types.MsgWithdrawStreamResponse, error) {
	if _, err := s.k.parse("sender", msg.Sender); err != nil {
		return nil, err
	}
	paid, err := s.k.WithdrawStream(ctx, msg.StreamId)
	if err != nil {
		return nil, err
	}
	return &types.MsgWithdrawStreamResponse{Paid: paid}, nil
}

// CreateGrant implements types.MsgServer.
func (s msgServer) CreateGrant(ctx context.Context, msg *types.MsgCreateGrant) (*types.MsgCreateGrantResponse, error) {
	if err := s.authorize(ctx, msg.Authority); err != nil {
		return nil, err
	}
	recipient, err := s.k.parse("recipient", msg.Recipient)
	if err != nil {
		return nil, err
	}
	grant, err := s.k.CreateGrant(ctx, msg.Title, recipient, msg.Denom, msg.Milestones)
	if err != nil {
		return nil, err
	}
	return &types.MsgCreateGrantResponse{GrantId: grant.Id}, nil
}

// ReleaseMilestone implements types.MsgServer.
func (s msgServer) ReleaseMilestone(ctx context.Context, msg *types.MsgReleaseMilestone) (*types.MsgReleaseMilestoneResponse, error) {
	if err := s.authorize(ctx, msg.Authority); err != nil {
		return nil, err
	}
	if err := s.k.ReleaseMilestone(ctx, msg.GrantId, msg.Milestone); err != nil {
		return nil, err
	}
	return &types.MsgReleaseMilestoneResponse{}, nil
}

// CancelGrant implements types.MsgServer.
func (s msgServer) CancelGrant(ctx context.Context, msg *types.MsgCancelGrant) (*types.MsgCancelGrantResponse, error) {
	if err := s.authorize(ctx, msg.Authority); err != nil {
		return nil, err
	}
	returned, err := s.k.CancelGrant(ctx, msg.GrantId)
	if err != nil {
		return nil, err
	}
	return &types.MsgCancelGrantResponse{Returned: returned}, nil
}

// Pause implements types.MsgServer. Who the sender is decides what it may pause.
func (s msgServer) Pause(ctx context.Context, msg *types.MsgPause) (*types.MsgPauseResponse, error) {
	sender, err := s.k.parse("sender", msg.Sender)
	if err != nil {
		return nil, err
	}
	until, err := s.k.Pause(ctx, sender, msg.TypeUrls, msg.Duration, msg.Reason)
	if err != nil {
		return nil, err
	}
	return &types.MsgPauseResponse{Until: until}, nil
}

// Unpause implements types.MsgServer.
func (s msgServer) Unpause(ctx context.Context, msg *types.MsgUnpause) (*types.MsgUnpauseResponse, error) {
	sender, err := s.k.parse("sender", msg.Sender)
	if err != nil {
		return nil, err
	}
	if err := s.k.Unpause(ctx, sender, msg.TypeUrls); err != nil {
		return nil, err
	}
	return &types.MsgUnpauseResponse{}, nil
}

// UpdateParams implements types.MsgServer.
func (s msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := s.authorize(ctx, msg.Authority); err != nil {
		return nil, err
	}
	if err := s.k.UpdateParams(ctx, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, nil
}

// authorize refuses everybody but the authority.
func (s msgServer) authorize(ctx context.Context, sender string) error {
	authority, err := s.k.addressCodec.BytesToString(s.k.authority)
	if err != nil {
		return err
	}
	return sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), authority, sender)
}
