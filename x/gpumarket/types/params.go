package types

import (
	"time"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// MinProviderPPM is the least share of a payment that the provider can be left.
const MinProviderPPM = 700_000

// MaxSilenceSlots is the longest window of silence that params can set: a day of
// slots, well within the days that x/attestation keeps its bitmaps.
const MaxSilenceSlots = 144

// Limits of the params. With them the largest product of the module,
// price × GPUs × seconds × PPM, is under 2^163: no 256-bit overflow.
const (
	limitDenoms         = 16
	limitPriceDigits    = 30                // 10^30 base units per GPU and hour
	limitDuration       = 10 * 366 * 86_400 // seconds
	limitNotice         = 90 * 86_400       // seconds
	limitStartTimeout   = 24 * time.Hour
	limitMinCharge      = 3_600 // seconds
	limitBudget         = 100_000
	leastRetention      = time.Minute
	limitRetention      = 2 * 366 * 24 * time.Hour
	limitSettleBatch    = 1_000
	limitAllowList      = 1_000
	defaultMaxPriceUnit = 1_000_000_000_000 // 1,000,000 GRAFI per GPU and hour
)

// DefaultParams returns the numbers of the protocol.
func DefaultParams() Params {
	return Params{
		AllowedDenoms:      []string{"ugrafi"},
		MaxPrice:           math.NewInt(defaultMaxPriceUnit),
		MinDurationSeconds: 60,
		MaxDurationSeconds: 30 * 86_400,
		MaxNoticeSeconds:   7 * 86_400,
		StartTimeout:       10 * time.Minute,
		SilenceSlots:       3,
		MinChargeSeconds:   60,
		ContributorFees:    FeeSplit{ProviderPpm: 880_000, StakersPpm: 50_000, TreasuryPpm: 40_000, BurnPpm: 30_000},
		DatacenterFees: FeeSplit{
			ProviderPpm: 800_000, StakersPpm: 50_000, TreasuryPpm: 40_000, BurnPpm: 30_000, RestPpm: 80_000,
		},
		DeadlineBudget:  500,
		ClosedRetention: 30 * 24 * time.Hour,
		MaxSettleBatch:  100,
		MaxAllowList:    100,
	}
}

// Validate checks the range of every param. That RestAddress is an account
// which can be paid is checked by the keeper, which knows the address format.
func (p Params) Validate() error {
	if err := p.validateDenoms(); err != nil {
		return err
	}
	if p.MaxPrice.IsNil() || !p.MaxPrice.IsPositive() || p.MaxPrice.GT(priceLimit()) {
		return ErrInvalidParams.Wrapf("max_price is %s, want 1 to %s", p.MaxPrice, priceLimit())
	}
	if p.MinDurationSeconds > p.MaxDurationSeconds {
		return ErrInvalidParams.Wrapf("min_duration_seconds %d is over max_duration_seconds %d",
			p.MinDurationSeconds, p.MaxDurationSeconds)
	}
	for _, r := range []struct {
		name              string
		got, least, limit uint64
	}{
		{"min_duration_seconds", p.MinDurationSeconds, 1, limitDuration},
		{"max_duration_seconds", p.MaxDurationSeconds, 1, limitDuration},
		{"max_notice_seconds", p.MaxNoticeSeconds, 0, limitNotice},
		{"silence_slots", uint64(p.SilenceSlots), 1, MaxSilenceSlots},
		{"min_charge_seconds", p.MinChargeSeconds, 0, limitMinCharge},
		{"deadline_budget", uint64(p.DeadlineBudget), 1, limitBudget},
		{"max_settle_batch", uint64(p.MaxSettleBatch), 1, limitSettleBatch},
		{"max_allow_list", uint64(p.MaxAllowList), 1, limitAllowList},
	} {
		if r.got < r.least || r.got > r.limit {
			return ErrInvalidParams.Wrapf("%s is %d, want %d to %d", r.name, r.got, r.least, r.limit)
		}
	}
	if p.StartTimeout < time.Second || p.StartTimeout > limitStartTimeout {
		return ErrInvalidParams.Wrapf("start_timeout is %s, want 1s to %s", p.StartTimeout, limitStartTimeout)
	}
	if p.ClosedRetention < leastRetention || p.ClosedRetention > limitRetention {
		return ErrInvalidParams.Wrapf("closed_retention is %s, want %s to %s",
			p.ClosedRetention, leastRetention, limitRetention)
	}
	if err := p.ContributorFees.Validate(); err != nil {
		return ErrInvalidParams.Wrapf("contributor_fees: %s", err)
	}
	if err := p.DatacenterFees.Validate(); err != nil {
		return ErrInvalidParams.Wrapf("datacenter_fees: %s", err)
	}
	return nil
}

func (p Params) validateDenoms() error {
	if n := len(p.AllowedDenoms); n == 0 || n > limitDenoms {
		return ErrInvalidParams.Wrapf("allowed_denoms has %d entries, want 1 to %d", n, limitDenoms)
	}
	for i, denom := range p.AllowedDenoms {
		if err := sdk.ValidateDenom(denom); err != nil {
			return ErrInvalidParams.Wrapf("allowed_denoms: %s", err)
		}
		for _, earlier := range p.AllowedDenoms[:i] {
			if denom == earlier {
				return ErrInvalidParams.Wrapf("allowed_denoms has %s twice", denom)
			}
		}
	}
	return nil
}

func priceLimit() math.Int { return math.NewIntWithDecimal(1, limitPriceDigits) }
