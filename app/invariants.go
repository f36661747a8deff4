package app

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	daotypes "github.com/grafilab/grafi/x/dao/types"
	gpumarkettypes "github.com/grafilab/grafi/x/gpumarket/types"
	rewardstypes "github.com/grafilab/grafi/x/rewards/types"
	stakingexttypes "github.com/grafilab/grafi/x/staking-ext/types"
)

// CheckInvariants recomputes what must always hold and returns everything that
// does not. It walks the whole state: it is for tests and for operators with a
// copy of the state, and no block runs it.
func (app *App) CheckInvariants(ctx sdk.Context) error {
	errs := []error{
		checkSupplyCap(app.BankKeeper.GetSupply(ctx, chaininfo.BaseDenom).Amount),
		app.checkBalances(ctx),
	}
	for _, m := range []struct {
		name   string
		keeper interface {
			CheckInvariants(context.Context) (broken []string, err error)
		}
	}{
		{stakingexttypes.ModuleName, app.StakingExtKeeper},
		{attestationtypes.ModuleName, app.AttestationKeeper},
		{gpumarkettypes.ModuleName, app.GPUMarketKeeper},
		{rewardstypes.ModuleName, app.RewardsKeeper},
		{daotypes.ModuleName, app.DAOKeeper},
	} {
		broken, err := m.keeper.CheckInvariants(ctx)
		errs = append(errs, err)
		for _, b := range broken {
			errs = append(errs, fmt.Errorf("%s: %s", m.name, b))
		}
	}
	return errors.Join(errs...)
}

// checkBalances compares the sum of all balances with the supply.
func (app *App) checkBalances(ctx sdk.Context) error {
	sum := sdk.NewCoins()
	app.BankKeeper.IterateAllBalances(ctx, func(_ sdk.AccAddress, balance sdk.Coin) bool {
		sum = sum.Add(balance)
		return false
	})
	supply := sdk.NewCoins()
	app.BankKeeper.IterateTotalSupply(ctx, func(c sdk.Coin) bool {
		supply = supply.Add(c)
		return false
	})
	if !sum.Equal(supply) {
		return fmt.Errorf("balances of %s and a supply of %s", sum, supply)
	}
	return nil
}
