package keeper_test

import (
	"context"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// poolStaking is a small exchange-rate pool per operator, which tells its hooks
// what x/staking-ext tells them: everything before it happens.
type poolStaking struct {
	hooks     stakingext.StakingHooks
	operators map[string]*stakingext.Operator
	shares    map[string]math.Int // delegator ‖ operator
	ratio     int64               // max_delegation_ratio
}

func newPoolStaking() *poolStaking {
	return &poolStaking{operators: map[string]*stakingext.Operator{}, shares: map[string]math.Int{}, ratio: 3}
}

func (s *poolStaking) Operator(_ context.Context, operator sdk.AccAddress) (stakingext.Operator, error) {
	o, ok := s.operators[string(operator)]
	if !ok {
		return stakingext.Operator{}, stakingext.ErrOperatorNotFound.Wrap(operator.String())
	}
	return *o, nil
}

func (s *poolStaking) StakeDenom(context.Context) (string, error) { return denom, nil }

func (s *poolStaking) Delegation(_ context.Context, delegator, operator sdk.AccAddress) (math.Int, error) {
	if shares, ok := s.shares[string(delegator)+string(operator)]; ok {
		return shares, nil
	}
	return math.ZeroInt(), nil
}

func (s *poolStaking) register(operator sdk.AccAddress, own int64, commission uint64) {
	s.operators[string(operator)] = &stakingext.Operator{
		Address: operator.String(), OwnStake: math.NewInt(own), CountedStake: math.NewInt(own), CommissionPpm: commission,
		Requirement: math.ZeroInt(), DelegatedTokens: math.ZeroInt(), DelegationShares: math.ZeroInt(),
	}
}

func (s *poolStaking) count(o *stakingext.Operator) {
	o.CountedStake = o.OwnStake.Add(math.MinInt(o.DelegatedTokens, o.OwnStake.MulRaw(s.ratio)))
}

func (s *poolStaking) bond(ctx context.Context, operator sdk.AccAddress, amount int64) error {
	if err := s.hooks.BeforeStakeChanged(ctx, operator); err != nil {
		return err
	}
	o := s.operators[string(operator)]
	o.OwnStake = math.MaxInt(math.ZeroInt(), o.OwnStake.AddRaw(amount))
	s.count(o)
	return nil
}

// delegate moves tokens into the pool, or shares out of it when negative.
func (s *poolStaking) delegate(ctx context.Context, delegator, operator sdk.AccAddress, amount int64) error {
	before, _ := s.Delegation(ctx, delegator, operator)
	if err := s.hooks.BeforeStakeChanged(ctx, operator); err != nil {
		return err
	}
	if err := s.hooks.BeforeDelegationChanged(ctx, delegator, operator, before); err != nil {
		return err
	}
	o := s.operators[string(operator)]
	shares, tokens := math.NewInt(amount), math.NewInt(amount)
	if amount > 0 && o.DelegationShares.IsPositive() {
		shares = tokens.Mul(o.DelegationShares).Quo(o.DelegatedTokens)
	} else if amount < 0 {
		tokens = shares.Mul(o.DelegatedTokens).Quo(o.DelegationShares)
	}
	o.DelegationShares, o.DelegatedTokens = o.DelegationShares.Add(shares), o.DelegatedTokens.Add(tokens)
	s.count(o)
	s.shares[string(delegator)+string(operator)] = before.Add(shares)
	return nil
}

// slash takes this part of own and delegated tokens; shares stay.
func (s *poolStaking) slash(ctx context.Context, operator sdk.AccAddress, ppm, escrow int64) (math.Int, error) {
	if err := s.hooks.BeforeStakeChanged(ctx, operator); err != nil {
		return math.Int{}, err
	}
	o := s.operators[string(operator)]
	o.OwnStake = o.OwnStake.Sub(o.OwnStake.MulRaw(ppm).QuoRaw(stakingext.PPM))
	o.DelegatedTokens = o.DelegatedTokens.Sub(o.DelegatedTokens.MulRaw(ppm).QuoRaw(stakingext.PPM))
	s.count(o)
	return s.hooks.TakeRewards(ctx, operator, math.NewInt(escrow))
}

func (s *poolStaking) StakeOf(_ context.Context, operator sdk.AccAddress) (counted, requirement math.Int, err error) {
	o, ok := s.operators[string(operator)]
	if !ok {
		return counted, requirement, stakingext.ErrOperatorNotFound.Wrap(operator.String())
	}
	return o.CountedStake, o.Requirement, nil
}

func (s *poolStaking) WalkDelegations(ctx context.Context, operator sdk.AccAddress,
	visit func(delegator sdk.AccAddress, shares math.Int) (bool, error),
) error {
	for key := range s.shares {
		if delegator := sdk.AccAddress(key[:len(key)-len(operator)]); key == string(delegator)+string(operator) {
			shares, err := s.Delegation(ctx, delegator, operator)
			if err != nil {
				return err
			}
			if stop, err := visit(delegator, shares); err != nil || stop {
				return err
			}
		}
	}
	return nil
}
