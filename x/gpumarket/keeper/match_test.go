package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// offer lists all four GPUs of another host at a price.
func (f *fixture) offer(host uint64, price int64, change ...func(*fakeHost, *types.MsgCreateListing)) uint64 {
	f.t.Helper()
	h := fakeHost{class: class, Host: attestationtypes.Host{
		Id: host, Operator: str(operator), Status: attestationtypes.HOST_STATUS_ACTIVE, GpuCount: hostGPUs, Region: "DE",
	}}
	msg := createMsg()
	msg.HostId, msg.Price = host, coin(price)
	for _, c := range change {
		c(&h, msg)
	}
	if f.attestation.more == nil {
		f.attestation.more = map[uint64]fakeHost{}
	}
	f.attestation.more[host] = h
	resp, err := deliver(f, f.msg.CreateListing, msg)
	require.NoError(f.t, err)
	return resp.ListingId
}

func inRegion(region string) func(*fakeHost, *types.MsgCreateListing) {
	return func(h *fakeHost, _ *types.MsgCreateListing) { h.Region = region }
}

func proven(tier uint32, reliability uint64) func(*fakeHost, *types.MsgCreateListing) {
	return func(h *fakeHost, _ *types.MsgCreateListing) { h.tier, h.reliability = tier, reliability }
}

func ahead(secs uint64) func(*fakeHost, *types.MsgCreateListing) {
	return func(_ *fakeHost, m *types.MsgCreateListing) { m.MaxAheadSeconds = secs }
}

func alsoInterruptible(price int64) func(*fakeHost, *types.MsgCreateListing) {
	return func(_ *fakeHost, m *types.MsgCreateListing) { m.InterruptiblePrice = ptr(coin(price)) }
}

func computeMsg(gpus uint32, change ...func(*types.ComputeRequest)) *types.MsgRequestCompute {
	msg := &types.MsgRequestCompute{Renter: str(renter), Request: types.ComputeRequest{
		Class: class, GpuCount: gpus, DurationSeconds: 3_600, MaxPrice: coin(hourly),
		Placement: types.PLACEMENT_ONE_HOST, ManifestDigest: digest,
	}}
	for _, c := range change {
		c(&msg.Request)
	}
	return msg
}

func placed(p types.Placement) func(*types.ComputeRequest) {
	return func(r *types.ComputeRequest) { r.Placement = p }
}

// compute requests GPUs, with the invariants checked, and returns the rentals.
func (f *fixture) compute(msg *types.MsgRequestCompute) []types.Rental {
	f.t.Helper()
	resp, err := deliver(f, f.msg.RequestCompute, msg)
	require.NoError(f.t, err)
	f.checkInvariants()
	var rentals []types.Rental
	for _, id := range resp.RentalIds {
		rentals = append(rentals, f.rental(id))
	}
	return rentals
}

// taken is (listing, GPUs) of each rental, in order.
func taken(rentals []types.Rental) (out [][2]uint64) {
	for _, r := range rentals {
		out = append(out, [2]uint64{r.ListingId, uint64(len(r.Gpus))})
	}
	return out
}

