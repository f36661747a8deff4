package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/x/rewards/types"
)

// mint makes new coins of the stake denom in the module's account: the amount, or
// as much of it as the supply cap leaves. It returns what was made. The cap is
// never an error here: a block must not fail because everything exists already.
func (k *Keeper) mint(ctx context.Context, amount math.Int) (math.Int, error) {
	denom, err := k.staking.StakeDenom(ctx)
	if err != nil {
		return math.Int{}, err
	}
	room := math.NewInt(chaininfo.SupplyCap).Sub(k.bank.GetSupply(ctx, denom).Amount)
	amount = math.MaxInt(math.ZeroInt(), math.MinInt(amount, room))
	if !amount.IsPositive() {
		return amount, nil
	}
	coin := sdk.NewCoin(denom, amount)
	if err := k.bank.MintCoins(ctx, types.ModuleName, sdk.NewCoins(coin)); err != nil {
		return math.Int{}, errorsmod.Wrapf(err, "mint %s", coin)
	}
	return amount, nil
}
