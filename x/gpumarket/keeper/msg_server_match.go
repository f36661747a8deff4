package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// RequestCompute implements types.MsgServer.
func (s msgServer) RequestCompute(ctx context.Context, msg *types.MsgRequestCompute) (*types.MsgRequestComputeResponse, error) {
	renter, err := s.account("renter", msg.Renter)
	if err != nil {
		return nil, err
	}
	rentals, err := s.k.RequestCompute(ctx, renter, msg.Request)
	if err != nil {
		return nil, err
	}
	resp := &types.MsgRequestComputeResponse{}
	for _, r := range rentals {
		resp.RentalIds = append(resp.RentalIds, r.Id)
	}
	return resp, nil
}

// InviteRenter implements types.MsgServer.
func (s msgServer) InviteRenter(ctx context.Context, msg *types.MsgInviteRenter) (*types.MsgInviteRenterResponse, error) {
	operator, account, err := s.twoAccounts("operator", msg.Operator, msg.Account)
	if err != nil {
		return nil, err
	}
	if err := s.k.InviteRenter(ctx, operator, msg.ListingId, account); err != nil {
		return nil, err
	}
	return &types.MsgInviteRenterResponse{}, nil
}

// RequestAccess implements types.MsgServer.
func (s msgServer) RequestAccess(ctx context.Context, msg *types.MsgRequestAccess) (*types.MsgRequestAccessResponse, error) {
	account, err := s.account("account", msg.Account)
	if err != nil {
		return nil, err
	}
	if err := s.k.RequestAccess(ctx, account, msg.ListingId); err != nil {
		return nil, err
	}
	return &types.MsgRequestAccessResponse{}, nil
}

// AnswerInvitation implements types.MsgServer.
func (s msgServer) AnswerInvitation(ctx context.Context, msg *types.MsgAnswerInvitation) (*types.MsgAnswerInvitationResponse, error) {
	sender, account, err := s.twoAccounts("sender", msg.Sender, msg.Account)
	if err != nil {
		return nil, err
	}
	if err := s.k.AnswerInvitation(ctx, sender, msg.ListingId, account, msg.Accept); err != nil {
		return nil, err
	}
	return &types.MsgAnswerInvitationResponse{}, nil
}

// RevokeAccess implements types.MsgServer.
func (s msgServer) RevokeAccess(ctx context.Context, msg *types.MsgRevokeAccess) (*types.MsgRevokeAccessResponse, error) {
	operator, account, err := s.twoAccounts("operator", msg.Operator, msg.Account)
	if err != nil {
		return nil, err
	}
	if err := s.k.RevokeAccess(ctx, operator, msg.ListingId, account); err != nil {
		return nil, err
	}
	return &types.MsgRevokeAccessResponse{}, nil
}

func (s msgServer) twoAccounts(field, value, account string) (first, second sdk.AccAddress, err error) {
	if first, err = s.account(field, value); err != nil {
		return nil, nil, err
	}
	second, err = s.account("account", account)
	return first, second, err
}