func TestRequestCompute(t *testing.T) {
	f := newFixture(t)
	f.offer(21, 3_000_000)
	f.offer(22, 2_000_000)
	f.beginBlock(start)
	want := f.state()
	msg := computeMsg(6, placed(types.PLACEMENT_GANG), func(r *types.ComputeRequest) {
		r.CloseOnExit, r.FailoverMaxPrice = true, ptr(coin(4_000_000))
	})

	resp, err := deliver(f, f.msg.RequestCompute, msg)

	require.NoError(t, err)
	first, second := uint64(2<<types.RentalIDShift), uint64(1<<types.RentalIDShift)
	require.Equal(t, []uint64{first, second}, resp.RentalIds)
	rental := func(id, listing, host uint64, gpus []uint32, price, escrow, reserve int64) types.Rental {
		return types.Rental{
			Id: id, ListingId: listing, HostId: host, Operator: str(operator), Renter: str(renter), Gpus: gpus,
			Price: coin(price), ManifestDigest: digest, CloseOnExit: true, State: types.RENTAL_STATE_PENDING,
			CreatedAt: start, StartBy: after(600), DueAt: after(600), DurationSeconds: 3_600,
			Escrowed: math.NewInt(escrow), Escrow: math.NewInt(escrow), Paid: math.ZeroInt(), Refunded: math.ZeroInt(),
			Type: types.RENTAL_TYPE_ON_DEMAND, GroupId: first,
			Failover: &types.Failover{MaxPrice: coin(4_000_000), Reserve: math.NewInt(reserve), Moved: math.ZeroInt()},
		}
	}
	want.Listings[0].RentalsOpened, want.Listings[1].RentalsOpened = 1, 1
	want.Rentals = []types.Rental{
		rental(second, 1, 21, []uint32{0, 1}, 3_000_000, 6_000_000, 2_000_000),
		rental(first, 2, 22, []uint32{0, 1, 2, 3}, 2_000_000, 8_000_000, 8_000_000),
	}
	requireState(t, f, want)
	opened := func(r types.Rental) *types.EventRentalOpened {
		return &types.EventRentalOpened{
			RentalId: r.Id, ListingId: r.ListingId, HostId: r.HostId, Renter: r.Renter, Gpus: r.Gpus,
			Escrow: sdk.NewCoin(denom, r.Escrow), Type: r.Type, StartAt: start, Bond: "0",
		}
	}
	requireEvents(t, f, opened(want.Rentals[1]), opened(want.Rentals[0]), &types.EventComputeMatched{
		Renter: str(renter), RentalIds: resp.RentalIds, GpuCount: 6, Escrow: coin(14_000_000),
	})
	require.Equal(t, int64(24_000_000), f.moduleBalance(types.ModuleName))
	require.Equal(t, int64(funds-24_000_000), f.balance(renter))
	f.checkInvariants()
}

func TestRequestComputeOrder(t *testing.T) {
	f := newFixture(t)
	f.offer(21, 3_000_000, proven(3, 1_000_000))
	f.offer(22, 2_000_000, proven(1, 900_000))
	f.offer(23, 2_000_000, proven(1, 900_000))
	f.offer(24, 2_000_000, proven(1, 900_001))
	f.offer(25, 2_000_000, proven(2, 0))
	f.offer(26, 1_999_999)
	rentals := f.compute(computeMsg(24, placed(types.PLACEMENT_GANG)))
	require.Equal(t, [][2]uint64{{6, 4}, {5, 4}, {4, 4}, {2, 4}, {3, 4}, {1, 4}}, taken(rentals))
}

func TestRequestComputePlacement(t *testing.T) {
	tests := map[string]struct {
		gpus      uint32
		placement types.Placement
		want      [][2]uint64 // listing, GPUs
		err       error
	}{
		"one host skips a host that is too small": {4, types.PLACEMENT_ONE_HOST, [][2]uint64{{2, 4}}, nil},
		"one host takes the cheapest that has it": {2, types.PLACEMENT_ONE_HOST, [][2]uint64{{1, 2}}, nil},
		"no host has so many":                     {5, types.PLACEMENT_ONE_HOST, nil, types.ErrNoMatch},
		"a gang takes the cheapest of each":       {7, types.PLACEMENT_GANG, [][2]uint64{{1, 2}, {2, 4}, {3, 1}}, nil},
		"a gang of all there is":                  {10, types.PLACEMENT_GANG, [][2]uint64{{1, 2}, {2, 4}, {3, 4}}, nil},
		"a gang is all or nothing":                {11, types.PLACEMENT_GANG, nil, types.ErrNoMatch},
		"spread takes what there is":              {11, types.PLACEMENT_SPREAD, [][2]uint64{{1, 2}, {2, 4}, {3, 4}}, nil},
		"spread takes no more than it wants":      {3, types.PLACEMENT_SPREAD, [][2]uint64{{1, 2}, {2, 1}}, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			small := f.offer(21, 1_000_000)
			f.offer(22, 2_000_000)
			f.offer(23, 3_000_000)
			msg := rentMsg(small) // two of the cheapest are gone
			msg.Renter = str(stranger)
			_, err := deliver(f, f.msg.Rent, msg)
			require.NoError(t, err)
			request := computeMsg(tc.gpus, placed(tc.placement))
			if tc.err != nil {
				requireRefused(t, f, tc.err, func() error { _, err := deliver(f, f.msg.RequestCompute, request); return err })
				return
			}
			rentals := f.compute(request)
			require.Equal(t, tc.want, taken(rentals))
			for _, r := range rentals {
				if group := rentals[0].Id; len(rentals) > 1 {
					require.Equal(t, group, r.GroupId)
				} else {
					require.Zero(t, r.GroupId)
				}
			}
		})
	}
}

