package types

import (
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// MaxMilestones is the most that params can allow for one grant.
const MaxMilestones = 100

// Total is the sum of all milestones.
func (g Grant) Total() sdk.Coin {
	sum := math.ZeroInt()
	for _, m := range g.Milestones {
		sum = sum.Add(m.Amount)
	}
	return sdk.NewCoin(g.Denom, sum)
}

// Unreleased is the sum of the milestones that are not released.
func (g Grant) Unreleased() sdk.Coin {
	sum := math.ZeroInt()
	for _, m := range g.Milestones {
		if m.ReleasedAt == nil {
			sum = sum.Add(m.Amount)
		}
	}
	return sdk.NewCoin(g.Denom, sum)
}

// Held is what the module account holds for the grant.
func (g Grant) Held() sdk.Coin {
	if g.State != GRANT_STATE_OPEN {
		return sdk.NewCoin(g.Denom, math.ZeroInt())
	}
	return g.Unreleased()
}

// CheckMilestones refuses a list that is empty or longer than most, and a
// milestone without a title or an amount.
//
// Errors: ErrInvalidMilestones, ErrInvalidTitle, ErrInvalidAmount.
func CheckMilestones(denom string, milestones []Milestone, most uint32) error {
	if len(milestones) == 0 || len(milestones) > int(most) {
		return ErrInvalidMilestones.Wrapf("%d milestones, want 1 to %d", len(milestones), most)
	}
	sum := math.ZeroInt()
	for i, m := range milestones {
		if err := CheckTitle(m.Title); err != nil {
			return ErrInvalidMilestones.Wrapf("milestone %d: %s", i, err)
		}
		if err := checkAmount("amount", denom, m.Amount); err != nil {
			return ErrInvalidMilestones.Wrapf("milestone %d: %s", i, err)
		}
		sum = sum.Add(m.Amount)
	}
	return checkAmount("sum of the milestones", denom, sum)
}

// Validate checks that the record can exist.
//
// Errors: ErrInvalidGenesis.
func (g Grant) Validate() error {
	if err := CheckTitle(g.Title); err != nil {
		return ErrInvalidGenesis.Wrapf("grant %d: %s", g.Id, err)
	}
	if err := CheckMilestones(g.Denom, g.Milestones, MaxMilestones); err != nil {
		return ErrInvalidGenesis.Wrapf("grant %d: %s", g.Id, err)
	}
	open := !g.Unreleased().IsZero()
	switch g.State {
	case GRANT_STATE_OPEN, GRANT_STATE_CANCELLED:
		if !open {
			return ErrInvalidGenesis.Wrapf("grant %d: %s, and every milestone is released", g.Id, g.State)
		}
	case GRANT_STATE_PAID:
		if open {
			return ErrInvalidGenesis.Wrapf("grant %d: paid, and %s is not released", g.Id, g.Unreleased())
		}
	default:
		return ErrInvalidGenesis.Wrapf("grant %d: state %s", g.Id, g.State)
	}
	return nil
}
