package keeper

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

type queryServer struct{ k *Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServer returns the module's query handlers.
func NewQueryServer(k *Keeper) types.QueryServer { return queryServer{k: k} }

// Params implements types.QueryServer.
func (s queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := s.k.params.Get(ctx)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &types.QueryParamsResponse{Params: params}, nil
}

// Operator implements types.QueryServer.
func (s queryServer) Operator(ctx context.Context, req *types.QueryOperatorRequest) (*types.QueryOperatorResponse, error) {
	operator, err := s.operator(req.GetOperator())
	if err != nil {
		return nil, err
	}
	record, err := s.k.Operator(ctx, operator)
	if errors.Is(err, types.ErrOperatorNotFound) {
		return nil, status.Error(codes.NotFound, err.Error())
	} else if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	params, err := s.k.params.Get(ctx)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	resp := &types.QueryOperatorResponse{Operator: record, Rentable: true}
	if reason := record.EnsureRentable(blockTime(ctx), params.TopUpGrace); reason != nil {
		resp.Rentable, resp.Reason = false, reason.Error()
	}
	return resp, nil
}

// Operators implements types.QueryServer.
func (s queryServer) Operators(ctx context.Context, req *types.QueryOperatorsRequest) (*types.QueryOperatorsResponse, error) {
	operators, page, err := query.CollectionPaginate(ctx, s.k.operators, req.GetPagination(),
		func(_ sdk.AccAddress, o types.Operator) (types.Operator, error) { return o, nil })
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &types.QueryOperatorsResponse{Operators: operators, Pagination: page}, nil
}

// Requirements implements types.QueryServer. It walks the operator's keys only.
func (s queryServer) Requirements(ctx context.Context, req *types.QueryRequirementsRequest) (*types.QueryRequirementsResponse, error) {
	operator, err := s.operator(req.GetOperator())
	if err != nil {
		return nil, err
	}
	requirements, page, err := query.CollectionPaginate(ctx, s.k.requirements, req.GetPagination(),
		func(_ gpuKey, r types.GpuRequirement) (types.GpuRequirement, error) { return r, nil },
		func(o *query.CollectionsPaginateOptions[gpuKey]) {
			prefix := collections.TriplePrefix[sdk.AccAddress, uint64, uint32](operator)
			o.Prefix = &prefix
		})
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &types.QueryRequirementsResponse{Requirements: requirements, Pagination: page}, nil
}

// Unbonding implements types.QueryServer. It walks the operator's keys only.
func (s queryServer) Unbonding(ctx context.Context, req *types.QueryUnbondingRequest) (*types.QueryUnbondingResponse, error) {
	operator, err := s.operator(req.GetOperator())
	if err != nil {
		return nil, err
	}
	entries, page, err := query.CollectionPaginate(ctx, s.k.unbonding, req.GetPagination(),
		func(_ entryKey, e types.UnbondingEntry) (types.UnbondingEntry, error) { return e, nil },
		query.WithCollectionPaginationPairPrefix[sdk.AccAddress, uint64](operator))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &types.QueryUnbondingResponse{Entries: entries, Pagination: page}, nil
}

// Invariants implements types.QueryServer. It reads the whole state and is
// bounded by the node's gas limit for queries.
func (s queryServer) Invariants(ctx context.Context, _ *types.QueryInvariantsRequest) (*types.QueryInvariantsResponse, error) {
	broken, err := s.k.CheckInvariants(ctx)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &types.QueryInvariantsResponse{Broken: broken}, nil
}

func (s queryServer) operator(address string) (sdk.AccAddress, error) {
	return s.account("operator", address)
}

func (s queryServer) account(role, address string) (sdk.AccAddress, error) {
	account, err := s.k.addressCodec.StringToBytes(address)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "%s %q: %s", role, address, err)
	}
	return account, nil
}