// Even a caller that goes on after the error sees no trace of a gang: what was
// opened before is undone by the keeper itself.
func TestGangLeavesNoTrace(t *testing.T) {
	for name, msg := range map[string]*types.MsgRequestCompute{
		"too few GPUs": computeMsg(9, placed(types.PLACEMENT_GANG)),
		"too poor":     computeMsg(8, placed(types.PLACEMENT_GANG)),
	} {
		f := newFixture(t)
		f.offer(21, 1_000_000)
		f.offer(22, 2_000_000)
		account := renter
		if name == "too poor" {
			account = poor
			f.fund(poor, coin(11_999_999)) // one is missing
		}
		f.beginBlock(start)
		before := f.state()
		_, err := f.k.RequestCompute(f.ctx, account, msg.Request) // no transaction around it
		require.Error(t, err, name)
		requireState(t, f, before, name)
		require.Empty(t, f.events(), name)
		require.Zero(t, f.moduleBalance(types.ModuleName))
		f.checkInvariants()
	}
}

func TestRequestComputeFilters(t *testing.T) {
	at := after(7_200)
	tests := map[string]struct {
		change func(*types.ComputeRequest)
		want   uint64 // listing; 0 for none
	}{
		"anywhere":                        {func(*types.ComputeRequest) {}, 1},
		"a country":                       {func(r *types.ComputeRequest) { r.Region = "US" }, 2},
		"a subdivision":                   {func(r *types.ComputeRequest) { r.Region = "US-NY" }, 3},
		"nothing there":                   {func(r *types.ComputeRequest) { r.Region = "US-TX" }, 0},
		"another country":                 {func(r *types.ComputeRequest) { r.Region = "FR" }, 0},
		"a trust tier":                    {func(r *types.ComputeRequest) { r.MinTrustTier = 2 }, 3},
		"a trust tier that nobody has":    {func(r *types.ComputeRequest) { r.MinTrustTier = 4 }, 0},
		"more memory":                     {func(r *types.ComputeRequest) { r.Class, r.MinMemoryMib = "", 100_000 }, 5},
		"any memory, over all classes":    {func(r *types.ComputeRequest) { r.Class, r.MinMemoryMib = "", 1 }, 4},
		"a class":                         {func(r *types.ComputeRequest) { r.Class = "nvidia-h200-141gb" }, 5},
		"an unknown class":                {func(r *types.ComputeRequest) { r.Class = "abacus" }, 0},
		"interruptible":                   {func(r *types.ComputeRequest) { r.Interruptible = true }, 6},
		"reserved":                        {func(r *types.ComputeRequest) { r.StartAt = &at }, 7},
		"under every price":               {func(r *types.ComputeRequest) { r.MaxPrice = coin(999_999) }, 0},
		"at the price":                    {func(r *types.ComputeRequest) { r.MaxPrice = coin(1_000_000) }, 1},
		"longer than any offer":           {func(r *types.ComputeRequest) { r.DurationSeconds = 2_592_000 }, 0},
		"another denom that nobody takes": {func(r *types.ComputeRequest) { r.MaxPrice.Denom = "uusdc" }, 0},
	}
	week := func(_ *fakeHost, m *types.MsgCreateListing) { m.MaxDurationSeconds = 604_800 }
	ofClass := func(c string) func(*fakeHost, *types.MsgCreateListing) {
		return func(h *fakeHost, _ *types.MsgCreateListing) { h.class = c }
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.staking.setOwn(f.ctx, 1_000_000_000, 0)
			f.offer(21, 1_000_000, week)
			f.offer(22, 1_100_000, week, inRegion("US-CA"))
			f.offer(23, 1_200_000, week, inRegion("US-NY"), proven(2, 0))
			f.offer(24, 500_000, week, ofClass("nvidia-rtx-4090"))
			f.offer(25, 1_400_000, week, ofClass("nvidia-h200-141gb"))
			f.offer(26, 1_500_000, week, alsoInterruptible(100_000))
			f.offer(27, 1_600_000, week, ahead(86_400))
			msg := computeMsg(1, tc.change)
			if tc.want == 0 {
				requireRefused(t, f, types.ErrNoMatch, func() error { _, err := deliver(f, f.msg.RequestCompute, msg); return err })
				return
			}
			require.Equal(t, [][2]uint64{{tc.want, 1}}, taken(f.compute(msg)))
		})
	}
}

