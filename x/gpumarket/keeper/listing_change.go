package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// ChangeListing sets the terms for new rentals; open ones keep theirs. A higher
// price must be covered by the operator's own stake, a lower one is always
// allowed, so that an operator under its requirement can help itself.
func (k *Keeper) ChangeListing(ctx context.Context, operator sdk.AccAddress, id uint64, terms Terms) error {
	l, err := k.ownListing(ctx, operator, id)
	if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	old := l
	before, err := k.stakedPrice(ctx, l.Price)
	if err != nil {
		return err
	}
	terms.apply(params, &l)
	if err := k.checkTerms(ctx, params, l); err != nil {
		return err
	}
	after, err := k.stakedPrice(ctx, l.Price)
	if err != nil {
		return err
	}
	if err := k.priceGPUs(ctx, operator, l, l.Price); err != nil {
		return err
	}
	if after.GT(before) {
		if err := k.staking.EnsureCovered(ctx, operator); err != nil {
			return err
		}
	}
	if err := k.storeListing(ctx, &old, &l); err != nil {
		return err
	}
	return emit(ctx, &types.EventListingChanged{
		ListingId: id, Price: l.Price, InterruptiblePrice: l.InterruptiblePrice,
		MinDurationSeconds: l.MinDurationSeconds, MaxDurationSeconds: l.MaxDurationSeconds,
		NoticeSeconds: l.NoticeSeconds, MaxAheadSeconds: l.MaxAheadSeconds,
	})
}

// SetListingStatus pauses, reopens or withdraws a listing. To reopen asks what a
// new listing asks of the operator and of the price.
func (k *Keeper) SetListingStatus(ctx context.Context, operator sdk.AccAddress, id uint64, status types.ListingStatus) error {
	l, err := k.ownListing(ctx, operator, id)
	if err != nil {
		return err
	}
	if status == l.Status {
		return types.ErrInvalidStatus.Wrapf("listing %d is %s already", id, status)
	}
	switch status {
	case types.LISTING_STATUS_WITHDRAWN:
		return k.withdraw(ctx, operator, l)
	case types.LISTING_STATUS_OPEN:
		params, err := k.params.Get(ctx)
		if err != nil {
			return err
		}
		if err := params.CheckPrices(l); err != nil {
			return err
		}
		if err := k.staking.EnsureRentable(ctx, operator); err != nil {
			return err
		}
		if err := k.staking.EnsureCovered(ctx, operator); err != nil {
			return err
		}
	case types.LISTING_STATUS_PAUSED:
	default:
		return types.ErrInvalidStatus.Wrapf("%s, want open, paused or withdrawn", status)
	}
	return k.setStatus(ctx, l, status)
}

// withdraw frees the listing's GPUs for another listing and takes their price
// out of the stake requirement. Its rentals go on to their end.
func (k *Keeper) withdraw(ctx context.Context, operator sdk.AccAddress, l types.Listing) error {
	for _, ordinal := range l.Gpus {
		if err := k.listedGPUs.Remove(ctx, collections.Join(l.HostId, ordinal)); err != nil {
			return err
		}
		if err := k.staking.SetListedPrice(ctx, operator, l.HostId, ordinal, math.ZeroInt()); err != nil {
			return err
		}
	}
	return k.setStatus(ctx, l, types.LISTING_STATUS_WITHDRAWN)
}

func (k *Keeper) setStatus(ctx context.Context, l types.Listing, status types.ListingStatus) error {
	old := l
	l.Status = status
	if err := k.storeListing(ctx, &old, &l); err != nil {
		return err
	}
	return emit(ctx, &types.EventListingStatusChanged{ListingId: l.Id, Status: status})
}
