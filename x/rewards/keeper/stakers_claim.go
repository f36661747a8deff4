package keeper

import (
	"context"
	"slices"

	errorsmod "cosmossdk.io/errors"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/rewards/types"
)

// ClaimStakingRewards pays what the delegator earned with its stake at each of
// the operators; an operator that names itself claims its own part. It returns
// the sum.
//
// Errors: ErrInvalidClaim when there are no operators, too many, or one twice;
// ErrNothingToClaim.
func (k *Keeper) ClaimStakingRewards(ctx context.Context, delegator sdk.AccAddress, operators []sdk.AccAddress) (sdk.Coins, error) {
	if n := len(operators); n == 0 || n > types.MaxClaimOperators {
		return nil, types.ErrInvalidClaim.Wrapf("%d operators, want 1 to %d", n, types.MaxClaimOperators)
	}
	for i, operator := range operators {
		if slices.ContainsFunc(operators[:i], func(o sdk.AccAddress) bool { return o.Equals(operator) }) {
			return nil, types.ErrInvalidClaim.Wrapf("operator %s twice", k.name(operator))
		}
	}
	sum := sdk.NewCoins()
	for _, operator := range operators {
		paid, err := k.claimAt(ctx, delegator, operator)
		if err != nil {
			return nil, errorsmod.Wrapf(err, "operator %s", k.name(operator))
		}
		sum = sum.Add(paid...)
	}
	if sum.IsZero() {
		return nil, types.ErrNothingToClaim.Wrapf("%s at %d operators", k.name(delegator), len(operators))
	}
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.StakersAccount, delegator, sum); err != nil {
		return nil, errorsmod.Wrapf(err, "pay %s to %s", sum, k.name(delegator))
	}
	return sum, nil
}

// claimAt settles the delegator at one operator and empties what it may claim
// there. Without shares its marks end too.
func (k *Keeper) claimAt(ctx context.Context, delegator, operator sdk.AccAddress) (sdk.Coins, error) {
	if _, err := k.staking.Operator(ctx, operator); err != nil {
		return nil, err
	}
	if err := k.giveReleased(ctx, operator); err != nil {
		return nil, err
	}
	shares, err := k.staking.Delegation(ctx, delegator, operator)
	if err != nil {
		return nil, err
	}
	s, err := k.settle(ctx, delegator, operator, shares)
	if err != nil {
		return nil, err
	}
	paid := s.Claimable
	s.Claimable = nil
	if !shares.IsPositive() {
		s.Marks = nil
	}
	if err := k.storeStaker(ctx, delegator, operator, s); err != nil {
		return nil, err
	}
	if paid.IsZero() {
		return nil, nil
	}
	return paid, emit(ctx, &types.EventStakingRewardsClaimed{
		Delegator: k.name(delegator), Operator: k.name(operator), Amount: paid,
	})
}