func TestRequestComputeRefuses(t *testing.T) {
	huge, _ := math.NewIntFromString("1000000000000000000000000000000000000000000000000000000000000000000000000000")
	at := after(-1)
	tests := map[string]struct {
		change func(*types.MsgRequestCompute)
		want   error
	}{
		"bad address":     {func(m *types.MsgRequestCompute) { m.Renter = "" }, sdkerrors.ErrInvalidAddress},
		"no class":        {func(m *types.MsgRequestCompute) { m.Request.Class = "" }, types.ErrInvalidRequest},
		"class and least": {func(m *types.MsgRequestCompute) { m.Request.MinWeightPpm = 1 }, types.ErrInvalidRequest},
		"odd class":       {func(m *types.MsgRequestCompute) { m.Request.Class = "a\x00b" }, types.ErrInvalidRequest},
		"odd region":      {func(m *types.MsgRequestCompute) { m.Request.Region = "D E" }, types.ErrInvalidRequest},
		"no GPU":          {func(m *types.MsgRequestCompute) { m.Request.GpuCount = 0 }, types.ErrInvalidRequest},
		"GPU overflow":    {func(m *types.MsgRequestCompute) { m.Request.GpuCount = 1<<32 - 1 }, types.ErrInvalidRequest},
		"no placement":    {func(m *types.MsgRequestCompute) { m.Request.Placement = 0 }, types.ErrInvalidRequest},
		"placement":       {func(m *types.MsgRequestCompute) { m.Request.Placement = 4 }, types.ErrInvalidRequest},
		"no duration":     {func(m *types.MsgRequestCompute) { m.Request.DurationSeconds = 0 }, types.ErrInvalidDuration},
		"overflow":        {func(m *types.MsgRequestCompute) { m.Request.DurationSeconds = 1<<64 - 1 }, types.ErrInvalidDuration},
		"no price":        {func(m *types.MsgRequestCompute) { m.Request.MaxPrice = sdk.Coin{} }, types.ErrInvalidPrice},
		"negative price":  {func(m *types.MsgRequestCompute) { m.Request.MaxPrice.Amount = math.NewInt(-1) }, types.ErrInvalidPrice},
		"wrong denom":     {func(m *types.MsgRequestCompute) { m.Request.MaxPrice.Denom = "uatom" }, types.ErrInvalidPrice},
		"no digest":       {func(m *types.MsgRequestCompute) { m.Request.ManifestDigest = nil }, types.ErrInvalidDigest},
		"failover denom": {func(m *types.MsgRequestCompute) {
			m.Request.FailoverMaxPrice = &sdk.Coin{Denom: "uusdc", Amount: math.OneInt()}
		}, types.ErrInvalidFailover},
		"failover nil":  {func(m *types.MsgRequestCompute) { m.Request.FailoverMaxPrice = &sdk.Coin{Denom: denom} }, types.ErrInvalidFailover},
		"failover huge": {func(m *types.MsgRequestCompute) { m.Request.FailoverMaxPrice = &sdk.Coin{Denom: denom, Amount: huge} }, types.ErrInvalidFailover},
		"failover low":  {func(m *types.MsgRequestCompute) { m.Request.FailoverMaxPrice = ptr(coin(1)) }, types.ErrNoMatch},
		"both kinds": {func(m *types.MsgRequestCompute) { m.Request.Interruptible, m.Request.StartAt = true, &at },
			types.ErrInvalidRequest},
		"start in the past": {func(m *types.MsgRequestCompute) { m.Request.StartAt = &at }, types.ErrNoMatch},
		"module account":    {func(m *types.MsgRequestCompute) { m.Renter = moduleAccount() }, types.ErrInvalidRenter},
		"own listing":       {func(m *types.MsgRequestCompute) { m.Renter = str(operator) }, types.ErrNoMatch},
		"no funds":          {func(m *types.MsgRequestCompute) { m.Renter = str(poor) }, sdkerrors.ErrInsufficientFunds},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.offer(21, 1_000_000, ahead(86_400))
			msg := computeMsg(1)
			tc.change(msg)
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.RequestCompute, msg); return err })
		})
	}
}

