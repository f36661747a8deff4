package types

import (
	"context"
	"time"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Payment is one payout from the escrow of a rental.
type Payment struct {
	RentalID uint64
	Operator sdk.AccAddress
	HostID   uint64
	GPUs     []uint32
	// From and To bound the time that was paid for. Missed, in seconds, is the
	// part of it that was not billed.
	From, To time.Time
	Missed   uint64
	Denom    string
	// Where it went besides the provider and the rest address. Stakers lies in
	// StakersAccount when the hook is called.
	Stakers, Treasury, Burned math.Int
}

// MarketHooks tell upper modules facts of this one. An error fails the payout.
type MarketHooks interface {
	AfterRentalPaid(ctx context.Context, p Payment) error
}

// MultiHooks calls its hooks in order and stops at the first error.
type MultiHooks []MarketHooks

var _ MarketHooks = MultiHooks{}

// AfterRentalPaid implements MarketHooks.
func (m MultiHooks) AfterRentalPaid(ctx context.Context, p Payment) error {
	for _, h := range m {
		if err := h.AfterRentalPaid(ctx, p); err != nil {
			return err
		}
	}
	return nil
}
