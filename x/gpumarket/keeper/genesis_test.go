package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// fullGenesis has every field set in some record.
func fullGenesis() types.GenesisState {
	params := types.DefaultParams()
	params.AllowedDenoms = []string{denom, "uusdc"}
	params.RestAddress = str(stranger)
	listing := types.Listing{
		Id: 1, HostId: hostID, Operator: str(operator), Gpus: []uint32{0, 1, 2, 3}, Class: class, Tier: types.TIER_SELECTIVE,
		Price: coin(hourly), MinDurationSeconds: 60, MaxDurationSeconds: 7_200, NoticeSeconds: 900,
		AllowList: []string{str(renter)}, Status: types.LISTING_STATUS_PAUSED, CreatedAt: start, RentalsOpened: 7,
		InterruptiblePrice: ptr(coin(hourly / 2)), MaxAheadSeconds: 86_400, Country: "DE",
	}
	withdrawn := listing
	withdrawn.Id, withdrawn.Status, withdrawn.RentalsOpened = 2, types.LISTING_STATUS_WITHDRAWN, 0
	withdrawn.InterruptiblePrice, withdrawn.MaxAheadSeconds = nil, 0
	base := types.Rental{
		ListingId: 1, HostId: hostID, Operator: str(operator), Renter: str(renter), Price: coin(hourly),
		ManifestDigest: digest, Type: types.RENTAL_TYPE_ON_DEMAND, CreatedAt: start, StartBy: after(600), DurationSeconds: 3_600,
		Escrowed: math.NewInt(hourly), Escrow: math.NewInt(hourly), Paid: math.NewInt(0), Refunded: math.NewInt(0),
	}
	pending, active, done, parked := base, base, base, base
	pending.Id, pending.Gpus, pending.State, pending.DueAt = firstRental, []uint32{0}, types.RENTAL_STATE_PENDING, after(600)
	active.Id, active.Gpus, active.State, active.CloseOnExit = firstRental+1, []uint32{1}, types.RENTAL_STATE_ACTIVE, true
	active.StartedAt, active.EndsAt, active.PaidUntil = ptr(after(5)), ptr(after(3_605)), ptr(after(105))
	active.NoticeEndsAt, active.CheckSlot, active.DueAt = ptr(after(905)), slotAt(start)+3, after(905)
	active.Paid, active.Escrow = math.NewInt(100_000), math.NewInt(3_500_000)
	active.Availability = &types.Availability{
		CountedSlot: slotAt(start) + 2, JudgedSlots: 2, MissedSlots: 1, Run: 1, RunMarked: true, IncidentSlot: slotAt(start) + 2,
		IncidentSeconds: slotLen, PendingSeconds: 1, FreeDay: 20_454, FreeUsedSeconds: 300, PeriodPaid: math.NewInt(1),
		FirstMissedSlot: slotAt(start) + 2, Credited: math.NewInt(2),
	}
	active.Failover = &types.Failover{MaxPrice: coin(2 * hourly), Reserve: math.NewInt(hourly), Replaces: 9, Moved: math.NewInt(0)}
	active.Result = &types.WorkloadResult{ExitKnown: true, ExitCode: -1, OutputDigest: sha256Of("out"), Seconds: 99}
	done.Id, done.Gpus = firstRental+2, []uint32{0, 2}
	done.StartedAt, done.EndsAt, done.PaidUntil = ptr(after(1)), ptr(after(3_601)), ptr(after(101))
	done.Availability, done.GroupId = types.NewAvailability(slotAt(start)), firstRental
	done.Availability.UnbilledSeconds = 10
	done = closed(done, types.CLOSE_REASON_SILENT, 101, 180_000)
	done.Escrowed = math.NewInt(2 * hourly)
	done.Refunded = math.NewInt(2*hourly - 180_000 - 7)
	done.Failover = &types.Failover{MaxPrice: coin(hourly), Reserve: math.NewInt(0), ReplacedBy: 9, Moved: math.NewInt(7)}
	parked.Id, parked.Gpus, parked.State, parked.DueAt = firstRental+3, []uint32{2}, types.RENTAL_STATE_PENDING, after(600)
	parked.Parked = true

	reserved, preempted, subscribed := base, base, base
	reserved.Id, reserved.Gpus, reserved.Type = firstRental+4, []uint32{0, 1}, types.RENTAL_TYPE_RESERVED
	reserved.State, reserved.DueAt, reserved.StartBy = types.RENTAL_STATE_RESERVED, after(20_000), after(20_600)
	reserved.Escrowed, reserved.Escrow = math.NewInt(2*hourly), math.NewInt(2*hourly)
	reserved.Reservation = &types.Reservation{StartAt: after(20_000), Bond: math.NewInt(1_440_000), Forfeited: math.NewInt(0)}
	preempted.Id, preempted.Gpus, preempted.Type = firstRental+5, []uint32{3}, types.RENTAL_TYPE_INTERRUPTIBLE
	preempted.State, preempted.PreemptedBy = types.RENTAL_STATE_PENDING, firstRental+6
	preempted.NoticeEndsAt, preempted.DueAt = ptr(after(60)), after(60)
	subscribed.Id, subscribed.Gpus, subscribed.Type = firstRental+6, []uint32{3}, types.RENTAL_TYPE_SUBSCRIPTION
	subscribed.State, subscribed.DueAt, subscribed.StartBy = types.RENTAL_STATE_RESERVED, after(60), after(660)
	subscribed.Reservation = &types.Reservation{StartAt: after(60), Bond: math.NewInt(0), Forfeited: math.NewInt(0)}
	subscribed.BalanceWarnings = 1
	subscribed.Subscription = &types.Subscription{
		PeriodSeconds: 3_600, Periods: 1, Balance: math.NewInt(5), Cap: math.NewInt(2 * hourly), Spent: math.NewInt(hourly),
	}
	return types.GenesisState{
		Params: params, Listings: []types.Listing{listing, withdrawn}, NextListingId: 3,
		Rentals:    []types.Rental{pending, active, done, parked, reserved, preempted, subscribed},
		NotRunning: []types.NotRunningMark{{RentalId: firstRental + 1, Slot: slotAt(start) + 1}},
		Invitations: []types.Invitation{
			{ListingId: 1, Account: str(stranger), By: types.INVITATION_SIDE_RENTER, CreatedAt: start, ExpiresAt: after(300)},
			{ListingId: 2, Account: str(renter), By: types.INVITATION_SIDE_OPERATOR, CreatedAt: start, ExpiresAt: after(400)},
		},
		PriceBuckets: []types.PriceBucket{
			{Class: class, Denom: denom, Hour: 490_895, Volumes: []types.PriceVolume{
				{Price: math.NewInt(3_500_000), GpuSeconds: 10}, {Price: math.NewInt(hourly), GpuSeconds: 20},
			}},
			{Class: class, Denom: "uusdc", Hour: 490_895, Volumes: []types.PriceVolume{{Price: math.NewInt(7), GpuSeconds: 5}}},
			{Class: class, Denom: denom, Hour: 490_896, Volumes: []types.PriceVolume{{Price: math.NewInt(hourly), GpuSeconds: 180}}},
		},
		PairVolumes: []types.PairVolume{
			{Class: class, Denom: denom, Day: 20_454, Renter: str(renter), Operator: str(operator), GpuSeconds: 180},
		},
		DayVolumes: []types.DayVolume{
			{Class: class, Denom: denom, Day: 20_453, GpuSeconds: 30}, {Class: class, Denom: "uusdc", Day: 20_453, GpuSeconds: 5},
			{Class: class, Denom: denom, Day: 20_454, GpuSeconds: 180},
		},
	}
}

