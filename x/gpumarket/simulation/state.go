package simulation

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// tries is how many random host ids are looked at for one that exists.
const tries = 20

// anyHost returns a host of a simulated account, or skips.
func anyHost(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) (attestationtypes.Host, simsx.SimAccount) {
	for range tries {
		host, err := k.Host(ctx, data.Rand().Uint64InRange(1, 20))
		if err == nil && data.HasAccount(host.Operator) {
			return host, data.GetAccount(reporter, host.Operator)
		}
	}
	reporter.Skip("no host")
	return attestationtypes.Host{}, simsx.SimAccount{}
}

// anyListing returns a random listing that fits, or skips.
func anyListing(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource, reporter simsx.SimulationReporter,
	fits func(types.Listing) bool,
) types.Listing {
	return pick(data, reporter, "listing", must(k.ExportGenesis(ctx)).Listings, fits)
}

// anyRental returns a random rental that fits, or skips.
func anyRental(ctx context.Context, k *keeper.Keeper, data *simsx.ChainDataSource, reporter simsx.SimulationReporter,
	fits func(types.Rental) bool,
) types.Rental {
	return pick(data, reporter, "rental", must(k.ExportGenesis(ctx)).Rentals, fits)
}

func pick[T any](data *simsx.ChainDataSource, reporter simsx.SimulationReporter, what string, all []T, fits func(T) bool) T {
	var fitting []T
	for _, v := range all {
		if fits(v) {
			fitting = append(fitting, v)
		}
	}
	if len(fitting) == 0 {
		var none T
		reporter.Skip("no fitting " + what)
		return none
	}
	return fitting[data.Rand().Intn(len(fitting))]
}

// skipRefused tries the message on a state that is thrown away, and skips it
// when the chain has a reason to refuse it, such as a host's lack of stake. An
// error without a code is a bug, which the delivery will show.
func skipRefused(ctx context.Context, reporter simsx.SimulationReporter, try func(context.Context) error) {
	if err := refusal(ctx, try); err != nil {
		reporter.Skip(err.Error())
	}
}

// refusal is the chain's reason to refuse, or nil.
func refusal(ctx context.Context, try func(context.Context) error) error {
	cached, _ := sdk.UnwrapSDKContext(ctx).CacheContext()
	err := try(cached)
	if codespace, _, _ := errorsmod.ABCIInfo(err, false); codespace == errorsmod.UndefinedCodespace {
		return nil
	}
	return err
}

// must turns an error of the store into a failure of the run.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
