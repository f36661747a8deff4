package keeper

import (
	"context"
	"slices"
	"time"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// RentRequest is what a renter asks for; see MsgRent.
type RentRequest struct {
	ListingID        uint64
	GPUCount         uint32
	DurationSeconds  uint64
	MaxPrice         sdk.Coin // per GPU and hour
	ManifestDigest   []byte
	CloseOnExit      bool
	StartAt          *time.Time // nil: now
	Interruptible    bool
	FailoverMaxPrice *sdk.Coin // nil: no failover
}

func (r RentRequest) ask() ask {
	return ask{
		gpus: r.GPUCount, seconds: r.DurationSeconds, startAt: r.StartAt, interruptible: r.Interruptible, maxPrice: &r.MaxPrice,
	}
}

// Rent books the free GPUs with the lowest ordinals, from now or the wanted start
// to the latest end possible, and locks the whole price in escrow. It returns the
// new rental.
func (k *Keeper) Rent(ctx context.Context, renter sdk.AccAddress, req RentRequest) (types.Rental, error) {
	d, err := k.prepare(ctx, renter, req)
	if err != nil {
		return types.Rental{}, err
	}
	return k.sign(ctx, renter, d)
}

// deal is a rental that can be had, before any money moved.
type deal struct {
	params  types.Params
	listing types.Listing
	rental  types.Rental
	victims []uint64 // interruptible rentals that end for it
}

// prepare checks everything about a request but the renter's funds and the
// operator's bond.
func (k *Keeper) prepare(ctx context.Context, renter sdk.AccAddress, req RentRequest) (deal, error) {
	listing, err := k.Listing(ctx, req.ListingID)
	if err != nil {
		return deal{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return deal{}, err
	}
	renterStr, err := k.checkRenter(listing, renter, req)
	if err != nil {
		return deal{}, err
	}
	o, err := k.findOffer(ctx, params, listing, req.ask())
	if err != nil {
		return deal{}, err
	}
	id, err := types.RentalID(listing.Id, listing.RentalsOpened)
	if err != nil {
		return deal{}, err
	}
	r := types.Rental{
		Id: id, ListingId: listing.Id, HostId: listing.HostId, Operator: listing.Operator, Renter: renterStr,
		Gpus: o.gpus, Price: o.price, ManifestDigest: req.ManifestDigest, CloseOnExit: req.CloseOnExit, Type: o.kind,
		State: types.RENTAL_STATE_PENDING, CreatedAt: now(ctx), DurationSeconds: req.DurationSeconds,
		Escrowed: o.escrow.Amount, Escrow: o.escrow.Amount, Paid: math.ZeroInt(), Refunded: math.ZeroInt(),
	}
	r.StartBy = o.startAt.Add(params.StartTimeout)
	r.DueAt = r.StartBy
	if o.startAt.After(r.CreatedAt) {
		r.State, r.DueAt = types.RENTAL_STATE_RESERVED, o.startAt
		r.Reservation = &types.Reservation{StartAt: o.startAt, Bond: o.bond, Forfeited: math.ZeroInt()}
	}
	r.Failover, err = newFailover(r, req.FailoverMaxPrice)
	return deal{params: params, listing: listing, rental: r, victims: o.victims}, err
}

// sign takes the renter's money and opens the rental.
func (k *Keeper) sign(ctx context.Context, renter sdk.AccAddress, d deal) (types.Rental, error) {
	cost := sdk.NewCoin(d.rental.Price.Denom, d.rental.Held())
	if err := k.bank.SendCoinsFromAccountToModule(ctx, renter, types.ModuleName, sdk.NewCoins(cost)); err != nil {
		return types.Rental{}, errorsmod.Wrapf(err, "escrow of %s for listing %d", cost, d.listing.Id)
	}
	return d.rental, k.open(ctx, d)
}

// open books and stores a rental whose money the module's account holds.
func (k *Keeper) open(ctx context.Context, d deal) error {
	r := d.rental
	if err := k.lockBond(ctx, d.listing, r.Bonded()); err != nil {
		return err
	}
	for _, id := range d.victims {
		if err := k.preempt(ctx, d.params, id, r.Id, r.Reservation.StartAt); err != nil {
			return err
		}
	}
	if err := k.book(ctx, r); err != nil {
		return err
	}
	if err := k.rentals.Set(ctx, r.Id, r); err != nil {
		return err
	}
	d.listing.RentalsOpened++
	if err := k.listings.Set(ctx, d.listing.Id, d.listing); err != nil {
		return err
	}
	start, _ := r.Window()
	return emit(ctx, &types.EventRentalOpened{
		RentalId: r.Id, ListingId: r.ListingId, HostId: r.HostId, Renter: r.Renter, Gpus: r.Gpus,
		Escrow: sdk.NewCoin(r.Price.Denom, r.Escrow), Type: r.Type, StartAt: start, Bond: r.Bonded().String(),
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
	return renterStr, nil
}

func checkMaxPrice(price, most sdk.Coin) error {
	if most.Denom != price.Denom {
		return types.ErrPriceTooHigh.Wrapf("the price is in %s, max_price in %q", price.Denom, most.Denom)
	}
	if most.Amount.IsNil() || price.Amount.GT(most.Amount) {
		return types.ErrPriceTooHigh.Wrapf("the price is %s, max_price is %s", price, most.Amount)
	}
	return nil
}

// newFailover holds what a replacement at the highest price would cost more than
// the rental itself.
func newFailover(r types.Rental, most *sdk.Coin) (*types.Failover, error) {
	if most == nil {
		return nil, nil
	}
	f := types.Failover{MaxPrice: *most, Reserve: math.ZeroInt(), Moved: math.ZeroInt()}
	if err := f.Validate(r); err != nil {
		return nil, err
	}
	r.Failover = &f
	f.Reserve = types.ReserveFor(r)
	return &f, nil
}