// lock puts the open escrows of fullGenesis into the module's account.
func (f *fixture) lock(amount int64) {
	f.t.Helper()
	require.NoError(f.t, f.bank.SendCoinsFromAccountToModule(f.ctx, renter, types.ModuleName, sdk.NewCoins(coin(amount))))
}

const (
	fullEscrow = hourly + 3_500_000 + hourly + 2*hourly + hourly + hourly + // escrows
		hourly + 5 // failover reserve, balance
	fullBond = 1_440_000
)

func TestGenesisRoundTrip(t *testing.T) {
	f := newEmptyFixture(t)
	f.lock(fullEscrow)
	require.NoError(t, f.k.InitGenesis(f.ctx, fullGenesis()))
	requireState(t, f, fullGenesis())
	f.staking.setOwn(f.ctx, 0, fullBond)
	f.checkInvariants()

	again := newEmptyFixture(t)
	again.lock(fullEscrow)
	again.staking.setOwn(again.ctx, 0, fullBond)
	require.NoError(t, again.k.InitGenesis(again.ctx, f.state()))
	requireState(t, again, f.state())
	// What is derived works: the GPUs are taken, the deadline comes.
	again.blocks(after(600), 60)
	require.Equal(t, types.CLOSE_REASON_NOT_STARTED, again.rental(firstRental).CloseReason)
	require.True(t, again.rental(firstRental+3).Parked)
	require.ErrorIs(t, again.k.Hooks().BeforeGPUsChanged(again.ctx, hostID, []uint32{2}), types.ErrGPUBooked)
	_, err := deliver(again, again.msg.CreateListing, createMsg())
	require.ErrorIs(t, err, types.ErrGPUListed)
}

func TestGenesisMustMatchTheBank(t *testing.T) {
	f := newEmptyFixture(t)
	f.lock(fullEscrow - 1)
	require.ErrorIs(t, f.k.InitGenesis(f.ctx, fullGenesis()), types.ErrInvalidGenesis)
}

func TestGenesisRefusesAddressesOfAnotherChain(t *testing.T) {
	for name, change := range map[string]func(*types.GenesisState){
		"listing": func(gs *types.GenesisState) {
			gs.Listings[0].Operator = operator.String()
			for i := range gs.Rentals {
				gs.Rentals[i].Operator = operator.String()
			}
		},
		"renter": func(gs *types.GenesisState) { gs.Rentals[0].Renter = renter.String() },
		"rest":   func(gs *types.GenesisState) { gs.Params.RestAddress = renter.String() },
	} {
		f := newEmptyFixture(t)
		f.lock(fullEscrow)
		gs := fullGenesis()
		change(&gs)
		require.Error(t, f.k.InitGenesis(f.ctx, gs), name)
	}
}

// The invariants do see what they are for.
func TestInvariantsFindWhatIsBroken(t *testing.T) {
	f := newEmptyFixture(t)
	f.lock(fullEscrow)
	require.NoError(t, f.k.InitGenesis(f.ctx, fullGenesis()))
	require.NoError(t, f.bank.BaseKeeper.SendCoinsFromModuleToAccount(f.ctx, types.ModuleName, poor, sdk.NewCoins(coin(1))))
	broken, err := f.k.CheckInvariants(f.ctx)
	require.NoError(t, err)
	require.Len(t, broken, 2)
	require.Contains(t, broken[0], "escrow account holds")
	require.Contains(t, broken[1], "has 0 locked, its reservations need 1440000")
}
