package types_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

func TestSharesFor(t *testing.T) {
	tests := map[string]struct {
		amount, tokens, shares int64
		want                   int64
		err                    error
	}{
		"an empty pool":         {amount: 7, want: 7},
		"one to one":            {amount: 7, tokens: 50, shares: 50, want: 7},
		"after a slash of half": {amount: 7, tokens: 25, shares: 50, want: 14},
		"rounded down":          {amount: 7, tokens: 30, shares: 50, want: 11}, // 11.67
		"nothing is left":       {amount: 7, tokens: 0, shares: 50, err: types.ErrEmptyPool},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := types.SharesFor(math.NewInt(tc.amount), math.NewInt(tc.tokens), math.NewInt(tc.shares))
			require.ErrorIs(t, err, tc.err)
			if tc.err == nil {
				require.Equal(t, tc.want, got.Int64())
			}
		})
	}
	t.Run("a pool of too many shares", func(t *testing.T) {
		most := math.NewIntWithDecimal(1, 36)
		_, err := types.SharesFor(math.OneInt(), math.OneInt(), most.QuoRaw(2))
		require.NoError(t, err)
		_, err = types.SharesFor(math.OneInt(), math.OneInt(), most.QuoRaw(2).AddRaw(1))
		require.ErrorIs(t, err, types.ErrInvalidAmount)
	})
}

// TestPoolLaw plays entries, exits and slashes on one pool: tokens never exceed
// shares, an exit by amount pays the amount exactly, and no exit or entry lowers
// what the others' shares are worth.
func TestPoolLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tokens, shares := math.ZeroInt(), math.ZeroInt()
		rt.Repeat(map[string]func(*rapid.T){
			"enter": func(rt *rapid.T) {
				amount := math.NewInt(rapid.Int64Range(1, 1_000_000).Draw(rt, "amount"))
				bought, err := types.SharesFor(amount, tokens, shares)
				if err != nil {
					return
				}
				requireRate(rt, tokens, shares, tokens.Add(amount), shares.Add(bought))
				tokens, shares = tokens.Add(amount), shares.Add(bought)
				if worth := types.TokensOf(bought, tokens, shares); worth.GT(amount) {
					rt.Fatalf("%s bought shares worth %s", amount, worth)
				}
			},
			"leave by amount": func(rt *rapid.T) {
				if !tokens.IsPositive() {
					return
				}
				amount := math.NewInt(rapid.Int64Range(1, tokens.Int64()).Draw(rt, "amount"))
				burned, err := types.SharesToBurn(amount, tokens, shares)
				require.NoError(rt, err)
				require.True(rt, burned.LTE(shares))
				require.Equal(rt, amount.String(), types.TokensOf(burned, tokens, shares).String())
				if one := burned.SubRaw(1); types.TokensOf(one, tokens, shares).GTE(amount) {
					rt.Fatalf("%s shares would do for %s", one, amount)
				}
				requireRate(rt, tokens, shares, tokens.Sub(amount), shares.Sub(burned))
				tokens, shares = tokens.Sub(amount), shares.Sub(burned)
			},
			"leave by shares": func(rt *rapid.T) {
				part := shares.MulRaw(rapid.Int64Range(0, 100).Draw(rt, "percent")).QuoRaw(100)
				worth := types.TokensOf(part, tokens, shares)
				requireRate(rt, tokens, shares, tokens.Sub(worth), shares.Sub(part))
				tokens, shares = tokens.Sub(worth), shares.Sub(part)
			},
			"slash": func(rt *rapid.T) {
				tokens = tokens.Sub(tokens.MulRaw(rapid.Int64Range(0, 100).Draw(rt, "percent")).QuoRaw(100))
			},
			"": func(rt *rapid.T) {
				if tokens.GT(shares) || tokens.IsNegative() || (shares.IsZero() && !tokens.IsZero()) {
					rt.Fatalf("%s tokens for %s shares", tokens, shares)
				}
			},
		})
	})
}

// requireRate checks that a share isn't worth less than before.
func requireRate(rt *rapid.T, tokens, shares, tokensAfter, sharesAfter math.Int) {
	if shares.IsPositive() && sharesAfter.IsPositive() && tokensAfter.Mul(shares).LT(tokens.Mul(sharesAfter)) {
		rt.Fatalf("the rate fell from %s/%s to %s/%s", tokens, shares, tokensAfter, sharesAfter)
	}
}

// TestLeastOwnStakeLaw: the least own stake counts for the requirement, and one
// unit less doesn't.
func TestLeastOwnStakeLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := types.DefaultParams()
		p.MaxDelegationRatio = uint32(rapid.IntRange(0, types.MaxDelegationRatio).Draw(rt, "ratio"))
		requirement, delegated := drawAmount(rt, "requirement", 1), drawAmount(rt, "delegated", 0)

		least := p.LeastOwnStake(requirement, delegated)

		if p.Count(least, delegated).LT(requirement) {
			rt.Fatalf("%s with %s counts %s, want %s", least, delegated, p.Count(least, delegated), requirement)
		}
		if less := least.SubRaw(1); p.Count(less, delegated).GTE(requirement) {
			rt.Fatalf("%s would do", less)
		}
	})
}

