package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

func TestCreateListing(t *testing.T) {
	f := newFixture(t)
	want := f.state()
	msg := createMsg()
	msg.Gpus = []uint32{3, 1}
	msg.Tier, msg.AllowList = types.TIER_SELECTIVE, []string{str(renter)}
	msg.MaxDurationSeconds = 86_400

	resp, err := deliver(f, f.msg.CreateListing, msg)

	require.NoError(t, err)
	require.Equal(t, uint64(1), resp.ListingId)
	want.NextListingId = 2
	want.Listings = []types.Listing{{
		Id: 1, HostId: hostID, Operator: str(operator), Gpus: []uint32{1, 3}, Class: class,
		Tier: types.TIER_SELECTIVE, Price: coin(hourly), MinDurationSeconds: 60, MaxDurationSeconds: 86_400,
		NoticeSeconds: 900, AllowList: []string{str(renter)}, Status: types.LISTING_STATUS_OPEN, CreatedAt: start,
	}}
	requireState(t, f, want)
	requireEvents(t, f, &types.EventListingCreated{
		ListingId: 1, HostId: hostID, Operator: str(operator), Class: class, Price: coin(hourly),
	})
	require.Equal(t, map[string]math.Int{"7/1": math.NewInt(hourly), "7/3": math.NewInt(hourly)}, f.staking.prices)
	f.checkInvariants()
}

func TestCreateListingOffersEveryGPUOfTheHost(t *testing.T) {
	f := newFixture(t)
	f.list()
	require.Equal(t, []uint32{0, 1, 2, 3}, f.state().Listings[0].Gpus)
}

func TestCreateListingInAnotherDenomAsksNoStake(t *testing.T) {
	f := newFixture(t)
	msg := createMsg()
	msg.Gpus, msg.Price = []uint32{0}, sdk.NewInt64Coin("uusdc", 5)
	_, err := deliver(f, f.msg.CreateListing, msg)
	require.NoError(t, err)
	require.True(t, f.staking.prices["7/0"].IsZero())
}

func TestCreateListingRefuses(t *testing.T) {
	huge, _ := math.NewIntFromString("1000000000000000000000000000000000000000000000000000000000000000000000000000")
	tests := map[string]struct {
		given func(*fixture)
		msg   func(*types.MsgCreateListing)
		want  error
	}{
		"bad address":        {msg: func(m *types.MsgCreateListing) { m.Operator = "grafi1x" }, want: sdkerrors.ErrInvalidAddress},
		"unknown host":       {msg: func(m *types.MsgCreateListing) { m.HostId = 99 }, want: errUnknownHost},
		"foreign host":       {msg: func(m *types.MsgCreateListing) { m.Operator = str(stranger) }, want: types.ErrNotOwner},
		"retired host":       {given: func(f *fixture) { f.attestation.host.Status = attestationtypes.HOST_STATUS_RETIRED }, want: types.ErrHostNotActive},
		"no tier":            {msg: func(m *types.MsgCreateListing) { m.Tier = types.TIER_UNSPECIFIED }, want: types.ErrInvalidTier},
		"zero price":         {msg: func(m *types.MsgCreateListing) { m.Price = coin(0) }, want: types.ErrInvalidPrice},
		"negative price":     {msg: func(m *types.MsgCreateListing) { m.Price.Amount = math.NewInt(-1) }, want: types.ErrInvalidPrice},
		"no price":           {msg: func(m *types.MsgCreateListing) { m.Price = sdk.Coin{} }, want: types.ErrInvalidPrice},
		"price over limit":   {msg: func(m *types.MsgCreateListing) { m.Price.Amount = math.NewInt(1_000_000_000_001) }, want: types.ErrInvalidPrice},
		"overflowing price":  {msg: func(m *types.MsgCreateListing) { m.Price.Amount = huge }, want: types.ErrInvalidPrice},
		"wrong denom":        {msg: func(m *types.MsgCreateListing) { m.Price.Denom = "uatom" }, want: types.ErrInvalidPrice},
		"durations crossed":  {msg: func(m *types.MsgCreateListing) { m.MinDurationSeconds, m.MaxDurationSeconds = 200, 100 }, want: types.ErrInvalidDuration},
		"duration too short": {msg: func(m *types.MsgCreateListing) { m.MinDurationSeconds = 1 }, want: types.ErrInvalidDuration},
		"duration overflow":  {msg: func(m *types.MsgCreateListing) { m.MaxDurationSeconds = 1<<64 - 1 }, want: types.ErrInvalidDuration},
		"notice too long":    {msg: func(m *types.MsgCreateListing) { m.NoticeSeconds = 1<<64 - 1 }, want: types.ErrInvalidDuration},
		"GPU twice":          {msg: func(m *types.MsgCreateListing) { m.Gpus = []uint32{1, 1} }, want: types.ErrInvalidGPUs},
		"no such GPU":        {msg: func(m *types.MsgCreateListing) { m.Gpus = []uint32{4} }, want: types.ErrInvalidGPUs},
		"too many GPUs":      {msg: func(m *types.MsgCreateListing) { m.Gpus = make([]uint32, 5) }, want: types.ErrInvalidGPUs},
		"host without GPU":   {given: func(f *fixture) { f.attestation.host.GpuCount = 0 }, want: types.ErrInvalidGPUs},
		"unknown class":      {given: func(f *fixture) { f.attestation.classes[0] = "" }, want: types.ErrClassChanged},
		"two classes":        {given: func(f *fixture) { f.attestation.classes[2] = "sim" }, want: types.ErrClassChanged},
		"GPU is listed":      {given: func(f *fixture) { f.list() }, want: types.ErrGPUListed},
		"list on general": {msg: func(m *types.MsgCreateListing) { m.AllowList = []string{str(renter)} },
			want: types.ErrInvalidAllowList},
		"account twice": {msg: func(m *types.MsgCreateListing) {
			m.Tier, m.AllowList = types.TIER_SELECTIVE, []string{str(renter), str(renter)}
		}, want: types.ErrInvalidAllowList},
		"bad account": {msg: func(m *types.MsgCreateListing) { m.AllowList = []string{"me"} }, want: sdkerrors.ErrInvalidAddress},
		"jailed":      {given: func(f *fixture) { f.staking.notRentable = errStake }, want: errStake},
		"not covered": {given: func(f *fixture) { f.staking.notCovered = errStake }, want: errStake},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			msg := createMsg()
			if tc.given != nil {
				tc.given(f)
			}
			if tc.msg != nil {
				tc.msg(msg)
			}
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.CreateListing, msg); return err })
		})
	}
}

