package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// Subscribe implements types.MsgServer.
func (s msgServer) Subscribe(ctx context.Context, msg *types.MsgSubscribe) (*types.MsgSubscribeResponse, error) {
	renter, err := s.account("renter", msg.Renter)
	if err != nil {
		return nil, err
	}
	r, err := s.k.Subscribe(ctx, renter, SubscribeRequest{
		RentRequest: RentRequest{
			ListingID: msg.ListingId, GPUCount: msg.GpuCount, DurationSeconds: msg.PeriodSeconds,
			MaxPrice: msg.MaxPrice, ManifestDigest: msg.ManifestDigest, CloseOnExit: msg.CloseOnExit,
		},
		Deposit: msg.Deposit, Cap: msg.Cap,
	})
	if err != nil {
		return nil, err
	}
	return &types.MsgSubscribeResponse{RentalId: r.Id}, nil
}

// TopUpSubscription implements types.MsgServer.
func (s msgServer) TopUpSubscription(ctx context.Context, msg *types.MsgTopUpSubscription) (*types.MsgTopUpSubscriptionResponse, error) {
	sender, err := s.account("sender", msg.Sender)
	if err != nil {
		return nil, err
	}
	if err := s.k.TopUpSubscription(ctx, sender, msg.RentalId, msg.Amount); err != nil {
		return nil, err
	}
	return &types.MsgTopUpSubscriptionResponse{}, nil
}

// CancelSubscription implements types.MsgServer.
func (s msgServer) CancelSubscription(ctx context.Context, msg *types.MsgCancelSubscription) (*types.MsgCancelSubscriptionResponse, error) {
	renter, err := s.account("renter", msg.Renter)
	if err != nil {
		return nil, err
	}
	returned, err := s.k.CancelSubscription(ctx, renter, msg.RentalId)
	if err != nil {
		return nil, err
	}
	return &types.MsgCancelSubscriptionResponse{Returned: returned}, nil
}
