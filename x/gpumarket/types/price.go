package types

import (
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// CheckPrice tells whether a price per GPU and hour can be asked: its denom is
// allowed and its amount is from 1 to p.MaxPrice.
//
// Errors: ErrInvalidPrice.
func (p Params) CheckPrice(price sdk.Coin) error {
	if !slices.Contains(p.AllowedDenoms, price.Denom) {
		return ErrInvalidPrice.Wrapf("denom %q, want one of %q", price.Denom, p.AllowedDenoms)
	}
	if price.Amount.IsNil() || !price.Amount.IsPositive() || price.Amount.GT(p.MaxPrice) {
		return ErrInvalidPrice.Wrapf("%s%s per GPU and hour, want 1 to %s", price.Amount, price.Denom, p.MaxPrice)
	}
	return nil
}

// CheckPrices tells whether the listing's prices can be asked: the one of
// interruptible rentals is in the same denom and not the higher one.
//
// Errors: ErrInvalidPrice.
func (p Params) CheckPrices(l Listing) error {
	if err := p.CheckPrice(l.Price); err != nil {
		return err
	}
	return l.checkInterruptiblePrice()
}

func (l Listing) checkInterruptiblePrice() error {
	if l.InterruptiblePrice == nil {
		return nil
	}
	ip := *l.InterruptiblePrice
	if ip.Denom != l.Price.Denom || ip.Amount.IsNil() || !ip.Amount.IsPositive() || ip.Amount.GT(l.Price.Amount) {
		return ErrInvalidPrice.Wrapf("interruptible price %s%s, want 1 to %s", ip.Amount, ip.Denom, l.Price)
	}
	return nil
}

// CheckDuration tells whether the listing can be rented for so many seconds in
// total: within its own bounds and within those of the params, which may have
// become narrower since.
//
// Errors: ErrInvalidDuration.
func (p Params) CheckDuration(l Listing, seconds uint64) error {
	least := max(l.MinDurationSeconds, p.MinDurationSeconds)
	most := min(l.MaxDurationSeconds, p.MaxDurationSeconds)
	if seconds < least || seconds > most {
		return ErrInvalidDuration.Wrapf("%d s, want %d to %d", seconds, least, most)
	}
	return nil
}
