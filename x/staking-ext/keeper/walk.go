package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// WalkDelegations visits every delegation to the operator until visit returns
// true or an error. It reads the whole pool: for invariants and exports, never in
// a block.
func (k *Keeper) WalkDelegations(ctx context.Context, operator sdk.AccAddress,
	visit func(delegator sdk.AccAddress, shares math.Int) (stop bool, err error),
) error {
	return k.delegators.Walk(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, sdk.AccAddress](operator),
		func(key collections.Pair[sdk.AccAddress, sdk.AccAddress]) (bool, error) {
			shares, err := k.Delegation(ctx, key.K2(), operator)
			if err != nil {
				return true, err
			}
			return visit(key.K2(), shares)
		})
}
