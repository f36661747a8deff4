package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// initMatch imports the invitations and the price index, and derives the offers
// from the listings and the calendar, which are there already.
func (k *Keeper) initMatch(ctx context.Context, gs types.GenesisState) error {
	for _, l := range gs.Listings {
		if err := k.addOffer(ctx, l); err != nil {
			return types.ErrInvalidGenesis.Wrapf("offer of listing %d: %s", l.Id, err)
		}
	}
	for _, i := range gs.Invitations {
		account, err := k.addressCodec.StringToBytes(i.Account)
		if err != nil {
			return types.ErrInvalidGenesis.Wrapf("invitations: account %q: %s", i.Account, err)
		}
		if err := k.setInvitation(ctx, account, i); err != nil {
			return err
		}
	}
	return k.initIndex(ctx, gs)
}

// exportMatch adds what initMatch imports.
func (k *Keeper) exportMatch(ctx context.Context, gs *types.GenesisState) error {
	err := k.invitations.Walk(ctx, nil, func(_ collections.Pair[uint64, sdk.AccAddress], i types.Invitation) (bool, error) {
		gs.Invitations = append(gs.Invitations, i)
		return false, nil
	})
	if err != nil {
		return err
	}
	return k.exportIndex(ctx, gs)
}
