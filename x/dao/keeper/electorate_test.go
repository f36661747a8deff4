package keeper_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	v1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/grafilab/grafi/x/dao/types"
)

const proposalID = 7

// votes puts a proposal to the vote and casts the ballots.
func (w *world) votes(ballots map[string]v1.WeightedVoteOptions) v1.Proposal {
	w.t.Helper()
	return w.votesOn(v1.Proposal{Id: proposalID, Status: v1.StatusVotingPeriod}, ballots)
}

func (w *world) votesOn(p v1.Proposal, ballots map[string]v1.WeightedVoteOptions) v1.Proposal {
	w.t.Helper()
	require.NoError(w.t, w.gov.SetProposal(w.ctx, p))
	for voter, options := range ballots {
		require.NoError(w.t, w.gov.AddVote(w.ctx, p.Id, sdk.AccAddress(voter), options, ""))
	}
	return p
}

func all(option v1.VoteOption) v1.WeightedVoteOptions { return v1.NewNonSplitVoteOption(option) }

func split(yes, no string) v1.WeightedVoteOptions {
	return v1.WeightedVoteOptions{{Option: v1.OptionYes, Weight: yes}, {Option: v1.OptionNo, Weight: no}}
}

// tally counts on a copy of the state.
func (w *world) tally(fn govkeeper.CalculateVoteResultsAndVotingPowerFn, p v1.Proposal) (math.LegacyDec, math.Int, map[v1.VoteOption]math.LegacyDec) {
	w.t.Helper()
	cached, _ := w.ctx.CacheContext()
	voted, total, results, err := fn(cached, *w.gov, p)
	require.NoError(w.t, err)
	return voted, total, results
}

// holding is tokens of one owner in one place, and who may vote with them.
type holding struct {
	owner  string
	tokens *big.Rat
	// proxy votes when the owner doesn't; empty for nobody.
	proxy string
}

// holdings lists every token that may vote, each exactly once, from the raw
// records: delegations of x/staking one by one, and the table of operators' stake.
func (w *world) holdings() []holding {
	w.t.Helper()
	var list []holding
	delegations, err := w.staking.GetAllDelegations(w.ctx)
	require.NoError(w.t, err)
	validators, err := w.staking.GetAllValidators(w.ctx)
	require.NoError(w.t, err)
	for _, v := range validators {
		if v.Status != stakingtypes.Bonded || v.Jailed {
			continue
		}
		for _, d := range delegations {
			if d.ValidatorAddress != v.OperatorAddress {
				continue
			}
			tokens := rat(d.Shares)
			tokens.Mul(tokens, new(big.Rat).SetInt(v.Tokens.BigInt()))
			tokens.Quo(tokens, rat(v.DelegatorShares))
			operator, err := sdk.ValAddressFromBech32(v.OperatorAddress)
			require.NoError(w.t, err)
			owner, err := sdk.AccAddressFromBech32(d.DelegatorAddress)
			require.NoError(w.t, err)
			list = append(list, holding{owner: string(owner), tokens: tokens, proxy: string(operator)})
		}
	}
	for owner, amount := range w.stake.of {
		list = append(list, holding{owner: owner, tokens: new(big.Rat).SetInt64(amount)})
	}
	return list
}

func rat(d math.LegacyDec) *big.Rat {
	return new(big.Rat).SetFrac(d.BigInt(), math.LegacyOneDec().BigInt())
}

// bruteForce asks of each holding who votes with it, and adds in exact fractions.
func bruteForce(t testing.TB, holdings []holding, ballots map[string]v1.WeightedVoteOptions) (voted, total *big.Rat, results map[v1.VoteOption]*big.Rat) {
	t.Helper()
	voted, total, results = new(big.Rat), new(big.Rat), make(map[v1.VoteOption]*big.Rat)
	for option := v1.OptionYes; option <= v1.OptionNoWithVeto; option++ {
		results[option] = new(big.Rat)
	}
	for _, h := range holdings {
		total.Add(total, h.tokens)
		ballot, ok := ballots[h.owner]
		if !ok && h.proxy != "" {
			ballot, ok = ballots[h.proxy]
		}
		if !ok {
			continue
		}
		voted.Add(voted, h.tokens)
		for _, o := range ballot {
			weight, valid := new(big.Rat).SetString(o.Weight)
			require.True(t, valid)
			results[o.Option].Add(results[o.Option], weight.Mul(weight, h.tokens))
		}
	}
	return voted, total, results
}

