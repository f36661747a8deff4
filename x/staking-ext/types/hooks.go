package types

import (
	"context"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// StakingHooks tell upper modules facts of this one, before they change what
// the upper module computed from. An error fails the change.
type StakingHooks interface {
	// BeforeStakeChanged: the operator's own stake, its delegated tokens or its
	// requirement are about to change.
	BeforeStakeChanged(ctx context.Context, operator sdk.AccAddress) error
	// BeforeDelegationChanged: the delegator's shares of the operator's pool are
	// about to change; shares is what it holds until then.
	BeforeDelegationChanged(ctx context.Context, delegator, operator sdk.AccAddress, shares math.Int) error
	// TakeRewards moves up to limit of the operator's rewards that are not
	// released yet into this module's account, in the stake denom, and returns
	// what it moved: what a slash takes first.
	TakeRewards(ctx context.Context, operator sdk.AccAddress, limit math.Int) (math.Int, error)
}

// MultiHooks calls its hooks in order and stops at the first error.
type MultiHooks []StakingHooks

var _ StakingHooks = MultiHooks{}

// BeforeStakeChanged implements StakingHooks.
func (m MultiHooks) BeforeStakeChanged(ctx context.Context, operator sdk.AccAddress) error {
	for _, h := range m {
		if err := h.BeforeStakeChanged(ctx, operator); err != nil {
			return err
		}
	}
	return nil
}

// BeforeDelegationChanged implements StakingHooks.
func (m MultiHooks) BeforeDelegationChanged(ctx context.Context, delegator, operator sdk.AccAddress, shares math.Int) error {
	for _, h := range m {
		if err := h.BeforeDelegationChanged(ctx, delegator, operator, shares); err != nil {
			return err
		}
	}
	return nil
}

// TakeRewards implements StakingHooks: each hook is asked for what those before
// it did not cover.
func (m MultiHooks) TakeRewards(ctx context.Context, operator sdk.AccAddress, limit math.Int) (math.Int, error) {
	taken := math.ZeroInt()
	for _, h := range m {
		part, err := h.TakeRewards(ctx, operator, limit.Sub(taken))
		if err != nil {
			return math.Int{}, err
		}
		taken = taken.Add(part)
	}
	return taken, nil
}
