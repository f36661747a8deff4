package types_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

func TestAmountFor(t *testing.T) {
	limit := math.NewIntWithDecimal(1, 30)
	tests := map[string]struct {
		price   math.Int
		gpus    int
		seconds uint64
		want    string
	}{
		"one hour":             {math.NewInt(3_600), 1, 3_600, "3600"},
		"one second":           {math.NewInt(3_600), 1, 1, "1"},
		"a remainder is left":  {math.NewInt(3_599), 1, 1, "0"},
		"GPUs before division": {math.NewInt(1_800), 2, 1, "1"},
		"nothing":              {math.NewInt(3_600), 8, 0, "0"},
		"the largest":          {limit, 4_096, 10 * 366 * 86_400, "359792640000000000000000000000000000000"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, types.AmountFor(tc.price, tc.gpus, tc.seconds).String())
		})
	}
}

func TestServedSeconds(t *testing.T) {
	start := time.Unix(1_000, 500).UTC()
	for after, want := range map[time.Duration]uint64{
		-time.Second: 0, 0: 0, time.Second - 1: 0, time.Second: 1, 2*time.Second - 1: 1, time.Hour: 3_600,
	} {
		require.Equal(t, want, types.ServedSeconds(start, start.Add(after)), "%s", after)
	}
}

func TestChargedSeconds(t *testing.T) {
	require.Equal(t, uint64(60), types.ChargedSeconds(0, 60, 600))
	require.Equal(t, uint64(60), types.ChargedSeconds(60, 60, 600))
	require.Equal(t, uint64(61), types.ChargedSeconds(61, 60, 600))
	require.Equal(t, uint64(30), types.ChargedSeconds(5, 60, 30))
	require.Equal(t, uint64(30), types.ChargedSeconds(45, 60, 30))
}

// However a rental is cut into settlements, their sum is the total, and never
// more than the escrow.
func TestSettlementsAddUpToTheTotal(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		start := time.Unix(0, rapid.Int64Range(0, 1e15).Draw(rt, "start")).UTC()
		r := types.Rental{
			Price: sdk.NewCoin("ugrafi", math.NewInt(rapid.Int64Min(1).Draw(rt, "price"))), Gpus: make([]uint32, rapid.IntRange(1, 16).Draw(rt, "GPUs")),
			DurationSeconds: rapid.Uint64Range(1, 1e8).Draw(rt, "duration"), StartedAt: &start, Availability: types.NewAvailability(0),
		}
		escrow := types.AmountFor(r.Price.Amount, len(r.Gpus), r.DurationSeconds)
		paid, now := math.ZeroInt(), start
		for _, gap := range rapid.SliceOf(rapid.Int64Range(0, 1e14)).Draw(rt, "gaps") {
			now = now.Add(time.Duration(gap))
			due := r.PayableAt(now).Sub(paid)
			if due.IsNegative() {
				rt.Fatalf("%s to take back", due)
			}
			paid = paid.Add(due)
		}
		if !paid.Equal(r.PayableAt(now)) || paid.GT(escrow) {
			rt.Fatalf("paid %s, at once %s, escrow %s", paid, r.PayableAt(now), escrow)
		}
	})
}

func TestDivideConserves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var parts [4]uint64
		left := uint64(types.PPM - types.MinProviderPPM)
		for i := range parts {
			parts[i] = rapid.Uint64Range(0, left).Draw(rt, "part")
			left -= parts[i]
		}
		split := types.FeeSplit{
			StakersPpm: parts[0], TreasuryPpm: parts[1], BurnPpm: parts[2], RestPpm: parts[3],
			ProviderPpm: types.PPM - parts[0] - parts[1] - parts[2] - parts[3],
		}
		if err := split.Validate(); err != nil {
			rt.Fatal(err)
		}
		amount := math.NewIntFromUint64(rapid.Uint64().Draw(rt, "amount"))
		provider := amount.Mul(math.NewIntFromUint64(split.ProviderPpm)).QuoRaw(types.PPM)
		whole := split.Divide(amount)
		for _, p := range []types.Parts{whole, whole.BurnToTreasury(), whole.RestToTreasury(), whole.BurnToTreasury().RestToTreasury()} {
			if sum := p.Provider.Add(p.Stakers).Add(p.Treasury).Add(p.Burned).Add(p.Rest); !sum.Equal(amount) {
				rt.Fatalf("parts %v add up to %s, want %s", p, sum, amount)
			}
			if p.Provider.LT(provider) {
				rt.Fatalf("provider gets %s of %s", p.Provider, amount)
			}
		}
	})
}