// tolerance is a millionth of a millionth of the base unit: what the roundings
// of a few hundred decimals of 18 digits can add up to.
var tolerance = big.NewRat(1, 1_000_000_000_000)

func requireNear(t testing.TB, want *big.Rat, got math.LegacyDec, what string) {
	t.Helper()
	diff := new(big.Rat).Sub(want, rat(got))
	if diff.Abs(diff).Cmp(tolerance) > 0 {
		require.Failf(t, what, "want %s, got %s", want.FloatString(18), got)
	}
}

// TestEveryTokenVotesOnce compares the electorate with the brute force over
// random states: people in several roles at once (validator, delegator,
// operator, staker), slashed, jailed and unelected validators, silent and
// voting delegators, weighted votes.
func TestEveryTokenVotesOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		people, ballots := randomElectorate(rt, w)
		p := w.votes(ballots)

		voted, total, results := w.tally(w.k.Tally, p)

		wantVoted, wantTotal, wantResults := bruteForce(t, w.holdings(), ballots)
		requireNear(t, wantVoted, voted, "voted")
		requireNear(t, wantTotal, total.ToLegacyDec(), "total")
		for option, want := range wantResults {
			requireNear(t, want, results[option], option.String())
		}
		require.Len(t, results, len(wantResults))
		w.requirePowersAddUp(people, wantTotal)
	})
}

// TestWithoutOperatorsItIsTheDefault: every digit is the same as in x/gov's own
// function when nobody has stake with operators.
func TestWithoutOperatorsItIsTheDefault(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		_, ballots := randomElectorate(rt, w)
		clear(w.stake.of)
		p := w.votes(ballots)

		voted, total, results := w.tally(w.k.Tally, p)

		wantVoted, wantTotal, wantResults := w.tally(govkeeper.NewDefaultCalculateVoteResultsAndVotingPower(w.staking), p)
		require.Equal(t, wantVoted.String(), voted.String())
		require.Equal(t, wantTotal.String(), total.String())
		require.Equal(t, fmt.Sprint(wantResults), fmt.Sprint(results))
	})
}

