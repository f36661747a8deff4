package types

import (
	"cosmossdk.io/math"

	v1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
)

// ValidatorShare is what a bonded validator has, and what of it its delegators
// vote for themselves.
type ValidatorShare struct {
	// Tokens is all that is bonded to it, in the base unit, and Shares the
	// delegators' shares of that.
	Tokens math.Int
	Shares math.LegacyDec
	// Deducted are the shares whose owners voted.
	Deducted math.LegacyDec
	// Vote is the validator's own, for delegators that are silent; empty when it
	// did not vote.
	Vote v1.WeightedVoteOptions
}

// PowerOf is shares × Tokens / Shares, in the base unit, with 18 digits rounded
// half to even as x/staking and x/gov do it; 0 for a validator without shares.
func (v ValidatorShare) PowerOf(shares math.LegacyDec) math.LegacyDec {
	if v.Shares.IsZero() {
		return math.LegacyZeroDec()
	}
	return shares.MulInt(v.Tokens).Quo(v.Shares)
}

// SilentPower is the power of the delegators that did not vote.
func (v ValidatorShare) SilentPower() math.LegacyDec { return v.PowerOf(v.Shares.Sub(v.Deducted)) }

// Count adds up the ballots of one proposal.
type Count struct {
	// Voted is the power of everybody that has voted, or was voted for.
	Voted math.LegacyDec
	// Results is the power of each option.
	Results map[v1.VoteOption]math.LegacyDec
}

// NewCount is a count without ballots: x/gov wants a number for each option.
func NewCount() Count {
	return Count{
		Voted: math.LegacyZeroDec(),
		Results: map[v1.VoteOption]math.LegacyDec{
			v1.OptionYes:        math.LegacyZeroDec(),
			v1.OptionAbstain:    math.LegacyZeroDec(),
			v1.OptionNo:         math.LegacyZeroDec(),
			v1.OptionNoWithVeto: math.LegacyZeroDec(),
		},
	}
}

// Add counts power for the options by their weights. Each part is rounded half
// to even at 18 digits, so their sum can differ from the power by less than a
// millionth of a millionth of the base unit; Voted is exact.
//
// Errors: ErrInvalidVote for a weight that is no number, which x/gov never stores.
func (c *Count) Add(power math.LegacyDec, options v1.WeightedVoteOptions) error {
	for _, option := range options {
		weight, err := math.LegacyNewDecFromStr(option.Weight)
		if err != nil {
			return ErrInvalidVote.Wrapf("weight %q of option %s: %s", option.Weight, option.Option, err)
		}
		sum, known := c.Results[option.Option]
		if !known {
			sum = math.LegacyZeroDec()
		}
		c.Results[option.Option] = sum.Add(power.Mul(weight))
	}
	c.Voted = c.Voted.Add(power)
	return nil
}

// Power is what one account's vote weighs, in the base unit of the stake denom.
type Power struct {
	// Validators is the worth of its delegations to bonded validators.
	Validators math.LegacyDec
	// Operators is its own stake as an operator plus its stake with operators.
	Operators math.Int
}

// Total is the sum of the two: no token is in both, because a token that is
// staked leaves its owner's balance for exactly one of two pools.
func (p Power) Total() math.LegacyDec { return p.Validators.Add(math.LegacyNewDecFromInt(p.Operators)) }

// ValidatorSet finds the bonded validators by address, in the order in which
// they were added.
type ValidatorSet struct {
	list  []ValidatorShare
	index map[string]int
}

// NewValidatorSet is empty.
func NewValidatorSet() *ValidatorSet { return &ValidatorSet{index: make(map[string]int)} }

// Append adds a validator under its address.
func (s *ValidatorSet) Append(addr string, v ValidatorShare) {
	s.index[addr] = len(s.list)
	s.list = append(s.list, v)
}

// Find returns the bonded validator of that address.
func (s *ValidatorSet) Find(addr string) (*ValidatorShare, bool) {
	i, ok := s.index[addr]
	if !ok {
		return nil, false
	}
	return &s.list[i], true
}

// All returns the validators in their order.
func (s *ValidatorSet) All() []ValidatorShare { return s.list }

// Tokens is all that is bonded.
func (s *ValidatorSet) Tokens() math.Int {
	sum := math.ZeroInt()
	for _, v := range s.list {
		sum = sum.Add(v.Tokens)
	}
	return sum
}
