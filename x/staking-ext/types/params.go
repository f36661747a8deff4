package types

import (
	"time"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/internal/chaininfo"
)

// Ranges that Params.Validate enforces.
const (
	MaxRequirementHours = 24 * 365
	MaxTopUpGrace       = 30 * 24 * time.Hour
	MinUnbondingTime    = time.Minute
	MaxUnbondingTime    = 365 * 24 * time.Hour
	MaxUnbondingEntries = 100
	MinJail             = time.Second
	MaxJail             = 365 * 24 * time.Hour
	MaxUnbondingBudget  = 10_000
	MaxDelegationRatio  = 100
	MaxDelegations      = 1_000
)

// MaxAmount bounds every amount that comes from outside (prices, params), in
// base units: 10^24, a billion times the supply cap. A product with a uint64
// stays under 2^144 and a sum over all GPUs far under math.Int's 2^256.
var MaxAmount = math.NewIntWithDecimal(1, 24)

// DefaultParams are the protocol's values.
func DefaultParams() Params {
	return Params{
		StakeDenom:           chaininfo.BaseDenom,
		MinStakePerGpu:       math.NewInt(200 * chaininfo.BasePerDisplay),
		RequirementHours:     7 * 24,
		TopUpGrace:           72 * time.Hour,
		UnbondingTime:        21 * 24 * time.Hour,
		MaxUnbondingEntries:  7,
		ReporterSharePpm:     100_000,
		InsuranceSharePpm:    200_000,
		EquivocationSlashPpm: 330_000,
		EquivocationJail:     7 * 24 * time.Hour,
		UnbondingBudget:      100,

		MaxDelegationRatio:      3,
		MaxDelegations:          100,
		MaxRequirementChangePpm: 100_000,
		MaxCommissionChangePpm:  50_000,
	}
}

// Validate checks every param against its range.
func (p Params) Validate() error {
	if err := sdk.ValidateDenom(p.StakeDenom); err != nil {
		return ErrInvalidParams.Wrapf("stake_denom %q: %s", p.StakeDenom, err)
	}
	if p.MinStakePerGpu.IsNil() || !p.MinStakePerGpu.IsPositive() || p.MinStakePerGpu.GT(MaxAmount) {
		return ErrInvalidParams.Wrapf("min_stake_per_gpu %s, want 1 to %s", p.MinStakePerGpu, MaxAmount)
	}
	if err := validateRange("requirement_hours", uint64(p.RequirementHours), 1, MaxRequirementHours); err != nil {
		return err
	}
	if err := validateRange("max_unbonding_entries", uint64(p.MaxUnbondingEntries), 1, MaxUnbondingEntries); err != nil {
		return err
	}
	if err := validateRange("unbonding_budget", uint64(p.UnbondingBudget), 1, MaxUnbondingBudget); err != nil {
		return err
	}
	if err := validateRange("max_delegation_ratio", uint64(p.MaxDelegationRatio), 0, MaxDelegationRatio); err != nil {
		return err
	}
	if err := validateRange("max_delegations", uint64(p.MaxDelegations), 1, MaxDelegations); err != nil {
		return err
	}
	if err := validateRange("max_requirement_change_ppm", p.MaxRequirementChangePpm, 1, PPM); err != nil {
		return err
	}
	if err := validateRange("max_commission_change_ppm", p.MaxCommissionChangePpm, 1, PPM); err != nil {
		return err
	}
	if err := validateDuration("top_up_grace", p.TopUpGrace, 0, MaxTopUpGrace); err != nil {
		return err
	}
	if err := validateDuration("unbonding_time", p.UnbondingTime, MinUnbondingTime, MaxUnbondingTime); err != nil {
		return err
	}
	if err := validateDuration("equivocation_jail", p.EquivocationJail, MinJail, MaxJail); err != nil {
		return err
	}
	if err := validateRange("equivocation_slash_ppm", p.EquivocationSlashPpm, 1, PPM); err != nil {
		return err
	}
	// Each alone first, so that the sum can't wrap.
	if err := validateRange("reporter_share_ppm", p.ReporterSharePpm, 0, PPM); err != nil {
		return err
	}
	if err := validateRange("insurance_share_ppm", p.InsuranceSharePpm, 0, PPM); err != nil {
		return err
	}
	return validateRange("reporter_share_ppm + insurance_share_ppm", p.ReporterSharePpm+p.InsuranceSharePpm, 0, PPM)
}

func validateRange(name string, got, lowest, highest uint64) error {
	if got < lowest || got > highest {
		return ErrInvalidParams.Wrapf("%s %d, want %d to %d", name, got, lowest, highest)
	}
	return nil
}

func validateDuration(name string, got, lowest, highest time.Duration) error {
	if got < lowest || got > highest {
		return ErrInvalidParams.Wrapf("%s %s, want %s to %s", name, got, lowest, highest)
	}
	return nil
}