func TestFeeSplitValidate(t *testing.T) {
	tests := map[string]struct {
		split types.FeeSplit
		ok    bool
	}{
		"contributor":          {types.DefaultParams().ContributorFees, true},
		"least for a provider": {types.FeeSplit{ProviderPpm: 700_000, RestPpm: 300_000}, true},
		"too little":           {types.FeeSplit{ProviderPpm: 699_999, RestPpm: 300_001}, false},
		"under one":            {types.FeeSplit{ProviderPpm: 999_999}, false},
		"over one":             {types.FeeSplit{ProviderPpm: 1_000_000, BurnPpm: 1}, false},
		"overflow":             {types.FeeSplit{ProviderPpm: 1_000_000, BurnPpm: 1 << 63, RestPpm: 1 << 63}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.ok, tc.split.Validate() == nil) })
	}
}

func TestRentalID(t *testing.T) {
	id, err := types.RentalID(1, 0)
	require.NoError(t, err)
	require.Equal(t, uint64(1<<24), id)
	id, err = types.RentalID(3, 1<<24-1)
	require.NoError(t, err)
	require.Equal(t, uint64(4<<24-1), id)
	_, err = types.RentalID(1, 1<<24)
	require.ErrorIs(t, err, types.ErrNoRentalNumber)
	_, err = types.RentalID(1<<40, 0)
	require.ErrorIs(t, err, types.ErrNoRentalNumber)
}

func TestNextDue(t *testing.T) {
	at := func(s int64) *time.Time { v := time.Unix(s, 0).UTC(); return &v }
	tests := map[string]struct {
		rental types.Rental
		judged int64
		want   int64
		why    types.Deadline
	}{
		"reserved":           {types.Rental{State: types.RENTAL_STATE_RESERVED, StartBy: *at(10), Reservation: &types.Reservation{StartAt: *at(5)}}, 0, 5, types.DeadlineReserved},
		"pending":            {types.Rental{State: types.RENTAL_STATE_PENDING, StartBy: *at(10)}, 0, 10, types.DeadlineStart},
		"pending, preempted": {types.Rental{State: types.RENTAL_STATE_PENDING, StartBy: *at(10), NoticeEndsAt: at(9)}, 0, 9, types.DeadlineNotice},
		"preempted later":    {types.Rental{State: types.RENTAL_STATE_PENDING, StartBy: *at(10), NoticeEndsAt: at(10)}, 0, 10, types.DeadlineStart},
		"warning":            {types.Rental{State: types.RENTAL_STATE_ACTIVE, EndsAt: at(4_000), DurationSeconds: 3_601}, 401, 400, types.DeadlineWarning},
		"warning is last":    {types.Rental{State: types.RENTAL_STATE_ACTIVE, EndsAt: at(4_000), DurationSeconds: 3_601}, 400, 400, types.DeadlineSilence},
		"closed":             {types.Rental{State: types.RENTAL_STATE_CLOSED, ClosedAt: at(10)}, 0, 70, types.DeadlinePrune},
		"check first":        {types.Rental{State: types.RENTAL_STATE_ACTIVE, EndsAt: at(20)}, 19, 19, types.DeadlineSilence},
		"check and end":      {types.Rental{State: types.RENTAL_STATE_ACTIVE, EndsAt: at(20)}, 20, 20, types.DeadlineSilence},
		"end first":          {types.Rental{State: types.RENTAL_STATE_ACTIVE, EndsAt: at(20)}, 21, 20, types.DeadlineEnd},
		"notice first":       {types.Rental{State: types.RENTAL_STATE_ACTIVE, EndsAt: at(20), NoticeEndsAt: at(19)}, 21, 19, types.DeadlineNotice},
		"notice at the end":  {types.Rental{State: types.RENTAL_STATE_ACTIVE, EndsAt: at(20), NoticeEndsAt: at(20)}, 21, 20, types.DeadlineEnd},
		"notice after check": {types.Rental{State: types.RENTAL_STATE_ACTIVE, EndsAt: at(20), NoticeEndsAt: at(18)}, 17, 17, types.DeadlineSilence},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			due, why := tc.rental.NextDue(*at(tc.judged), time.Minute)
			require.Equal(t, *at(tc.want), due)
			require.Equal(t, tc.why, why)
		})
	}
}

