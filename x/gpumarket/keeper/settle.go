package keeper

import (
	"context"
	"time"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// Settle pays what is due of each rental, whoever asks. An active rental is paid
// up to now, but no further than the host has proven. It returns what this call
// paid, per rental and in its order. A parked rental is taken up again here.
func (k *Keeper) Settle(ctx context.Context, ids []uint64) ([]sdk.Coin, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if n := len(ids); n == 0 || n > int(params.MaxSettleBatch) {
		return nil, types.ErrInvalidSettle.Wrapf("%d rentals, want 1 to %d", n, params.MaxSettleBatch)
	}
	paid := make([]sdk.Coin, len(ids))
	for i, id := range ids {
		if paid[i], err = k.settleOne(ctx, params, id); err != nil {
			return nil, err
		}
	}
	return paid, nil
}

func (k *Keeper) settleOne(ctx context.Context, params types.Params, id uint64) (sdk.Coin, error) {
	before, err := k.Rental(ctx, id)
	if err != nil {
		return sdk.Coin{}, err
	}
	r, err := k.advance(ctx, params, before)
	if err != nil {
		return sdk.Coin{}, errorsmod.Wrapf(err, "rental %d", id)
	}
	if r.State == types.RENTAL_STATE_ACTIVE {
		v, err := k.verdict(ctx, r, now(ctx))
		if err != nil {
			return sdk.Coin{}, err
		}
		until, err := k.provenUntil(ctx, v)
		if err != nil {
			return sdk.Coin{}, err
		}
		if now(ctx).Before(until) {
			until = now(ctx)
		}
		changed, err := k.payUntil(ctx, params, &r, until)
		if err != nil {
			return sdk.Coin{}, errorsmod.Wrapf(err, "rental %d", id)
		}
		if changed {
			if err := k.rentals.Set(ctx, id, r); err != nil {
				return sdk.Coin{}, err
			}
		}
	}
	return sdk.NewCoin(r.Price.Denom, r.Paid.Sub(before.Paid)), nil
}

// payUntil bills a started rental up to until and pays what that adds to the
// total. It never takes back: an earlier time than the last one changes nothing.
// The caller stores the rental when it changed.
func (k *Keeper) payUntil(ctx context.Context, params types.Params, r *types.Rental, until time.Time) (changed bool, err error) {
	if until.After(*r.EndsAt) {
		until = *r.EndsAt
	}
	if !until.After(*r.PaidUntil) {
		return false, nil
	}
	due := r.PayableAt(until).Sub(r.Paid)
	r.PaidUntil = &until
	if !due.IsPositive() {
		return true, nil
	}
	r.Paid, r.Escrow = r.Paid.Add(due), r.Escrow.Sub(due)
	parts, err := k.payOut(ctx, params, *r, due)
	if err != nil {
		return false, err
	}
	return true, emit(ctx, &types.EventRentalSettled{
		RentalId: r.Id, Paid: sdk.NewCoin(r.Price.Denom, due),
		Provider: parts.Provider.String(), Stakers: parts.Stakers.String(), Treasury: parts.Treasury.String(),
		Burned: parts.Burned.String(), Rest: parts.Rest.String(), PaidUntil: until,
	})
}

// payOut moves a payment out of escrow to everybody who has a part in it.
func (k *Keeper) payOut(ctx context.Context, params types.Params, r types.Rental, amount math.Int) (types.Parts, error) {
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
	return parts, nil
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
