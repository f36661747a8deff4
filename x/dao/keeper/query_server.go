package keeper

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cosmossdk.io/collections"

	"github.com/cosmos/cosmos-sdk/types/query"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/grafilab/grafi/x/dao/types"
)

type queryServer struct{ k *Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServer returns the module's query handlers.
func NewQueryServer(k *Keeper) types.QueryServer { return queryServer{k: k} }

var errEmpty = status.Error(codes.InvalidArgument, "empty request")

// asStatus gives an error of the keeper its gRPC code.
func asStatus(err error) error {
	for _, missing := range []error{
		types.ErrStreamNotFound, types.ErrGrantNotFound, types.ErrDisputeNotFound, types.ErrNotJuror,
	} {
		if errors.Is(err, missing) {
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

// VotingPower implements types.QueryServer. It walks the bonded validators and
// the voter's delegations.
func (s queryServer) VotingPower(ctx context.Context, req *types.QueryVotingPowerRequest) (*types.QueryVotingPowerResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	voter, err := s.k.parse("voter", req.Voter)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	power, total, err := s.k.VotingPower(ctx, voter)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryVotingPowerResponse{
		DelegatedToValidators: power.Validators.TruncateInt(), StakedWithOperators: power.Operators, Total: total,
	}, nil
}

// Treasury implements types.QueryServer.
func (s queryServer) Treasury(ctx context.Context, req *types.QueryTreasuryRequest) (*types.QueryTreasuryResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	address, err := s.k.addressCodec.BytesToString(authtypes.NewModuleAddress(types.TreasuryAccount))
	if err != nil {
		return nil, asStatus(err)
	}
	resp, err := s.k.bank.AllBalances(ctx, &banktypes.QueryAllBalancesRequest{Address: address, Pagination: req.Pagination})
	if err != nil {
		return nil, err
	}
	return &types.QueryTreasuryResponse{Balances: resp.Balances, Pagination: resp.Pagination}, nil
}

// Stream implements types.QueryServer.
func (s queryServer) Stream(ctx context.Context, req *types.QueryStreamRequest) (*types.QueryStreamResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	stream, err := s.k.Stream(ctx, req.StreamId)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryStreamResponse{Stream: stream, Withdrawable: stream.Due(now(ctx))}, nil
}

// Streams implements types.QueryServer.
func (s queryServer) Streams(ctx context.Context, req *types.QueryStreamsRequest) (*types.QueryStreamsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	streams, page, err := query.CollectionPaginate(ctx, s.k.streams, req.Pagination,
		func(_ uint64, stream types.Stream) (types.Stream, error) { return stream, nil })
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryStreamsResponse{Streams: streams, Pagination: page}, nil
}

// Grant implements types.QueryServer.
func (s queryServer) Grant(ctx context.Context, req *types.QueryGrantRequest) (*types.QueryGrantResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	grant, err := s.k.Grant(ctx, req.GrantId)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryGrantResponse{Grant: grant}, nil
}

// Grants implements types.QueryServer.
func (s queryServer) Grants(ctx context.Context, req *types.QueryGrantsRequest) (*types.QueryGrantsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	grants, page, err := query.CollectionPaginate(ctx, s.k.grants, req.Pagination,
		func(_ uint64, grant types.Grant) (types.Grant, error) { return grant, nil })
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryGrantsResponse{Grants: grants, Pagination: page}, nil
}

// Pauses implements types.QueryServer.
func (s queryServer) Pauses(ctx context.Context, req *types.QueryPausesRequest) (*types.QueryPausesResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	at := now(ctx)
	pauses, page, err := query.CollectionFilteredPaginate(ctx, s.k.pauses, req.Pagination,
		func(_ string, p types.Pause) (bool, error) { return p.Stops(at), nil },
		func(_ string, p types.Pause) (types.Pause, error) { return p, nil })
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryPausesResponse{Pauses: pauses, Pagination: page}, nil
}

// Decisions implements types.QueryServer. It walks the index of the kind, so its
// cost is the page's size and not the record's.
func (s queryServer) Decisions(ctx context.Context, req *types.QueryDecisionsRequest) (*types.QueryDecisionsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	if _, known := types.DecisionKind_name[int32(req.Kind)]; !known {
		return nil, status.Error(codes.InvalidArgument, types.ErrInvalidDecisionKind.Wrapf("%d", req.Kind).Error())
	}
	var (
		decisions []types.Decision
		page      *query.PageResponse
		err       error
	)
	if req.Kind == types.DECISION_KIND_UNSPECIFIED {
		decisions, page, err = query.CollectionPaginate(ctx, s.k.decisions, req.Pagination,
			func(_ uint64, d types.Decision) (types.Decision, error) { return d, nil })
	} else {
		decisions, page, err = query.CollectionPaginate(ctx, s.k.decisions.Indexes.kind, req.Pagination,
			func(key collections.Pair[int32, uint64], _ collections.NoValue) (types.Decision, error) {
				return s.k.decisions.Get(ctx, key.K2())
			},
			query.WithCollectionPaginationPairPrefix[int32, uint64](int32(req.Kind)))
	}
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryDecisionsResponse{Decisions: decisions, Pagination: page}, nil
}

// Invariants implements types.QueryServer.
func (s queryServer) Invariants(ctx context.Context, req *types.QueryInvariantsRequest) (*types.QueryInvariantsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	broken, err := s.k.CheckInvariants(ctx)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryInvariantsResponse{Broken: broken}, nil
}
