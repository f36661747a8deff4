package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// payOut moves a payment out of escrow to everybody who has a part in it, and
// tells the hooks.
func (k *Keeper) payOut(
	ctx context.Context, params types.Params, r types.Rental, amount math.Int, p types.Payment,
) (types.Parts, error) {
	provider, err := k.addressCodec.StringToBytes(r.Operator)
	if err != nil {
		return types.Parts{}, err
	}
	operator, err := k.staking.Operator(ctx, provider)
	if err != nil {
		return types.Parts{}, err
	}
	stakeDenom, err := k.staking.StakeDenom(ctx)
	if err != nil {
		return types.Parts{}, err
	}
	fees, err := feesOf(params, operator.Kind)
	if err != nil {
		return types.Parts{}, err
	}
	parts := fees.Divide(amount)
	if r.Price.Denom != stakeDenom {
		parts = parts.BurnToTreasury()
	}
	if params.RestAddress == "" {
		parts = parts.RestToTreasury()
	}

	coins := func(n math.Int) sdk.Coins { return sdk.NewCoins(sdk.NewCoin(r.Price.Denom, n)) }
	if parts.Provider.IsPositive() {
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, provider, coins(parts.Provider)); err != nil {
			return types.Parts{}, errorsmod.Wrapf(err, "pay %s to provider %s", parts.Provider, r.Operator)
		}
	}
	if parts.Stakers.IsPositive() {
		if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, types.StakersAccount, coins(parts.Stakers)); err != nil {
			return types.Parts{}, errorsmod.Wrapf(err, "pay %s to the stakers", parts.Stakers)
		}
	}
	if parts.Treasury.IsPositive() {
		if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, types.TreasuryAccount, coins(parts.Treasury)); err != nil {
			return types.Parts{}, errorsmod.Wrapf(err, "pay %s to the treasury", parts.Treasury)
		}
	}
	if parts.Burned.IsPositive() {
		if err := k.bank.BurnCoins(ctx, types.ModuleName, coins(parts.Burned)); err != nil {
			return types.Parts{}, errorsmod.Wrapf(err, "burn %s", parts.Burned)
		}
	}
	if parts.Rest.IsPositive() {
		rest, err := k.addressCodec.StringToBytes(params.RestAddress)
		if err != nil {
			return types.Parts{}, err
		}
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, rest, coins(parts.Rest)); err != nil {
			return types.Parts{}, errorsmod.Wrapf(err, "pay %s to rest_address %s", parts.Rest, params.RestAddress)
		}
	}
	p.RentalID, p.Operator, p.HostID, p.GPUs, p.Denom = r.Id, provider, r.HostId, r.Gpus, r.Price.Denom
	p.Stakers, p.Treasury, p.Burned = parts.Stakers, parts.Treasury, parts.Burned
	return parts, k.hooks.AfterRentalPaid(ctx, p)
}

func feesOf(params types.Params, kind stakingext.OperatorKind) (types.FeeSplit, error) {
	switch kind {
	case stakingext.OPERATOR_KIND_CONTRIBUTOR:
		return params.ContributorFees, nil
	case stakingext.OPERATOR_KIND_DATACENTER:
		return params.DatacenterFees, nil
	}
	return types.FeeSplit{}, types.ErrInvalidOperatorKind.Wrapf("%s has no service fee", kind)
}
