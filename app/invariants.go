package app

import (
	"errors"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/internal/chaininfo"
)

// CheckInvariants recomputes what must always hold and returns everything that
// does not. It walks the whole state: it is for tests and for operators with a
// copy of the state, and no block runs it.
func (app *App) CheckInvariants(ctx sdk.Context) error {
	return errors.Join(
		checkSupplyCap(app.BankKeeper.GetSupply(ctx, chaininfo.BaseDenom).Amount),
		app.checkBalances(ctx),
	)
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
