package keeper

import (
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"
	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// Listing returns a listing, or ErrListingNotFound.
func (k *Keeper) Listing(ctx context.Context, id uint64) (types.Listing, error) {
	l, err := k.listings.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return l, types.ErrListingNotFound.Wrapf("id %d", id)
	}
	return l, err
}

// Rental returns a rental as it is stored, or ErrRentalNotFound.
func (k *Keeper) Rental(ctx context.Context, id uint64) (types.Rental, error) {
	r, err := k.rentals.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return r, types.ErrRentalNotFound.Wrapf("id %d: never opened, or closed and pruned", id)
	}
	return r, err
}

// Params returns the module's params.
func (k *Keeper) Params(ctx context.Context) (types.Params, error) { return k.params.Get(ctx) }

// now is the block's time, the only clock a keeper may read.
func now(ctx context.Context) time.Time { return sdk.UnwrapSDKContext(ctx).BlockTime() }

func emit(ctx context.Context, event proto.Message) error {
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(event)
}

func seconds(n uint64) time.Duration { return time.Duration(n) * time.Second }

// Host returns a host as x/attestation knows it.
func (k *Keeper) Host(ctx context.Context, id uint64) (attestationtypes.Host, error) {
	return k.attestation.Host(ctx, id)
}