func TestChangeListing(t *testing.T) {
	f := newFixture(t)
	id := f.list()
	rental := f.rent(id, 1, 3_600)
	f.beginBlock(start)
	want := f.state()

	_, err := deliver(f, f.msg.ChangeListing, &types.MsgChangeListing{Operator: str(operator), ListingId: id, Price: coin(9), NoticeSeconds: 900})

	require.NoError(t, err)
	want.Listings[0].Price = coin(9)
	requireState(t, f, want)
	require.Equal(t, coin(hourly), f.rental(rental).Price, "an open rental keeps its price")
	requireEvents(t, f, &types.EventListingChanged{
		ListingId: id, Price: coin(9), MinDurationSeconds: 60, MaxDurationSeconds: 2_592_000, NoticeSeconds: 900,
	})
	require.Equal(t, math.NewInt(9), f.staking.prices["7/3"])
}

func TestChangeListingNeedsCoverOnlyForMore(t *testing.T) {
	f := newFixture(t)
	id := f.list()
	f.staking.notCovered = errStake
	change := func(price sdk.Coin) error {
		_, err := deliver(f, f.msg.ChangeListing, &types.MsgChangeListing{Operator: str(operator), ListingId: id, Price: price})
		return err
	}
	require.NoError(t, change(coin(hourly-1)))
	requireRefused(t, f, errStake, func() error { return change(coin(hourly)) })
	require.NoError(t, change(sdk.NewInt64Coin("uusdc", hourly*2)), "another denom counts zero")
}

func TestChangeListingRefuses(t *testing.T) {
	tests := map[string]struct {
		msg  *types.MsgChangeListing
		want error
	}{
		"unknown listing": {&types.MsgChangeListing{Operator: str(operator), ListingId: 9, Price: coin(1)}, types.ErrListingNotFound},
		"foreign owner":   {&types.MsgChangeListing{Operator: str(stranger), ListingId: 1, Price: coin(1)}, types.ErrNotOwner},
		"zero":            {&types.MsgChangeListing{Operator: str(operator), ListingId: 1, Price: coin(0)}, types.ErrInvalidPrice},
		"wrong denom":     {&types.MsgChangeListing{Operator: str(operator), ListingId: 1, Price: sdk.NewInt64Coin("uatom", 1)}, types.ErrInvalidPrice},
		"bad address":     {&types.MsgChangeListing{Operator: "", ListingId: 1, Price: coin(1)}, sdkerrors.ErrInvalidAddress},
		"withdrawn":       {&types.MsgChangeListing{Operator: str(operator), ListingId: 2, Price: coin(1)}, types.ErrListingNotOpen},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.twoListings()
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.ChangeListing, tc.msg); return err })
		})
	}
}

