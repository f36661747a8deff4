package types

import "cosmossdk.io/core/address"

// validateDisputes checks disputes, jurors and seats, that there is one dispute
// per subject, and that every seat is in a dispute.
func (gs GenesisState) validateDisputes(addresses address.Codec) error {
	if gs.NextDisputeId == 0 {
		return ErrInvalidGenesis.Wrap("next_dispute_id 0, want at least 1")
	}
	type subject struct {
		kind     DisputeKind
		operator string
		id       uint64
	}
	ascending := ids{what: "dispute", next: gs.NextDisputeId}
	known, subjects := make(map[uint64]bool, len(gs.Disputes)), make(map[subject]bool, len(gs.Disputes))
	for _, d := range gs.Disputes {
		if err := ascending.take(d.Id); err != nil {
			return err
		}
		if err := d.Validate(addresses); err != nil {
			return ErrInvalidGenesis.Wrapf("dispute %d: %s", d.Id, err)
		}
		about := subject{d.Kind, d.Operator, d.SubjectId}
		if subjects[about] {
			return ErrInvalidGenesis.Wrapf("dispute %d is the second about %s %d", d.Id, d.Kind, d.SubjectId)
		}
		known[d.Id], subjects[about] = true, true
	}
	jurors := make(map[string]bool, len(gs.Jurors))
	for _, j := range gs.Jurors {
		if jurors[j.Address] {
			return ErrInvalidGenesis.Wrapf("juror %s twice", j.Address)
		}
		jurors[j.Address] = true
		if err := j.Validate(addresses); err != nil {
			return ErrInvalidGenesis.Wrapf("juror: %s", err)
		}
	}
	return gs.validateSeats(addresses, known)
}

func (gs GenesisState) validateSeats(addresses address.Codec, disputes map[uint64]bool) error {
	type seat struct {
		dispute uint64
		juror   string
	}
	seats := make(map[seat]bool, len(gs.Seats))
	for _, s := range gs.Seats {
		key := seat{dispute: s.DisputeId, juror: s.Juror}
		if seats[key] || !disputes[s.DisputeId] {
			return ErrInvalidGenesis.Wrapf("seat of %s in dispute %d: twice, or in no dispute", s.Juror, s.DisputeId)
		}
		seats[key] = true
		if err := s.Validate(addresses); err != nil {
			return ErrInvalidGenesis.Wrapf("seat in dispute %d: %s", s.DisputeId, err)
		}
	}
	return nil
}
