package keeper

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/attestation/types"
)

type queryServer struct{ k *Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServer returns the module's query handlers.
func NewQueryServer(k *Keeper) types.QueryServer { return queryServer{k: k} }

var errEmpty = status.Error(codes.InvalidArgument, "empty request")

// asStatus gives an error of the keeper its gRPC code.
func asStatus(err error) error {
	for _, notFound := range []error{
		types.ErrHostNotFound, types.ErrGPUNotFound, types.ErrClassNotFound, types.ErrSlotOpen, types.ErrSlotPruned,
		types.ErrChallengeNotFound,
	} {
		if errors.Is(err, notFound) {
			return status.Error(codes.NotFound, err.Error())
		}
	}
	return status.Error(codes.Internal, err.Error())
}

// Params implements types.QueryServer.
func (s queryServer) Params(ctx context.Context, req *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	params, err := s.k.params.Get(ctx)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryParamsResponse{Params: params}, nil
}

// Class implements types.QueryServer.
func (s queryServer) Class(ctx context.Context, req *types.QueryClassRequest) (*types.QueryClassResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	class, err := s.k.classes.Get(ctx, req.Key)
	if isNotFound(err) {
		err = types.ErrClassNotFound.Wrapf("key %q", req.Key)
	}
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryClassResponse{Class: class}, nil
}

// Classes implements types.QueryServer.
func (s queryServer) Classes(ctx context.Context, req *types.QueryClassesRequest) (*types.QueryClassesResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	classes, page, err := query.CollectionPaginate(ctx, s.k.classes, req.Pagination,
		func(_ string, c types.HardwareClass) (types.HardwareClass, error) { return c, nil })
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryClassesResponse{Classes: classes, Pagination: page}, nil
}

// PendingClasses implements types.QueryServer.
func (s queryServer) PendingClasses(ctx context.Context, req *types.QueryPendingClassesRequest) (*types.QueryPendingClassesResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	classes, page, err := query.CollectionPaginate(ctx, s.k.pendingClasses, req.Pagination,
		func(_ string, c types.PendingClass) (types.PendingClass, error) { return c, nil })
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryPendingClassesResponse{Classes: classes, Pagination: page}, nil
}

// Host implements types.QueryServer.
func (s queryServer) Host(ctx context.Context, req *types.QueryHostRequest) (*types.QueryHostResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	host, err := s.k.Host(ctx, req.HostId)
	if err != nil {
		return nil, asStatus(err)
	}
	gpus, err := s.k.GPUsOf(ctx, req.HostId)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryHostResponse{Host: host, Gpus: gpus}, nil
}

// HostByAgentKey implements types.QueryServer.
func (s queryServer) HostByAgentKey(ctx context.Context, req *types.QueryHostByAgentKeyRequest) (*types.QueryHostByAgentKeyResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	id, err := s.k.hostByAgentKey.Get(ctx, req.AgentKey)
	if isNotFound(err) {
		err = types.ErrHostNotFound.Wrapf("of agent key %x", req.AgentKey)
	}
	if err != nil {
		return nil, asStatus(err)
	}
	host, err := s.k.Host(ctx, id)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryHostByAgentKeyResponse{Host: host}, nil
}

// Hosts implements types.QueryServer.
func (s queryServer) Hosts(ctx context.Context, req *types.QueryHostsRequest) (*types.QueryHostsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	hosts, page, err := query.CollectionPaginate(ctx, s.k.hosts, req.Pagination,
		func(_ uint64, h types.Host) (types.Host, error) { return h, nil })
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryHostsResponse{Hosts: hosts, Pagination: page}, nil
}

// HostsByOperator implements types.QueryServer.
func (s queryServer) HostsByOperator(ctx context.Context, req *types.QueryHostsByOperatorRequest) (*types.QueryHostsByOperatorResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	operator, err := s.k.addressCodec.StringToBytes(req.Operator)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "operator: %s", err)
	}
	hosts, page, err := query.CollectionPaginate(ctx, s.k.hosts.Indexes.operator, req.Pagination,
		func(key collections.Pair[sdk.AccAddress, uint64], _ collections.NoValue) (types.Host, error) {
			return s.k.hosts.Get(ctx, key.K2())
		},
		query.WithCollectionPaginationPairPrefix[sdk.AccAddress, uint64](operator))
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryHostsByOperatorResponse{Hosts: hosts, Pagination: page}, nil
}
