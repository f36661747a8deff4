package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
	"github.com/grafilab/grafi/x/rewards/types"
)

// weight is what the day knows of a GPU.
func (f *mineFixture) weight(day, hostID uint64, ordinal uint32) types.GpuDay {
	f.t.Helper()
	resp, err := f.k.HostDay(f.ctx, day, hostID)
	require.NoError(f.t, err)
	return resp.Gpus[ordinal]
}

// TestStakeAtTheStartOfTheDay: what changes on a day counts from the next one on.
func TestStakeAtTheStartOfTheDay(t *testing.T) {
	f := newMineFixture(t)
	f.operator(olga, datacenter, 200, 200)
	host := f.host(olga, h100, 4)
	f.at(dayStart(today).Add(time.Second))
	require.NoError(t, f.staking.bond(f.ctx, olga, 300*grafi)) // 500
	require.NoError(t, f.staking.bond(f.ctx, olga, 300*grafi)) // 800
	f.attest(today, host, 0)
	require.EqualValues(t, 10_000_000, f.weight(today, host, 0).WeightPpm, "one time the requirement when the day began")

	f.at(dayStart(today + 1))
	f.attest(today+1, host, 0)
	require.EqualValues(t, 15_000_000, f.weight(today+1, host, 0).WeightPpm, "four times")
	require.NoError(t, f.staking.bond(f.ctx, olga, -700*grafi)) // 100: under the requirement

	f.attest(today, host, 1)
	f.attest(today+1, host, 1)
	require.EqualValues(t, 10_000_000, f.weight(today, host, 1).WeightPpm, "a late slot of yesterday")
	require.EqualValues(t, 15_000_000, f.weight(today+1, host, 1).WeightPpm, "and of today")
	f.at(dayStart(today + 2))
	f.attest(today+2, host, 0)
	require.Zero(t, f.weight(today+2, host, 0).WeightPpm, "under the requirement when the day began")
	require.Len(t, f.export().Snapshots, 2)

	// An operator of which nothing was counted yet: the snapshot of a later day tells.
	f.operator(oscar, datacenter, 200, 200)
	late := f.host(oscar, h100, 1)
	f.at(dayStart(today + 3))
	require.NoError(t, f.staking.bond(f.ctx, oscar, 600*grafi))
	f.attest(today+2, late)
	require.EqualValues(t, 10_000_000, f.weight(today+2, late, 0).WeightPpm)
}

// TestSnapshotsAreDropped: an operator keeps about as many as there are open days.
func TestSnapshotsAreDropped(t *testing.T) {
	f := newMineFixture(t)
	f.operator(olga, datacenter, 200, 200)
	for day := uint64(today); day < today+20; day++ {
		f.block(dayStart(day).Add(7 * hour))
		require.NoError(t, f.staking.bond(f.ctx, olga, grafi))
		require.LessOrEqual(t, len(f.export().Snapshots), 2)
	}
	f.sound()
}

// TestWeightIsFrozen: nothing that changes after the first slot changes the day.
func TestWeightIsFrozen(t *testing.T) {
	f := newMineFixture(t)
	f.operator(olga, datacenter, 200, 200)
	host := f.host(olga, rtx, 1)
	f.attest(today, host)
	f.hosts.classes[host], f.hosts.weights[rtx], f.hosts.proofs.Compute = h100, 9_000_000, false
	f.hosts.unproven()
	f.attest(today, host)
	require.EqualValues(t, 2_500_000, f.weight(today, host, 0).WeightPpm)
	f.hosts.proofs.Compute, f.hosts.probed = true, attestation.Connection{Day: 3, UpMbps: 900, DownMbps: 900}
	f.hosts.results = attestation.GPUFacts{Challenged: true, Passed: 1}
	f.attest(today+1, host)
	require.EqualValues(t, 11_000_000, f.weight(today+1, host, 0).WeightPpm)
	f.sound()
}

// TestNoWeight: a GPU that can't earn is counted without a weight.
func TestNoWeight(t *testing.T) {
	for name, change := range map[string]func(*mineFixture){
		"unknown class":         func(f *mineFixture) { f.hosts.classes[1] = "" },
		"under the requirement": func(f *mineFixture) { f.operator(olga, datacenter, 199, 200) },
		"no requirement":        func(f *mineFixture) { f.operator(olga, datacenter, 199, 0) },
		"under the trust tier": func(f *mineFixture) {
			f.hosts.proofs = attestation.Proofs{Witnessed: true, Bonded: true, Devices: true}
		},
		"a tier too low":         func(f *mineFixture) { f.params(func(p *types.Params) { p.Rules.MinTrustTier = 2 }) },
		"never challenged":       func(f *mineFixture) { f.hosts.results = attestation.GPUFacts{} },
		"all missed":             func(f *mineFixture) { f.hosts.results = attestation.GPUFacts{Challenged: true, Missed: 1} },
		"a wrong answer":         func(f *mineFixture) { f.hosts.results.Wrong = 1 },
		"connection not probed":  func(f *mineFixture) { f.hosts.probed = attestation.Connection{} },
		"a slow connection":      func(f *mineFixture) { f.hosts.probed.DownMbps = 103 },
		"one unit under minimum": func(f *mineFixture) { f.staking.operators[string(olga)].CountedStake = math.NewInt(200*grafi - 1) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newMineFixture(t)
			f.operator(olga, datacenter, 200, 200)
			host := f.host(olga, h100, 1)
			change(f)
			f.slots(today, host, 144)
			require.Zero(t, f.weight(today, host, 0).WeightPpm)
			require.True(t, f.close(today).Datacenter.WeightedUptime.IsZero())
			f.sound()
		})
	}
}

