package simulation

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// pick returns one of all that fits, or skips.
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
// when the chain has a reason to refuse it. An error without a code is a bug,
// which the delivery will show.
func skipRefused(ctx context.Context, reporter simsx.SimulationReporter, try func(context.Context) error) {
	cached, _ := sdk.UnwrapSDKContext(ctx).CacheContext()
	err := try(cached)
	if err == nil {
		return
	}
	if codespace, _, _ := errorsmod.ABCIInfo(err, false); codespace != errorsmod.UndefinedCodespace {
		reporter.Skip(err.Error())
	}
}

// must turns an error of the store into a failure of the run.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
