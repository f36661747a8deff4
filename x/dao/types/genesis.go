package types

import (
	"time"

	"cosmossdk.io/core/address"
)

// DefaultGenesis is an empty DAO without a guardian. Ids begin at 1.
func DefaultGenesis() *GenesisState {
	return &GenesisState{
		Params: DefaultParams(), NextStreamId: 1, NextGrantId: 1, NextDecisionId: 1, NextDisputeId: 1,
	}
}

// Validate checks each record and that ids are unique, ascending and below the
// next one. Addresses are checked when a codec is given.
//
// Errors: ErrInvalidParams, ErrInvalidGenesis.
func (gs GenesisState) Validate(addresses address.Codec) error {
	if err := gs.Params.Validate(); err != nil {
		return err
	}
	streams := ids{what: "stream", next: gs.NextStreamId}
	for _, s := range gs.Streams {
		if err := streams.take(s.Id); err != nil {
			return err
		}
		if err := s.Validate(); err != nil {
			return err
		}
		if err := checkAddress(addresses, "stream", s.Id, s.Recipient); err != nil {
			return err
		}
	}
	grants := ids{what: "grant", next: gs.NextGrantId}
	for _, g := range gs.Grants {
		if err := grants.take(g.Id); err != nil {
			return err
		}
		if err := g.Validate(); err != nil {
			return err
		}
		if err := checkAddress(addresses, "grant", g.Id, g.Recipient); err != nil {
			return err
		}
	}
	decisions := ids{what: "decision", next: gs.NextDecisionId}
	for _, d := range gs.Decisions {
		if err := decisions.take(d.Id); err != nil {
			return err
		}
		if err := d.Validate(); err != nil {
			return err
		}
	}
	if err := gs.validatePauses(); err != nil {
		return err
	}
	return gs.validateDisputes(addresses)
}

func (gs GenesisState) validatePauses() error {
	last := ""
	for _, p := range gs.Pauses {
		if p.TypeUrl <= last {
			return ErrInvalidGenesis.Wrapf("pause of %q after that of %q, want each message once, in order", p.TypeUrl, last)
		}
		last = p.TypeUrl
		if err := p.Validate(); err != nil {
			return err
		}
	}
	last = ""
	for _, p := range gs.GuardianPauses {
		if p.TypeUrl <= last {
			return ErrInvalidGenesis.Wrapf("guardian's pause of %q after that of %q, want each message once, in order", p.TypeUrl, last)
		}
		last = p.TypeUrl
		if err := CheckPausable(p.TypeUrl, true); err != nil {
			return ErrInvalidGenesis.Wrapf("guardian's pause: %s", err)
		}
	}
	return nil
}

// Validate checks that the record can exist.
//
// Errors: ErrInvalidGenesis.
func (d Decision) Validate() error {
	_, kind := DecisionKind_name[int32(d.Kind)]
	_, outcome := DecisionOutcome_name[int32(d.Outcome)]
	if !kind || !outcome || d.Kind == DECISION_KIND_UNSPECIFIED || d.Outcome == DECISION_OUTCOME_UNSPECIFIED {
		return ErrInvalidGenesis.Wrapf("decision %d: kind %s, outcome %s", d.Id, d.Kind, d.Outcome)
	}
	if d.Subject == "" || d.Height < 0 || d.Time.Before(time.Unix(0, 0)) {
		return ErrInvalidGenesis.Wrapf("decision %d: subject %q, height %d, time %s", d.Id, d.Subject, d.Height, d.Time)
	}
	return nil
}

// ids checks the ids of a list: they begin at 1 and ascend.
type ids struct {
	what       string
	last, next uint64
}

func (i *ids) take(id uint64) error {
	if id <= i.last || id >= i.next {
		return ErrInvalidGenesis.Wrapf("%s %d after %d, want ascending ids below the next one, %d", i.what, id, i.last, i.next)
	}
	i.last = id
	return nil
}

func checkAddress(addresses address.Codec, what string, id uint64, value string) error {
	if addresses == nil {
		return nil
	}
	if _, err := addresses.StringToBytes(value); err != nil {
		return ErrInvalidGenesis.Wrapf("%s %d: recipient %q: %s", what, id, value, err)
	}
	return nil
}
