package keeper_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// market imports n open listings of four GPUs each, the dearer the younger; the
// first full of them have no GPU left.
func market(t testing.TB, n, full, maxScan int, price func(i int) int64) *fixture {
	t.Helper()
	f := newEmptyFixture(t)
	f.attestation.any = func(id uint64) attestationtypes.Host {
		return attestationtypes.Host{
			Id: id, Operator: str(operator), Status: attestationtypes.HOST_STATUS_ACTIVE, GpuCount: hostGPUs, Region: "US-CA",
		}
	}
	gs := types.DefaultGenesis()
	gs.Params.MaxScan = uint32(maxScan)
	gs.NextListingId = uint64(n + 1)
	escrow := int64(0)
	for i := range n {
		l := types.Listing{
			Id: uint64(i + 1), HostId: uint64(1_000 + i), Operator: str(operator), Gpus: []uint32{0, 1, 2, 3}, Class: class,
			Tier: types.TIER_GENERAL, Price: coin(price(i)), MinDurationSeconds: 60, MaxDurationSeconds: 86_400,
			Status: types.LISTING_STATUS_OPEN, CreatedAt: start, Country: "US",
		}
		if i < full {
			l.RentalsOpened = 1
			gs.Rentals = append(gs.Rentals, types.Rental{
				Id: l.Id << types.RentalIDShift, ListingId: l.Id, HostId: l.HostId, Operator: l.Operator, Renter: str(stranger),
				Gpus: l.Gpus, Price: coin(900), ManifestDigest: digest, State: types.RENTAL_STATE_PENDING, Type: types.RENTAL_TYPE_ON_DEMAND,
				CreatedAt: start, StartBy: after(600), DueAt: after(600), DurationSeconds: 3_600,
				Escrowed: math.NewInt(3_600), Escrow: math.NewInt(3_600), Paid: math.ZeroInt(), Refunded: math.ZeroInt(),
			})
			escrow += 3_600
		}
		gs.Listings = append(gs.Listings, l)
	}
	if escrow > 0 {
		f.lock(escrow)
	}
	require.NoError(t, f.k.InitGenesis(f.ctx, *gs))
	return f
}

func ascendingPrice(i int) int64 { return int64(1_000_000 + i) }
func onePrice(int) int64         { return 1_000_000 }

// matchOps counts what one request asks of the stores, the bank's included.
func matchOps(t testing.TB, f *fixture, msg *types.MsgRequestCompute, want error) storeOps {
	t.Helper()
	cached, _ := f.ctx.CacheContext()
	*f.ops = storeOps{}
	_, err := f.msg.RequestCompute(cached, msg)
	require.ErrorIs(t, err, want)
	return *f.ops
}

// What a request reads is bounded by what it takes and by max_scan, and does not
// depend on how many listings are open or full.
func TestMatchingReadsDoNotGrow(t *testing.T) {
	few, many := 1_000, 10_000
	if os.Getenv("GRAFI_LONG_TESTS") != "" {
		many = 1_000_000
	}
	one := computeMsg(1)
	gang := computeMsg(16, placed(types.PLACEMENT_GANG))
	nowhere := computeMsg(1, func(r *types.ComputeRequest) { r.Region = "US-TX" }) // in the country, so each is read
	for name, tc := range map[string]struct {
		price func(int) int64
		full  func(n int) int
	}{
		"ascending prices": {ascendingPrice, func(int) int { return 0 }},
		"one price":        {onePrice, func(int) int { return 0 }},
		"almost all full":  {ascendingPrice, func(n int) int { return min(n, 20_000) - 50 }},
	} {
		t.Run(name, func(t *testing.T) {
			small := market(t, few, tc.full(few), 40, tc.price)
			large := market(t, many, tc.full(many), 40, tc.price)
			for what, msg := range map[string]*types.MsgRequestCompute{"one": one, "gang": gang, "nowhere": nowhere} {
				var want error
				if what == "nowhere" {
					want = types.ErrNoMatch
				}
				a, b := matchOps(t, small, msg, want), matchOps(t, large, msg, want)
				require.Equal(t, a, b, what)
				t.Logf("%s: %+v of %d open listings", what, b, many)
			}
		})
	}
}
