package keeper

import (
	"context"
	"time"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// SubscribeRequest is what a renter asks for; see MsgSubscribe. The duration of
// its rent is one period.
type SubscribeRequest struct {
	RentRequest
	Deposit sdk.Coin
	Cap     sdk.Coin
}

// Subscribe rents for one period and keeps the rest of the deposit for the next ones.
func (k *Keeper) Subscribe(ctx context.Context, renter sdk.AccAddress, req SubscribeRequest) (types.Rental, error) {
	d, err := k.prepare(ctx, renter, req.RentRequest)
	if err != nil {
		return types.Rental{}, err
	}
	escrow := d.rental.Escrow
	for _, c := range []struct {
		name string
		coin sdk.Coin
	}{{"deposit", req.Deposit}, {"cap", req.Cap}} {
		if c.coin.Denom != d.rental.Price.Denom || c.coin.Amount.IsNil() || c.coin.Amount.LT(escrow) {
			return types.Rental{}, types.ErrInvalidDeposit.Wrapf("%s is %s%s, the first period costs %s%s",
				c.name, c.coin.Amount, c.coin.Denom, escrow, d.rental.Price.Denom)
		}
	}
	d.rental.Type = types.RENTAL_TYPE_SUBSCRIPTION
	d.rental.Subscription = &types.Subscription{
		PeriodSeconds: req.DurationSeconds, Balance: req.Deposit.Amount.Sub(escrow), Cap: req.Cap.Amount, Spent: escrow, Periods: 1,
	}
	return k.sign(ctx, renter, d)
}

// TopUpSubscription adds to a subscription's balance, from anyone.
func (k *Keeper) TopUpSubscription(ctx context.Context, sender sdk.AccAddress, id uint64, amount sdk.Coin) error {
	r, err := k.runningSubscription(ctx, id)
	if err != nil {
		return err
	}
	if amount.Denom != r.Price.Denom || amount.Amount.IsNil() || !amount.IsPositive() {
		return types.ErrInvalidDeposit.Wrapf("%s%s, want 1%s or more", amount.Amount, amount.Denom, r.Price.Denom)
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, sender, types.ModuleName, sdk.NewCoins(amount)); err != nil {
		return errorsmod.Wrapf(err, "top up rental %d by %s", id, amount)
	}
	s := *r.Subscription
	s.Balance = s.Balance.Add(amount.Amount)
	r.Subscription = &s
	if err := k.rentals.Set(ctx, id, r); err != nil {
		return err
	}
	senderStr, err := k.addressCodec.BytesToString(sender)
	if err != nil {
		return err
	}
	return emit(ctx, &types.EventSubscriptionToppedUp{
		RentalId: id, Sender: senderStr, Amount: amount, Balance: sdk.NewCoin(r.Price.Denom, s.Balance),
	})
}

// CancelSubscription returns the balance at once; the rental goes on to the end
// of the period that is paid for.
func (k *Keeper) CancelSubscription(ctx context.Context, renter sdk.AccAddress, id uint64) (sdk.Coin, error) {
	r, err := k.runningSubscription(ctx, id)
	if err != nil {
		return sdk.Coin{}, err
	}
	renterStr, err := k.addressCodec.BytesToString(renter)
	if err != nil {
		return sdk.Coin{}, err
	}
	if r.Renter != renterStr {
		return sdk.Coin{}, types.ErrNotOwner.Wrapf("rental %d belongs to %s", id, r.Renter)
	}
	s := *r.Subscription
	returned := sdk.NewCoin(r.Price.Denom, s.Balance)
	if returned.IsPositive() {
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, renter, sdk.NewCoins(returned)); err != nil {
			return sdk.Coin{}, errorsmod.Wrapf(err, "return %s to %s", returned, r.Renter)
		}
	}
	s.Balance, s.Cancelled = math.ZeroInt(), true
	r.Subscription = &s
	if err := k.rentals.Set(ctx, id, r); err != nil {
		return sdk.Coin{}, err
	}
	return returned, emit(ctx, &types.EventSubscriptionEnded{RentalId: id, Returned: returned, Reason: "cancelled by the renter"})
}

