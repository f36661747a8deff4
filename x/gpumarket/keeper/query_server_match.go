package keeper

import (
	"context"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// MatchCompute implements types.QueryServer.
func (s queryServer) MatchCompute(context.Context, *types.QueryMatchComputeRequest) (*types.QueryMatchComputeResponse, error) {
	return nil, types.ErrNotImplemented.Wrap("matching")
}

// PriceIndex implements types.QueryServer.
func (s queryServer) PriceIndex(context.Context, *types.QueryPriceIndexRequest) (*types.QueryPriceIndexResponse, error) {
	return nil, types.ErrNotImplemented.Wrap("matching")
}

// Invitations implements types.QueryServer.
func (s queryServer) Invitations(context.Context, *types.QueryInvitationsRequest) (*types.QueryInvitationsResponse, error) {
	return nil, types.ErrNotImplemented.Wrap("matching")
}
