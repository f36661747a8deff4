package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

func queryRenter(f *fixture) (*types.QueryRentalsByRenterResponse, error) {
	return keeper.NewQueryServer(f.k).RentalsByRenter(f.ctx, &types.QueryRentalsByRenterRequest{Renter: str(renter)})
}

func TestQueryListings(t *testing.T) {
	f := newFixture(t)
	f.twoListings()
	q := keeper.NewQueryServer(f.k)
	all := f.state().Listings
	for name, req := range map[string]types.QueryListingsRequest{
		"all": {}, "by class": {Class: class}, "by host": {HostId: hostID}, "by operator": {Operator: str(operator)},
	} {
		t.Run(name, func(t *testing.T) {
			req.Pagination = &query.PageRequest{Limit: 1}
			first, err := q.Listings(f.ctx, &req)
			require.NoError(t, err)
			require.Equal(t, all[:1], first.Listings)
			req.Pagination.Key = first.Pagination.NextKey
			second, err := q.Listings(f.ctx, &req)
			require.NoError(t, err)
			require.Equal(t, all[1:], second.Listings)
			require.Empty(t, second.Pagination.NextKey)
		})
	}
	for name, req := range map[string]types.QueryListingsRequest{
		"another class": {Class: "sim"}, "another host": {HostId: 8}, "another operator": {Operator: str(stranger)},
	} {
		resp, err := q.Listings(f.ctx, &req)
		require.NoError(t, err, name)
		require.Empty(t, resp.Listings, name)
	}
	for name, req := range map[string]*types.QueryListingsRequest{
		"empty": nil, "two filters": {Class: class, HostId: hostID}, "bad operator": {Operator: "x"},
	} {
		_, err := q.Listings(f.ctx, req)
		require.Equal(t, codes.InvalidArgument, status.Code(err), name)
	}
}

func TestQueryQuote(t *testing.T) {
	f := newFixture(t)
	id := f.list()
	f.rent(id, 1, 60)
	q := keeper.NewQueryServer(f.k)
	before := f.state()
	tests := map[string]struct {
		given    func()
		gpus     uint32
		seconds  uint64
		escrow   string
		want     []uint32
		obstacle error
	}{
		"two GPUs":      {gpus: 2, seconds: 90, escrow: "180000ugrafi", want: []uint32{1, 2}},
		"all are asked": {gpus: 4, seconds: 90, escrow: "360000ugrafi", obstacle: types.ErrNoFreeGPUs},
		"no GPU":        {gpus: 0, seconds: 90, escrow: "0ugrafi", obstacle: types.ErrInvalidGPUs},
		"overflow":      {gpus: 1<<32 - 1, seconds: 1<<64 - 1, escrow: "0ugrafi", obstacle: types.ErrInvalidGPUs},
		"too long":      {gpus: 1, seconds: 1<<64 - 1, escrow: "0ugrafi", obstacle: types.ErrInvalidDuration},
		"jailed":        {given: func() { f.staking.notRentable = errStake }, gpus: 1, seconds: 60, escrow: "60000ugrafi", obstacle: errStake},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f.staking.notRentable = nil
			if tc.given != nil {
				tc.given()
			}
			resp, err := q.Quote(f.ctx, &types.QueryQuoteRequest{ListingId: id, GpuCount: tc.gpus, DurationSeconds: tc.seconds})
			require.NoError(t, err)
			require.Equal(t, tc.escrow, resp.Escrow.String())
			require.Equal(t, tc.want, resp.Gpus)
			if tc.obstacle == nil {
				require.Empty(t, resp.Obstacle)
			} else {
				require.Contains(t, resp.Obstacle, tc.obstacle.Error())
			}
		})
	}
	requireState(t, f, before, "a quote changes nothing")
	_, err := q.Quote(f.ctx, &types.QueryQuoteRequest{ListingId: 9})
	require.Equal(t, codes.NotFound, status.Code(err))
}

func TestQueryListingTellsFreeGPUs(t *testing.T) {
	f := newFixture(t)
	id := f.active(2, 60)
	q := keeper.NewQueryServer(f.k)
	free := func() []uint32 {
		resp, err := q.Listing(f.ctx, &types.QueryListingRequest{ListingId: 1})
		require.NoError(t, err)
		return resp.FreeGpus
	}
	require.Equal(t, []uint32{2, 3}, free())
	calendar, err := q.Calendar(f.ctx, &types.QueryCalendarRequest{HostId: hostID, Ordinal: 1})
	require.NoError(t, err)
	require.Equal(t, []types.Booking{{Start: start, End: after(60), RentalId: id}}, calendar.Bookings)
	f.close(renter, id)
	require.Equal(t, []uint32{0, 1, 2, 3}, free())
}

func TestQueryRentals(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 600)
	second := f.rent(1, 1, 600)
	f.beginBlock(after(10))
	q := keeper.NewQueryServer(f.k)

	one, err := q.Rental(f.ctx, &types.QueryRentalRequest{RentalId: id})
	require.NoError(t, err)
	require.Equal(t, f.rental(id), one.Rental)
	require.Equal(t, coin(10_000), one.Payable)
	require.Equal(t, []string{"10000ugrafi"}, f.settle(id), "what the query said")
	_, err = q.Rental(f.ctx, &types.QueryRentalRequest{RentalId: 5})
	require.Equal(t, codes.NotFound, status.Code(err))

	both := []types.Rental{f.rental(id), f.rental(second)}
	open, err := q.OpenRentalsByHost(f.ctx, &types.QueryOpenRentalsByHostRequest{HostId: hostID})
	require.NoError(t, err)
	require.Equal(t, both, open.Rentals)
	mine, err := queryRenter(f)
	require.NoError(t, err)
	require.Equal(t, both, mine.Rentals)
	theirs, err := q.RentalsByOperator(f.ctx, &types.QueryRentalsByOperatorRequest{
		Operator: str(operator), Pagination: &query.PageRequest{Limit: 1, Offset: 1},
	})
	require.NoError(t, err)
	require.Equal(t, both[1:], theirs.Rentals)

	f.close(renter, id)
	open, err = q.OpenRentalsByHost(f.ctx, &types.QueryOpenRentalsByHostRequest{HostId: hostID})
	require.NoError(t, err)
	require.Equal(t, both[1:], open.Rentals)
	broken, err := q.Invariants(f.ctx, &types.QueryInvariantsRequest{})
	require.NoError(t, err)
	require.Empty(t, broken.Broken)
	params, err := q.Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, f.state().Params, params.Params)
}