// runningSubscription is an open rental that may still be renewed.
func (k *Keeper) runningSubscription(ctx context.Context, id uint64) (types.Rental, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.Rental{}, err
	}
	r, err := k.touch(ctx, params, id)
	if err != nil {
		return types.Rental{}, err
	}
	if !r.Open() {
		return types.Rental{}, types.ErrRentalClosed.Wrapf("rental %d: %s", id, r.CloseReason)
	}
	if r.Subscription == nil || r.Subscription.Cancelled {
		return types.Rental{}, types.ErrNotSubscription.Wrapf("rental %d: never one, or cancelled", id)
	}
	return r, nil
}

// endPeriod begins the next period of a subscription at time at, the end of the
// one before, or closes the rental.
func (k *Keeper) endPeriod(ctx context.Context, params types.Params, r *types.Rental, at time.Time) error {
	if r.Subscription == nil || r.Subscription.Cancelled {
		return k.closeAtDeadline(ctx, params, r, types.CLOSE_REASON_END_REACHED, at)
	}
	obstacle := k.renewable(ctx, *r)
	if obstacle == nil {
		return k.renew(ctx, params, r, at)
	}
	if err := emit(ctx, &types.EventSubscriptionEnded{
		RentalId: r.Id, Returned: sdk.NewCoin(r.Price.Denom, r.Subscription.Balance), Reason: obstacle.Error(),
	}); err != nil {
		return err
	}
	return k.closeAtDeadline(ctx, params, r, types.CLOSE_REASON_END_REACHED, at)
}

// renewable tells whether one more period can be had; the error says why not.
func (k *Keeper) renewable(ctx context.Context, r types.Rental) error {
	if r.NoticeEndsAt != nil {
		return types.ErrNoticeGiven.Wrapf("rental %d", r.Id)
	}
	if err := r.CoversNext(); err != nil {
		return err
	}
	listing, err := k.Listing(ctx, r.ListingId)
	if err != nil {
		return err
	}
	if listing.Status != types.LISTING_STATUS_OPEN {
		return types.ErrListingNotOpen.Wrapf("listing %d is %s", listing.Id, listing.Status)
	}
	if _, err := k.checkProvider(ctx, listing); err != nil {
		return err
	}
	return k.freeAfterEnd(ctx, r, r.EndsAt.Add(seconds(r.Subscription.PeriodSeconds)))
}

// freeAfterEnd tells whether the rental's GPUs are free from its end until ends.
func (k *Keeper) freeAfterEnd(ctx context.Context, r types.Rental, ends time.Time) error {
	for _, ordinal := range r.Gpus {
		free, err := k.gpuFree(ctx, r.HostId, ordinal, *r.EndsAt, ends)
		if err != nil {
			return err
		}
		if !free {
			return types.ErrNoFreeGPUs.Wrapf("GPU %d of host %d is booked after the rental", ordinal, r.HostId)
		}
	}
	return nil
}

// renew pays what the period has proven, settles its service credit, and moves the
// price of the next one from the balance to the escrow.
func (k *Keeper) renew(ctx context.Context, params types.Params, r *types.Rental, at time.Time) error {
	if _, err := k.payProven(ctx, params, r, at); err != nil {
		return err
	}
	if err := k.creditService(ctx, params, r); err != nil {
		return err
	}
	a := *r.Availability
	a.BeginPeriod(r.Paid)
	r.Availability = &a
	price := r.NextPeriod()
	s := *r.Subscription
	s.Balance, s.Spent, s.Periods = s.Balance.Sub(price), s.Spent.Add(price), s.Periods+1
	ends := r.EndsAt.Add(seconds(s.PeriodSeconds))
	r.Subscription, r.EndsAt, r.DurationSeconds = &s, &ends, r.DurationSeconds+s.PeriodSeconds
	r.Escrowed, r.Escrow, r.BalanceWarnings = r.Escrowed.Add(price), r.Escrow.Add(price), 0
	if err := k.book(ctx, *r); err != nil { // the same keys, a later end
		return err
	}
	if err := k.requeue(ctx, params, r); err != nil {
		return err
	}
	return emit(ctx, &types.EventSubscriptionRenewed{
		RentalId: r.Id, Price: sdk.NewCoin(r.Price.Denom, price), Balance: sdk.NewCoin(r.Price.Denom, s.Balance), EndsAt: ends,
	})
}

// dropBalance notes that the balance went back with the refund of the close.
func dropBalance(r *types.Rental) {
	if r.Subscription != nil {
		s := *r.Subscription
		s.Balance = math.ZeroInt()
		r.Subscription = &s
	}
}