// randomElectorate draws validators, delegations, stake and ballots.
func randomElectorate(rt *rapid.T, w *world) (people []sdk.AccAddress, ballots map[string]v1.WeightedVoteOptions) {
	for i := range rapid.IntRange(1, 8).Draw(rt, "people") {
		people = append(people, named(fmt.Sprintf("person %d", i)))
	}
	params, err := w.staking.GetParams(w.ctx)
	require.NoError(w.t, err)
	params.MaxValidators = rapid.Uint32Range(1, 4).Draw(rt, "seats")
	require.NoError(w.t, w.staking.SetParams(w.ctx, params))
	amount := rapid.Int64Range(1_000_000, 9_000_000_000_007)
	var validators []sdk.ValAddress
	for _, p := range people[:rapid.IntRange(1, len(people)).Draw(rt, "validators")] {
		validators = append(validators, w.validator(p, amount.Draw(rt, "own")))
	}
	pick := rapid.SampledFrom(validators)
	delegate := func(label string) {
		for range rapid.IntRange(0, 8).Draw(rt, label) {
			w.delegate(rapid.SampledFrom(people).Draw(rt, "delegator"), pick.Draw(rt, "to"), amount.Draw(rt, "amount"))
		}
	}
	delegate("first delegations")
	w.elect()
	for _, v := range validators {
		val, err := w.staking.GetValidator(w.ctx, v)
		require.NoError(w.t, err)
		if rapid.Bool().Draw(rt, "slashed") {
			w.slash(v, rapid.Int64Range(1, val.Tokens.Int64()/2).Draw(rt, "by"))
		}
	}
	w.elect()
	delegate("later delegations") // at another exchange rate
	if rapid.Bool().Draw(rt, "some leave") {
		w.leave(rapid.SampledFrom(people).Draw(rt, "who leaves"), pick.Draw(rt, "from"))
	}
	w.elect()
	if len(validators) > 1 && rapid.Bool().Draw(rt, "one is jailed") {
		w.jail(pick.Draw(rt, "jailed")) // still bonded until the end of the block
		if rapid.Bool().Draw(rt, "and removed") {
			w.elect()
		}
	}
	for _, p := range people {
		if rapid.Bool().Draw(rt, "has stake with operators") {
			w.stake.of[string(p)] = amount.Draw(rt, "stake")
		}
	}
	ballots = make(map[string]v1.WeightedVoteOptions)
	for _, p := range people {
		switch option := rapid.Int32Range(-1, 4).Draw(rt, "ballot"); option {
		case -1: // does not vote
		case 0:
			ballots[string(p)] = rapid.SampledFrom([]v1.WeightedVoteOptions{
				split("0.333333333333333333", "0.666666666666666667"), split("0.1", "0.9"), split("0.5", "0.5"),
			}).Draw(rt, "split")
		default:
			ballots[string(p)] = all(v1.VoteOption(option))
		}
	}
	return people, ballots
}

// leave unbonds a half of a delegation, if there is one: what is unbonding
// belongs to no validator and votes for nobody.
func (w *world) leave(who sdk.AccAddress, from sdk.ValAddress) {
	w.t.Helper()
	d, err := w.staking.GetDelegation(w.ctx, who, from)
	if err != nil {
		return
	}
	_, _, err = w.staking.Undelegate(w.ctx, who, from, d.Shares.QuoInt64(2))
	require.NoError(w.t, err)
}

// requirePowersAddUp: what the query says of everybody adds up to the whole, but
// for the digits that it cuts off.
func (w *world) requirePowersAddUp(people []sdk.AccAddress, total *big.Rat) {
	w.t.Helper()
	sum := math.ZeroInt()
	for _, p := range people {
		resp, err := w.query.VotingPower(w.ctx, &types.QueryVotingPowerRequest{Voter: addr(p)})
		require.NoError(w.t, err)
		require.Equal(w.t, total.RatString(), resp.Total.String())
		sum = sum.Add(resp.DelegatedToValidators).Add(resp.StakedWithOperators)
	}
	low := new(big.Rat).Sub(total, new(big.Rat).SetInt64(int64(len(people))))
	require.LessOrEqual(w.t, low.Cmp(new(big.Rat).SetInt(sum.BigInt())), 0)
	require.GreaterOrEqual(w.t, total.Cmp(new(big.Rat).SetInt(sum.BigInt())), 0)
}

// TestTallyRemovesItsVotes: of the proposal that was counted, and of no other.
func TestTallyRemovesItsVotes(t *testing.T) {
	w := newWorld(t)
	w.validator(alice, 1_000_000)
	w.elect()
	ballots := map[string]v1.WeightedVoteOptions{string(alice): all(v1.OptionYes), string(bob): all(v1.OptionNo)}
	counted := w.votes(ballots)
	w.votesOn(v1.Proposal{Id: proposalID + 1, Status: v1.StatusVotingPeriod}, ballots)

	_, _, _, err := w.k.Tally(w.ctx, *w.gov, counted)

	require.NoError(t, err)
	for voter := range ballots {
		_, err := w.gov.Votes.Get(w.ctx, collections.Join(uint64(proposalID), sdk.AccAddress(voter)))
		require.ErrorIs(t, err, collections.ErrNotFound)
		_, err = w.gov.Votes.Get(w.ctx, collections.Join(uint64(proposalID+1), sdk.AccAddress(voter)))
		require.NoError(t, err)
	}
}
