package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// commit moves coins from the treasury to the module account, so that what is
// promised can't be promised again.
func (k *Keeper) commit(ctx context.Context, coin sdk.Coin) error {
	balance := k.bank.GetBalance(ctx, authtypes.NewModuleAddress(types.TreasuryAccount), coin.Denom)
	if balance.Amount.LT(coin.Amount) {
		return types.ErrTreasuryShort.Wrapf("%s, of which it has %s", coin, balance)
	}
	return k.bank.SendCoinsFromModuleToModule(ctx, types.TreasuryAccount, types.ModuleName, sdk.NewCoins(coin))
}

// giveBack moves committed coins to the treasury.
func (k *Keeper) giveBack(ctx context.Context, coin sdk.Coin) error {
	if coin.IsZero() {
		return nil
	}
	return k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, types.TreasuryAccount, sdk.NewCoins(coin))
}

// pay moves committed coins to whom they were promised.
func (k *Keeper) pay(ctx context.Context, recipient string, coin sdk.Coin) error {
	if coin.IsZero() {
		return nil
	}
	to, err := k.parse("recipient", recipient)
	if err != nil {
		return err
	}
	err = k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, to, sdk.NewCoins(coin))
	return errorsmod.Wrapf(err, "%s to %s", coin, recipient)
}

// checkRecipient refuses an account that the bank would refuse to pay later.
func (k *Keeper) checkRecipient(recipient sdk.AccAddress) error {
	if k.bank.BlockedAddr(recipient) {
		return types.ErrInvalidRecipient.Wrapf("%s is a module account that takes no payments", recipient)
	}
	return nil
}
