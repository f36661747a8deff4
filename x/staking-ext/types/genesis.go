package types

import (
	"fmt"
	"math"
	"time"

	"cosmossdk.io/core/address"
	sdkmath "cosmossdk.io/math"
)

// DefaultGenesis has the default params and no operator.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// maxTotal bounds a stored amount, so that sums of 2^90 of them stay in 256 bits.
// The largest requirement of a GPU, MaxAmount × 2^64 / PPM, is under it.
var maxTotal = sdkmath.NewIntWithDecimal(1, 48)

func inRange(amount sdkmath.Int, lowest int64) bool {
	return !amount.IsNil() && amount.GTE(sdkmath.NewInt(lowest)) && amount.LTE(maxTotal)
}

// gpuKey identifies a requirement.
type gpuKey struct {
	operator string
	host     uint64
	ordinal  uint32
}

// Validate checks the whole state: params, each record, and that the records
// agree with each other. What the account holds is checked by InitGenesis.
func (gs GenesisState) Validate(addresses address.Codec) error {
	if err := gs.Params.Validate(); err != nil {
		return err
	}
	operators := make(map[string]Operator, len(gs.Operators))
	for _, o := range gs.Operators {
		if err := o.validate(addresses); err != nil {
			return err
		}
		if _, dup := operators[o.Address]; dup {
			return ErrInvalidGenesis.Wrapf("operator %s appears twice", o.Address)
		}
		operators[o.Address] = o
	}
	if err := validateRequirements(gs.Operators, gs.Requirements, operators); err != nil {
		return err
	}
	if err := validateUnbonding(gs.Unbonding, operators); err != nil {
		return err
	}
	if err := gs.validateSlashes(operators); err != nil {
		return err
	}
	if err := gs.validateLeft(operators); err != nil {
		return err
	}
	if err := gs.validatePool(addresses, operators); err != nil {
		return err
	}
	return gs.validatePunished()
}

func (o Operator) validate(addresses address.Codec) error {
	if _, err := addresses.StringToBytes(o.Address); err != nil {
		return ErrInvalidGenesis.Wrapf("operator %q: %s", o.Address, err)
	}
	if err := ValidateDescription(o.Moniker, o.Website, o.CommissionPpm); err != nil {
		return ErrInvalidGenesis.Wrapf("operator %s: %s", o.Address, err)
	}
	if err := ValidateKind(o.Kind); err != nil {
		return ErrInvalidGenesis.Wrapf("operator %s: %s", o.Address, err)
	}
	if !inRange(o.OwnStake, 0) {
		return ErrInvalidGenesis.Wrapf("operator %s: own_stake %s, want 0 to %s", o.Address, o.OwnStake, maxTotal)
	}
	for _, amount := range []struct {
		name  string
		value sdkmath.Int
	}{
		{"delegated_tokens", o.DelegatedTokens},
		{"delegation_shares", o.DelegationShares},
		{"bonded_for", o.BondedFor},
		{"counted_stake", o.CountedStake},
		{"left_total", o.LeftTotal},
	} {
		if !inRange(amount.value, 0) {
			return ErrInvalidGenesis.Wrapf("operator %s: %s %s, want 0 to %s", o.Address, amount.name, amount.value, maxTotal)
		}
	}
	if o.DelegatedTokens.GT(o.DelegationShares) {
		return ErrInvalidGenesis.Wrapf("operator %s: %s tokens, want at most its %s shares", o.Address, o.DelegatedTokens, o.DelegationShares)
	}
	if o.CountedStake.LT(o.OwnStake) || o.CountedStake.GT(o.OwnStake.Add(o.DelegatedTokens)) {
		return ErrInvalidGenesis.Wrapf("operator %s: counted_stake %s, want %s to %s",
			o.Address, o.CountedStake, o.OwnStake, o.OwnStake.Add(o.DelegatedTokens))
	}
	if err := validateFaultCounts(o); err != nil {
		return err
	}
	if !inRange(o.Requirement, 0) {
		return ErrInvalidGenesis.Wrapf("operator %s: requirement %s, want 0 to %s", o.Address, o.Requirement, maxTotal)
	}
	if below := o.BelowSince != nil; below == o.IsCovered() {
		return ErrInvalidGenesis.Wrapf("operator %s: below_since set: %t, but counted stake is %s of %s",
			o.Address, below, o.CountedStake, o.Requirement)
	}
	if o.Tombstoned && !o.Jailed {
		return ErrInvalidGenesis.Wrapf("operator %s is tombstoned and not jailed", o.Address)
	}
	if o.NextUnbondingId == 0 {
		return ErrInvalidGenesis.Wrapf("operator %s: next_unbonding_id 0, want 1 or more", o.Address)
	}
	if o.NextSlashId == 0 {
		return ErrInvalidGenesis.Wrapf("operator %s: next_slash_id 0, want 1 or more", o.Address)
	}
	return nil
}

