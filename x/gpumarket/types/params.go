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
	limitAhead          = 366 * 86_400 // seconds
	limitFreeCancel     = 90 * 24 * time.Hour
	leastPreempt        = time.Second
	limitPreempt        = 24 * time.Hour
	limitTiers          = 8
	limitScan           = 10_000
	limitGang           = 256
	limitInvitation     = 366 * 24 * time.Hour
	limitPairFloor      = 1_000_000_000     // GPU-seconds
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

		MaxAheadSeconds:    30 * 86_400,
		ReservationBondPpm: 200_000,
		FreeCancel:         24 * time.Hour,
		LateCancelPpm:      100_000,
		PreemptNotice:      time.Minute,

		OfflineFreeSeconds: 300,
		OfflineStepSeconds: 300,
		OfflineStepPpm:     1_000,
		OfflineCapPpm:      50_000,
		SlaTiers: []SlaTier{
			{BelowPpm: 999_000, CreditPpm: 100_000},
			{BelowPpm: 990_000, CreditPpm: 250_000},
			{BelowPpm: 950_000, CreditPpm: 1_000_000},
		},

		MaxScan:               1_000,
		MaxGang:               16,
		InvitationLifetime:    7 * 24 * time.Hour,
		MaxInvitations:        100,
		IndexPairPpm:          50_000,
		IndexPairFloorSeconds: 86_400,
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
		{"max_ahead_seconds", p.MaxAheadSeconds, 0, limitAhead},
		{"reservation_bond_ppm", p.ReservationBondPpm, 0, PPM},
		{"late_cancel_ppm", p.LateCancelPpm, 0, PPM},
		{"offline_free_seconds", p.OfflineFreeSeconds, 0, 86_400},
		{"offline_step_seconds", p.OfflineStepSeconds, 1, 86_400},
		{"offline_step_ppm", p.OfflineStepPpm, 0, PPM},
		{"offline_cap_ppm", p.OfflineCapPpm, 0, PPM},
		{"max_scan", uint64(p.MaxScan), 1, limitScan},
		{"max_gang", uint64(p.MaxGang), 1, limitGang},
		{"max_invitations", uint64(p.MaxInvitations), 1, limitAllowList},
		{"index_pair_ppm", p.IndexPairPpm, 0, PPM},
		{"index_pair_floor_seconds", p.IndexPairFloorSeconds, 0, limitPairFloor},
	} {
		if r.got < r.least || r.got > r.limit {
			return ErrInvalidParams.Wrapf("%s is %d, want %d to %d", r.name, r.got, r.least, r.limit)
		}
	}
	for _, r := range []struct {
		name              string
		got, least, limit time.Duration
	}{
		{"start_timeout", p.StartTimeout, time.Second, limitStartTimeout},
		{"closed_retention", p.ClosedRetention, leastRetention, limitRetention},
		{"free_cancel", p.FreeCancel, 0, limitFreeCancel},
		{"preempt_notice", p.PreemptNotice, leastPreempt, limitPreempt},
		{"invitation_lifetime", p.InvitationLifetime, time.Minute, limitInvitation},
	} {
		if r.got < r.least || r.got > r.limit {
			return ErrInvalidParams.Wrapf("%s is %s, want %s to %s", r.name, r.got, r.least, r.limit)
		}
	}
	if err := p.validateSLA(); err != nil {
		return err
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

// validateSLA checks that a worse availability never gives a smaller credit.
func (p Params) validateSLA() error {
	if n := len(p.SlaTiers); n > limitTiers {
		return ErrInvalidParams.Wrapf("sla_tiers has %d entries, want at most %d", n, limitTiers)
	}
	for i, tier := range p.SlaTiers {
		if tier.BelowPpm == 0 || tier.BelowPpm > PPM || tier.CreditPpm == 0 || tier.CreditPpm > PPM {
			return ErrInvalidParams.Wrapf("sla_tiers: %d PPM credit under %d PPM, want each 1 to %d",
				tier.CreditPpm, tier.BelowPpm, PPM)
		}
		if i > 0 && (tier.BelowPpm >= p.SlaTiers[i-1].BelowPpm || tier.CreditPpm <= p.SlaTiers[i-1].CreditPpm) {
			return ErrInvalidParams.Wrapf("sla_tiers: below_ppm %d and credit_ppm %d do not go down and up",
				tier.BelowPpm, tier.CreditPpm)
		}
	}
	return nil
}

func priceLimit() math.Int { return math.NewIntWithDecimal(1, limitPriceDigits) }
