package keeper

import (
	"context"
	"errors"
	"slices"
	"time"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

type (
	// invitationKey is (listing, account).
	invitationKey = collections.Pair[uint64, sdk.AccAddress]
	// expiryKey is (expires_at, listing, account).
	expiryKey = collections.Triple[time.Time, uint64, sdk.AccAddress]
)

var (
	invitationKeyCodec = collections.PairKeyCodec(collections.Uint64Key, sdk.AccAddressKey)
	expiryKeyCodec     = collections.TripleKeyCodec(sdk.TimeKey, collections.Uint64Key, sdk.AccAddressKey)
)

// InviteRenter offers an account a place on the allow-list of the operator's
// selective listing.
func (k *Keeper) InviteRenter(ctx context.Context, operator sdk.AccAddress, listingID uint64, account sdk.AccAddress) error {
	l, err := k.ownListing(ctx, operator, listingID)
	if err != nil {
		return err
	}
	return k.invite(ctx, l, account, types.INVITATION_SIDE_OPERATOR)
}

// RequestAccess asks the operator of a selective listing for a place on it.
func (k *Keeper) RequestAccess(ctx context.Context, account sdk.AccAddress, listingID uint64) error {
	l, err := k.Listing(ctx, listingID)
	if err != nil {
		return err
	}
	if l.Status == types.LISTING_STATUS_WITHDRAWN {
		return types.ErrListingNotOpen.Wrapf("listing %d is withdrawn for good", listingID)
	}
	return k.invite(ctx, l, account, types.INVITATION_SIDE_RENTER)
}

// invite records the wish of one side, which waits for the other until the end
// of its lifetime.
func (k *Keeper) invite(ctx context.Context, l types.Listing, account sdk.AccAddress, by types.InvitationSide) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	who, err := k.checkInvited(l, account)
	if err != nil {
		return err
	}
	if open, err := k.openInvitation(ctx, l.Id, account); err == nil {
		return types.ErrInvitationExists.Wrapf("%s asked for %s on listing %d until %s: answer or take it back",
			open.By, who, l.Id, open.ExpiresAt.Format(time.RFC3339))
	} else if !errors.Is(err, types.ErrInvitationNotFound) {
		return err
	}
	if err := k.makeRoom(ctx, l.Id, int(params.MaxInvitations)); err != nil {
		return err
	}
	i := types.Invitation{
		ListingId: l.Id, Account: who, By: by, CreatedAt: now(ctx), ExpiresAt: now(ctx).Add(params.InvitationLifetime),
	}
	if err := k.setInvitation(ctx, account, i); err != nil {
		return err
	}
	return emit(ctx, &types.EventInvitationMade{ListingId: l.Id, Account: who, By: by, ExpiresAt: i.ExpiresAt})
}

// checkInvited checks that the account can have a place on the listing; it
// returns the account's address.
func (k *Keeper) checkInvited(l types.Listing, account sdk.AccAddress) (string, error) {
	who, err := k.addressCodec.BytesToString(account)
	if err != nil {
		return "", err
	}
	switch {
	case l.Tier != types.TIER_SELECTIVE:
		return "", types.ErrInvalidTier.Wrapf("listing %d is %s, which has no allow-list", l.Id, l.Tier)
	case who == l.Operator:
		return "", types.ErrOwnListing.Wrapf("%s is the operator of listing %d", who, l.Id)
	case k.bank.BlockedAddr(account):
		return "", types.ErrInvalidRenter.Wrapf("%s is a module account", who)
	case slices.Contains(l.AllowList, who):
		return "", types.ErrInvalidAllowList.Wrapf("%s is on listing %d already", who, l.Id)
	}
	return who, nil
}

// openInvitation returns an invitation that can still be answered: until its last
// second and not in it.
func (k *Keeper) openInvitation(ctx context.Context, listingID uint64, account sdk.AccAddress) (types.Invitation, error) {
	i, err := k.invitations.Get(ctx, collections.Join(listingID, account))
	if errors.Is(err, collections.ErrNotFound) {
		return i, types.ErrInvitationNotFound.Wrapf("listing %d and %s", listingID, account)
	}
	if err == nil && !now(ctx).Before(i.ExpiresAt) {
		return i, types.ErrInvitationNotFound.Wrapf("listing %d and %s: it ended at %s",
			listingID, i.Account, i.ExpiresAt.Format(time.RFC3339))
	}
	return i, err
}

// makeRoom checks that one more invitation of the listing can wait. Those whose
// time is over but which the queue has not removed yet do not count.
func (k *Keeper) makeRoom(ctx context.Context, listingID uint64, limit int) error {
	open := 0
	err := k.invitations.Walk(ctx, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](listingID),
		func(_ invitationKey, i types.Invitation) (bool, error) {
			if now(ctx).Before(i.ExpiresAt) {
				open++
			}
			return open >= limit, nil
		})
	if err == nil && open >= limit {
		return types.ErrTooManyInvitations.Wrapf("listing %d has %d, the most", listingID, limit)
	}
	return err
}

