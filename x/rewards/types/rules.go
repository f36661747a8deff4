package types

import (
	"time"

	"cosmossdk.io/math"

	attestation "github.com/grafilab/grafi/x/attestation/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// Work that one block may do beyond its messages; what is left carries over.
const (
	// CloseBudget is the number of days closed in one block, and of days expired.
	CloseBudget = 4
	// PruneBudget is the number of records of expired days removed in one block.
	PruneBudget = 256
	// MaxRentedDays is the number of days back to which a payment for rent counts.
	MaxRentedDays = 8
)

// Bounds of the rules, so that no step leaves 64 bits.
const (
	// maxFactorPPM bounds C and P, and the uptime factor f.
	maxFactorPPM = 2 * PPM
	// maxStakeRatioPPM bounds the multiple of the requirement that factor S counts.
	maxStakeRatioPPM = 100 * PPM
	maxSteps         = 16
	maxTargetPPM     = 1_000_000_000 * PPM
)

// DefaultRules returns the rules of the specification.
//
// Source: protocol §4. The target weights are what it leaves open: 2,000 H100 and
// 10,000 RTX 4090, each at full uptime. What was never challenged, or never probed,
// has factor 0.
func DefaultRules() Rules {
	return Rules{
		DailyPool:                  math.NewInt(105_000_000_000),
		DatacenterSharePpm:         650_000,
		DatacenterTargetWeightPpm:  2_000 * 10_000_000,
		ContributorTargetWeightPpm: 10_000 * 2_500_000,
		TargetFloorPpm:             200_000,
		OperatorCapPpm:             100_000,
		Connection:                 []Step{{500_000, 700_000}, {1_000_000, 900_000}, {2_000_000, 1_000_000}, {4_000_000, 1_100_000}},
		MinMbps:                    100,
		MbpsPer_1000Gib:            2_600,
		MaxMbps:                    500,
		MaxStakeRatioPpm:           4_000_000,
		RentedBonusPpm:             250_000,
		Uptime:                     []Step{{850_000, 500_000}, {950_000, 900_000}, {990_000, 1_000_000}, {1_000_000, 1_050_000}},
		MinTrustTier:               attestation.TierComputed,
	}
}

// DefaultParams returns the params of the specification.
func DefaultParams() Params {
	return Params{
		Rules:             DefaultRules(),
		MiningDays:        3_000,
		EvidenceWindow:    6 * time.Hour,
		ClaimDays:         90,
		LiquidPpm:         250_000,
		ReleaseTime:       30 * 24 * time.Hour,
		ValidatorSupply:   math.NewInt(315_000_000_000_000),
		ValidatorTime:     3_000 * 24 * time.Hour,
		ValidatorInterval: time.Minute,
	}
}

// Validate checks the range of every param.
func (p Params) Validate() error {
	if err := p.Rules.Validate(); err != nil {
		return err
	}
	if err := inRanges([]uintRange{
		{"mining_days", uint64(p.MiningDays), 0, 100_000},
		{"claim_days", uint64(p.ClaimDays), 1, 365},
		{"liquid_ppm", p.LiquidPpm, 0, PPM},
	}); err != nil {
		return err
	}
	for _, r := range []struct {
		name           string
		got, low, high time.Duration
	}{
		{"evidence_window", p.EvidenceWindow, 0, 30 * 24 * time.Hour},
		{"release_time", p.ReleaseTime, time.Second, 365 * 24 * time.Hour},
		{"validator_time", p.ValidatorTime, time.Second, 100_000 * 24 * time.Hour},
		{"validator_interval", p.ValidatorInterval, 0, 24 * time.Hour},
	} {
		if r.got < r.low || r.got > r.high {
			return ErrInvalidParams.Wrapf("%s is %s, want %s to %s", r.name, r.got, r.low, r.high)
		}
	}
	if p.ValidatorSupply.IsNil() || p.ValidatorSupply.IsNegative() || p.ValidatorSupply.GT(maxPool) {
		return ErrInvalidParams.Wrapf("validator_supply is %s, want 0 to %s", p.ValidatorSupply, maxPool)
	}
	return nil
}

// maxPool bounds money that is minted: beyond every supply cap.
var maxPool = math.NewInt(1 << 60)

// Validate checks the range of every rule.
func (r Rules) Validate() error {
	if r.DailyPool.IsNil() || r.DailyPool.IsNegative() || r.DailyPool.GT(maxPool) {
		return ErrInvalidParams.Wrapf("daily_pool is %s, want 0 to %s", r.DailyPool, maxPool)
	}
	if err := inRanges([]uintRange{
		{"datacenter_share_ppm", r.DatacenterSharePpm, 0, PPM},
		{"datacenter_target_weight_ppm", r.DatacenterTargetWeightPpm, 0, maxTargetPPM},
		{"contributor_target_weight_ppm", r.ContributorTargetWeightPpm, 0, maxTargetPPM},
		{"target_floor_ppm", r.TargetFloorPpm, 0, PPM},
		{"operator_cap_ppm", r.OperatorCapPpm, 1, PPM},
		{"min_mbps", uint64(r.MinMbps), 1, uint64(r.MaxMbps)},
		{"mbps_per_1000_gib", uint64(r.MbpsPer_1000Gib), 0, 1_000_000},
		{"max_mbps", uint64(r.MaxMbps), 1, 1_000_000},
		{"max_stake_ratio_ppm", r.MaxStakeRatioPpm, PPM, maxStakeRatioPPM},
		{"rented_bonus_ppm", r.RentedBonusPpm, 0, PPM},
		{"unchallenged_performance_ppm", r.UnchallengedPerformancePpm, 0, PPM},
		{"unprobed_connection_ppm", r.UnprobedConnectionPpm, 0, maxFactorPPM},
		{"min_trust_tier", uint64(r.MinTrustTier), 0, attestation.TierAttested},
	}); err != nil {
		return err
	}
	if err := validateSteps("connection", r.Connection, PPM*PPM); err != nil {
		return err
	}
	return validateSteps("uptime", r.Uptime, PPM)
}

type uintRange struct {
	name           string
	got, low, high uint64
}

func inRanges(ranges []uintRange) error {
	for _, r := range ranges {
		if r.got < r.low || r.got > r.high {
			return ErrInvalidParams.Wrapf("%s is %d, want %d to %d", r.name, r.got, r.low, r.high)
		}
	}
	return nil
}

// validateSteps wants 1 to 16 steps that ascend, with factors that don't fall.
func validateSteps(name string, steps []Step, mostFrom uint64) error {
	if len(steps) == 0 || len(steps) > maxSteps {
		return ErrInvalidParams.Wrapf("%s has %d steps, want 1 to %d", name, len(steps), maxSteps)
	}
	for i, s := range steps {
		if s.FromPpm > mostFrom || s.FactorPpm > maxFactorPPM ||
			(i > 0 && (s.FromPpm <= steps[i-1].FromPpm || s.FactorPpm < steps[i-1].FactorPpm)) {
			return ErrInvalidParams.Wrapf("%s: step %d from %d PPM is %d PPM, want them ascending, up to %d and %d",
				name, i, s.FromPpm, s.FactorPpm, mostFrom, maxFactorPPM)
		}
	}
	return nil
}

// TargetWeight is the weight × uptime at which the kind is as large as it should
// be, in PPM.
func (r Rules) TargetWeight(kind stakingext.OperatorKind) uint64 {
	if kind == stakingext.OPERATOR_KIND_DATACENTER {
		return r.DatacenterTargetWeightPpm
	}
	return r.ContributorTargetWeightPpm
}

// SplitEmission divides new money between the kinds: the data centres' part is
// floored, the remainder is the contributors'.
func (r Rules) SplitEmission(amount math.Int) (datacenter, contributor math.Int) {
	datacenter = amount.Mul(math.NewIntFromUint64(r.DatacenterSharePpm)).QuoRaw(PPM)
	return datacenter, amount.Sub(datacenter)
}
