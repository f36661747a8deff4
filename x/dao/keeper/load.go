package keeper

import (
	"bytes"
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"
	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/dao/types"
)

// Params returns the module's params.
func (k *Keeper) Params(ctx context.Context) (types.Params, error) { return k.params.Get(ctx) }

// Stream returns a stream, or ErrStreamNotFound.
func (k *Keeper) Stream(ctx context.Context, id uint64) (types.Stream, error) {
	s, err := k.streams.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return s, types.ErrStreamNotFound.Wrapf("id %d", id)
	}
	return s, err
}

// Grant returns a grant, or ErrGrantNotFound.
func (k *Keeper) Grant(ctx context.Context, id uint64) (types.Grant, error) {
	g, err := k.grants.Get(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return g, types.ErrGrantNotFound.Wrapf("id %d", id)
	}
	return g, err
}

// now is the block's time, the only clock a keeper may read.
func now(ctx context.Context) time.Time { return sdk.UnwrapSDKContext(ctx).BlockTime() }

func emit(ctx context.Context, event proto.Message) error {
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(event)
}

// isAuthority tells whether the account is the one that governance acts with.
func (k *Keeper) isAuthority(account sdk.AccAddress) bool { return bytes.Equal(account, k.authority) }

// parse returns the account of an address field.
func (k *Keeper) parse(field, value string) (sdk.AccAddress, error) {
	account, err := k.addressCodec.StringToBytes(value)
	if err != nil {
		return nil, sdkerrors.ErrInvalidAddress.Wrapf("%s %q: %s", field, value, err)
	}
	return account, nil
}
