package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	errorsmod "cosmossdk.io/errors"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// StakeOf returns the operator's counted stake and its requirement.
//
// Errors: ErrOperatorNotFound.
func (k *Keeper) StakeOf(ctx context.Context, operator sdk.AccAddress) (counted, requirement math.Int, err error) {
	record, err := k.Operator(ctx, operator)
	return record.CountedStake, record.Requirement, err
}

// VotingStake returns the stake that an account votes with: its own stake as an
// operator, and what its delegations are worth. What is on its way out doesn't
// vote. At most max_delegations records are read.
func (k *Keeper) VotingStake(ctx context.Context, account sdk.AccAddress) (math.Int, error) {
	own, delegated, err := k.votingStake(ctx, account)
	if err != nil {
		return math.Int{}, err
	}
	return own.Add(delegated), nil
}

func (k *Keeper) votingStake(ctx context.Context, account sdk.AccAddress) (own, delegated math.Int, err error) {
	own, delegated = math.ZeroInt(), math.ZeroInt()
	if known, err := k.operators.Has(ctx, account); err != nil {
		return own, delegated, err
	} else if known {
		record, err := k.Operator(ctx, account)
		if err != nil {
			return own, delegated, err
		}
		own = record.OwnStake
	}
	err = k.delegations.Walk(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, sdk.AccAddress](account),
		func(key poolKey, shares math.Int) (bool, error) {
			record, err := k.Operator(ctx, key.K2())
			if err != nil {
				return true, err
			}
			delegated = delegated.Add(types.TokensOf(shares, record.DelegatedTokens, record.DelegationShares))
			return false, nil
		})
	return own, delegated, err
}

// TotalStake returns all bonded stake, own and delegated, of all operators.
func (k *Keeper) TotalStake(ctx context.Context) (math.Int, error) {
	return k.balance(ctx, types.ModuleName)
}

// PayFromInsurance pays an account what the insurance account has, up to amount,
// and returns what it paid.
func (k *Keeper) PayFromInsurance(ctx context.Context, to sdk.AccAddress, amount math.Int) (math.Int, error) {
	if amount.IsNil() || amount.IsNegative() || amount.GT(types.MaxAmount) {
		return math.Int{}, types.ErrInvalidAmount.Wrapf("insurance payment of %s, want 0 to %s", amount, types.MaxAmount)
	}
	held, err := k.balance(ctx, types.InsuranceAccount)
	if err != nil {
		return math.Int{}, err
	}
	paid := math.MinInt(amount, held)
	if !paid.IsPositive() {
		return math.ZeroInt(), nil
	}
	denom, err := k.StakeDenom(ctx)
	if err != nil {
		return math.Int{}, err
	}
	coins := sdk.NewCoins(sdk.NewCoin(denom, paid))
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.InsuranceAccount, to, coins); err != nil {
		return math.Int{}, errorsmod.Wrapf(err, "insurance payment of %s to %s", paid, k.name(to))
	}
	return paid, emit(ctx, &types.EventInsurancePaid{Recipient: k.name(to), Amount: paid.String()})
}

// balance is what a module account has of the stake denom.
func (k *Keeper) balance(ctx context.Context, module string) (math.Int, error) {
	denom, err := k.StakeDenom(ctx)
	if err != nil {
		return math.Int{}, err
	}
	return k.bank.GetBalance(ctx, authtypes.NewModuleAddress(module), denom).Amount, nil
}
