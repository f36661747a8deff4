package keeper_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/grafilab/grafi/x/rewards/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// model computes what everybody is due payment by payment, in exact fractions:
// each payment is divided by the shares of its moment. It knows no accumulator.
type model struct {
	f *stakeFixture
	// owed and paid are in sum, by account and denom.
	owed map[string]*big.Rat
	paid map[string]*big.Rat
	in   map[string]int64 // put into the stakers' account or released, by denom
	// settlements of public stakers: each leaves less than one unit to the pool.
	settlements int64
	tranches    map[string][]*modelTranche
}

// modelTranche releases amount evenly from starts to ends.
type modelTranche struct {
	amount, given int64
	starts, ends  int64
}

var (
	modelOperators  = []sdk.AccAddress{olga, oscar}
	modelDelegators = []sdk.AccAddress{ann, ben, cleo}
)

func newModel(t testingT) *model {
	m := &model{
		f: newStakeFixture(t), owed: map[string]*big.Rat{}, paid: map[string]*big.Rat{}, in: map[string]int64{},
		tranches: map[string][]*modelTranche{},
	}
	m.f.staking.register(olga, 1_000, 100_000)
	m.f.staking.register(oscar, 77, 0)
	return m
}

func add(to map[string]*big.Rat, account sdk.AccAddress, denom string, amount *big.Rat) {
	key := string(account) + denom
	if to[key] == nil {
		to[key] = new(big.Rat)
	}
	to[key].Add(to[key], amount)
}

// pay divides one payment: the operator's floors first, then everybody by shares.
func (m *model) pay(operator sdk.AccAddress, denom string, amount int64) {
	m.in[denom] += amount
	o := m.f.staking.operators[string(operator)]
	own, delegated := o.OwnStake.Int64(), o.DelegatedTokens.Int64()
	counted := min(delegated, 3*own)
	stakers := int64(0)
	if counted > 0 {
		gross := amount * counted / (own + counted)
		stakers = gross - gross*int64(o.CommissionPpm)/1_000_000
	}
	add(m.owed, operator, denom, big.NewRat(amount-stakers, 1))
	if stakers == 0 {
		return
	}
	for _, d := range modelDelegators {
		if shares := m.f.shares(d, operator); shares > 0 {
			add(m.owed, d, denom, new(big.Rat).Mul(big.NewRat(stakers, 1), big.NewRat(shares, o.DelegationShares.Int64())))
		}
	}
}

func (f *stakeFixture) shares(delegator, operator sdk.AccAddress) int64 {
	shares, _ := f.staking.Delegation(f.ctx, delegator, operator)
	return shares.Int64()
}

// release pays what has flowed of the operator's tranches by now.
func (m *model) release(operator sdk.AccAddress) {
	now, due := m.f.ctx.BlockTime().Unix(), int64(0)
	for _, tr := range m.tranches[string(operator)] {
		flowed := tr.amount
		if now < tr.ends {
			flowed = tr.amount * max(0, now-tr.starts) / (tr.ends - tr.starts)
		}
		due, tr.given = due+flowed-tr.given, flowed
	}
	if due > 0 {
		m.pay(operator, denom, due)
	}
}

// mine pays a quarter and holds the rest from the next day on.
func (m *model) mine(t testingT, operator sdk.AccAddress, amount int64) {
	m.pay(operator, denom, amount/4)
	now := m.f.ctx.BlockTime()
	starts := now.Truncate(oneDay).Add(oneDay).Unix()
	list := m.tranches[string(operator)]
	if n := len(list); n > 0 && list[n-1].starts == starts && list[n-1].given == 0 {
		list[n-1].amount += amount - amount/4
	} else {
		m.tranches[string(operator)] = append(list, &modelTranche{amount: amount - amount/4, starts: starts, ends: starts + 30*86_400})
	}
	own := m.f.balance(operator)
	m.f.mine(t, operator, amount)
	add(m.paid, operator, denom, big.NewRat(m.f.balance(operator)-own, 1))
}

// slash takes from the newest tranche first what has not flowed, and the rest of
// it flows from now on.
func (m *model) slash(operator sdk.AccAddress, ask int64) (taken int64) {
	list, now := m.tranches[string(operator)], m.f.ctx.BlockTime().Unix()
	for i := len(list) - 1; i >= 0; i-- {
		part := min(ask-taken, list[i].amount-list[i].given)
		if part <= 0 {
			continue
		}
		taken += part
		list[i] = &modelTranche{
			amount: list[i].amount - list[i].given - part, starts: max(list[i].starts, now), ends: list[i].ends,
		}
	}
	return taken
}

// claim compares nothing yet: what comes out is summed up.
func (m *model) claim(rt *rapid.T, account sdk.AccAddress, operators ...sdk.AccAddress) {
	for _, o := range operators {
		m.release(o)
	}
	m.settlements += int64(2 * len(operators))
	paid, err := m.f.k.ClaimStakingRewards(m.f.ctx, account, operators)
	if err != nil {
		require.ErrorIs(rt, err, types.ErrNothingToClaim)
	}
	for _, c := range paid {
		add(m.paid, account, c.Denom, big.NewRat(c.Amount.Int64(), 1))
	}
}

func (m *model) check(rt *rapid.T) {
	broken, err := m.f.k.CheckInvariants(m.f.ctx)
	require.NoError(rt, err)
	require.Empty(rt, broken)
}

