package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/grafilab/grafi/x/rewards/types"
)

// mintStream mints what has flowed of the validators' stream into the fee
// collector, from where x/distribution pays it with the fees of the last block.
// The stream begins with the first block that finds none.
func (k *Keeper) mintStream(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	s, err := k.stream.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		startsAt := now(ctx).Truncate(time.Second)
		return k.stream.Set(ctx, types.Stream{
			StartsAt: startsAt, EndsAt: startsAt.Add(params.ValidatorTime.Truncate(time.Second)), Total: params.ValidatorSupply,
			Minted: math.ZeroInt(), LastMintedAt: startsAt,
		})
	} else if err != nil {
		return err
	}
	due := s.Due(now(ctx), params.ValidatorInterval)
	if !due.IsPositive() {
		return nil
	}
	// What the supply cap refuses stays due: it is minted when something was burned.
	minted, err := k.mint(ctx, due)
	if err != nil {
		return err
	}
	s.Minted, s.LastMintedAt = s.Minted.Add(minted), now(ctx)
	if err := k.stream.Set(ctx, s); err != nil || !minted.IsPositive() {
		return err
	}
	denom, err := k.staking.StakeDenom(ctx)
	if err != nil {
		return err
	}
	coin := sdk.NewCoin(denom, minted)
	if err := k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, authtypes.FeeCollectorName, sdk.NewCoins(coin)); err != nil {
		return errorsmod.Wrapf(err, "pay %s to the validators", coin)
	}
	return emit(ctx, &types.EventStreamMinted{Amount: coin, Minted: s.Minted})
}

// streamIfAny reads the stream; nil before its first block.
func (k *Keeper) streamIfAny(ctx context.Context) (*types.Stream, error) {
	s, err := k.stream.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, nil
	}
	return &s, err
}