func TestTrustTierIsEnough(t *testing.T) {
	f := newMineFixture(t)
	f.params(func(p *types.Params) { p.Rules.MinTrustTier = 2 })
	f.hosts.proofs.Witnessed, f.hosts.proofs.Bonded = true, true
	f.operator(olga, datacenter, 200, 200)
	host := f.host(olga, h100, 1)
	f.attest(today, host)
	require.EqualValues(t, 10_000_000, f.weight(today, host, 0).WeightPpm)
}

// rent pays for the GPUs of a host from one second of the day before today to another.
func (f *mineFixture) rent(hostID uint64, from, to time.Time, missed uint64, coin sdk.Coin, gpus ...uint32) {
	f.t.Helper()
	half := coin.Amount.QuoRaw(2)
	require.NoError(f.t, f.k.MarketHooks().AfterRentalPaid(f.ctx, gpumarket.Payment{
		RentalID: 7, Operator: olga, HostID: hostID, GPUs: gpus, From: from, To: to, Missed: missed,
		Denom: coin.Denom, Stakers: math.ZeroInt(), Treasury: half, Burned: coin.Amount.Sub(half),
	}))
}

// TestRentedBonus: the fees must exceed what the bonus can be worth. ρ of the first
// day is 68,250 GRAFI for 10,000,000 × 1.05, so that 25 % for a whole day are worth
// 17,062.5 GRAFI at the most.
func TestRentedBonus(t *testing.T) {
	const gain = 17_062_499_999
	second := dayStart(today + 1)
	for name, tc := range map[string]struct {
		fees, from, to int64
		missed         uint64
		coin           string
		want           uint64
	}{
		"fees over the gain":           {fees: gain + 1, to: 86_400, want: 12_500_000},
		"fees equal to the gain":       {fees: gain, to: 86_400, want: 10_000_000},
		"half a day":                   {fees: gain, to: 43_200, want: 11_250_000},
		"half of the day was missed":   {fees: gain, to: 86_400, missed: 43_200, want: 11_250_000},
		"another denom":                {fees: gain * 10, to: 86_400, coin: foreign, want: 10_000_000},
		"nothing":                      {want: 10_000_000},
		"the day before only":          {fees: gain * 10, from: -86_400, to: 0, want: 10_000_000},
		"two days, half is for each":   {fees: gain*2 + 2, from: -86_400, to: 86_400, want: 12_500_000},
		"two days, not enough for one": {fees: gain * 2, from: -86_400, to: 86_400, want: 10_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			f := newMineFixture(t)
			f.noTarget()
			f.operator(olga, datacenter, 200, 200)
			host := f.host(olga, h100, 1)
			f.slots(today, host, 144)
			f.close(today)
			require.NotZero(t, f.mining().DatacenterRho)
			coin := sdk.Coin{Denom: denom, Amount: math.NewInt(tc.fees)}
			if tc.coin != "" {
				coin.Denom = tc.coin
			}
			f.at(dayStart(today + 2))
			f.rent(host, second.Add(time.Duration(tc.from)*time.Second), second.Add(time.Duration(tc.to)*time.Second), tc.missed, coin, 0)
			f.attest(today+2, host)
			require.Equal(t, tc.want, f.weight(today+2, host, 0).WeightPpm)
			before := ptr(f.export()).String()
			f.rent(host, second, second.Add(time.Hour), 0, ugrafi(1e15), 0)
			require.Equal(t, tc.want == 10_000_000 && (tc.to <= 0), before != ptr(f.export()).String(), "what was used changes no more")
			f.attest(today+2, host)
			require.Equal(t, tc.want, f.weight(today+2, host, 0).WeightPpm)
			f.sound()
		})
	}
}

