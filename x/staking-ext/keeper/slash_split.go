package keeper

import (
	"context"

	"cosmossdk.io/math"

	errorsmod "cosmossdk.io/errors"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// distribute moves what was taken out of the module's account and writes where
// it went into the result. A victim or reporter that x/bank refuses counts as
// absent: its part is burned, the slash goes on.
func (k *Keeper) distribute(ctx context.Context, req types.SlashRequest, params types.Params, r *types.SlashResult) error {
	denom, taken := params.StakeDenom, r.Taken()
	if req.HoldIn != "" {
		r.Held = taken
		return k.move(ctx, types.ModuleName, req.HoldIn, denom, taken)
	}
	loss := math.ZeroInt()
	if !req.Victim.Empty() && !req.Victim.Equals(req.Operator) {
		loss = req.VictimLoss
	}
	reported := !req.Reporter.Empty() && !req.Reporter.Equals(req.Operator)
	r.Victim, r.Reporter, r.Insurance, r.Burned = params.SplitSlash(taken, loss, reported)
	for _, part := range []struct {
		to     sdk.AccAddress
		amount *math.Int
	}{{req.Victim, &r.Victim}, {req.Reporter, &r.Reporter}} {
		if part.amount.IsPositive() && !k.pay(ctx, part.to, denom, *part.amount) {
			r.Burned = r.Burned.Add(*part.amount)
			*part.amount = math.ZeroInt()
		}
	}
	if err := k.insure(ctx, types.ModuleName, denom, r.Insurance); err != nil {
		return err
	}
	return k.burn(ctx, types.ModuleName, denom, r.Burned)
}

// pay sends bonded coins to an account and tells whether x/bank accepted it.
func (k *Keeper) pay(ctx context.Context, to sdk.AccAddress, denom string, amount math.Int) bool {
	return try(ctx, func(ctx context.Context) error {
		return k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, to, sdk.NewCoins(sdk.NewCoin(denom, amount)))
	}) == nil
}

func (k *Keeper) insure(ctx context.Context, from, denom string, amount math.Int) error {
	return errorsmod.Wrapf(k.move(ctx, from, types.InsuranceAccount, denom, amount), "insurance part %s", amount)
}

func (k *Keeper) burn(ctx context.Context, from, denom string, amount math.Int) error {
	if !amount.IsPositive() {
		return nil
	}
	return errorsmod.Wrapf(k.bank.BurnCoins(ctx, from, sdk.NewCoins(sdk.NewCoin(denom, amount))), "burned part %s", amount)
}

func (k *Keeper) move(ctx context.Context, from, to, denom string, amount math.Int) error {
	if !amount.IsPositive() {
		return nil
	}
	return k.bank.SendCoinsFromModuleToModule(ctx, from, to, sdk.NewCoins(sdk.NewCoin(denom, amount)))
}
