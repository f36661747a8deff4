package types

import (
	"time"

	sdkmath "cosmossdk.io/math"
)

// validateSlashes checks the slash records.
func (gs GenesisState) validateSlashes(operators map[string]Operator) error {
	seen := make(map[stakerKey]bool, len(gs.Slashes))
	for _, r := range gs.Slashes {
		o, known := operators[r.Operator]
		if !known {
			return ErrInvalidGenesis.Wrapf("slash record %d: operator %q is not registered", r.Id, r.Operator)
		}
		key := stakerKey{"", r.Operator, r.Id}
		switch err := validateSpan(r.ExecutedAt, r.KeptUntil); {
		case seen[key]:
			return ErrInvalidGenesis.Wrapf("slash record %d of %s appears twice", r.Id, r.Operator)
		case r.Id == 0 || r.Id >= o.NextSlashId:
			return ErrInvalidGenesis.Wrapf("slash record %d of %s, want 1 to %d (next_slash_id - 1)", r.Id, r.Operator, o.NextSlashId-1)
		case err != nil:
			return ErrInvalidGenesis.Wrapf("slash record %d of %s: %s", r.Id, r.Operator, err)
		case r.CommittedAt.After(r.ExecutedAt):
			return ErrInvalidGenesis.Wrapf("slash record %d of %s: executed at %s before the fault at %s", r.Id, r.Operator,
				r.ExecutedAt.Format(time.RFC3339), r.CommittedAt.Format(time.RFC3339))
		case !inRange(r.RateNum, 0) || !inRange(r.RateDen, 1) || r.RateNum.GT(r.RateDen):
			return ErrInvalidGenesis.Wrapf("slash record %d of %s: rate %s/%s, want 0 to 1", r.Id, r.Operator, r.RateNum, r.RateDen)
		}
		seen[key] = true
		for _, amount := range []sdkmath.Int{
			r.LeftBefore, r.FromRewards, r.FromOwnStake, r.FromUnbonding, r.FromDelegated, r.Owed,
			r.ToVictim, r.ToReporter, r.ToInsurance, r.Burned, r.Held,
		} {
			if !inRange(amount, 0) {
				return ErrInvalidGenesis.Wrapf("slash record %d of %s: amount %s, want 0 to %s", r.Id, r.Operator, amount, maxTotal)
			}
		}
	}
	return nil
}

// validateLeft checks that the prefix sums of each operator grow up to its
// left_total, once the slashes since each are applied. A sum for which a slash is
// forgotten is not compared: no fault that can still be punished asks for it.
func (gs GenesisState) validateLeft(operators map[string]Operator) error {
	records := make(map[string][]SlashRecord, len(operators))
	for _, r := range gs.Slashes {
		records[r.Operator] = append(records[r.Operator], r)
	}
	last := make(map[string]LeftMark, len(operators))
	whole := make(map[string]bool, len(operators)) // no slash since the last mark is forgotten
	for _, m := range gs.Left {
		o, known := operators[m.Operator]
		if !known {
			return ErrInvalidGenesis.Wrapf("mark at %s: operator %q is not registered", m.At.Format(time.RFC3339), m.Operator)
		}
		if !isQueueTime(m.At) || !inRange(m.Total, 0) || m.NextSlash == 0 || m.NextSlash > o.NextSlashId {
			return ErrInvalidGenesis.Wrapf("mark of %s at %s: total %s, next_slash %d, want a total from 0 to %s and next_slash from 1 to %d",
				m.Operator, m.At.Format(time.RFC3339), m.Total, m.NextSlash, maxTotal, o.NextSlashId)
		}
		open := o.NextSlashId - m.NextSlash
		for _, r := range records[m.Operator] {
			if r.Id < m.NextSlash {
				continue
			}
			open--
			if r.Reaches(m.At) {
				m.Total = r.Apply(m.Total)
			}
		}
		before, ok := last[m.Operator]
		if shrinks := whole[m.Operator] && open == 0 && m.Total.LT(before.Total); ok && (!m.At.After(before.At) || shrinks) {
			return ErrInvalidGenesis.Wrapf("mark of %s at %s: total %s after %s at %s, want marks that grow",
				m.Operator, m.At.Format(time.RFC3339), m.Total, before.Total, before.At.Format(time.RFC3339))
		}
		last[m.Operator], whole[m.Operator] = m, open == 0
	}
	for _, o := range gs.Operators {
		if m, ok := last[o.Address]; ok != !o.LeavingUntil.IsZero() || !orZero(m.Total).Equal(o.LeftTotal) {
			return ErrInvalidGenesis.Wrapf("operator %s: left_total %s and leaving_until %s, but its last mark is %s",
				o.Address, o.LeftTotal, o.LeavingUntil.Format(time.RFC3339), orZero(m.Total))
		}
	}
	return nil
}

func (gs GenesisState) validatePunished() error {
	seen := make(map[string]bool, len(gs.Punished))
	for _, p := range gs.Punished {
		switch {
		case len(p.Id) == 0 || len(p.Id) > MaxFaultIDLength:
			return ErrInvalidGenesis.Wrapf("punished fault %q, want an id of 1 to %d bytes", truncate(p.Id), MaxFaultIDLength)
		case seen[p.Id]:
			return ErrInvalidGenesis.Wrapf("punished fault %q appears twice", p.Id)
		case !isQueueTime(p.CommittedAt) || p.CommittedAt.Before(gs.ForgottenUntil):
			return ErrInvalidGenesis.Wrapf("punished fault %q of %s, want one from %s on: older ones are forgotten",
				p.Id, p.CommittedAt.Format(time.RFC3339), gs.ForgottenUntil.Format(time.RFC3339))
		}
		seen[p.Id] = true
	}
	return nil
}