func TestParamsValidate(t *testing.T) {
	require.NoError(t, types.DefaultParams().Validate())
	tests := map[string]func(*types.Params){
		"no denom":            func(p *types.Params) { p.AllowedDenoms = nil },
		"denom twice":         func(p *types.Params) { p.AllowedDenoms = []string{"ugrafi", "ugrafi"} },
		"bad denom":           func(p *types.Params) { p.AllowedDenoms = []string{"!"} },
		"no price":            func(p *types.Params) { p.MaxPrice = math.Int{} },
		"price zero":          func(p *types.Params) { p.MaxPrice = math.ZeroInt() },
		"price overflows":     func(p *types.Params) { p.MaxPrice = math.NewIntWithDecimal(1, 31) },
		"duration zero":       func(p *types.Params) { p.MinDurationSeconds = 0 },
		"durations crossed":   func(p *types.Params) { p.MinDurationSeconds = p.MaxDurationSeconds + 1 },
		"duration overflows":  func(p *types.Params) { p.MaxDurationSeconds = 1 << 63 },
		"notice":              func(p *types.Params) { p.MaxNoticeSeconds = 1 << 63 },
		"no start timeout":    func(p *types.Params) { p.StartTimeout = 0 },
		"start timeout":       func(p *types.Params) { p.StartTimeout = 25 * time.Hour },
		"no silence":          func(p *types.Params) { p.SilenceSlots = 0 },
		"silence":             func(p *types.Params) { p.SilenceSlots = 145 },
		"minimum charge":      func(p *types.Params) { p.MinChargeSeconds = 3_601 },
		"contributor fees":    func(p *types.Params) { p.ContributorFees.BurnPpm++ },
		"data centre fees":    func(p *types.Params) { p.DatacenterFees = types.FeeSplit{} },
		"no budget":           func(p *types.Params) { p.DeadlineBudget = 0 },
		"budget":              func(p *types.Params) { p.DeadlineBudget = 100_001 },
		"retention too short": func(p *types.Params) { p.ClosedRetention = time.Second },
		"retention too long":  func(p *types.Params) { p.ClosedRetention = 3 * 366 * 24 * time.Hour },
		"settle batch":        func(p *types.Params) { p.MaxSettleBatch = 0 },
		"allow-list":          func(p *types.Params) { p.MaxAllowList = 0 },
		"ahead":               func(p *types.Params) { p.MaxAheadSeconds = 366*86_400 + 1 },
		"bond":                func(p *types.Params) { p.ReservationBondPpm = 1_000_001 },
		"late cancel":         func(p *types.Params) { p.LateCancelPpm = 1_000_001 },
		"free cancel":         func(p *types.Params) { p.FreeCancel = -1 },
		"no preempt notice":   func(p *types.Params) { p.PreemptNotice = 0 },
		"preempt notice":      func(p *types.Params) { p.PreemptNotice = 25 * time.Hour },
		"offline free":        func(p *types.Params) { p.OfflineFreeSeconds = 86_401 },
		"no offline step":     func(p *types.Params) { p.OfflineStepSeconds = 0 },
		"offline step":        func(p *types.Params) { p.OfflineStepPpm = 1_000_001 },
		"offline cap":         func(p *types.Params) { p.OfflineCapPpm = 1_000_001 },
		"tier of zero":        func(p *types.Params) { p.SlaTiers[0].BelowPpm = 0 },
		"tier over one":       func(p *types.Params) { p.SlaTiers[0].BelowPpm = 1_000_001 },
		"credit of zero":      func(p *types.Params) { p.SlaTiers[2].CreditPpm = 0 },
		"credit over one":     func(p *types.Params) { p.SlaTiers[2].CreditPpm = 1_000_001 },
		"tiers up":            func(p *types.Params) { p.SlaTiers[1].BelowPpm = p.SlaTiers[0].BelowPpm },
		"credits down":        func(p *types.Params) { p.SlaTiers[1].CreditPpm = p.SlaTiers[0].CreditPpm },
		"tiers":               func(p *types.Params) { p.SlaTiers = make([]types.SlaTier, 9) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			p := types.DefaultParams()
			change(&p)
			require.ErrorIs(t, p.Validate(), types.ErrInvalidParams)
		})
	}
}
