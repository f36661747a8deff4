package keeper

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/rewards/types"
)

// Tranches implements types.QueryServer. It walks the operator's keys only.
func (s queryServer) Tranches(ctx context.Context, req *types.QueryTranchesRequest) (*types.QueryTranchesResponse, error) {
	operator, err := s.account("operator", req.GetOperator())
	if err != nil {
		return nil, err
	}
	tranches, page, err := query.CollectionPaginate(ctx, s.k.tranches, req.GetPagination(),
		func(_ collections.Pair[sdk.AccAddress, uint64], t types.Tranche) (types.Tranche, error) {
			return t, nil
		},
		query.WithCollectionPaginationPairPrefix[sdk.AccAddress, uint64](operator))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	paid, err := s.dryRun(ctx, func(ctx context.Context) (sdk.Coins, error) {
		released, err := s.k.release(ctx, operator)
		if err != nil {
			return nil, err
		}
		own, err := s.k.payReleased(ctx, operator, released)
		return sdk.Coins{own}, err
	})
	if err != nil {
		return nil, failed(err)
	}
	return &types.QueryTranchesResponse{Tranches: tranches, Pagination: page, Withdrawable: paid[0]}, nil
}

// StakerPools implements types.QueryServer. It walks the operator's keys only.
func (s queryServer) StakerPools(ctx context.Context, req *types.QueryStakerPoolsRequest) (*types.QueryStakerPoolsResponse, error) {
	operator, err := s.account("operator", req.GetOperator())
	if err != nil {
		return nil, err
	}
	pools, page, err := query.CollectionPaginate(ctx, s.k.pools, req.GetPagination(),
		func(_ collections.Pair[sdk.AccAddress, string], p types.StakerPool) (types.StakerPool, error) {
			return p, nil
		},
		query.WithCollectionPaginationPairPrefix[sdk.AccAddress, string](operator))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &types.QueryStakerPoolsResponse{Pools: pools, Pagination: page}, nil
}

// StakingRewards implements types.QueryServer: what a claim would pay now.
func (s queryServer) StakingRewards(ctx context.Context, req *types.QueryStakingRewardsRequest) (*types.QueryStakingRewardsResponse, error) {
	delegator, err := s.account("delegator", req.GetDelegator())
	if err != nil {
		return nil, err
	}
	operator, err := s.account("operator", req.GetOperator())
	if err != nil {
		return nil, err
	}
	rewards, err := s.dryRun(ctx, func(ctx context.Context) (sdk.Coins, error) { return s.k.claimAt(ctx, delegator, operator) })
	if err != nil {
		return nil, failed(err)
	}
	return &types.QueryStakingRewardsResponse{Rewards: rewards}, nil
}

// ValidatorStream implements types.QueryServer.
func (s queryServer) ValidatorStream(ctx context.Context, _ *types.QueryValidatorStreamRequest) (*types.QueryValidatorStreamResponse, error) {
	stream, err := s.k.streamIfAny(ctx)
	if err != nil {
		return nil, failed(err)
	}
	due := math.ZeroInt()
	if stream != nil {
		due = stream.Due(now(ctx), 0)
	}
	return &types.QueryValidatorStreamResponse{Stream: stream, Due: due}, nil
}

// dryRun runs the very code of a message on a copy of the state.
func (queryServer) dryRun(ctx context.Context, run func(context.Context) (sdk.Coins, error)) (sdk.Coins, error) {
	cached, _ := sdk.UnwrapSDKContext(ctx).CacheContext()
	return run(cached)
}
