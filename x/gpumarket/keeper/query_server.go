package keeper

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

type queryServer struct{ k *Keeper }

var _ types.QueryServer = queryServer{}

// NewQueryServer returns the module's query handlers.
func NewQueryServer(k *Keeper) types.QueryServer { return queryServer{k: k} }

var errEmpty = status.Error(codes.InvalidArgument, "empty request")

// asStatus gives an error of the keeper its gRPC code.
func asStatus(err error) error {
	if errors.Is(err, types.ErrListingNotFound) || errors.Is(err, types.ErrRentalNotFound) {
		return status.Error(codes.NotFound, err.Error())
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

// Listing implements types.QueryServer. A GPU is free now when nobody has it at
// this moment; how long it stays free is Quote's answer.
func (s queryServer) Listing(ctx context.Context, req *types.QueryListingRequest) (*types.QueryListingResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	l, err := s.k.Listing(ctx, req.ListingId)
	if err != nil {
		return nil, asStatus(err)
	}
	tier, err := s.k.attestation.TrustTier(ctx, l.HostId)
	if err != nil {
		return nil, asStatus(err)
	}
	resp := &types.QueryListingResponse{Listing: l, TrustTier: tier}
	for _, ordinal := range l.Gpus {
		free, err := s.k.gpuFree(ctx, l.HostId, ordinal, now(ctx), now(ctx).Add(time.Nanosecond))
		if err != nil {
			return nil, asStatus(err)
		}
		if free {
			resp.FreeGpus = append(resp.FreeGpus, ordinal)
		}
	}
	return resp, nil
}

// Listings implements types.QueryServer. Its cost is the page's size and not
// the market's.
func (s queryServer) Listings(ctx context.Context, req *types.QueryListingsRequest) (*types.QueryListingsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	filters := 0
	for _, set := range [...]bool{req.Class != "", req.Operator != "", req.HostId != 0} {
		if set {
			filters++
		}
	}
	if filters > 1 {
		return nil, status.Error(codes.InvalidArgument, "give at most one of class, operator and host_id")
	}
	var (
		listings []types.Listing
		page     *query.PageResponse
		err      error
		indexes  = s.k.listings.Indexes
	)
	switch {
	case req.Class != "":
		listings, page, err = pageOf(ctx, indexes.class, req.Class, req.Pagination, s.k.Listing)
	case req.HostId != 0:
		listings, page, err = pageOf(ctx, indexes.host, req.HostId, req.Pagination, s.k.Listing)
	case req.Operator != "":
		operator, parseErr := s.k.addressCodec.StringToBytes(req.Operator)
		if parseErr != nil {
			return nil, status.Errorf(codes.InvalidArgument, "operator: %s", parseErr)
		}
		listings, page, err = pageOf(ctx, indexes.operator, sdk.AccAddress(operator), req.Pagination, s.k.Listing)
	default:
		listings, page, err = query.CollectionPaginate(ctx, s.k.listings, req.Pagination,
			func(_ uint64, l types.Listing) (types.Listing, error) { return l, nil })
	}
	if err != nil {
		return nil, asStatus(err)
	}
	resp := &types.QueryListingsResponse{Listings: listings, Pagination: page, TrustTiers: make([]uint32, len(listings))}
	for i := range listings {
		if resp.TrustTiers[i], err = s.k.attestation.TrustTier(ctx, listings[i].HostId); err != nil {
			return nil, asStatus(err)
		}
	}
	return resp, nil
}

// pageOf reads one page of an index under a prefix.
func pageOf[P, V any](
	ctx context.Context, index collections.KeySet[collections.Pair[P, uint64]], prefix P, page *query.PageRequest,
	get func(context.Context, uint64) (V, error),
) ([]V, *query.PageResponse, error) {
	return query.CollectionPaginate(ctx, index, page,
		func(key collections.Pair[P, uint64], _ collections.NoValue) (V, error) { return get(ctx, key.K2()) },
		query.WithCollectionPaginationPairPrefix[P, uint64](prefix))
}

// Quote implements types.QueryServer. It asks the same code as MsgRent, on a
// state that is thrown away.
func (s queryServer) Quote(ctx context.Context, req *types.QueryQuoteRequest) (*types.QueryQuoteResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	l, err := s.k.Listing(ctx, req.ListingId)
	if err != nil {
		return nil, asStatus(err)
	}
	params, err := s.k.params.Get(ctx)
	if err != nil {
		return nil, asStatus(err)
	}
	none := sdk.NewCoin(l.Price.Denom, math.ZeroInt())
	resp := &types.QueryQuoteResponse{Escrow: none, Bond: none, StartAt: now(ctx)}
	if price := quotedPrice(l, req.Interruptible); req.GpuCount <= uint32(len(l.Gpus)) && params.CheckDuration(l, req.DurationSeconds) == nil {
		resp.Escrow.Amount = types.AmountFor(price.Amount, int(req.GpuCount), req.DurationSeconds)
	}
	cached, _ := sdk.UnwrapSDKContext(ctx).CacheContext()
	o, err := s.k.findOffer(cached, params, l, ask{
		gpus: req.GpuCount, seconds: req.DurationSeconds, startAt: req.StartAt, interruptible: req.Interruptible,
	})
	if err != nil {
		resp.Obstacle = err.Error()
		return resp, nil
	}
	resp.Escrow, resp.Gpus, resp.StartAt, resp.Preempts = o.escrow, o.gpus, o.startAt, o.victims
	resp.Bond.Amount = o.bond
	if err := s.k.lockBond(cached, l, o.bond); err != nil {
		resp.Obstacle = err.Error()
	}
	return resp, nil
}

func quotedPrice(l types.Listing, interruptible bool) sdk.Coin {
	if interruptible && l.InterruptiblePrice != nil {
		return *l.InterruptiblePrice
	}
	return l.Price
}

// Rental implements types.QueryServer. What is payable comes from a settlement
// on a state that is thrown away; one that fails would pay nothing.
func (s queryServer) Rental(ctx context.Context, req *types.QueryRentalRequest) (*types.QueryRentalResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	r, err := s.k.Rental(ctx, req.RentalId)
	if err != nil {
		return nil, asStatus(err)
	}
	resp := &types.QueryRentalResponse{Rental: r, Payable: sdk.NewCoin(r.Price.Denom, math.ZeroInt())}
	cached, _ := sdk.UnwrapSDKContext(ctx).CacheContext()
	if paid, err := s.k.Settle(cached, []uint64{r.Id}); err == nil {
		resp.Payable = paid[0]
	}
	return resp, nil
}

// OpenRentalsByHost implements types.QueryServer.
func (s queryServer) OpenRentalsByHost(ctx context.Context, req *types.QueryOpenRentalsByHostRequest) (*types.QueryOpenRentalsByHostResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	rentals, page, err := pageOf(ctx, s.k.rentals.Indexes.openByHost, req.HostId, req.Pagination, s.k.Rental)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryOpenRentalsByHostResponse{Rentals: rentals, Pagination: page}, nil
}

// RentalsByRenter implements types.QueryServer.
func (s queryServer) RentalsByRenter(ctx context.Context, req *types.QueryRentalsByRenterRequest) (*types.QueryRentalsByRenterResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	rentals, page, err := s.rentalsOf(ctx, "renter", s.k.rentals.Indexes.renter, req.Renter, req.Pagination)
	if err != nil {
		return nil, err
	}
	return &types.QueryRentalsByRenterResponse{Rentals: rentals, Pagination: page}, nil
}

// RentalsByOperator implements types.QueryServer.
func (s queryServer) RentalsByOperator(ctx context.Context, req *types.QueryRentalsByOperatorRequest) (*types.QueryRentalsByOperatorResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	rentals, page, err := s.rentalsOf(ctx, "operator", s.k.rentals.Indexes.operator, req.Operator, req.Pagination)
	if err != nil {
		return nil, err
	}
	return &types.QueryRentalsByOperatorResponse{Rentals: rentals, Pagination: page}, nil
}

func (s queryServer) rentalsOf(ctx context.Context, field string, index byAddress, account string, page *query.PageRequest) ([]types.Rental, *query.PageResponse, error) {
	addr, err := s.k.addressCodec.StringToBytes(account)
	if err != nil {
		return nil, nil, status.Errorf(codes.InvalidArgument, "%s: %s", field, err)
	}
	rentals, next, err := pageOf(ctx, index, sdk.AccAddress(addr), page, s.k.Rental)
	if err != nil {
		return nil, nil, asStatus(err)
	}
	return rentals, next, nil
}

// Calendar implements types.QueryServer.
func (s queryServer) Calendar(ctx context.Context, req *types.QueryCalendarRequest) (*types.QueryCalendarResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	prefix := collections.TripleSuperPrefix[uint64, uint32, time.Time](req.HostId, req.Ordinal)
	bookings, page, err := query.CollectionPaginate(ctx, s.k.bookings, req.Pagination,
		func(_ bookingKey, b types.Booking) (types.Booking, error) { return b, nil },
		func(o *query.CollectionsPaginateOptions[bookingKey]) { o.Prefix = &prefix })
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryCalendarResponse{Bookings: bookings, Pagination: page}, nil
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
