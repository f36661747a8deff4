package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	v1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// Tally has the signature of x/gov's CalculateVoteResultsAndVotingPowerFn and
// gives x/gov its electorate:
//
//   - who delegates to bonded validators votes with what that is worth, and a
//     validator votes for its delegators that are silent, as in x/gov itself;
//   - who has stake in x/staking-ext, its own as an operator or with operators,
//     votes with it. Operators vote for nobody else.
//
// The whole is what is bonded to bonded validators plus all stake in x/staking-ext.
// Quorum and thresholds stay x/gov's. As x/gov demands of this function, the
// votes of the proposal are removed; for a live tally it does so on a copy.
//
// Where nobody has stake in x/staking-ext, the results are those of x/gov's own
// function to the last digit.
//
// Source: protocol §7.
func (k *Keeper) Tally(ctx context.Context, gov govkeeper.Keeper, proposal v1.Proposal) (
	voted math.LegacyDec, total math.Int, results map[v1.VoteOption]math.LegacyDec, err error,
) {
	fail := func(err error) (math.LegacyDec, math.Int, map[v1.VoteOption]math.LegacyDec, error) {
		return math.LegacyDec{}, math.Int{}, nil, err
	}
	validators, err := k.bondedValidators(ctx)
	if err != nil {
		return fail(err)
	}
	if total, err = k.totalPower(ctx, validators); err != nil {
		return fail(err)
	}

	count := types.NewCount()
	var counted []collections.Pair[uint64, sdk.AccAddress]
	votes := collections.NewPrefixedPairRange[uint64, sdk.AccAddress](proposal.Id)
	err = gov.Votes.Walk(ctx, votes, func(key collections.Pair[uint64, sdk.AccAddress], vote v1.Vote) (bool, error) {
		counted = append(counted, key)
		return false, k.castBallot(ctx, &count, validators, key.K2(), vote.Options)
	})
	if err != nil {
		return fail(err)
	}
	for _, v := range validators.All() {
		if len(v.Vote) == 0 {
			continue
		}
		if err := count.Add(v.SilentPower(), v.Vote); err != nil {
			return fail(err)
		}
	}
	for _, key := range counted {
		if err := gov.Votes.Remove(ctx, key); err != nil {
			return fail(err)
		}
	}
	return count.Voted, total, count.Results, nil
}

// castBallot counts the voter's own power, takes it out of what its validators
// vote for, and notes the vote of a validator. Each delegation is counted by
// itself, as x/gov does: a split vote rounds for each of them.
func (k *Keeper) castBallot(ctx context.Context, count *types.Count, validators *types.ValidatorSet, voter sdk.AccAddress,
	options v1.WeightedVoteOptions,
) error {
	valAddr, err := k.chainStaking.ValidatorAddressCodec().BytesToString(voter)
	if err != nil {
		return err
	}
	if v, ok := validators.Find(valAddr); ok {
		v.Vote = options
	}
	var parts []math.LegacyDec
	power, err := k.powerOf(ctx, validators, voter, func(v *types.ValidatorShare, shares math.LegacyDec) {
		v.Deducted = v.Deducted.Add(shares)
		parts = append(parts, v.PowerOf(shares))
	})
	if err != nil {
		return err
	}
	for _, part := range append(parts, math.LegacyNewDecFromInt(power.Operators)) {
		if err := count.Add(part, options); err != nil {
			return err
		}
	}
	return nil
}

// powerOf adds up what an account's vote weighs; visit sees each of its
// delegations to a bonded validator.
func (k *Keeper) powerOf(ctx context.Context, validators *types.ValidatorSet, voter sdk.AccAddress,
	visit func(*types.ValidatorShare, math.LegacyDec),
) (types.Power, error) {
	power := types.Power{Validators: math.LegacyZeroDec()}
	err := k.chainStaking.IterateDelegations(ctx, voter, func(_ int64, d stakingtypes.DelegationI) bool {
		if v, ok := validators.Find(d.GetValidatorAddr()); ok {
			visit(v, d.GetShares())
			power.Validators = power.Validators.Add(v.PowerOf(d.GetShares()))
		}
		return false
	})
	if err != nil {
		return types.Power{}, err
	}
	power.Operators, err = k.staking.VotingStake(ctx, voter)
	return power, err
}

// bondedValidators are those whose delegators can vote: the ones that are
// unbonding, jailed or below the last place have no power.
func (k *Keeper) bondedValidators(ctx context.Context) (*types.ValidatorSet, error) {
	set := types.NewValidatorSet()
	err := k.chainStaking.IterateBondedValidatorsByPower(ctx, func(_ int64, v stakingtypes.ValidatorI) bool {
		set.Append(v.GetOperator(), types.ValidatorShare{
			Tokens: v.GetValidatorPower(), Shares: v.GetDelegatorShares(), Deducted: math.LegacyZeroDec(),
		})
		return false
	})
	return set, err
}

func (k *Keeper) totalPower(ctx context.Context, validators *types.ValidatorSet) (math.Int, error) {
	stake, err := k.staking.TotalStake(ctx)
	if err != nil {
		return math.Int{}, err
	}
	return validators.Tokens().Add(stake), nil
}

// VotingPower returns what the account's vote would weigh now, and the power of
// everybody.
func (k *Keeper) VotingPower(ctx context.Context, voter sdk.AccAddress) (types.Power, math.Int, error) {
	validators, err := k.bondedValidators(ctx)
	if err != nil {
		return types.Power{}, math.Int{}, err
	}
	total, err := k.totalPower(ctx, validators)
	if err != nil {
		return types.Power{}, math.Int{}, err
	}
	power, err := k.powerOf(ctx, validators, voter, func(*types.ValidatorShare, math.LegacyDec) {})
	return power, total, err
}
