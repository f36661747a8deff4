package keeper_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/rewards/types"
)

// withGPUs is a network in which a day has ended for n GPUs of one data centre, half
// of them up all day: the records are written as they are and not slot by slot.
func withGPUs(t *testing.T, n uint64) *mineFixture {
	t.Helper()
	f := newBareMineFixture(t)
	f.operator(olga, datacenter, 200, 200)
	gs := types.DefaultGenesis()
	gs.Mining.FirstDay, gs.Mining.NextClose, gs.Mining.NextExpire, gs.Mining.NextPrune = today, today, today, today
	zero := math.ZeroInt()
	pool := func(kind stakeKind) types.KindDay {
		return types.KindDay{Kind: kind, Emission: zero, Carry: zero, WeightedUptime: zero, Pool: zero, Rho: zero, Paid: zero}
	}
	gs.Days = []types.Day{{
		Day: today, Status: types.DAY_STATUS_OPEN, Rules: gs.Params.Rules, OperatorCap: zero,
		Datacenter: pool(datacenter), Contributor: pool(contributor),
	}}
	gs.OperatorDays = []types.OperatorDay{{
		Day: today, Operator: olga.String(), Kind: datacenter, Stake: math.NewInt(200 * grafi), Requirement: math.NewInt(200 * grafi), Paid: zero,
	}}
	histogram := make([]uint64, perDay+1)
	for first := uint64(0); first < n; first += attestation.BucketSize {
		var weights types.Weights
		var counts attestation.Counts
		for at := range min(attestation.BucketSize, n-first) {
			up := uint8(144 * (at % 2))
			weights = weights.Set(at, types.Weight{Kind: datacenter, PPM: 10_000_000})
			counts = append(counts, up)
			histogram[up] += 10_000_000
		}
		bucket := first / attestation.BucketSize
		f.hosts.counters[[2]uint64{today, bucket}] = counts
		gs.Buckets = append(gs.Buckets, types.BucketDay{Day: today, Bucket: bucket, Weights: weights})
	}
	gs.Histograms = []types.Histogram{{Day: today, Kind: datacenter, Weights: histogram}}
	require.NoError(t, f.k.InitGenesis(f.ctx, *gs))
	return f
}

// TestCostOfADay: closing a day, and claiming from it, asks the store for as much at
// 10^6 GPUs as at 10^3.
func TestCostOfADay(t *testing.T) {
	type cost struct{ reads, writes, iterators int }
	var closing, claiming []cost
	for _, n := range []uint64{1_000, 1_000_000} {
		f := withGPUs(t, n)
		f.hosts.hosts[1] = attestation.Host{Id: 1, Operator: olga.String(), FirstGpu: n / 2, Capacity: 8, GpuCount: 8}
		measure := func(run func()) cost {
			*f.store = countingService{KVStoreService: f.store.KVStoreService}
			run()
			return cost{f.store.reads, f.store.writes, f.store.iterators}
		}
		closing = append(closing, measure(func() { f.close(today) }))
		require.Equal(t, math.NewIntFromUint64(n/2*10_000_000).MulRaw(1_050_000).String(), f.day(today).Datacenter.WeightedUptime.String())
		claiming = append(claiming, measure(func() { f.mustClaim(olga, today, 1) }))
	}
	t.Logf("closing a day: %+v, a claim: %+v", closing[0], claiming[0])
	require.Equal(t, closing[0], closing[1])
	require.Equal(t, claiming[0], claiming[1])
	require.Less(t, closing[0].reads+closing[0].writes, 40)
}
