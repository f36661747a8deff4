package keeper

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

type queryServer struct{ k *Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServer returns the module's query handlers.
func NewQueryServer(k *Keeper) types.QueryServer { return queryServer{k: k} }

// Params implements types.QueryServer.
func (s queryServer) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	params, err := s.k.params.Get(ctx)
	if err != nil {
		return nil, failed(err)
	}
	return &types.QueryParamsResponse{Params: params}, nil
}

// Mining implements types.QueryServer.
func (s queryServer) Mining(ctx context.Context, _ *types.QueryMiningRequest) (*types.QueryMiningResponse, error) {
	mining, err := s.k.mining.Get(ctx)
	if err != nil {
		return nil, failed(err)
	}
	days, err := s.k.attestation.Params(ctx)
	if err != nil {
		return nil, failed(err)
	}
	return &types.QueryMiningResponse{Mining: mining, Today: days.DayOf(days.SlotAt(now(ctx)))}, nil
}

// Day implements types.QueryServer.
func (s queryServer) Day(ctx context.Context, req *types.QueryDayRequest) (*types.QueryDayResponse, error) {
	day, err := s.k.days.Get(ctx, req.GetDay())
	if errors.Is(err, collections.ErrNotFound) {
		return nil, status.Error(codes.NotFound, types.ErrDayNotFound.Wrapf("day %d", req.GetDay()).Error())
	} else if err != nil {
		return nil, failed(err)
	}
	return &types.QueryDayResponse{Day: day}, nil
}

// Days implements types.QueryServer.
func (s queryServer) Days(ctx context.Context, req *types.QueryDaysRequest) (*types.QueryDaysResponse, error) {
	days, page, err := query.CollectionPaginate(ctx, s.k.days, req.GetPagination(),
		func(_ uint64, d types.Day) (types.Day, error) { return d, nil })
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &types.QueryDaysResponse{Days: days, Pagination: page}, nil
}

// HostDay implements types.QueryServer.
func (s queryServer) HostDay(ctx context.Context, req *types.QueryHostDayRequest) (*types.QueryHostDayResponse, error) {
	resp, err := s.k.HostDay(ctx, req.GetDay(), req.GetHostId())
	if err != nil {
		return nil, failed(err)
	}
	return resp, nil
}

// OperatorDay implements types.QueryServer.
func (s queryServer) OperatorDay(ctx context.Context, req *types.QueryOperatorDayRequest) (*types.QueryOperatorDayResponse, error) {
	operator, err := s.account("operator", req.GetOperator())
	if err != nil {
		return nil, err
	}
	record, err := s.k.operatorDays.Get(ctx, collections.Join(req.GetDay(), operator))
	if errors.Is(err, collections.ErrNotFound) {
		return nil, status.Errorf(codes.NotFound, "operator %s had no GPU up on day %d", req.GetOperator(), req.GetDay())
	} else if err != nil {
		return nil, failed(err)
	}
	return &types.QueryOperatorDayResponse{OperatorDay: record}, nil
}

// Explain implements types.QueryServer.
func (s queryServer) Explain(ctx context.Context, req *types.QueryExplainRequest) (*types.QueryExplainResponse, error) {
	resp, err := s.k.Explain(ctx, req.GetDay(), req.GetHostId(), req.GetOrdinal())
	if err != nil {
		return nil, failed(err)
	}
	return resp, nil
}

// Invariants implements types.QueryServer. It reads the whole state and is
// bounded by the node's gas limit for queries.
func (s queryServer) Invariants(ctx context.Context, _ *types.QueryInvariantsRequest) (*types.QueryInvariantsResponse, error) {
	broken, err := s.k.CheckInvariants(ctx)
	if err != nil {
		return nil, failed(err)
	}
	return &types.QueryInvariantsResponse{Broken: broken}, nil
}

func (s queryServer) account(role, address string) (sdk.AccAddress, error) {
	account, err := s.k.addressCodec.StringToBytes(address)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "%s %q: %s", role, address, err)
	}
	return account, nil
}

// failed is the status of an error of the keeper: what isn't there is not found.
func failed(err error) error {
	for _, absent := range []error{
		collections.ErrNotFound, types.ErrDayNotFound, types.ErrDayExpired,
		attestation.ErrHostNotFound, attestation.ErrGPUNotFound, stakingext.ErrOperatorNotFound,
	} {
		if errors.Is(err, absent) {
			return status.Error(codes.NotFound, err.Error())
		}
	}
	return status.Error(codes.Internal, err.Error())
}
