package keeper

import (
	"context"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
)

// What hooks and claims call, for tests of these flows alone.

func (k *Keeper) PayMined(ctx context.Context, operator sdk.AccAddress, amount math.Int) (liquid, held math.Int, err error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return math.Int{}, math.Int{}, err
	}
	return k.payMined(ctx, params, operator, amount)
}

func (k *Keeper) CreditFee(ctx context.Context, p gpumarket.Payment) error {
	return k.creditFee(ctx, p)
}

// StakeHooks are the hooks of x/staking-ext without what mining does in them.
type StakeHooks struct{ K *Keeper }

func (h StakeHooks) BeforeStakeChanged(ctx context.Context, operator sdk.AccAddress) error {
	return h.K.giveReleased(ctx, operator)
}

func (h StakeHooks) BeforeDelegationChanged(ctx context.Context, delegator, operator sdk.AccAddress, shares math.Int) error {
	return h.K.settleStaker(ctx, delegator, operator, shares)
}

func (h StakeHooks) TakeRewards(ctx context.Context, operator sdk.AccAddress, limit math.Int) (math.Int, error) {
	return h.K.takeEscrow(ctx, operator, limit)
}

func (k *Keeper) Mint(ctx context.Context, amount math.Int) (math.Int, error) {
	return k.mint(ctx, amount)
}

// PayStream is the stream's part of BeginBlock.
func (k *Keeper) PayStream(ctx context.Context) error { return k.mintStream(ctx) }
