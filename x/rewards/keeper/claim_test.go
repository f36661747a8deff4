package keeper_test

import (
	"math/rand"
	"os"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/rewards/types"
)

// TestClaim: the whole state, the money and the event of a claim.
func TestClaim(t *testing.T) {
	f := newMineFixture(t)
	f.noTarget()
	f.operator(olga, datacenter, 2_000, 2_000)
	host := f.host(olga, h100, 4)
	for range 144 {
		f.attest(today, host, 0, 1, 3)
	}
	f.close(today)
	want := f.export()
	f.at(f.ctx.BlockTime())

	reward := f.mustClaim(olga, today, host, 1, 3)

	require.Equal(t, int64(45_499_999_998), reward, "two of three equal parts, each floored")
	const liquid, held = 11_374_999_999, 34_124_999_999
	want.Days[0].Datacenter.Paid = math.NewInt(reward)
	want.OperatorDays[0].Paid = math.NewInt(reward)
	want.Buckets[0].Claimed = []byte{0b1010}
	want.Tranches = []types.Tranche{{
		Operator: olga.String(), Day: today + 1, Amount: math.NewInt(held), Paid: math.ZeroInt(),
		StartsAt: dayStart(today + 2), EndsAt: dayStart(today + 32),
	}}
	require.Equal(t, ptr(want).String(), ptr(f.export()).String())
	require.Equal(t, int64(liquid), f.bank.GetBalance(f.ctx, olga, denom).Amount.Int64())
	event, err := sdk.TypedEventToEvent(&types.EventMiningClaimed{
		Day: today, HostId: host, Operator: olga.String(), Gpus: 2, Reward: "45499999998", OverCap: "0",
	})
	require.NoError(t, err)
	require.Contains(t, f.events(), event)
	f.sound()

	require.Equal(t, int64(22_749_999_999), f.mustClaim(olga, today, host), "the rest, which is GPU 0")
	f.sound()
}

// TestMiningClaimRefused: each reason, and that nothing is left behind.
func TestMiningClaimRefused(t *testing.T) {
	f := newMineFixture(t)
	f.noTarget()
	f.operator(olga, datacenter, 2_000, 2_000)
	f.operator(oscar, datacenter, 2_000, 2_000)
	host, lazy := f.host(olga, h100, 4), f.host(olga, h100, 2)
	foreign := f.host(oscar, h100, 1)
	f.slots(today, host, 144)
	f.slots(today, foreign, 144)
	f.slots(today, lazy, 122) // under 85 %
	f.close(today)
	f.slots(today+1, host, 144)
	f.mustClaim(olga, today, host, 2)

	for name, tc := range map[string]struct {
		account   sdk.AccAddress
		day, host uint64
		ordinals  []uint32
		want      error
	}{
		"foreign host":           {olga, today, foreign, nil, types.ErrNotOwner},
		"own host of another":    {oscar, today, host, []uint32{1}, types.ErrNotOwner},
		"unknown host":           {olga, today, 99, nil, attestation.ErrHostNotFound},
		"no operator":            {ann, today, host, nil, types.ErrNotOwner},
		"day before mining":      {olga, today - 1, host, nil, types.ErrDayNotFound},
		"day zero":               {olga, 0, host, nil, types.ErrDayNotFound},
		"early":                  {olga, today + 1, host, nil, types.ErrDayOpen},
		"far in the future":      {olga, 1<<64 - 1, host, nil, types.ErrDayOpen},
		"twice":                  {olga, today, host, []uint32{2}, types.ErrAlreadyClaimed},
		"twice among others":     {olga, today, host, []uint32{1, 2, 3}, types.ErrAlreadyClaimed},
		"same GPU in one claim":  {olga, today, host, []uint32{1, 1}, types.ErrInvalidOrdinals},
		"out of order":           {olga, today, host, []uint32{3, 1}, types.ErrInvalidOrdinals},
		"GPU that is not there":  {olga, today, host, []uint32{4}, types.ErrInvalidOrdinals},
		"largest ordinal":        {olga, today, host, []uint32{1<<32 - 1}, types.ErrInvalidOrdinals},
		"under 85 % of the day":  {olga, today, lazy, nil, types.ErrNothingEarned},
		"one GPU of such a host": {olga, today, lazy, []uint32{0}, types.ErrNothingEarned},
	} {
		t.Run(name, func(t *testing.T) {
			f.at(f.ctx.BlockTime())
			before := ptr(f.export()).String()
			_, err := f.claim(tc.account, tc.day, tc.host, tc.ordinals...)
			require.ErrorIs(t, err, tc.want)
			require.Equal(t, before, ptr(f.export()).String(), "a failed message leaves no trace")
			require.Empty(t, f.events())
		})
	}
	_, err := f.msgs.ClaimMining(f.ctx, &types.MsgClaimMining{Operator: "grafi1nobody", Day: today, HostId: host})
	require.Error(t, err)
	f.mustClaim(olga, today, host)
	_, err = f.claim(olga, today, host)
	require.ErrorIs(t, err, types.ErrAlreadyClaimed, "all were claimed")
	f.sound()
}