// TestRentIsBounded: a payment for a long time writes no more than MaxRentedDays per
// GPU, and only for days from which a weight can still be frozen.
func TestRentIsBounded(t *testing.T) {
	f := newMineFixture(t)
	f.operator(olga, datacenter, 200, 200)
	host := f.host(olga, h100, 4)
	f.at(dayStart(today + 100).Add(hour))
	f.rent(host, dayStart(today), dayStart(today+100).Add(hour), 0, ugrafi(101*24*4), 0, 3)
	rented := f.export().Rented
	require.Len(t, rented, 2*types.MaxRentedDays)
	require.Equal(t, uint64(today+100-7), rented[0].Day)
	require.Equal(t, uint64(3_600), rented[len(rented)-1].Seconds)
	require.Equal(t, uint64(86_400), rented[0].Seconds)

	f = newMineFixture(t)
	f.operator(olga, datacenter, 200, 200)
	host = f.host(olga, h100, 4)
	f.close(today)
	f.rent(host, dayStart(today-3), dayStart(today+1).Add(hour), 0, ugrafi(1_000), 1)
	rented = f.export().Rented
	require.Len(t, rented, 2, "the last closed day, and the open one")
	require.Equal(t, uint64(today), rented[0].Day)
	f.rent(host, dayStart(today+1), dayStart(today+1), 0, ugrafi(1_000), 1)
	f.rent(host, dayStart(today+2), dayStart(today+1), 0, ugrafi(1_000), 1)
	f.rent(host, dayStart(today+1), dayStart(today+2), 0, ugrafi(1_000))
	require.Len(t, f.export().Rented, 2, "no time, or no GPU")
}

// TestStrike: an equivocation that is proven while the day is open takes the host's
// weight out, until the block that closes the day, and not after it.
func TestStrike(t *testing.T) {
	due := dayStart(today + 1).Add(6 * hour)
	slot := uint64(today*perDay + 5)
	for name, tc := range map[string]struct {
		at     time.Time
		struck bool
	}{
		"in the middle of the day":       {dayStart(today).Add(12 * hour), true},
		"one second before the end":      {due.Add(-time.Second), true},
		"in the block that closes it":    {due, true},
		"one second after it was closed": {due.Add(time.Second), false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newMineFixture(t)
			f.noTarget()
			f.operator(olga, datacenter, 200, 200)
			f.operator(oscar, datacenter, 200, 200)
			bad, good := f.host(olga, h100, 2), f.host(oscar, h100, 2)
			for range 144 {
				f.attest(today, good)
				f.attest(today, bad, 0) // its GPU 1 was never up
			}
			if tc.at.After(due) {
				f.block(due)
			}
			f.at(tc.at)
			require.NoError(t, f.k.AttestationHooks().AfterEquivocationProven(f.ctx, bad, slot))
			event, err := sdk.TypedEventToEvent(&types.EventWeightStruck{Day: today, HostId: bad, Gpus: 2})
			require.NoError(t, err)
			if !tc.struck {
				require.Empty(t, f.events())
				require.Equal(t, int64(22_749_999_999), f.mustClaim(olga, today, bad))
				f.sound()
				return
			}
			require.Equal(t, sdk.Events{event}, f.events())
			f.attest(today, bad) // a late slot: GPU 1 for the first time
			require.NoError(t, f.k.AttestationHooks().AfterEquivocationProven(f.ctx, bad, slot+1), "twice changes nothing")
			require.True(t, f.weight(today, bad, 0).Struck)
			require.True(t, f.weight(today, bad, 1).Struck)
			f.sound()
			f.close(today)
			_, err = f.claim(olga, today, bad)
			require.ErrorIs(t, err, types.ErrNothingEarned)
			_, err = f.claim(olga, today, bad, 0)
			require.ErrorIs(t, err, types.ErrNothingEarned)
			require.Equal(t, int64(68_249_999_998), f.mustClaim(oscar, today, good), "all of it is the others'")
			f.attest(today+1, bad)
			require.EqualValues(t, 10_000_000, f.weight(today+1, bad, 0).WeightPpm, "the next day is a new one")
			f.sound()
		})
	}
}

// TestStrikeBeforeAnySlot: the proof comes before the host's first slot of the day.
func TestStrikeBeforeAnySlot(t *testing.T) {
	f := newMineFixture(t)
	f.operator(olga, datacenter, 200, 200)
	host := f.host(olga, h100, 2)
	require.NoError(t, f.k.AttestationHooks().AfterEquivocationProven(f.ctx, host, today*perDay))
	f.slots(today, host, 144)
	require.True(t, f.close(today).Datacenter.WeightedUptime.IsZero())
	f.sound()
}

// TestTwoBuckets: hosts in different records, and of both kinds in one.
func TestTwoBuckets(t *testing.T) {
	f := newMineFixture(t)
	f.noTarget()
	f.operator(olga, datacenter, 200, 200)
	f.operator(oscar, contributor, 200, 200)
	first := f.host(olga, h100, attestation.BucketSize-8)
	second := f.host(oscar, rtx, 16) // starts in the next bucket
	third := f.host(olga, h100, 16)
	for _, h := range []uint64{first, second, third} {
		f.jump(today, h, 144)
	}
	require.Equal(t, uint64(attestation.BucketSize), f.hosts.hosts[second].FirstGpu)
	require.Len(t, f.export().Buckets, 2)
	day := f.close(today)
	require.Equal(t, math.NewInt(4_104*10_000_000).MulRaw(1_050_000).String(), day.Datacenter.WeightedUptime.String())
	require.Equal(t, math.NewInt(16*2_500_000).MulRaw(1_050_000).String(), day.Contributor.WeightedUptime.String())
	require.InDelta(t, 36_750_000_000, f.mustClaim(oscar, today, second), 16)
	f.sound()
}
