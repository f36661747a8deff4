package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// RequestCompute implements types.MsgServer.
func (s msgServer) RequestCompute(context.Context, *types.MsgRequestCompute) (*types.MsgRequestComputeResponse, error) {
	return nil, types.ErrNotImplemented.Wrap("matching")
}

// InviteRenter implements types.MsgServer.
func (s msgServer) InviteRenter(context.Context, *types.MsgInviteRenter) (*types.MsgInviteRenterResponse, error) {
	return nil, types.ErrNotImplemented.Wrap("matching")
}

// RequestAccess implements types.MsgServer.
func (s msgServer) RequestAccess(context.Context, *types.MsgRequestAccess) (*types.MsgRequestAccessResponse, error) {
	return nil, types.ErrNotImplemented.Wrap("matching")
}

// AnswerInvitation implements types.MsgServer.
func (s msgServer) AnswerInvitation(context.Context, *types.MsgAnswerInvitation) (*types.MsgAnswerInvitationResponse, error) {
	return nil, types.ErrNotImplemented.Wrap("matching")
}

// RevokeAccess implements types.MsgServer.
func (s msgServer) RevokeAccess(context.Context, *types.MsgRevokeAccess) (*types.MsgRevokeAccessResponse, error) {
	return nil, types.ErrNotImplemented.Wrap("matching")
}
