package types

import (
	"cosmossdk.io/core/address"
	sdkmath "cosmossdk.io/math"
)

// stakerKey identifies a delegation; with an id an entry that is leaving.
type stakerKey struct {
	delegator, operator string
	id                  uint64
}

func validateFaultCounts(o Operator) error {
	last := FAULT_UNSPECIFIED
	for _, c := range o.FaultCounts {
		if _, known := Fault_name[int32(c.Fault)]; !known || c.Fault <= last || c.Count == 0 {
			return ErrInvalidGenesis.Wrapf("operator %s: fault %s counted %d times, want known faults in their order, each 1 or more",
				o.Address, c.Fault, c.Count)
		}
		last = c.Fault
	}
	return nil
}

// validatePool checks delegations, and what leaves them, against the operators.
func (gs GenesisState) validatePool(addresses address.Codec, operators map[string]Operator) error {
	held := make(map[stakerKey]sdkmath.Int, len(gs.Delegations))
	sums := make(map[string]sdkmath.Int, len(operators))
	for _, d := range gs.Delegations {
		if err := validateStaker(addresses, operators, d.Delegator, d.Operator); err != nil {
			return err
		}
		key := stakerKey{d.Delegator, d.Operator, 0}
		if _, dup := held[key]; dup {
			return ErrInvalidGenesis.Wrapf("delegation of %s to %s appears twice", d.Delegator, d.Operator)
		}
		if !inRange(d.Shares, 1) {
			return ErrInvalidGenesis.Wrapf("delegation of %s to %s: shares %s, want 1 to %s", d.Delegator, d.Operator, d.Shares, maxTotal)
		}
		held[key] = d.Shares
		sums[d.Operator] = orZero(sums[d.Operator]).Add(d.Shares)
	}
	for _, o := range gs.Operators {
		if sum := orZero(sums[o.Address]); !sum.Equal(o.DelegationShares) {
			return ErrInvalidGenesis.Wrapf("operator %s: delegation_shares %s, but its delegations have %s", o.Address, o.DelegationShares, sum)
		}
	}
	if err := gs.validateUndelegations(addresses, operators); err != nil {
		return err
	}
	return gs.validateRedelegations(addresses, operators, held)
}

func (gs GenesisState) validateUndelegations(addresses address.Codec, operators map[string]Operator) error {
	seen := make(map[stakerKey]bool, len(gs.Undelegations))
	for _, e := range gs.Undelegations {
		if err := validateStaker(addresses, operators, e.Delegator, e.Operator); err != nil {
			return err
		}
		o, key := operators[e.Operator], stakerKey{e.Delegator, e.Operator, e.Id}
		switch err := validateSpan(e.CreatedAt, e.CompletesAt); {
		case seen[key]:
			return ErrInvalidGenesis.Wrapf("undelegation %d of %s appears twice", e.Id, e.Delegator)
		case e.Id == 0 || e.Id >= o.NextUnbondingId:
			return ErrInvalidGenesis.Wrapf("undelegation %d of %s, want 1 to %d (next_unbonding_id - 1)", e.Id, e.Delegator, o.NextUnbondingId-1)
		case !inRange(e.Amount, 1):
			return ErrInvalidGenesis.Wrapf("undelegation %d of %s: amount %s, want 1 to %s", e.Id, e.Delegator, e.Amount, maxTotal)
		case e.NextSlash == 0 || e.NextSlash > o.NextSlashId:
			return ErrInvalidGenesis.Wrapf("undelegation %d of %s: next_slash %d, want 1 to %d", e.Id, e.Delegator, e.NextSlash, o.NextSlashId)
		case err != nil:
			return ErrInvalidGenesis.Wrapf("undelegation %d of %s: %s", e.Id, e.Delegator, err)
		}
		seen[key] = true
	}
	return nil
}

func (gs GenesisState) validateRedelegations(addresses address.Codec, operators map[string]Operator, held map[stakerKey]sdkmath.Int) error {
	seen := make(map[stakerKey]bool, len(gs.Redelegations))
	for _, e := range gs.Redelegations {
		if err := validateStaker(addresses, operators, e.Delegator, e.To); err != nil {
			return err
		}
		from, known := operators[e.From]
		key, pool := stakerKey{e.Delegator, e.To, e.Id}, stakerKey{e.Delegator, e.To, 0}
		switch err := validateSpan(e.CreatedAt, e.CompletesAt); {
		case !known || e.From == e.To:
			return ErrInvalidGenesis.Wrapf("redelegation %d of %s: from %q, want another registered operator", e.Id, e.Delegator, e.From)
		case seen[key]:
			return ErrInvalidGenesis.Wrapf("redelegation %d of %s appears twice", e.Id, e.Delegator)
		case e.Id == 0 || e.Id >= operators[e.To].NextUnbondingId:
			return ErrInvalidGenesis.Wrapf("redelegation %d of %s, want 1 to %d (next_unbonding_id - 1)",
				e.Id, e.Delegator, operators[e.To].NextUnbondingId-1)
		case !inRange(e.Shares, 1) || e.Shares.GT(orZero(held[pool])):
			return ErrInvalidGenesis.Wrapf("redelegation %d of %s: shares %s, want 1 to %s: the rest of its delegation",
				e.Id, e.Delegator, e.Shares, orZero(held[pool]))
		case e.NextSlash == 0 || e.NextSlash > from.NextSlashId:
			return ErrInvalidGenesis.Wrapf("redelegation %d of %s: next_slash %d, want 1 to %d", e.Id, e.Delegator, e.NextSlash, from.NextSlashId)
		case err != nil:
			return ErrInvalidGenesis.Wrapf("redelegation %d of %s: %s", e.Id, e.Delegator, err)
		}
		seen[key] = true
		held[pool] = held[pool].Sub(e.Shares)
	}
	return nil
}

// validateStaker checks the two ends of a delegation.
func validateStaker(addresses address.Codec, operators map[string]Operator, delegator, operator string) error {
	if _, err := addresses.StringToBytes(delegator); err != nil {
		return ErrInvalidGenesis.Wrapf("delegator %q: %s", delegator, err)
	}
	if _, known := operators[operator]; !known {
		return ErrInvalidGenesis.Wrapf("delegation of %s: operator %q is not registered", delegator, operator)
	}
	if delegator == operator {
		return ErrInvalidGenesis.Wrapf("operator %s delegates to itself", operator)
	}
	return nil
}

// orZero is for sums in maps, where an absent one is nil.
func orZero(amount sdkmath.Int) sdkmath.Int {
	if amount.IsNil() {
		return sdkmath.ZeroInt()
	}
	return amount
}