// AnswerInvitation accepts or declines for the side that did not ask: the
// invited account, or the operator whom the account asked.
func (k *Keeper) AnswerInvitation(ctx context.Context, sender sdk.AccAddress, listingID uint64, account sdk.AccAddress, accept bool) error {
	i, err := k.openInvitation(ctx, listingID, account)
	if err != nil {
		return err
	}
	l, err := k.Listing(ctx, listingID)
	if err != nil {
		return err
	}
	senderStr, err := k.addressCodec.BytesToString(sender)
	if err != nil {
		return err
	}
	answers := i.Account
	if i.By == types.INVITATION_SIDE_RENTER {
		answers = l.Operator
	}
	if senderStr != answers {
		return types.ErrNotOwner.Wrapf("%s must answer, not %s", answers, senderStr)
	}
	if accept {
		if err := k.allow(ctx, l, i.Account); err != nil {
			return err
		}
	}
	if err := k.removeInvitation(ctx, account, i); err != nil {
		return err
	}
	return emit(ctx, &types.EventInvitationAnswered{ListingId: listingID, Account: i.Account, Accepted: accept})
}

// allow puts the account on the allow-list.
func (k *Keeper) allow(ctx context.Context, l types.Listing, account string) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if l.Status == types.LISTING_STATUS_WITHDRAWN {
		return types.ErrListingNotOpen.Wrapf("listing %d is withdrawn for good", l.Id)
	}
	if n := len(l.AllowList); n >= int(params.MaxAllowList) {
		return types.ErrInvalidAllowList.Wrapf("listing %d has %d accounts, the most", l.Id, n)
	}
	l.AllowList = append(l.AllowList, account)
	return k.listings.Set(ctx, l.Id, l)
}

// RevokeAccess takes an account off the allow-list, or takes back the operator's
// invitation. Rentals that the account has go on to their end.
func (k *Keeper) RevokeAccess(ctx context.Context, operator sdk.AccAddress, listingID uint64, account sdk.AccAddress) error {
	l, err := k.ownListing(ctx, operator, listingID)
	if err != nil {
		return err
	}
	who, err := k.addressCodec.BytesToString(account)
	if err != nil {
		return err
	}
	if at := slices.Index(l.AllowList, who); at >= 0 {
		l.AllowList = slices.Delete(l.AllowList, at, at+1)
		if err := k.listings.Set(ctx, listingID, l); err != nil {
			return err
		}
		return emit(ctx, &types.EventAccessRevoked{ListingId: listingID, Account: who})
	}
	i, err := k.openInvitation(ctx, listingID, account)
	if err != nil {
		return err
	}
	if i.By != types.INVITATION_SIDE_OPERATOR {
		return types.ErrNotOwner.Wrapf("%s asked for listing %d itself: decline it", who, listingID)
	}
	if err := k.removeInvitation(ctx, account, i); err != nil {
		return err
	}
	return emit(ctx, &types.EventAccessRevoked{ListingId: listingID, Account: who})
}

func (k *Keeper) setInvitation(ctx context.Context, account sdk.AccAddress, i types.Invitation) error {
	key := collections.Join(i.ListingId, account)
	if old, err := k.invitations.Get(ctx, key); err == nil { // its time is over
		if err := k.removeInvitation(ctx, account, old); err != nil {
			return err
		}
	} else if !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	return errors.Join(
		k.invitations.Set(ctx, key, i),
		k.invitationsByAccount.Set(ctx, collections.Join(account, i.ListingId)),
		k.invitationQueue.Set(ctx, collections.Join3(i.ExpiresAt, i.ListingId, account)),
	)
}

func (k *Keeper) removeInvitation(ctx context.Context, account sdk.AccAddress, i types.Invitation) error {
	return errors.Join(
		k.invitations.Remove(ctx, collections.Join(i.ListingId, account)),
		k.invitationsByAccount.Remove(ctx, collections.Join(account, i.ListingId)),
		k.invitationQueue.Remove(ctx, collections.Join3(i.ExpiresAt, i.ListingId, account)),
	)
}

// expireInvitations removes invitations whose time is over, the oldest first and
// at most limit of them: nothing depends on when that happens.
func (k *Keeper) expireInvitations(ctx context.Context, limit int) error {
	var over []expiryKey
	err := k.invitationQueue.Walk(ctx, nil, func(key expiryKey) (bool, error) {
		if key.K1().After(now(ctx)) {
			return true, nil
		}
		over = append(over, key)
		return len(over) == limit, nil
	})
	if err != nil {
		return err
	}
	for _, key := range over {
		i := types.Invitation{ListingId: key.K2(), ExpiresAt: key.K1()}
		if err := k.removeInvitation(ctx, key.K3(), i); err != nil {
			return err
		}
	}
	return nil
}