// step does one random thing to the keeper and to the model.
func (m *model) step(rt *rapid.T) {
	f := m.f
	operator := rapid.SampledFrom(modelOperators).Draw(rt, "operator")
	delegator := rapid.SampledFrom(modelDelegators).Draw(rt, "delegator")
	amount := rapid.Int64Range(1, 1<<rapid.IntRange(1, 24).Draw(rt, "bits")).Draw(rt, "amount")
	f.after(time.Duration(rapid.Int64Range(0, 4*86_400).Draw(rt, "seconds")) * time.Second)
	switch rapid.SampledFrom([]string{"delegate", "undelegate", "bond", "fee", "foreign", "mine", "mine", "withdraw", "claim", "slash"}).Draw(rt, "what") {
	case "delegate":
		if o := f.staking.operators[string(operator)]; o.DelegatedTokens.IsZero() && o.DelegationShares.IsPositive() {
			return // an emptied pool takes none
		}
		m.release(operator)
		m.settlements += 2
		require.NoError(rt, f.staking.delegate(f.ctx, delegator, operator, amount))
	case "undelegate":
		if held := f.shares(delegator, operator); held > 0 {
			m.release(operator)
			m.settlements += 2
			require.NoError(rt, f.staking.delegate(f.ctx, delegator, operator, -min(held, amount)))
		}
	case "bond":
		m.release(operator)
		require.NoError(rt, f.staking.bond(f.ctx, operator, rapid.SampledFrom([]int64{amount, -amount}).Draw(rt, "change")))
	case "fee":
		m.pay(operator, denom, amount)
		f.fee(rt, operator, ugrafi(amount))
	case "foreign":
		m.pay(operator, foreign, amount)
		f.fee(rt, operator, sdk.NewInt64Coin(foreign, amount))
	case "mine":
		m.mine(rt, operator, amount)
	case "withdraw":
		m.release(operator)
		paid, err := f.k.Withdraw(f.ctx, operator)
		if err != nil {
			require.ErrorIs(rt, err, types.ErrNothingToWithdraw)
			return
		}
		add(m.paid, operator, denom, big.NewRat(paid.Amount.Int64(), 1))
	case "claim":
		m.claim(rt, rapid.SampledFrom(append(modelDelegators, operator)).Draw(rt, "who"), modelOperators...)
	case "slash":
		m.release(operator)
		want := m.slash(operator, amount)
		before := f.moduleBalance(stakingext.ModuleName)
		got, err := f.staking.slash(f.ctx, operator, rapid.Int64Range(0, 1_000_000).Draw(rt, "ppm"), amount)
		require.NoError(rt, err)
		require.Equal(rt, want, got.Int64(), "escrow taken")
		require.Equal(rt, want, f.moduleBalance(stakingext.ModuleName)-before)
	}
}

// TestStakeEarningsMatchTheModel: after any history, everybody was paid what
// payment-by-payment division owes it. Operators to the last unit; stakers up to
// the fractions that settlements leave to the pool and later payments share.
func TestStakeEarningsMatchTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newModel(rt)
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			m.step(rt)
			m.check(rt)
		}
		m.f.at(m.f.ctx.BlockTime().Add(40 * oneDay)) // everything has flowed
		for _, account := range rapid.Permutation(append(modelDelegators, modelOperators...)).Draw(rt, "order") {
			m.claim(rt, account, modelOperators...)
		}
		m.check(rt)

		out := map[string]*big.Rat{denom: new(big.Rat), foreign: new(big.Rat)}
		for _, d := range []string{denom, foreign} {
			for _, account := range append(modelDelegators, modelOperators...) {
				owed, paid := rat(m.owed[string(account)+d]), rat(m.paid[string(account)+d])
				out[d].Add(out[d], paid)
				slack := big.NewRat(m.settlements+1, 1)
				if account.Equals(olga) || account.Equals(oscar) {
					slack = new(big.Rat)
				}
				if diff := new(big.Rat).Sub(paid, owed); diff.Abs(diff).Cmp(slack) > 0 {
					rt.Fatalf("%s was paid %s of %s %s, after %d settlements", account, paid.FloatString(3), owed.FloatString(3), d, m.settlements)
				}
			}
			left := m.f.bank.GetBalance(m.f.ctx, authtypes.NewModuleAddress(types.StakersAccount), d).Amount
			if sum := new(big.Rat).Add(out[d], big.NewRat(left.Int64(), 1)); sum.Cmp(big.NewRat(m.in[d], 1)) != 0 {
				rt.Fatalf("%s came in, %s came out and %s are left", fmt.Sprint(m.in[d]), out[d].FloatString(3), left)
			}
			if left.GT(math.NewInt(m.settlements + 2)) {
				rt.Fatalf("%s are left after %d settlements", left, m.settlements)
			}
		}
		require.Zero(rt, m.f.moduleBalance(types.ModuleName))
		for _, p := range m.f.export(rt).Pools { // all are settled: what is left is the remainder, whole units
			whole, dust := types.Earned(math.OneInt(), p.Remainder, math.ZeroInt())
			require.Equal(rt, p.Unsettled.String(), whole.String())
			require.True(rt, dust.IsZero())
		}
	})
}

func rat(r *big.Rat) *big.Rat {
	if r == nil {
		return new(big.Rat)
	}
	return r
}
