package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	v1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
)

var (
	val1, val2, val3 = named("val1"), named("val2"), named("val3")
	oper1            = named("oper1")
)

type ballots map[string]v1.WeightedVoteOptions

// TestRulesOfGovernance are the scenarios of x/gov's own tally tests (quorum,
// veto, abstain, threshold, expedited, inheritance, override, split votes,
// jailed validators), with our electorate: three validators with 5, 6 and 7
// million, and operators with stake where the case says so.
func TestRulesOfGovernance(t *testing.T) {
	const million = 1_000_000
	yes, no, abstain, veto := all(v1.OptionYes), all(v1.OptionNo), all(v1.OptionAbstain), all(v1.OptionNoWithVeto)
	tests := map[string]struct {
		delegations map[string]int64 // to val3
		toVal1      map[string]int64
		stake       map[string]int64
		jailed      sdk.AccAddress
		ballots     ballots
		expedited   bool

		passes, burns bool
		yes, no       string
		abstain, veto string
	}{
		"nobody votes":                {ballots: ballots{}},
		"too few vote: under a third": {ballots: ballots{string(val2): yes}, yes: "6000000", passes: false},
		"validators above the quorum": {ballots: ballots{string(val3): yes}, yes: "7000000", passes: true},
		"stake with operators lifts the quorum out of reach": {
			stake: map[string]int64{string(oper1): 3 * million}, ballots: ballots{string(val3): yes}, yes: "7000000", passes: false,
		},
		"an operator makes the quorum": {
			stake:   map[string]int64{string(oper1): 3 * million},
			ballots: ballots{string(val3): yes, string(oper1): yes}, yes: "10000000", passes: true,
		},
		"all validators yes": {
			ballots: ballots{string(val1): yes, string(val2): yes, string(val3): yes}, yes: "18000000", passes: true,
		},
		"an operator turns a vote": {
			stake:   map[string]int64{string(oper1): 8 * million},
			ballots: ballots{string(val3): yes, string(oper1): no}, yes: "7000000", no: "8000000", passes: false,
		},
		"exactly a half is not more than a half": {
			stake:   map[string]int64{string(oper1): 7 * million},
			ballots: ballots{string(val3): yes, string(oper1): no}, yes: "7000000", no: "7000000", passes: false,
		},
		"a third of vetoes stops it and burns the deposit": {
			stake:   map[string]int64{string(oper1): 9 * million},
			ballots: ballots{string(val1): yes, string(val2): yes, string(val3): yes, string(oper1): veto},
			yes:     "18000000", veto: "9000000", passes: true, // exactly a third
		},
		"more than a third of vetoes": {
			stake:   map[string]int64{string(oper1): 9_100_000},
			ballots: ballots{string(val1): yes, string(val2): yes, string(val3): yes, string(oper1): veto},
			yes:     "18000000", veto: "9100000", burns: true,
		},
		"everybody abstains": {
			stake:   map[string]int64{string(oper1): 9 * million},
			ballots: ballots{string(val3): abstain, string(oper1): abstain}, abstain: "16000000", passes: false,
		},
		"who abstains counts for the quorum and not for the threshold": {
			stake:   map[string]int64{string(oper1): 9 * million},
			ballots: ballots{string(val1): yes, string(oper1): abstain}, yes: "5000000", abstain: "9000000", passes: true,
		},
		"a validator votes for its silent delegators": {
			delegations: map[string]int64{string(alice): 10 * million},
			ballots:     ballots{string(val1): no, string(val2): no, string(val3): yes}, yes: "17000000", no: "11000000", passes: true,
		},
		"a delegator overrides its validator": {
			delegations: map[string]int64{string(alice): 10 * million},
			ballots:     ballots{string(val1): no, string(val3): yes, string(alice): no}, yes: "7000000", no: "15000000", passes: false,
		},
		"a delegator of a silent validator": {
			delegations: map[string]int64{string(alice): 10 * million},
			ballots:     ballots{string(alice): yes}, yes: "10000000", passes: true,
		},
		"a delegator of two validators": {
			delegations: map[string]int64{string(alice): 10 * million}, toVal1: map[string]int64{string(alice): 4 * million},
			ballots: ballots{string(val1): no, string(val3): no, string(alice): yes}, yes: "14000000", no: "12000000", passes: true,
		},
		"an operator does not vote for its silent stakers": {
			stake:   map[string]int64{string(oper1): 2 * million, string(alice): 20 * million}, // alice's lies with oper1
			ballots: ballots{string(oper1): yes}, yes: "2000000", passes: false,
		},
		"a staker votes with what lies with operators": {
			stake:   map[string]int64{string(oper1): 2 * million, string(alice): 20 * million},
			ballots: ballots{string(alice): yes}, yes: "20000000", passes: true,
		},
		"one person in every role": { // 5 own at val1 + 10 at val3 + 4 with operators
			delegations: map[string]int64{string(val1): 10 * million}, stake: map[string]int64{string(val1): 4 * million},
			ballots: ballots{string(val1): yes, string(val3): no}, yes: "19000000", no: "7000000", passes: true,
		},
		"a jailed validator and its delegators have no vote": {
			delegations: map[string]int64{string(alice): 10 * million}, jailed: val3,
			ballots: ballots{string(val3): no, string(alice): no, string(val1): yes}, yes: "5000000", passes: true,
		},
		"a jailed validator keeps its stake with operators": {
			stake: map[string]int64{string(val3): 6 * million}, jailed: val3,
			ballots: ballots{string(val3): no, string(val1): yes}, yes: "5000000", no: "6000000", passes: false,
		},
		"a split vote": {
			stake:   map[string]int64{string(oper1): 10 * million},
			ballots: ballots{string(oper1): split("0.7", "0.3")}, yes: "7000000", no: "3000000", passes: true,
		},
		"a split vote of a validator and its silent delegator": {
			delegations: map[string]int64{string(alice): 3 * million},
			ballots:     ballots{string(val3): split("0.4", "0.6")}, yes: "4000000", no: "6000000", passes: false,
		},
		"expedited wants two thirds": {
			stake: map[string]int64{string(oper1): 4 * million}, expedited: true,
			ballots: ballots{string(val3): yes, string(oper1): no}, yes: "7000000", no: "4000000", passes: false,
		},
		"expedited with more than two thirds": {
			stake: map[string]int64{string(oper1): 3 * million}, expedited: true,
			ballots: ballots{string(val3): yes, string(oper1): no}, yes: "7000000", no: "3000000", passes: true,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.validator(val1, 5*million)
			w.validator(val2, 6*million)
			w.validator(val3, 7*million)
			for who, amount := range tc.delegations {
				w.delegate(sdk.AccAddress(who), sdk.ValAddress(val3), amount)
			}
			for who, amount := range tc.toVal1 {
				w.delegate(sdk.AccAddress(who), sdk.ValAddress(val1), amount)
			}
			for who, amount := range tc.stake {
				w.stake.of[who] = amount
			}
			w.elect()
			if tc.jailed != nil {
				w.jail(sdk.ValAddress(tc.jailed))
				w.elect()
			}
			p := w.votesOn(v1.Proposal{Id: proposalID, Status: v1.StatusVotingPeriod, Expedited: tc.expedited}, tc.ballots)

			passes, burns, result, err := w.gov.Tally(w.ctx, p)

			require.NoError(t, err)
			require.Equal(t, &v1.TallyResult{
				YesCount: orZero(tc.yes), NoCount: orZero(tc.no), AbstainCount: orZero(tc.abstain), NoWithVetoCount: orZero(tc.veto),
			}, &result)
			require.Equal(t, tc.passes, passes, "passes")
			require.Equal(t, tc.burns, burns, "burns the deposit")
		})
	}
}

func orZero(count string) string {
	if count == "" {
		return "0"
	}
	return count
}

// TestNoElectorate: nothing is bonded and nobody is staked, so nothing passes,
// and nothing divides by zero.
func TestNoElectorate(t *testing.T) {
	w := newWorld(t)
	p := w.votes(ballots{string(alice): all(v1.OptionYes)})

	passes, burns, _, err := w.gov.Tally(w.ctx, p)

	require.NoError(t, err)
	require.False(t, passes)
	require.False(t, burns)
}

// TestValidatorThatLostEverything: a bonded validator without tokens adds
// nothing, and its delegators' votes weigh nothing.
func TestValidatorThatLostEverything(t *testing.T) {
	w := newWorld(t)
	lost := w.validator(val1, 5_000_000)
	w.validator(val2, 6_000_000)
	w.elect()
	w.slash(lost, 5_000_000)
	p := w.votes(ballots{string(val1): all(v1.OptionNo), string(val2): all(v1.OptionYes)})

	voted, total, results := w.tally(w.k.Tally, p)

	require.Equal(t, "6000000.000000000000000000", voted.String())
	require.Equal(t, "6000000", total.String())
	require.True(t, results[v1.OptionNo].IsZero())
}
