package keeper

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// Delegation implements types.QueryServer.
func (s queryServer) Delegation(ctx context.Context, req *types.QueryDelegationRequest) (*types.QueryDelegationResponse, error) {
	delegator, err := s.account("delegator", req.GetDelegator())
	if err != nil {
		return nil, err
	}
	operator, err := s.operator(req.GetOperator())
	if err != nil {
		return nil, err
	}
	shares, err := s.k.delegations.Get(ctx, collections.Join(delegator, operator))
	if errors.Is(err, collections.ErrNotFound) {
		return nil, status.Errorf(codes.NotFound, "delegation of %s to operator %s", req.Delegator, req.Operator)
	} else if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	view, err := s.delegation(ctx, delegator, operator, shares)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &types.QueryDelegationResponse{Delegation: view}, nil
}

// Delegations implements types.QueryServer. It walks the account's keys only.
func (s queryServer) Delegations(ctx context.Context, req *types.QueryDelegationsRequest) (*types.QueryDelegationsResponse, error) {
	delegator, err := s.account("delegator", req.GetDelegator())
	if err != nil {
		return nil, err
	}
	views, page, err := query.CollectionPaginate(ctx, s.k.delegations, req.GetPagination(),
		func(key poolKey, shares math.Int) (types.DelegationView, error) {
			return s.delegation(ctx, key.K1(), key.K2(), shares)
		}, query.WithCollectionPaginationPairPrefix[sdk.AccAddress, sdk.AccAddress](delegator))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &types.QueryDelegationsResponse{Delegations: views, Pagination: page}, nil
}

// OperatorDelegations implements types.QueryServer. It walks the operator's index.
func (s queryServer) OperatorDelegations(ctx context.Context, req *types.QueryOperatorDelegationsRequest) (*types.QueryOperatorDelegationsResponse, error) {
	operator, err := s.operator(req.GetOperator())
	if err != nil {
		return nil, err
	}
	views, page, err := query.CollectionPaginate(ctx, s.k.delegators, req.GetPagination(),
		func(key poolKey, _ collections.NoValue) (types.DelegationView, error) {
			shares, err := s.k.Delegation(ctx, key.K2(), key.K1())
			if err != nil {
				return types.DelegationView{}, err
			}
			return s.delegation(ctx, key.K2(), key.K1(), shares)
		}, query.WithCollectionPaginationPairPrefix[sdk.AccAddress, sdk.AccAddress](operator))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &types.QueryOperatorDelegationsResponse{Delegations: views, Pagination: page}, nil
}

// Undelegations implements types.QueryServer. It walks the account's keys only.
func (s queryServer) Undelegations(ctx context.Context, req *types.QueryUndelegationsRequest) (*types.QueryUndelegationsResponse, error) {
	delegator, err := s.account("delegator", req.GetDelegator())
	if err != nil {
		return nil, err
	}
	views, page, err := query.CollectionPaginate(ctx, s.k.undelegations, req.GetPagination(),
		func(key leaveKey, e types.UnbondingDelegation) (types.UndelegationView, error) {
			d, err := s.k.owed(ctx, key.K2(), e.CreatedAt, e.NextSlash, e.Amount)
			return types.UndelegationView{Entry: e, Owed: d.part}, err
		}, ofDelegator(delegator))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &types.QueryUndelegationsResponse{Undelegations: views, Pagination: page}, nil
}

// Redelegations implements types.QueryServer. It walks the account's keys only.
func (s queryServer) Redelegations(ctx context.Context, req *types.QueryRedelegationsRequest) (*types.QueryRedelegationsResponse, error) {
	delegator, err := s.account("delegator", req.GetDelegator())
	if err != nil {
		return nil, err
	}
	views, page, err := query.CollectionPaginate(ctx, s.k.redelegations, req.GetPagination(),
		func(_ leaveKey, e types.Redelegation) (types.RedelegationView, error) {
			from, err := s.k.addressCodec.StringToBytes(e.From)
			if err != nil {
				return types.RedelegationView{}, err
			}
			d, err := s.k.owed(ctx, from, e.CreatedAt, e.NextSlash, e.Shares)
			return types.RedelegationView{Entry: e, OwedShares: d.part}, err
		}, ofDelegator(delegator))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &types.QueryRedelegationsResponse{Redelegations: views, Pagination: page}, nil
}

func ofDelegator(delegator sdk.AccAddress) func(*query.CollectionsPaginateOptions[leaveKey]) {
	return func(o *query.CollectionsPaginateOptions[leaveKey]) {
		prefix := collections.TriplePrefix[sdk.AccAddress, sdk.AccAddress, uint64](delegator)
		o.Prefix = &prefix
	}
}

// SlashRecords implements types.QueryServer. It walks the operator's keys only.
func (s queryServer) SlashRecords(ctx context.Context, req *types.QuerySlashRecordsRequest) (*types.QuerySlashRecordsResponse, error) {
	operator, err := s.operator(req.GetOperator())
	if err != nil {
		return nil, err
	}
	records, page, err := query.CollectionPaginate(ctx, s.k.slashes, req.GetPagination(),
		func(_ slashKey, r types.SlashRecord) (types.SlashRecord, error) { return r, nil },
		query.WithCollectionPaginationPairPrefix[sdk.AccAddress, uint64](operator))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &types.QuerySlashRecordsResponse{Slashes: records, Pagination: page}, nil
}

// SlashRecord implements types.QueryServer.
func (s queryServer) SlashRecord(ctx context.Context, req *types.QuerySlashRecordRequest) (*types.QuerySlashRecordResponse, error) {
	operator, err := s.operator(req.GetOperator())
	if err != nil {
		return nil, err
	}
	record, err := s.k.SlashRecord(ctx, operator, req.Id)
	if errors.Is(err, types.ErrSlashNotFound) {
		return nil, status.Error(codes.NotFound, err.Error())
	} else if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &types.QuerySlashRecordResponse{Slash: record}, nil
}

// Pool implements types.QueryServer.
func (s queryServer) Pool(ctx context.Context, _ *types.QueryPoolRequest) (*types.QueryPoolResponse, error) {
	resp := &types.QueryPoolResponse{}
	for _, account := range []struct {
		name string
		to   *math.Int
	}{{types.ModuleName, &resp.Bonded}, {types.UnbondingAccount, &resp.Unbonding}, {types.InsuranceAccount, &resp.Insurance}} {
		held, err := s.k.balance(ctx, account.name)
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		*account.to = held
	}
	return resp, nil
}

// VotingStake implements types.QueryServer.
func (s queryServer) VotingStake(ctx context.Context, req *types.QueryVotingStakeRequest) (*types.QueryVotingStakeResponse, error) {
	account, err := s.account("account", req.GetAccount())
	if err != nil {
		return nil, err
	}
	own, delegated, err := s.k.votingStake(ctx, account)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &types.QueryVotingStakeResponse{Own: own, Delegated: delegated}, nil
}

// delegation values shares at the pool's rate of now.
func (s queryServer) delegation(ctx context.Context, delegator, operator sdk.AccAddress, shares math.Int) (types.DelegationView, error) {
	record, err := s.k.Operator(ctx, operator)
	if err != nil {
		return types.DelegationView{}, err
	}
	locked, err := s.k.lockedShares(ctx, delegator, operator)
	return types.DelegationView{
		Delegation:   types.Delegation{Delegator: s.k.name(delegator), Operator: record.Address, Shares: shares},
		Tokens:       types.TokensOf(shares, record.DelegatedTokens, record.DelegationShares),
		LockedShares: locked,
	}, err
}