// TestClaimWindow: from the block that closes the day to the last second of the
// 90th day after it.
func TestClaimWindow(t *testing.T) {
	late := dayStart(today + 91)
	for name, tc := range map[string]struct {
		at   time.Time
		want error
	}{
		"one second before the day is closed": {dayStart(today + 1).Add(6*hour - time.Second), types.ErrDayOpen},
		"when the day is closed":              {dayStart(today + 1).Add(6 * hour), nil},
		"in the last second":                  {late.Add(-time.Second), nil},
		"one second too late":                 {late, types.ErrDayExpired},
		"two seconds too late":                {late.Add(time.Second), types.ErrDayExpired},
	} {
		t.Run(name, func(t *testing.T) {
			f := newMineFixture(t)
			f.noTarget()
			f.operator(olga, datacenter, 2_000, 2_000)
			host := f.host(olga, h100, 1)
			f.slots(today, host, 144)
			if tc.at.After(dayStart(today + 2)) {
				f.close(today)
				f.at(tc.at) // messages come before the end of the block
			} else {
				f.block(tc.at)
			}
			_, err := f.claim(olga, today, host)
			require.ErrorIs(t, err, tc.want)
		})
	}
}

// TestCountersAreGone: when x/attestation keeps counters for less than claim_days a
// claim is refused as late, and never paid from counters that are gone.
func TestCountersAreGone(t *testing.T) {
	f := newMineFixture(t)
	f.noTarget()
	f.operator(olga, datacenter, 2_000, 2_000)
	host := f.host(olga, h100, 1)
	f.slots(today, host, 144)
	f.close(today)
	f.hosts.params.CounterDays = 10
	f.at(dayStart(today + 11).Add(-time.Second))
	f.mustClaim(olga, today, host)
	f.at(dayStart(today + 11))
	_, err := f.claim(olga, today, host)
	require.ErrorIs(t, err, types.ErrDayExpired)
}

// TestOperatorCap: 10 % of what the day distributes, however it is claimed; what is
// over it returns to the kind's pool.
func TestOperatorCap(t *testing.T) {
	f := newMineFixture(t)
	f.noTarget()
	f.params(func(p *types.Params) { p.Rules.OperatorCapPpm = 100_000 })
	f.operator(olga, datacenter, 2_000, 2_000)
	f.operator(oscar, contributor, 2_000, 2_000)
	one, two := f.host(olga, h100, 1), f.host(olga, h100, 1)
	other := f.host(oscar, rtx, 1)
	for _, h := range []uint64{one, two, other} {
		f.slots(today, h, 144)
	}
	require.Equal(t, int64(10_500_000_000), f.close(today).OperatorCap.Int64())

	require.Equal(t, int64(10_500_000_000), f.mustClaim(olga, today, one))
	_, err := f.claim(olga, today, two)
	require.ErrorIs(t, err, types.ErrCapReached)
	require.Equal(t, int64(10_500_000_000), f.mustClaim(oscar, today, other), "each has a cap of its own")
	f.sound()
	f.block(dayStart(today + 91))
	m := f.mining()
	require.Equal(t, uint64(today+1), m.NextExpire)
	f.sound()
}

// TestClaimsInAnyOrder: the same total and the same for everyone, in whichever order
// and in whichever portions they claim; GRAFI_LONG_TESTS=1 runs it at 10^5.
func TestClaimsInAnyOrder(t *testing.T) {
	gpus := 1_000
	if os.Getenv("GRAFI_LONG_TESTS") != "" {
		gpus = 100_000
	}
	const perHost = 4
	var first map[string]int64
	for round := range 2 {
		f := newMineFixture(t)
		f.params(func(p *types.Params) { p.Rules.TargetFloorPpm, p.Rules.OperatorCapPpm = 0, 30_000 })
		r := rand.New(rand.NewSource(1)) // the network is the same in each round
		accounts := []sdk.AccAddress{olga, oscar, ann, ben, cleo}
		for i, account := range accounts {
			f.operator(account, []stakeKind{datacenter, contributor}[i%2], int64(200+r.Intn(700)), 200)
		}
		type job struct {
			account sdk.AccAddress
			host    uint64
			ordinal []uint32
		}
		var jobs []job
		for range gpus / perHost {
			account := accounts[r.Intn(len(accounts))]
			host := f.host(account, []string{h100, rtx}[r.Intn(2)], perHost)
			f.jump(today, host, uint8(120+r.Intn(25)))
			for i := range uint32(perHost) {
				jobs = append(jobs, job{account, host, []uint32{i}})
			}
		}
		f.close(today)
		order := rand.New(rand.NewSource(int64(round)))
		order.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
		paid := map[string]int64{}
		for _, j := range jobs {
			reward, err := f.claim(j.account, today, j.host, j.ordinal...)
			if err != nil {
				require.True(t, types.ErrNothingEarned.Is(err) || types.ErrCapReached.Is(err), err)
			}
			paid["total"] += reward
			paid[j.account.String()] += reward
		}
		f.sound()
		day := f.day(today)
		require.Equal(t, day.Datacenter.Paid.Add(day.Contributor.Paid).Int64(), paid["total"])
		require.Greater(t, paid["total"], int64(10_000_000_000))
		if round == 0 {
			first = paid
			continue
		}
		require.Equal(t, first, paid)
	}
}

// jump counts n slots of a host's GPUs at once, as an import of a running day does.
func (f *mineFixture) jump(day, hostID uint64, n uint8) {
	f.t.Helper()
	host := f.hosts.hosts[hostID]
	number, position := attestation.Bucket(host.FirstGpu)
	key := [2]uint64{day, number}
	counted := attestation.CountedHost{HostID: hostID, FirstGPU: host.FirstGpu, Counts: make([]uint8, host.Capacity)}
	for i := range counted.Counts {
		for range n {
			f.hosts.counters[key] = f.hosts.counters[key].Add(position + uint64(i))
		}
		counted.Counts[i] = n
	}
	require.NoError(f.t, f.k.AttestationHooks().AfterSlotsCounted(f.ctx, day, []attestation.CountedHost{counted}))
}
