package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// Subscribe implements types.MsgServer.
func (s msgServer) Subscribe(context.Context, *types.MsgSubscribe) (*types.MsgSubscribeResponse, error) {
	return nil, types.ErrNotImplemented.Wrap("subscriptions")
}

// TopUpSubscription implements types.MsgServer.
func (s msgServer) TopUpSubscription(context.Context, *types.MsgTopUpSubscription) (*types.MsgTopUpSubscriptionResponse, error) {
	return nil, types.ErrNotImplemented.Wrap("subscriptions")
}

// CancelSubscription implements types.MsgServer.
func (s msgServer) CancelSubscription(context.Context, *types.MsgCancelSubscription) (*types.MsgCancelSubscriptionResponse, error) {
	return nil, types.ErrNotImplemented.Wrap("subscriptions")
}