// What a listing cannot give now is not read for a start now, and is for a later one.
func TestVacantOffersFollowTheCalendar(t *testing.T) {
	f := newFixture(t)
	f.staking.setOwn(f.ctx, 1_000_000_000, 0)
	f.offer(21, 1_000_000, ahead(86_400))
	match := func(msg *types.MsgRequestCompute) *types.QueryMatchComputeResponse {
		resp, err := keeper.NewQueryServer(f.k).MatchCompute(f.ctx, &types.QueryMatchComputeRequest{Renter: msg.Renter, Request: msg.Request})
		require.NoError(t, err)
		return resp
	}
	rentals := f.compute(computeMsg(4))
	require.Empty(t, match(computeMsg(1)).Candidates, "it is full")
	later := computeMsg(1, func(r *types.ComputeRequest) { r.StartAt = ptr(after(7_200)) })
	require.Len(t, match(later).Offers, 1, "and free again by then")
	reserved := f.compute(computeMsg(4, func(r *types.ComputeRequest) { r.StartAt = ptr(after(7_200)) }))

	_, err := deliver(f, f.msg.CloseRental, &types.MsgCloseRental{Sender: str(renter), RentalId: rentals[0].Id})
	require.NoError(t, err)
	f.checkInvariants()
	require.Len(t, match(computeMsg(4)).Offers, 1, "vacant again, until the reservation")
	require.Equal(t, types.CANDIDATE_VERDICT_NOT_FREE,
		match(computeMsg(1, func(r *types.ComputeRequest) { r.DurationSeconds = 7_200 })).Candidates[0].Verdict)
	f.beginBlock(after(7_200))
	f.endBlock()
	require.Equal(t, types.RENTAL_STATE_PENDING, f.rental(reserved[0].Id).State)
	require.Empty(t, match(computeMsg(1)).Candidates, "the reservation holds its GPUs")
	require.NoError(t, f.setStatus(1, types.LISTING_STATUS_PAUSED))
	f.checkInvariants()
	require.Empty(t, match(later).Candidates, "paused")
}

// A request that needs the GPUs of an interruptible rental gets them after the notice.
func TestRequestComputePreempts(t *testing.T) {
	f := newFixture(t)
	f.offer(21, 1_000_000, alsoInterruptible(500_000))
	cheap := f.compute(computeMsg(4, func(r *types.ComputeRequest) { r.Interruptible = true }))
	require.Equal(t, types.RENTAL_TYPE_INTERRUPTIBLE, cheap[0].Type)
	requireRefused(t, f, types.ErrNoMatch, func() error {
		_, err := deliver(f, f.msg.RequestCompute, computeMsg(1, func(r *types.ComputeRequest) { r.Interruptible = true }))
		return err
	})
	for _, p := range []types.Placement{types.PLACEMENT_ONE_HOST, types.PLACEMENT_SPREAD} {
		rentals := f.compute(computeMsg(2, placed(p)))
		start, _ := rentals[0].Window()
		require.Equal(t, f.ctx.BlockTime().Add(time.Minute), start)
		require.NotZero(t, f.rental(cheap[0].Id).PreemptedBy)
	}
}
