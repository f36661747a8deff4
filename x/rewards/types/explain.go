package types

import (
	"fmt"
	"strconv"

	"cosmossdk.io/math"

	attestation "github.com/grafilab/grafi/x/attestation/types"
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
	if e.TrustTier > attestation.TierAttested || e.MedianAgeDays > 255 || e.UpMbps >= 1<<24 || e.DownMbps >= 1<<24 ||
		e.MemoryGib > 1<<16 || e.Passed > 1<<16 || e.Missed > 1<<16 {
		return ErrInvalidExplanation.Wrapf("tier %d, medians %d and %d Mbit/s of %d days ago, %d GiB, %d passed and %d missed",
			e.TrustTier, e.UpMbps, e.DownMbps, e.MedianAgeDays, e.MemoryGib, e.Passed, e.Missed)
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
	in := e.inputs()
	class, needed := e.ClassWeightPpm, "the weight of its class"
	if !in.Eligible(r) {
		class, needed = 0, "none"
	}
	f := Factors{
		Class: class, Connection: in.Connection(r), Stake: StakeFactor(ratio), Performance: in.Performance(r),
		Bonus: r.BonusFactor(e.RentedSeconds, e.DaySeconds),
	}
	if !e.frozen() {
		f.Connection, f.Performance = 0, 0
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
		step("class weight H", e.ClassWeightPpm, class, "T%d, wants T%d: %s", in.TrustTier, r.MinTrustTier, needed),
		step("connection factor C", e.ConnectionPpm, f.Connection, "%s", e.connectionText(in)),
		step("performance factor P", e.PerformancePpm, f.Performance, "%s", e.performanceText(in)),
		step("stake ratio x", e.StakeRatioPpm, ratio, "min(%s × PPM / %s, %d)", e.Stake, e.Requirement, r.MaxStakeRatioPpm),
		step("stake factor S", e.StakeFactorPpm, f.Stake, "500000 + isqrt(%d × PPM) / 2, 0 under PPM", ratio),
		amount("gain of the bonus", e.RentedGain, gain, "weight with and without it × the best f × ρ %s / 2^96", e.RentedRho),
		step("bonus factor B", e.BonusPpm, f.Bonus, "PPM + %d × %d s / %d s; %s: %s and %s", r.RentedBonusPpm, e.RentedSeconds, e.DaySeconds, counted, e.RentedFees, gain),
		{Name: "weight w", How: how, Answer: strconv.FormatUint(e.WeightPpm, 10), Recomputed: strconv.FormatUint(weight, 10)},
		step("uptime factor f", e.UptimePpm, r.UptimeFactor(e.Slots, e.SlotsPerDay), "%d of %d slots", e.Slots, e.SlotsPerDay),
	}
}

// frozen tells whether a weight was found for the GPU: not without a slot, and not
// after its host was struck.
func (e *QueryExplainResponse) frozen() bool {
	return (e.Slots > 0 && !e.Struck) || e.ClassWeightPpm > 0 || e.ConnectionPpm > 0 || e.PerformancePpm > 0
}

func (e *QueryExplainResponse) inputs() Inputs {
	return Inputs{
		TrustTier: e.TrustTier, MedianAge: e.MedianAgeDays, UpMbps: e.UpMbps, DownMbps: e.DownMbps, MemoryGiB: e.MemoryGib,
		Challenged: e.Challenged, Passed: e.Passed, Missed: e.Missed, Wrong: e.Wrong,
	}
}

func (e *QueryExplainResponse) connectionText(in Inputs) string {
	if in.MedianAge == 0 {
		return fmt.Sprintf("no fresh medians of probes: %d", e.Rules.UnprobedConnectionPpm)
	}
	required := e.Rules.RequiredMilliMbps(in.MemoryGiB)
	return fmt.Sprintf("min(%d, %d) Mbit/s of %d days ago, required %d.%03d for %d GiB", in.UpMbps, in.DownMbps, in.MedianAge,
		required/1_000, required%1_000, in.MemoryGiB)
}

func (e *QueryExplainResponse) performanceText(in Inputs) string {
	switch {
	case !in.Challenged:
		return fmt.Sprintf("no challenge on a day before: %d", e.Rules.UnchallengedPerformancePpm)
	case in.Wrong:
		return "a wrong answer"
	}
	return fmt.Sprintf("%d passed of %d", in.Passed, in.Passed+in.Missed)
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