// twoListings makes listing 1 of GPUs 0 and 1, and listing 2, which is withdrawn.
func (f *fixture) twoListings() {
	f.t.Helper()
	for _, gpus := range [][]uint32{{0, 1}, {2, 3}} {
		msg := createMsg()
		msg.Gpus = gpus
		_, err := deliver(f, f.msg.CreateListing, msg)
		require.NoError(f.t, err)
	}
	require.NoError(f.t, f.setStatus(2, types.LISTING_STATUS_WITHDRAWN))
}

func (f *fixture) setStatus(id uint64, status types.ListingStatus) error {
	_, err := deliver(f, f.msg.SetListingStatus,
		&types.MsgSetListingStatus{Operator: str(operator), ListingId: id, Status: status})
	return err
}

func TestSetListingStatus(t *testing.T) {
	for _, status := range []types.ListingStatus{types.LISTING_STATUS_PAUSED, types.LISTING_STATUS_WITHDRAWN} {
		t.Run(status.String(), func(t *testing.T) {
			f := newFixture(t)
			id := f.list()
			f.rent(id, 2, 3_600)
			f.beginBlock(start)
			want := f.state()

			require.NoError(t, f.setStatus(id, status))

			want.Listings[0].Status = status
			requireState(t, f, want, "its rentals go on")
			requireEvents(t, f, &types.EventListingStatusChanged{ListingId: id, Status: status})
			require.Equal(t, status == types.LISTING_STATUS_WITHDRAWN, f.staking.prices["7/0"].IsZero())
			f.checkInvariants()
		})
	}
}

func TestReopenAsksWhatANewListingAsks(t *testing.T) {
	f := newFixture(t)
	id := f.list()
	require.NoError(t, f.setStatus(id, types.LISTING_STATUS_PAUSED))
	reopen := func() error { return f.setStatus(id, types.LISTING_STATUS_OPEN) }
	f.staking.notCovered = errStake
	requireRefused(t, f, errStake, reopen)
	f.staking.notCovered, f.staking.notRentable = nil, errStake
	requireRefused(t, f, errStake, reopen)
	f.staking.notRentable = nil
	require.NoError(t, reopen())
	require.Equal(t, types.LISTING_STATUS_OPEN, f.state().Listings[0].Status)
}

func TestWithdrawnGPUsCanBeListedAnew(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, f.setStatus(f.list(), types.LISTING_STATUS_WITHDRAWN))
	require.Equal(t, uint64(2), f.list())
	f.checkInvariants()
}

func TestSetListingStatusRefuses(t *testing.T) {
	tests := map[string]struct {
		msg  *types.MsgSetListingStatus
		want error
	}{
		"unknown listing": {&types.MsgSetListingStatus{Operator: str(operator), ListingId: 9, Status: 2}, types.ErrListingNotFound},
		"foreign owner":   {&types.MsgSetListingStatus{Operator: str(stranger), ListingId: 1, Status: 2}, types.ErrNotOwner},
		"no status":       {&types.MsgSetListingStatus{Operator: str(operator), ListingId: 1}, types.ErrInvalidStatus},
		"unknown status":  {&types.MsgSetListingStatus{Operator: str(operator), ListingId: 1, Status: 9}, types.ErrInvalidStatus},
		"same status":     {&types.MsgSetListingStatus{Operator: str(operator), ListingId: 1, Status: 1}, types.ErrInvalidStatus},
		"after withdraw":  {&types.MsgSetListingStatus{Operator: str(operator), ListingId: 2, Status: 1}, types.ErrListingNotOpen},
		"bad address":     {&types.MsgSetListingStatus{Operator: "x", ListingId: 1, Status: 2}, sdkerrors.ErrInvalidAddress},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.twoListings()
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.SetListingStatus, tc.msg); return err })
		})
	}
}
