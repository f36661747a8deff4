package keeper

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/dao/types"
)

// Dispute implements types.QueryServer.
func (s queryServer) Dispute(ctx context.Context, req *types.QueryDisputeRequest) (*types.QueryDisputeResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	d, err := s.k.Dispute(ctx, req.DisputeId)
	if err != nil {
		return nil, asStatus(err)
	}
	seats, err := s.k.seatsOf(ctx, d.Id)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryDisputeResponse{Dispute: d, Seats: seats}, nil
}

// Disputes implements types.QueryServer. It walks the index of the claimant, so
// its cost is the page's size.
func (s queryServer) Disputes(ctx context.Context, req *types.QueryDisputesRequest) (*types.QueryDisputesResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	var (
		disputes []types.Dispute
		page     *query.PageResponse
		err      error
	)
	if req.Claimant == "" {
		disputes, page, err = query.CollectionPaginate(ctx, s.k.disputes, req.Pagination,
			func(_ uint64, d types.Dispute) (types.Dispute, error) { return d, nil })
	} else {
		claimant, parseErr := s.k.parse("claimant", req.Claimant)
		if parseErr != nil {
			return nil, status.Error(codes.InvalidArgument, parseErr.Error())
		}
		disputes, page, err = query.CollectionPaginate(ctx, s.k.disputes.Indexes.claimant, req.Pagination,
			func(key collections.Pair[sdk.AccAddress, uint64], _ collections.NoValue) (types.Dispute, error) {
				return s.k.disputes.Get(ctx, key.K2())
			},
			query.WithCollectionPaginationPairPrefix[sdk.AccAddress, uint64](claimant))
	}
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryDisputesResponse{Disputes: disputes, Pagination: page}, nil
}

// Juror implements types.QueryServer. It reads every seat that the juror had in
// a dispute that is still in state.
func (s queryServer) Juror(ctx context.Context, req *types.QueryJurorRequest) (*types.QueryJurorResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	address, err := s.k.parse("juror", req.Juror)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	juror, err := s.k.Juror(ctx, address)
	if err != nil {
		return nil, asStatus(err)
	}
	resp := &types.QueryJurorResponse{Juror: juror}
	iter, err := s.k.seats.Indexes.juror.MatchExact(ctx, address)
	if err != nil {
		return nil, asStatus(err)
	}
	defer iter.Close()
	for ; iter.Valid(); iter.Next() {
		key, err := iter.PrimaryKey()
		if err != nil {
			return nil, asStatus(err)
		}
		open, err := s.k.seatOpen(ctx, key)
		if err != nil {
			return nil, asStatus(err)
		}
		if open {
			resp.OpenDisputes = append(resp.OpenDisputes, key.K1())
		}
	}
	return resp, nil
}

// seatOpen tells whether a seat is in a panel that may still vote.
func (k *Keeper) seatOpen(ctx context.Context, key collections.Pair[uint64, sdk.AccAddress]) (bool, error) {
	d, err := k.disputes.Get(ctx, key.K1())
	if err != nil {
		return false, err
	}
	seat, err := k.seats.Get(ctx, key)
	return d.InPanel() && seat.Round == d.Round, err
}

// Jurors implements types.QueryServer.
func (s queryServer) Jurors(ctx context.Context, req *types.QueryJurorsRequest) (*types.QueryJurorsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	jurors, page, err := query.CollectionPaginate(ctx, s.k.jurors, req.Pagination,
		func(_ sdk.AccAddress, j types.Juror) (types.Juror, error) { return j, nil })
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryJurorsResponse{Jurors: jurors, Pagination: page}, nil
}
