package keeper

import (
	"context"
	"time"

	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// now is the block time, the only clock of a keeper.
func now(ctx context.Context) time.Time { return sdk.UnwrapSDKContext(ctx).BlockTime() }

// emit tells a fact.
func emit(ctx context.Context, event proto.Message) error {
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(event)
}

// name is the address in an error or event.
func (k *Keeper) name(address sdk.AccAddress) string {
	text, err := k.addressCodec.BytesToString(address)
	if err != nil {
		return address.String()
	}
	return text
}