func TestCount(t *testing.T) {
	p := types.DefaultParams()
	for name, tc := range map[string]struct{ own, delegated, want int64 }{
		"nobody delegates":        {100, 0, 100},
		"all of it counts":        {100, 299, 399},
		"three times the own":     {100, 300, 400},
		"what is over it doesn't": {100, 301, 400},
		"nothing of one's own":    {0, 500, 0},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, p.Count(math.NewInt(tc.own), math.NewInt(tc.delegated)).Int64())
		})
	}
}

func TestCheckCommission(t *testing.T) {
	changed := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	o := types.Operator{CommissionPpm: 100_000, CommissionChangedAt: changed}
	for name, tc := range map[string]struct {
		to    uint64
		after time.Duration
		ok    bool
	}{
		"no change, at once":       {100_000, 0, true},
		"a second before the day":  {110_000, types.Day - time.Second, false},
		"at the day":               {110_000, types.Day, true},
		"a second after it":        {110_000, types.Day + time.Second, true},
		"the most up":              {150_000, types.Day, true},
		"one more up":              {150_001, types.Day, false},
		"the most down":            {50_000, types.Day, true},
		"one more down":            {49_999, types.Day, false},
		"not more for longer time": {200_000, 10 * types.Day, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := types.DefaultParams().CheckCommission(o, tc.to, changed.Add(tc.after))
			require.Equal(t, tc.ok, err == nil, "%v", err)
			if !tc.ok {
				require.ErrorIs(t, err, types.ErrCommissionChange)
			}
		})
	}
}

func TestNextRequirement(t *testing.T) {
	p := types.DefaultParams() // 10 %
	for name, tc := range map[string]struct{ amount, target, want int64 }{
		"a step up":               {1_000, 2_000, 1_100},
		"a step down":             {1_000, 500, 900},
		"arrives from below":      {1_000, 1_099, 1_099},
		"arrives from above":      {1_000, 901, 901},
		"is there":                {1_000, 1_000, 1_000},
		"rounded down":            {19, 100, 20},
		"never stands still":      {1, 5, 2},
		"never stands still down": {3, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, p.NextRequirement(math.NewInt(tc.amount), math.NewInt(tc.target)).Int64())
		})
	}
}

// TestSchedule is the table of protocol §1.
func TestSchedule(t *testing.T) {
	p := types.DefaultParams()
	lie := types.Penalty{FractionPPM: 330_000, AllEscrow: true, Jail: 7 * 24 * time.Hour}
	end := types.Penalty{FractionPPM: types.PPM, AllEscrow: true, Jail: 7 * 24 * time.Hour, Tombstone: true}
	missed := types.Penalty{FractionPPM: 10_000, Jail: 6 * time.Hour}
	want := map[types.Fault]types.Rule{
		types.FAULT_EQUIVOCATION:          {First: lie, Again: end, Objective: true},
		types.FAULT_WRONG_ANSWER:          {First: lie, Again: end, Objective: true},
		types.FAULT_DOUBLE_DEVICE:         {First: end, Again: end, Objective: true},
		types.FAULT_FORGED_REPORT:         {First: end, Again: end, Objective: true},
		types.FAULT_OFFLINE_IN_RENTAL:     {ByAmount: true, Objective: true},
		types.FAULT_SLA_CREDIT:            {ByAmount: true, Objective: true},
		types.FAULT_ABANDONED_RESERVATION: {ByAmount: true, Objective: true},
		types.FAULT_MISSED_CHALLENGE:      {ByAmount: true, EscrowOnly: true, Objective: true},
		types.FAULT_MISSED_CHALLENGES:     {First: missed, Again: missed, Objective: true},
		types.FAULT_CLASS_MISMATCH: {
			First: types.Penalty{FractionPPM: 100_000}, Again: types.Penalty{FractionPPM: 330_000}, Objective: true,
		},
		types.FAULT_DISPUTE: {ByAmount: true},
	}
	for number := range types.Fault_name {
		fault := types.Fault(number)
		rule, err := p.Rule(fault)
		if fault == types.FAULT_UNSPECIFIED {
			require.ErrorIs(t, err, types.ErrInvalidSlash)
			continue
		}
		require.NoError(t, err, fault)
		require.Equal(t, want[fault], rule, fault)
	}
}

func TestSplitDebt(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := types.DefaultParams()
		p.InsuranceSharePpm = rapid.Uint64Range(0, types.PPM).Draw(rt, "share")
		collected := drawAmount(rt, "collected", 0)
		insurance, burned := p.SplitDebt(collected)
		if !insurance.Add(burned).Equal(collected) || insurance.IsNegative() || burned.IsNegative() {
			rt.Fatalf("%s + %s of %s", insurance, burned, collected)
		}
	})
	insurance, burned := types.DefaultParams().SplitDebt(math.NewInt(9))
	require.Equal(t, []int64{1, 8}, []int64{insurance.Int64(), burned.Int64()})
}