func validateRequirements(operators []Operator, requirements []GpuRequirement, byAddress map[string]Operator) error {
	seen := make(map[gpuKey]bool, len(requirements))
	sums := make(map[string]sdkmath.Int, len(operators))
	for _, r := range requirements {
		if _, known := byAddress[r.Operator]; !known {
			return ErrInvalidGenesis.Wrapf("requirement of GPU %d/%d: operator %q is not registered", r.HostId, r.Ordinal, r.Operator)
		}
		key := gpuKey{r.Operator, r.HostId, r.Ordinal}
		if seen[key] {
			return ErrInvalidGenesis.Wrapf("requirement of %s for GPU %d/%d appears twice", r.Operator, r.HostId, r.Ordinal)
		}
		seen[key] = true
		if err := ValidatePrice(r.PricePerHour); err != nil {
			return ErrInvalidGenesis.Wrapf("requirement of %s for GPU %d/%d: %s", r.Operator, r.HostId, r.Ordinal, err)
		}
		if !inRange(r.Amount, 0) {
			return ErrInvalidGenesis.Wrapf("requirement of %s for GPU %d/%d: amount %s, want 0 to %s",
				r.Operator, r.HostId, r.Ordinal, r.Amount, maxTotal)
		}
		if !inRange(r.Target, 0) {
			return ErrInvalidGenesis.Wrapf("requirement of %s for GPU %d/%d: target %s, want 0 to %s",
				r.Operator, r.HostId, r.Ordinal, r.Target, maxTotal)
		}
		if !r.Settled() && !isQueueTime(r.StepDue()) {
			return ErrInvalidGenesis.Wrapf("requirement of %s for GPU %d/%d: stepped_at %s, want from 1970 to 2262",
				r.Operator, r.HostId, r.Ordinal, r.SteppedAt.Format(time.RFC3339))
		}
		sum, ok := sums[r.Operator]
		if !ok {
			sum = sdkmath.ZeroInt()
		}
		sums[r.Operator] = sum.Add(r.Amount)
	}
	for _, o := range operators {
		sum, ok := sums[o.Address]
		if !ok {
			sum = sdkmath.ZeroInt()
		}
		if !sum.Equal(o.Requirement) {
			return ErrInvalidGenesis.Wrapf("operator %s: requirement %s, but its GPUs ask for %s", o.Address, o.Requirement, sum)
		}
	}
	return nil
}

func validateUnbonding(entries []UnbondingEntry, byAddress map[string]Operator) error {
	type entryKey struct {
		operator string
		id       uint64
	}
	seen := make(map[entryKey]bool, len(entries))
	for _, e := range entries {
		o, known := byAddress[e.Operator]
		if !known {
			return ErrInvalidGenesis.Wrapf("unbonding entry %d: operator %q is not registered", e.Id, e.Operator)
		}
		key := entryKey{e.Operator, e.Id}
		if seen[key] {
			return ErrInvalidGenesis.Wrapf("unbonding entry %d of %s appears twice", e.Id, e.Operator)
		}
		seen[key] = true
		if e.Id == 0 || e.Id >= o.NextUnbondingId {
			return ErrInvalidGenesis.Wrapf("unbonding entry %d of %s, want 1 to %d (next_unbonding_id - 1)", e.Id, e.Operator, o.NextUnbondingId-1)
		}
		if !inRange(e.Amount, 1) {
			return ErrInvalidGenesis.Wrapf("unbonding entry %d of %s: amount %s, want 1 to %s", e.Id, e.Operator, e.Amount, maxTotal)
		}
		if err := validateSpan(e.CreatedAt, e.CompletesAt); err != nil {
			return ErrInvalidGenesis.Wrapf("unbonding entry %d of %s: %s", e.Id, e.Operator, err)
		}
	}
	return nil
}

// validateSpan accepts a start and an end that the queues can hold.
func validateSpan(from, to time.Time) error {
	if to.Before(from) || !isQueueTime(to) {
		return fmt.Errorf("from %s to %s, want an end after the start, from 1970 to 2262",
			from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	return nil
}

// isQueueTime tells whether t can be a key of the queue, which counts
// nanoseconds of Unix time in an int64.
func isQueueTime(t time.Time) bool {
	return t.Unix() >= 0 && t.Unix() < math.MaxInt64/int64(time.Second)
}
