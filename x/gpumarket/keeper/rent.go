package keeper

import (
	"context"
	"slices"
	"time"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

// RentRequest is what a renter asks for; see MsgRent.
type RentRequest struct {
	ListingID       uint64
	GPUCount        uint32
	DurationSeconds uint64
	MaxPrice        sdk.Coin // per GPU and hour
	ManifestDigest  []byte
	CloseOnExit     bool
}

// Rent books the free GPUs with the lowest ordinals, from now to the latest end
// possible, and locks the whole price in escrow. It returns the new rental.
func (k *Keeper) Rent(ctx context.Context, renter sdk.AccAddress, req RentRequest) (types.Rental, error) {
	listing, err := k.Listing(ctx, req.ListingID)
	if err != nil {
		return types.Rental{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Rental{}, err
	}
	renterStr, err := k.checkRenter(listing, renter, req)
	if err != nil {
		return types.Rental{}, err
	}
	offer, err := k.findOffer(ctx, params, listing, req.GPUCount, req.DurationSeconds)
	if err != nil {
		return types.Rental{}, err
	}
	id, err := types.RentalID(listing.Id, listing.RentalsOpened)
	if err != nil {
		return types.Rental{}, err
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, renter, types.ModuleName, sdk.NewCoins(offer.escrow)); err != nil {
		return types.Rental{}, errorsmod.Wrapf(err, "escrow of %s for listing %d", offer.escrow, listing.Id)
	}

	startBy := now(ctx).Add(params.StartTimeout)
	r := types.Rental{
		Id: id, ListingId: listing.Id, HostId: listing.HostId, Operator: listing.Operator, Renter: renterStr,
		Gpus: offer.gpus, Price: listing.Price, ManifestDigest: req.ManifestDigest, CloseOnExit: req.CloseOnExit,
		State: types.RENTAL_STATE_PENDING, CreatedAt: now(ctx), StartBy: startBy, DueAt: startBy,
		DurationSeconds: req.DurationSeconds,
		Escrowed:        offer.escrow.Amount, Escrow: offer.escrow.Amount,
		Paid: math.ZeroInt(), Refunded: math.ZeroInt(),
	}
	if err := k.book(ctx, r); err != nil {
		return types.Rental{}, err
	}
	if err := k.rentals.Set(ctx, id, r); err != nil {
		return types.Rental{}, err
	}
	listing.RentalsOpened++
	if err := k.listings.Set(ctx, listing.Id, listing); err != nil {
		return types.Rental{}, err
	}
	return r, emit(ctx, &types.EventRentalOpened{
		RentalId: id, ListingId: listing.Id, HostId: r.HostId, Renter: renterStr, Gpus: r.Gpus, Escrow: offer.escrow,
	})
}

// checkRenter checks what depends on who rents; it returns the renter's address.
func (k *Keeper) checkRenter(l types.Listing, renter sdk.AccAddress, req RentRequest) (string, error) {
	renterStr, err := k.addressCodec.BytesToString(renter)
	if err != nil {
		return "", err
	}
	if n := len(req.ManifestDigest); n != types.DigestSize {
		return "", types.ErrInvalidDigest.Wrapf("manifest_digest has %d bytes, want %d", n, types.DigestSize)
	}
	if renterStr == l.Operator {
		return "", types.ErrOwnListing.Wrapf("%s is the operator of listing %d", renterStr, l.Id)
	}
	if k.bank.BlockedAddr(renter) { // its refund could never be paid
		return "", types.ErrInvalidRenter.Wrapf("%s is a module account", renterStr)
	}
	if l.Tier == types.TIER_SELECTIVE && !slices.Contains(l.AllowList, renterStr) {
		return "", types.ErrNotAllowed.Wrapf("%s on listing %d", renterStr, l.Id)
	}
	if req.MaxPrice.Denom != l.Price.Denom {
		return "", types.ErrPriceTooHigh.Wrapf("the price is in %s, max_price in %q", l.Price.Denom, req.MaxPrice.Denom)
	}
	if req.MaxPrice.Amount.IsNil() || l.Price.Amount.GT(req.MaxPrice.Amount) {
		return "", types.ErrPriceTooHigh.Wrapf("the price is %s, max_price is %s", l.Price, req.MaxPrice.Amount)
	}
	return renterStr, nil
}

// offer is what a listing can give now.
type offer struct {
	escrow sdk.Coin
	gpus   []uint32
}

// findOffer checks what does not depend on who rents. Its error is the obstacle
// that Quote explains.
func (k *Keeper) findOffer(
	ctx context.Context, params types.Params, l types.Listing, gpuCount uint32, durationSeconds uint64,
) (offer, error) {
	if l.Status != types.LISTING_STATUS_OPEN {
		return offer{}, types.ErrListingNotOpen.Wrapf("listing %d is %s", l.Id, l.Status)
	}
	if gpuCount == 0 || int64(gpuCount) > int64(len(l.Gpus)) {
		return offer{}, types.ErrInvalidGPUs.Wrapf("gpu_count is %d, want 1 to %d", gpuCount, len(l.Gpus))
	}
	if err := params.CheckDuration(l, durationSeconds); err != nil {
		return offer{}, err
	}
	if err := params.CheckPrice(l.Price); err != nil { // the params may have changed since
		return offer{}, err
	}
	escrow := sdk.NewCoin(l.Price.Denom, types.AmountFor(l.Price.Amount, int(gpuCount), durationSeconds))
	if !escrow.IsPositive() {
		return offer{}, types.ErrInvalidDuration.Wrapf("%d s cost less than one %s", durationSeconds, l.Price.Denom)
	}
	host, err := k.checkProvider(ctx, l)
	if err != nil {
		return offer{}, err
	}
	gpus, err := k.pickGPUs(ctx, params, l, host, int(gpuCount), durationSeconds)
	return offer{escrow: escrow, gpus: gpus}, err
}

// checkProvider tells whether the listing's operator and host may be rented from.
func (k *Keeper) checkProvider(ctx context.Context, l types.Listing) (attestationtypes.Host, error) {
	operator, err := k.addressCodec.StringToBytes(l.Operator)
	if err != nil {
		return attestationtypes.Host{}, err
	}
	if err := k.staking.EnsureRentable(ctx, operator); err != nil {
		return attestationtypes.Host{}, err
	}
	host, err := k.attestation.Host(ctx, l.HostId)
	if err != nil {
		return attestationtypes.Host{}, err
	}
	if host.Status != attestationtypes.HOST_STATUS_ACTIVE {
		return attestationtypes.Host{}, types.ErrHostNotActive.Wrapf("host %d is %s", l.HostId, host.Status)
	}
	return host, nil
}

// pickGPUs returns the lowest ordinals of the listing that are free for the
// longest time that the rental can take, and still of the listed class.
func (k *Keeper) pickGPUs(
	ctx context.Context, params types.Params, l types.Listing, host attestationtypes.Host, count int, durationSeconds uint64,
) ([]uint32, error) {
	from := now(ctx)
	to := from.Add(params.StartTimeout).Add(seconds(durationSeconds))
	picked := make([]uint32, 0, count)
	changed := false
	for _, ordinal := range l.Gpus {
		if held, err := k.releaseOverdue(ctx, params, l.HostId, ordinal); err != nil {
			return nil, err
		} else if held {
			continue
		}
		free, err := k.gpuFree(ctx, l.HostId, ordinal, from, to)
		if err != nil {
			return nil, err
		}
		if !free {
			continue
		}
		if ordinal >= host.GpuCount {
			changed = true
			continue
		}
		gpu, err := k.attestation.GPU(ctx, l.HostId, ordinal)
		if err != nil {
			return nil, err
		}
		if gpu.Class != l.Class {
			changed = true
			continue
		}
		if picked = append(picked, ordinal); len(picked) == count {
			return picked, nil
		}
	}
	if changed {
		return nil, types.ErrClassChanged.Wrapf("listing %d has %d free GPUs that are still %s, want %d",
			l.Id, len(picked), l.Class, count)
	}
	return nil, types.ErrNoFreeGPUs.Wrapf("listing %d has %d, want %d for up to %d s", l.Id, len(picked), count,
		to.Sub(from)/time.Second)
}

// releaseOverdue closes the rental whose booking of the GPU is over but whose
// deadline has not been processed yet: at this very second, or because it
// carried over. A rental that cannot be closed still holds its GPU; that is told
// by the result and is no error of the message that found it.
func (k *Keeper) releaseOverdue(ctx context.Context, params types.Params, host uint64, ordinal uint32) (held bool, err error) {
	b, found, err := k.bookingBefore(ctx, host, ordinal, now(ctx))
	if err != nil || !found || !b.FreeAfter(now(ctx)) {
		return false, err
	}
	cached, write := sdk.UnwrapSDKContext(ctx).CacheContext()
	r, err := k.touch(cached, params, b.RentalId)
	if err != nil {
		return true, nil
	}
	write()
	return r.Open(), nil
}
