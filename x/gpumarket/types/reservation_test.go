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

func second(s int64) time.Time { return genesisTime.Add(time.Duration(s) * time.Second) }

func TestBondFor(t *testing.T) {
	p := types.DefaultParams()
	for escrow, want := range map[int64]int64{0: 0, 4: 0, 5: 1, 9: 1, 7_200_000: 1_440_000} {
		require.Equal(t, want, p.BondFor(math.NewInt(escrow)).Int64(), "%d", escrow)
	}
}

// Whatever is paid of an escrow, and in whatever steps, the bond left is the bond
// of the escrow left.
func TestBondFollowsTheEscrow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := types.DefaultParams()
		escrow := math.NewIntFromUint64(rapid.Uint64().Draw(rt, "escrow"))
		bond, released := p.BondFor(escrow), math.ZeroInt()
		first := bond
		for _, part := range rapid.SliceOfN(rapid.Int64Range(0, 1_000_000), 0, 10).Draw(rt, "paid, in PPM of the rest") {
			escrow = escrow.Sub(escrow.MulRaw(part).QuoRaw(types.PPM))
			left := math.MinInt(bond, p.BondFor(escrow))
			released, bond = released.Add(bond.Sub(left)), left
		}
		if !bond.Equal(p.BondFor(escrow)) || !released.Add(bond).Equal(first) {
			rt.Fatalf("bond %s and released %s of %s, escrow %s", bond, released, first, escrow)
		}
	})
}

func TestCancelFee(t *testing.T) {
	p := types.DefaultParams()
	start, escrow := second(2*86_400), math.NewInt(1_009)
	for at, want := range map[int64]int64{
		0: 0, 86_399: 0, 86_400: 0, 86_401: 100, 2 * 86_400: 100, 2*86_400 + 599: 100,
	} {
		require.Equal(t, want, p.CancelFee(escrow, start, second(at)).Int64(), "at second %d", at)
	}
}

func TestCheckStart(t *testing.T) {
	p := types.DefaultParams()
	tests := map[string]struct {
		ahead uint64
		start int64
		want  error
	}{
		"past":             {100, 9, types.ErrInvalidStart},
		"now":              {100, 10, types.ErrInvalidStart},
		"next second":      {100, 11, nil},
		"furthest":         {100, 110, nil},
		"too far":          {100, 111, types.ErrNotReservable},
		"not offered":      {0, 11, types.ErrNotReservable},
		"within params":    {1 << 62, 10 + 30*86_400, nil},
		"over the params":  {1 << 62, 11 + 30*86_400, types.ErrNotReservable},
		"no overflow":      {1<<64 - 1, 1 << 32, types.ErrNotReservable},
		"before the epoch": {100, -1 << 32, types.ErrInvalidStart},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := p.CheckStart(types.Listing{MaxAheadSeconds: tc.ahead}, second(10), second(tc.start))
			require.ErrorIs(t, err, tc.want)
		})
	}
}

func TestCloseReasons(t *testing.T) {
	for code := range types.CloseReason_name {
		c := types.CloseReason(code)
		failed := code == 200 || code == 201 || code == 300 || code == 301 || code == 302
		require.Equal(t, failed, c.OperatorFailed(), "%s", c)
		require.Equal(t, failed || code == 304, c.Replaceable(), "%s", c)
	}
}

func subscribed() types.Rental {
	ends := second(100_000)
	return types.Rental{
		Price: sdk.NewInt64Coin("ugrafi", 3_601), Gpus: []uint32{0}, DurationSeconds: 100_000, Escrowed: math.NewInt(100_027), EndsAt: &ends,
		Type: types.RENTAL_TYPE_SUBSCRIPTION, State: types.RENTAL_STATE_ACTIVE,
		Subscription: &types.Subscription{
			PeriodSeconds: 100_000, Periods: 1, Balance: math.NewInt(100_028), Cap: math.NewInt(200_055), Spent: math.NewInt(100_027),
		},
	}
}

