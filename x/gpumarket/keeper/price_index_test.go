package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// sold rents so many GPUs of a listing now and closes it after so many seconds.
func (f *fixture) sold(listing uint64, by sdk.AccAddress, gpus uint32, secs uint64) {
	f.t.Helper()
	l, err := f.k.Listing(f.ctx, listing)
	require.NoError(f.t, err)
	msg := rentMsg(listing)
	msg.Renter, msg.GpuCount, msg.DurationSeconds, msg.MaxPrice = str(by), gpus, secs, l.Price
	resp, err := deliver(f, f.msg.Rent, msg)
	require.NoError(f.t, err)
	f.confirm21(resp.RentalId)
	f.blocks(f.rental(resp.RentalId).EndsAt.UTC(), 600)
}

func (f *fixture) index() (price, volume int64) {
	f.t.Helper()
	resp, err := keeper.NewQueryServer(f.k).PriceIndex(f.ctx, &types.QueryPriceIndexRequest{Class: class, Denom: denom})
	require.NoError(f.t, err)
	if resp.Price == nil {
		return 0, int64(resp.GpuSeconds)
	}
	return resp.Price.Amount.Int64(), int64(resp.GpuSeconds)
}

func TestPriceIndex(t *testing.T) {
	f := newFixture(t)
	f.beginBlock(start)
	cheap, dear := f.offer(21, 1_000_000), f.offer(22, 3_456_789)
	price, volume := f.index()
	require.Zero(t, price+volume, "nothing was sold")

	f.sold(cheap, renter, 1, 3_600)
	f.sold(dear, renter, 2, 3_600)
	price, volume = f.index()
	require.Equal(t, int64(3_450_000), price, "two thirds of the volume, its price to three digits")
	require.Equal(t, int64(3*3_600), volume)
	f.sold(cheap, stranger, 1, 3_600)
	price, volume = f.index()
	require.Equal(t, int64(1_000_000), price, "half of the volume is enough")
	require.Equal(t, int64(4*3_600), volume)

	// The first sale closed at 01:00 and leaves with its hour, at 01:00 next day.
	f.beginBlock(after(86_400 + 3_599))
	_, volume = f.index()
	require.Equal(t, int64(4*3_600), volume)
	f.beginBlock(after(86_400 + 3_600))
	price, volume = f.index()
	require.Equal(t, int64(3_450_000), price)
	require.Equal(t, int64(3*3_600), volume)
	// The records go when the next sale comes, a few at a time.
	f.sold(cheap, renter, 1, 60)
	require.Len(t, f.state().PriceBuckets, 3)
	f.checkInvariants()
}

// One pair of parties adds at most 5 % of yesterday's volume, or a GPU-day.
func TestPriceIndexPairLimit(t *testing.T) {
	const day = 20_454 // of start
	tests := map[string]struct {
		yesterday, want uint64
	}{
		"a quiet market": {0, 86_400},
		"just the floor": {1_728_000, 86_400},
		"over the floor": {2_000_000, 100_000},
		"no limit met":   {1 << 40, 4 * 43_000},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newEmptyFixture(t)
			gs := types.DefaultGenesis()
			if tc.yesterday > 0 {
				gs.DayVolumes = []types.DayVolume{{Class: class, Denom: denom, Day: day - 1, GpuSeconds: tc.yesterday}}
			}
			require.NoError(t, f.k.InitGenesis(f.ctx, *gs))
			f.beginBlock(start)
			listing := f.offer(21, 1_000_000)
			f.sold(listing, renter, 4, 43_000)
			_, volume := f.index()
			require.Equal(t, int64(tc.want), volume)
			f.sold(listing, renter, 4, 600) // the same pair, the same day
			_, volume = f.index()
			require.Equal(t, int64(min(tc.want+2_400, max(tc.yesterday/20, 86_400))), volume)
			f.sold(listing, stranger, 4, 600) // another pair
			_, more := f.index()
			require.Equal(t, volume+2_400, more)
			require.Equal(t, uint64(more), f.state().DayVolumes[len(f.state().DayVolumes)-1].GpuSeconds)
			f.checkInvariants()
		})
	}
}

func TestPriceIndexQueryRefuses(t *testing.T) {
	f := newFixture(t)
	q := keeper.NewQueryServer(f.k)
	for _, req := range []*types.QueryPriceIndexRequest{nil, {}, {Class: class}, {Class: class, Denom: "!"}, {Denom: denom}} {
		_, err := q.PriceIndex(f.ctx, req)
		require.Error(t, err)
	}
	resp, err := q.PriceIndex(f.ctx, &types.QueryPriceIndexRequest{Class: class, Denom: denom})
	require.NoError(t, err)
	require.Equal(t, start.Add(-23*3_600_000_000_000), resp.From)
	require.Nil(t, resp.Price)
}
