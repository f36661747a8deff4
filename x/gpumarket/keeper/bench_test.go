package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// BenchmarkEndBlock closes ten due rentals among 10^3, 10^5 and 10^6 open ones,
// in a context that is thrown away each time. store-ops/op must not grow.
func BenchmarkEndBlock(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("open=%d/due=10", n), func(b *testing.B) {
			f := newEmptyFixture(b)
			importRentals(f, n, 10, types.DefaultParams())
			f.beginBlock(after(100))
			var ops int
			for b.Loop() {
				cached, _ := f.ctx.CacheContext()
				*f.ops = storeOps{}
				if err := f.k.EndBlock(cached); err != nil {
					b.Fatal(err)
				}
				ops = f.ops.total()
			}
			b.ReportMetric(float64(ops), "store-ops/op")
		})
	}
}

// BenchmarkRentClose is a rental opened and cancelled by its renter,
// without the transactions around it.
func BenchmarkRentClose(b *testing.B) {
	f := newFixture(b)
	f.list()
	f.rent(1, 1, 60) // the module's account exists from the first rental on
	req := keeper.RentRequest{
		ListingID: 1, GPUCount: 1, DurationSeconds: 3_600, MaxPrice: coin(hourly), ManifestDigest: digest,
	}
	for b.Loop() {
		cached, _ := f.ctx.CacheContext()
		*f.ops = storeOps{}
		r, err := f.k.Rent(cached, renter, req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.k.CloseRental(cached, renter, r.Id); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(f.ops.total()), "store-ops/op")
}

// BenchmarkBankSend is the yardstick of BenchmarkRentClose.
func BenchmarkBankSend(b *testing.B) {
	f := newFixture(b)
	for b.Loop() {
		cached, _ := f.ctx.CacheContext()
		*f.ops = storeOps{}
		require.NoError(b, f.bank.SendCoins(cached, renter, stranger, sdk.NewCoins(coin(1))))
	}
	b.ReportMetric(float64(f.ops.total()), "store-ops/op")
}
