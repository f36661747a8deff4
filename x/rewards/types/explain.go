package types

import (
	"fmt"
	"strconv"

	"cosmossdk.io/math"

	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// ExplainStep is one step from the inputs to the reward.
type ExplainStep struct {
	Name string
	// How is the step with its numbers.
	How string
	// Answer is what the node said, Recomputed what follows from its own inputs.
	Answer, Recomputed string
}

// Holds tells whether the node's number is the recomputed one.
func (s ExplainStep) Holds() bool { return s.Answer == s.Recomputed }

// Recompute does every step of the answer again from the inputs in it, and returns
// the steps up to the first that differs. It needs no node and no state.
//
// Errors: ErrInvalidExplanation when a number is missing or out of range,
// ErrExplanationDiffers at the first step whose number does not follow.
func (e *QueryExplainResponse) Recompute() ([]ExplainStep, error) {
	if err := e.validate(); err != nil {
		return nil, err
	}
	steps := e.weightSteps()
	if e.Status != DAY_STATUS_OPEN {
		steps = append(steps, e.daySteps()...)
	}
	steps = append(steps, e.rewardSteps()...)
	for i, s := range steps {
		if !s.Holds() {
			return steps[:i+1], ErrExplanationDiffers.Wrapf("%s: the answer says %s, its inputs give %s (%s)", s.Name, s.Answer, s.Recomputed, s.How)
		}
	}
	return steps, nil
}

func (e *QueryExplainResponse) validate() error {
	if err := e.Rules.Validate(); err != nil {
		return ErrInvalidExplanation.Wrapf("rules: %s", err)
	}
	if e.SlotsPerDay == 0 || e.SlotsPerDay > 255 || e.Slots > e.SlotsPerDay || len(e.Histogram) != int(e.SlotsPerDay)+1 {
		return ErrInvalidExplanation.Wrapf("%d of %d slots, a histogram of %d, want up to 255 slots and one entry more",
			e.Slots, e.SlotsPerDay, len(e.Histogram))
	}
	if e.ClassWeightPpm > 1<<34 || e.ConnectionPpm > maxFactorPPM || e.PerformancePpm > PPM || e.DaySeconds > 1<<32 {
		return ErrInvalidExplanation.Wrapf("H %d, C %d, P %d, day of %d s", e.ClassWeightPpm, e.ConnectionPpm, e.PerformancePpm, e.DaySeconds)
	}
	if e.Pool.Kind != e.Kind {
		return ErrInvalidExplanation.Wrapf("pool of %s for an operator that is %s", e.Pool.Kind, e.Kind)
	}
	for _, n := range []struct {
		name  string
		value math.Int
	}{
		{"stake", e.Stake},
		{"requirement", e.Requirement},
		{"rented_fees", e.RentedFees},
		{"rented_rho", e.RentedRho},
		{"rented_gain", e.RentedGain},
		{"emission", e.Pool.Emission},
		{"carry", e.Pool.Carry},
		{"weighted_uptime", e.Pool.WeightedUptime},
		{"pool", e.Pool.Pool},
		{"rho", e.Pool.Rho},
		{"paid", e.Pool.Paid},
		{"reward", e.Reward},
		{"operator_cap", e.OperatorCap},
		{"operator_paid", e.OperatorPaid},
		{"day_pool", e.DayPool},
		{"claimable", e.Claimable},
	} {
		if n.value.IsNil() || n.value.IsNegative() || n.value.BigInt().BitLen() > maxScaledBits-60 {
			return ErrInvalidExplanation.Wrapf("%s is missing, negative or too large", n.name)
		}
	}
	return nil
}

// weightSteps go from the inputs to the weight and the uptime factor.
func (e *QueryExplainResponse) weightSteps() []ExplainStep {
	r := e.Rules
	ratio := r.StakeRatio(e.Stake, e.Requirement)
	f := Factors{
		Class: e.ClassWeightPpm, Connection: e.ConnectionPpm, Stake: StakeFactor(ratio), Performance: e.PerformancePpm,
		Bonus: r.BonusFactor(e.RentedSeconds, e.DaySeconds),
	}
	gain := r.RentedGain(f, e.RentedRho)
	counted := "fees exceed the gain"
	if !e.RentedFees.GT(gain) {
		f.Bonus, counted = PPM, "fees don't exceed the gain"
	}
	weight, how := f.Weight(), fmt.Sprintf("H %d × C %d × S %d × P %d × B %d / PPM⁴", f.Class, f.Connection, f.Stake, f.Performance, f.Bonus)
	if e.Struck {
		weight, how = 0, "an equivocation of the host was proven while the day was open"
	}
	return []ExplainStep{
		step("stake ratio x", e.StakeRatioPpm, ratio, "min(%s × PPM / %s, %d)", e.Stake, e.Requirement, r.MaxStakeRatioPpm),
		step("stake factor S", e.StakeFactorPpm, f.Stake, "500000 + isqrt(%d × PPM) / 2, 0 under PPM", ratio),
		amount("gain of the bonus", e.RentedGain, gain, "weight with and without it × the best f × ρ %s / 2^96", e.RentedRho),
		step("bonus factor B", e.BonusPpm, f.Bonus, "PPM + %d × %d s / %d s; %s: %s and %s", r.RentedBonusPpm, e.RentedSeconds, e.DaySeconds, counted, e.RentedFees, gain),
		{Name: "weight w", How: how, Answer: strconv.FormatUint(e.WeightPpm, 10), Recomputed: strconv.FormatUint(weight, 10)},
		step("uptime factor f", e.UptimePpm, r.UptimeFactor(e.Slots, e.SlotsPerDay), "%d of %d slots", e.Slots, e.SlotsPerDay),
	}
}

// daySteps go from the histogram and the money to ρ and the operator's cap.
func (e *QueryExplainResponse) daySteps() []ExplainStep {
	r, p := e.Rules, e.Pool
	u := r.WeightedUptime(e.Histogram, e.SlotsPerDay)
	target := r.TargetWeight(e.Kind)
	pool := r.Distributed(p.Emission.Add(p.Carry), u, target)
	in := "yes"
	if e.WeightPpm > e.Histogram[e.Slots] {
		in = "no"
	}
	return []ExplainStep{
		{Name: "in the histogram", How: fmt.Sprintf("w is part of the %d at %d slots", e.Histogram[e.Slots], e.Slots), Answer: "yes", Recomputed: in},
		amount("weighted uptime U", p.WeightedUptime, u, "Σ histogram[n] × f(n) over %d numbers of slots", len(e.Histogram)),
		amount("pool R", p.Pool, pool, "(%s + %s) × min(1, U / (%d × %d))", p.Emission, p.Carry, target, r.TargetFloorPpm),
		amount("rate ρ", p.Rho, Rho(pool, u), "R × 2^96 / U"),
		amount("operator cap", e.OperatorCap, r.OperatorCap(e.DayPool), "%d PPM of the %s of both kinds", r.OperatorCapPpm, e.DayPool),
	}
}

// rewardSteps go from weight, uptime and ρ to what a claim pays.
func (e *QueryExplainResponse) rewardSteps() []ExplainStep {
	reward, claimable := Reward(e.WeightPpm, e.UptimePpm, e.Pool.Rho), math.ZeroInt()
	how := "claimed already"
	if !e.Claimed {
		claimable = math.MaxInt(math.ZeroInt(), math.MinInt(reward, e.OperatorCap.Sub(e.OperatorPaid)))
		how = fmt.Sprintf("min(reward, cap − %s that the operator got of the day)", e.OperatorPaid)
	}
	return []ExplainStep{
		amount("reward", e.Reward, reward, "w × f × ρ / 2^96"),
		{Name: "claimable", How: how, Answer: e.Claimable.String(), Recomputed: claimable.String()},
	}
}

func step(name string, answer, recomputed uint64, how string, args ...any) ExplainStep {
	return ExplainStep{name, fmt.Sprintf(how, args...), strconv.FormatUint(answer, 10), strconv.FormatUint(recomputed, 10)}
}

func amount(name string, answer, recomputed math.Int, how string, args ...any) ExplainStep {
	return ExplainStep{name, fmt.Sprintf(how, args...), answer.String(), recomputed.String()}
}

// KindName is the kind of an operator in plain words.
func KindName(kind stakingext.OperatorKind) string {
	if kind == stakingext.OPERATOR_KIND_DATACENTER {
		return "data centre"
	}
	return "contributor"
}