func TestCoversNext(t *testing.T) {
	tests := map[string]struct {
		change func(*types.Rental)
		want   error
	}{
		"enough":       {func(*types.Rental) {}, nil},
		"one short":    {func(r *types.Rental) { r.Subscription.Balance = math.NewInt(100_027) }, types.ErrInvalidDeposit},
		"over the cap": {func(r *types.Rental) { r.Subscription.Cap = math.NewInt(200_054) }, types.ErrInvalidDeposit},
		"cancelled":    {func(r *types.Rental) { r.Subscription.Cancelled = true }, types.ErrNotSubscription},
		"none":         {func(r *types.Rental) { r.Subscription = nil }, types.ErrNotSubscription},
		"ten years":    {func(r *types.Rental) { r.DurationSeconds = 10 * 366 * 86_400 }, types.ErrInvalidDuration},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := subscribed()
			// 200,000 s cost ⌊200055.5…⌋: the second period is one unit dearer than the first.
			require.Equal(t, int64(100_028), r.NextPeriod().Int64())
			tc.change(&r)
			require.ErrorIs(t, r.CoversNext(), tc.want)
		})
	}
}

func TestNextWarning(t *testing.T) {
	tests := map[string]struct {
		change func(*types.Rental)
		want   int64 // 0: none
		number uint32
	}{
		"a day before":             {func(*types.Rental) {}, 13_600, 1},
		"an hour before":           {func(r *types.Rental) { r.BalanceWarnings = 1 }, 96_400, 2},
		"both given":               {func(r *types.Rental) { r.BalanceWarnings = 2 }, 0, 0},
		"a day long":               {func(r *types.Rental) { r.DurationSeconds = 86_400 }, 96_400, 2},
		"a second longer":          {func(r *types.Rental) { r.DurationSeconds = 86_401 }, 13_600, 1},
		"an hour long":             {func(r *types.Rental) { r.DurationSeconds = 3_600 }, 0, 0},
		"ends by notice":           {func(r *types.Rental) { r.NoticeEndsAt = r.EndsAt }, 0, 0},
		"not started":              {func(r *types.Rental) { r.EndsAt = nil }, 0, 0},
		"periods of a day":         {func(r *types.Rental) { r.Subscription = &types.Subscription{PeriodSeconds: 86_400} }, 96_400, 2},
		"periods of more":          {func(r *types.Rental) { r.Subscription = &types.Subscription{PeriodSeconds: 86_401} }, 13_600, 1},
		"a period of a short time": {func(r *types.Rental) { r.Subscription = &types.Subscription{PeriodSeconds: 3_600} }, 0, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := subscribed()
			r.Subscription = nil
			tc.change(&r)
			at, number, ok := r.NextWarning()
			require.Equal(t, tc.want != 0, ok)
			if ok {
				require.Equal(t, second(tc.want), at)
				require.Equal(t, tc.number, number)
			}
		})
	}
}

func TestPassedWarnings(t *testing.T) {
	r := subscribed()
	for at, want := range map[int64]uint32{13_599: 0, 13_600: 1, 96_399: 1, 96_400: 2} {
		require.Equal(t, want, r.PassedWarnings(second(at)), "at second %d", at)
	}
}

func TestWindow(t *testing.T) {
	start, end := types.Rental{CreatedAt: second(1), StartBy: second(600), DurationSeconds: 60}.Window()
	require.Equal(t, []time.Time{second(1), second(660)}, []time.Time{start, end}, "pending")
	ends, notice, early := second(500), second(400), second(501)
	r := types.Rental{CreatedAt: second(1), StartBy: second(600), EndsAt: &ends, NoticeEndsAt: &notice, DurationSeconds: 60}
	_, end = r.Window()
	require.Equal(t, ends, end, "an operator's notice does not free the GPUs before it is over")
	r.PreemptedBy = 9
	_, end = r.Window()
	require.Equal(t, notice, end)
	r.NoticeEndsAt = &early
	_, end = r.Window()
	require.Equal(t, ends, end, "it ends before the preemption")
	r.Reservation = &types.Reservation{StartAt: second(100)}
	start, _ = r.Window()
	require.Equal(t, second(100), start)
}
