package keeper

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// MatchCompute implements types.QueryServer. It runs what MsgRequestCompute runs,
// on a state that is thrown away. Without a renter it asks for an account that
// owns nothing, and without a manifest for one of zeros.
func (s queryServer) MatchCompute(ctx context.Context, req *types.QueryMatchComputeRequest) (*types.QueryMatchComputeResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	renter := sdk.AccAddress(make([]byte, 20))
	if req.Renter != "" {
		parsed, err := s.k.addressCodec.StringToBytes(req.Renter)
		if err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "renter: %s", err)
		}
		renter = parsed
	}
	if len(req.Request.ManifestDigest) == 0 {
		req.Request.ManifestDigest = make([]byte, types.DigestSize)
	}
	params, err := s.k.params.Get(ctx)
	if err != nil {
		return nil, asStatus(err)
	}
	if err := req.Request.Validate(params); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	cached, _ := sdk.UnwrapSDKContext(ctx).CacheContext()
	m, err := s.k.place(cached, params, renter, newSearch(params, req.Request))
	resp := &types.QueryMatchComputeResponse{Cost: m.cost, Candidates: m.candidates, Bounded: m.bounded}
	if err != nil {
		if _, failure := refusal(err); failure != nil && !errors.Is(failure, types.ErrInvalidRenter) {
			return nil, asStatus(failure)
		}
		resp.Obstacle = err.Error()
		return resp, nil
	}
	for _, r := range m.rentals {
		start, _ := r.Window()
		resp.Offers = append(resp.Offers, types.MatchedOffer{
			ListingId: r.ListingId, HostId: r.HostId, Operator: r.Operator, Gpus: r.Gpus, Price: r.Price,
			Escrow: sdk.NewCoin(r.Price.Denom, r.Escrow), StartAt: start,
		})
	}
	if req.Renter != "" {
		if err := s.k.charge(cached, renter, m); err != nil {
			resp.Obstacle = err.Error()
		}
	}
	return resp, nil
}

// PriceIndex implements types.QueryServer.
func (s queryServer) PriceIndex(ctx context.Context, req *types.QueryPriceIndexRequest) (*types.QueryPriceIndexResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	if sdk.ValidateDenom(req.Denom) != nil || req.Class == "" {
		return nil, status.Errorf(codes.InvalidArgument, "class %q and denom %q, want both", req.Class, req.Denom)
	}
	price, volume, err := s.k.PriceIndex(ctx, req.Class, req.Denom)
	if err != nil {
		return nil, asStatus(err)
	}
	hour, _ := indexTime(now(ctx))
	return &types.QueryPriceIndexResponse{
		Price: price, GpuSeconds: volume,
		From: time.Unix(int64(firstHour(hour)*types.HourSeconds), 0).UTC(), To: now(ctx),
	}, nil
}

// Invitations implements types.QueryServer. Those whose time is over are not
// among them, though a page may be shorter for it.
func (s queryServer) Invitations(ctx context.Context, req *types.QueryInvitationsRequest) (*types.QueryInvitationsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	var (
		found []*types.Invitation
		page  *query.PageResponse
		err   error
	)
	switch {
	case req.ListingId != 0 && req.Account != "":
		return nil, status.Error(codes.InvalidArgument, "give at most one of listing_id and account")
	case req.Account != "":
		account, parseErr := s.k.addressCodec.StringToBytes(req.Account)
		if parseErr != nil {
			return nil, status.Errorf(codes.InvalidArgument, "account: %s", parseErr)
		}
		found, page, err = query.CollectionPaginate(ctx, s.k.invitationsByAccount, req.Pagination,
			func(key collections.Pair[sdk.AccAddress, uint64], _ collections.NoValue) (*types.Invitation, error) {
				i, err := s.k.invitations.Get(ctx, collections.Join(key.K2(), key.K1()))
				return &i, err
			}, query.WithCollectionPaginationPairPrefix[sdk.AccAddress, uint64](account))
	default:
		var prefix []func(*query.CollectionsPaginateOptions[invitationKey])
		if req.ListingId != 0 {
			prefix = append(prefix, query.WithCollectionPaginationPairPrefix[uint64, sdk.AccAddress](req.ListingId))
		}
		found, page, err = query.CollectionPaginate(ctx, s.k.invitations, req.Pagination,
			func(_ invitationKey, i types.Invitation) (*types.Invitation, error) { return &i, nil }, prefix...)
	}
	if err != nil {
		return nil, asStatus(err)
	}
	resp := &types.QueryInvitationsResponse{Pagination: page}
	for _, i := range found {
		if now(ctx).Before(i.ExpiresAt) {
			resp.Invitations = append(resp.Invitations, *i)
		}
	}
	return resp, nil
}
