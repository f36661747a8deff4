package types

import "time"

// Work that one block may do beyond its messages; what is left carries over.
const (
	// PruneBudget is the number of records pruned in one block.
	PruneBudget = 64
	// ClassBudget is the number of due class changes applied in one block.
	ClassBudget = 8
	// RefreshBudget is the number of GPUs whose requirement follows a class
	// change in one block.
	RefreshBudget = 64
)

// Bounds of what is stored.
const (
	// MaxAgentKeys is the number of agent keys remembered per host.
	MaxAgentKeys = 8
	// MaxClasses is the number of hardware classes.
	MaxClasses = 256
	// MaxWeightPPM bounds a class weight: 10,000 times the base.
	MaxWeightPPM = 10_000 * PPM
	// MaxEvidenceAge is the unbonding time of stake: older faults find none.
	MaxEvidenceAge = 21 * 24 * time.Hour
)

// DefaultParams returns the params of the specification.
func DefaultParams() Params {
	return Params{
		SlotSeconds:        600,
		SlotsPerDay:        144,
		SubmitWindow:       10 * time.Minute,
		BitmapDays:         3,
		CounterDays:        90,
		MaxGpusPerHost:     16,
		MaxBatch:           1024,
		AttestationGas:     3_000,
		ClassTimeLock:      14 * 24 * time.Hour,
		MaxWeightChangePpm: 200_000,
		EvidenceMaxAge:     14 * 24 * time.Hour,

		NetworkFaultPpm:      100_000,
		NetworkFaultMinHosts: 20,

		Challenge: DefaultChallengeParams(),
		Device:    DefaultDeviceParams(),
		Probe:     DefaultProbeParams(),
	}
}

// Validate checks the range of every param.
func (p Params) Validate() error {
	if err := within([]limit{
		{"slot_seconds", uint64(p.SlotSeconds), 1, 3_600},
		{"slots_per_day", uint64(p.SlotsPerDay), 1, 255},
		{"bitmap_days", uint64(p.BitmapDays), 1, 30},
		{"counter_days", uint64(p.CounterDays), uint64(p.BitmapDays) + 1, 365},
		{"max_gpus_per_host", uint64(p.MaxGpusPerHost), 1, 256},
		{"max_batch", uint64(p.MaxBatch), 1, 4_096},
		{"attestation_gas", p.AttestationGas, 1, 1_000_000},
		{"max_weight_change_ppm", p.MaxWeightChangePpm, 1, PPM},
		{"network_fault_ppm", p.NetworkFaultPpm, 1, PPM},
		{"network_fault_min_hosts", uint64(p.NetworkFaultMinHosts), 1, 1 << 20},
	}); err != nil {
		return err
	}
	slot, day := time.Duration(p.SlotSeconds)*time.Second, p.DayLength()
	for _, r := range []struct {
		name           string
		got, low, high time.Duration
	}{
		// Bitmaps must outlive the window in which they change.
		{"submit_window", p.SubmitWindow, time.Second, day},
		{"class_time_lock", p.ClassTimeLock, time.Second, 90 * 24 * time.Hour},
		{"evidence_max_age", p.EvidenceMaxAge, slot, MaxEvidenceAge},
	} {
		if r.got < r.low || r.got > r.high {
			return ErrInvalidParams.Wrapf("%s is %s, want %s to %s", r.name, r.got, r.low, r.high)
		}
	}
	if err := p.Challenge.Validate(); err != nil {
		return err
	}
	if err := p.Device.Validate(); err != nil {
		return err
	}
	return p.Probe.Validate()
}

// firstOfDayFactor is what a GPU's first slot of a day costs, in attestations: its
// class, stake, connection and performance are read then (measured: 7 to 9 times).
const firstOfDayFactor = 8

// FirstOfDayGas is the gas of so many GPUs' first slot of a day, at most 16 × 1,024.
func (p Params) FirstOfDayGas(gpus int) uint64 {
	return firstOfDayFactor * p.AttestationGas * uint64(gpus)
}

// CheckImmutable refuses new params that move slots: every slot, day and
// bitmap already written is numbered by them.
func (p Params) CheckImmutable(updated Params) error {
	if p.SlotSeconds != updated.SlotSeconds {
		return ErrImmutableParam.Wrapf("slot_seconds is %d, got %d", p.SlotSeconds, updated.SlotSeconds)
	}
	if p.SlotsPerDay != updated.SlotsPerDay {
		return ErrImmutableParam.Wrapf("slots_per_day is %d, got %d", p.SlotsPerDay, updated.SlotsPerDay)
	}
	return nil
}

// limit is a number of the params with what is allowed.
type limit struct {
	name           string
	got, low, high uint64
}

// within refuses the first number that is out of its range, by name.
func within(limits []limit) error {
	for _, l := range limits {
		if l.got < l.low || l.got > l.high {
			return ErrInvalidParams.Wrapf("%s is %d, want %d to %d", l.name, l.got, l.low, l.high)
		}
	}
	return nil
}
