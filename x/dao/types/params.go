package types

import (
	"time"

	"cosmossdk.io/math"
)

// Limits of the params.
const (
	day                 = 24 * time.Hour
	limitPause          = 30 * day
	limitGuardianPause  = 7 * day
	limitInterval       = 366 * day
	limitWindow         = 30 * day
	leastPeriod         = 10 * time.Second
	limitPeriod         = 30 * day
	limitHold           = 366 * day
	limitJurors         = 500
	limitPanel          = 15
	limitBudget         = 1_000
	limitBondBits       = 100
	defaultDisputeBond  = 100_000_000   // 100 GRAFI
	defaultJurorBond    = 500_000_000   // 500 GRAFI
	defaultJurorStake   = 1_000_000_000 // 1,000 GRAFI
	defaultMaxJurors    = 500
	defaultPanel        = 5
	defaultBudget       = 50
	defaultUnrevealed   = 100_000 // 10 %
	defaultMaxMilestone = 20
)

// DefaultParams returns the numbers of the protocol. Nobody is the guardian.
func DefaultParams() Params {
	return Params{
		MaxPause:         14 * day,
		MaxGuardianPause: 3 * day,
		GuardianInterval: 7 * day,
		MaxMilestones:    defaultMaxMilestone,

		DisputeWindow:      7 * day,
		DisputeBond:        math.NewInt(defaultDisputeBond),
		JurorBond:          math.NewInt(defaultJurorBond),
		MinJurorStake:      math.NewInt(defaultJurorStake),
		MaxJurors:          defaultMaxJurors,
		PanelSize:          defaultPanel,
		CommitPeriod:       2 * day,
		RevealPeriod:       day,
		UnrevealedSlashPpm: defaultUnrevealed,
		HoldPeriod:         30 * day,
		AppealWindow:       7 * day,
		AppealPeriod:       21 * day,
		DueBudget:          defaultBudget,
	}
}

// Validate checks each param against its range. Whether the guardian is an
// account is for the keeper to know.
//
// Errors: ErrInvalidParams, which names the param, its value and what is allowed.
func (p Params) Validate() error {
	for _, d := range []struct {
		name        string
		value       time.Duration
		least, most time.Duration
	}{
		{"max_pause", p.MaxPause, time.Second, limitPause},
		{"max_guardian_pause", p.MaxGuardianPause, time.Second, min(limitGuardianPause, p.MaxPause)},
		{"guardian_interval", p.GuardianInterval, p.MaxGuardianPause, limitInterval},
		{"dispute_window", p.DisputeWindow, time.Second, limitWindow},
		{"commit_period", p.CommitPeriod, leastPeriod, limitPeriod},
		{"reveal_period", p.RevealPeriod, leastPeriod, limitPeriod},
		{"hold_period", p.HoldPeriod, leastPeriod, limitHold},
		{"appeal_window", p.AppealWindow, leastPeriod, p.HoldPeriod},
		{"appeal_period", p.AppealPeriod, leastPeriod, limitHold},
	} {
		if d.value < d.least || d.value > d.most {
			return ErrInvalidParams.Wrapf("%s %s, want %s to %s", d.name, d.value, d.least, d.most)
		}
	}
	for _, n := range []struct {
		name               string
		value, least, most uint64
	}{
		{"max_milestones", uint64(p.MaxMilestones), 1, MaxMilestones},
		{"max_jurors", uint64(p.MaxJurors), uint64(p.PanelSize), limitJurors},
		{"panel_size", uint64(p.PanelSize), 1, limitPanel},
		{"unrevealed_slash_ppm", p.UnrevealedSlashPpm, 0, PPM},
		{"due_budget", uint64(p.DueBudget), 1, limitBudget},
	} {
		if n.value < n.least || n.value > n.most {
			return ErrInvalidParams.Wrapf("%s %d, want %d to %d", n.name, n.value, n.least, n.most)
		}
	}
	if p.PanelSize%2 == 0 {
		return ErrInvalidParams.Wrapf("panel_size %d, want an odd number", p.PanelSize)
	}
	for _, a := range []struct {
		name  string
		value math.Int
	}{
		{"dispute_bond", p.DisputeBond}, {"juror_bond", p.JurorBond}, {"min_juror_stake", p.MinJurorStake},
	} {
		if a.value.IsNil() || !a.value.IsPositive() || a.value.BigInt().BitLen() > limitBondBits {
			return ErrInvalidParams.Wrapf("%s %s, want 1 to 2^%d - 1", a.name, a.value, limitBondBits)
		}
	}
	return nil
}
