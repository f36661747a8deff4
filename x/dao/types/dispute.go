package types

import (
	"crypto/sha256"
	"time"

	"cosmossdk.io/core/address"
	"cosmossdk.io/math"
)

// Rules of disputes that no param changes.
const (
	// DrawDelay lies between the opening of a dispute, or the end of a round
	// without a verdict, and its draw: several blocks, so that who opens it, or
	// joins the jury for it, can't know the beacon.
	DrawDelay = time.Minute
	// Rounds is how many panels are tried: the claim is dismissed when nobody of
	// the last one reveals.
	Rounds = 2
	// LeastPanel is the least number of seats that a panel is drawn for when
	// there are fewer jurors than panel_size.
	LeastPanel = 3
	// DisputeRetention is how long a closed dispute stays in state. It is longer
	// than any dispute window, so a subject can't be disputed twice.
	DisputeRetention = 90 * 24 * time.Hour
	// DrawBudget bounds the draws in one block, each of which reads all jurors.
	DrawBudget = 5
	// limitFundsBits bounds what a record may hold: twice the largest bond and more.
	limitFundsBits = limitBondBits + 2
)

// MaxDisputeAmount bounds a claim, in base units: 10^24, a billion times the
// supply cap.
var MaxDisputeAmount = math.NewIntWithDecimal(1, 24)

// Validate checks the form of the claim.
//
// Errors: ErrInvalidDispute, ErrInvalidClaim, ErrInvalidDigest.
func (m *MsgOpenDispute) Validate() error {
	switch {
	case m.Kind != DISPUTE_KIND_RENTAL && m.Kind != DISPUTE_KIND_SLASH:
		return ErrInvalidDispute.Wrapf("kind %s, want %s or %s", m.Kind, DISPUTE_KIND_RENTAL, DISPUTE_KIND_SLASH)
	case m.SubjectId == 0:
		return ErrInvalidDispute.Wrap("subject_id 0, want the id of a rental or of a slash record")
	case m.Claim.IsNil() || !m.Claim.IsPositive() || m.Claim.GT(MaxDisputeAmount):
		return ErrInvalidClaim.Wrapf("%s, want 1 to %s", m.Claim, MaxDisputeAmount)
	case len(m.StatementDigest) != sha256.Size:
		return ErrInvalidDigest.Wrapf("statement_digest has %d bytes, want %d", len(m.StatementDigest), sha256.Size)
	}
	return nil
}

// MayAppeal tells whether the account lost by the verdict. A verdict against the
// insurance account harms everybody, so there anyone but the claimant may appeal.
func (d Dispute) MayAppeal(account string) bool {
	switch {
	case d.Verdict == VERDICT_DISMISSED:
		return account == d.Claimant
	case d.Kind == DISPUTE_KIND_RENTAL:
		return account == d.Operator
	default:
		return account != d.Claimant
	}
}

// Funds is what the module account holds for the dispute.
func (d Dispute) Funds() math.Int { return d.Bond.Add(d.AppealBond).Add(d.Held) }

// Decided tells whether the dispute has a verdict.
func (d Dispute) Decided() bool {
	switch d.State {
	case DISPUTE_STATE_DECIDED, DISPUTE_STATE_APPEALED, DISPUTE_STATE_HELD, DISPUTE_STATE_CLOSED:
		return true
	default:
		return false
	}
}

// Validate checks what every stored dispute is.
func (d Dispute) Validate(addresses address.Codec) error {
	msg := MsgOpenDispute{Kind: d.Kind, SubjectId: d.SubjectId, Claim: d.Claim, StatementDigest: d.StatementDigest}
	if err := msg.Validate(); err != nil {
		return err
	}
	if err := checkParty(addresses, "operator", d.Operator); err != nil {
		return err
	}
	if err := checkParty(addresses, "claimant", d.Claimant); err != nil {
		return err
	}
	if (d.Kind == DISPUTE_KIND_SLASH) != (d.Operator == d.Claimant) {
		return ErrInvalidDispute.Wrapf("claimant %s and operator %s of a %s", d.Claimant, d.Operator, d.Kind)
	}
	for _, amount := range []math.Int{d.Bond, d.AppealBond, d.Held, d.Paid} {
		if amount.IsNil() || amount.IsNegative() || amount.BigInt().BitLen() > limitFundsBits {
			return ErrInvalidDispute.Wrapf("amount %s, want 0 to 2^%d - 1", amount, limitFundsBits)
		}
	}
	if d.Appellant != "" {
		if err := checkParty(addresses, "appellant", d.Appellant); err != nil {
			return err
		}
	}
	return d.validateState()
}

// checkParty checks an address when a codec is given.
func checkParty(addresses address.Codec, name, account string) error {
	if addresses == nil {
		return nil
	}
	if _, err := addresses.StringToBytes(account); err != nil {
		return ErrInvalidDispute.Wrapf("%s %q: %s", name, account, err)
	}
	return nil
}

func (d Dispute) validateState() error {
	if _, known := DisputeState_name[int32(d.State)]; !known || d.State == DISPUTE_STATE_UNSPECIFIED {
		return ErrInvalidDispute.Wrapf("state %s", d.State)
	}
	closed := d.State == DISPUTE_STATE_CLOSED
	switch {
	case d.Decided() != (d.Verdict.Validate() == nil) || d.Decided() != (d.DecidedAt != nil):
		return ErrInvalidDispute.Wrapf("state %s with verdict %s, decided at %v", d.State, d.Verdict, d.DecidedAt)
	case closed != (d.ClosedAt != nil):
		return ErrInvalidDispute.Wrapf("state %s, closed at %v", d.State, d.ClosedAt)
	case closed && d.Funds().IsPositive():
		return ErrInvalidDispute.Wrapf("closed with %s", d.Funds())
	case d.Held.IsPositive() && (!d.Decided() || d.HoldUntil == nil):
		return ErrInvalidDispute.Wrapf("holds %s in state %s until %v", d.Held, d.State, d.HoldUntil)
	case d.Round > Rounds:
		return ErrInvalidDispute.Wrapf("round %d, want up to %d", d.Round, Rounds)
	case (d.Appellant == "") != (d.AppealedAt == nil):
		return ErrInvalidDispute.Wrapf("appellant %q, appealed at %v", d.Appellant, d.AppealedAt)
	case d.AppealBond.IsPositive() != (d.State == DISPUTE_STATE_APPEALED):
		return ErrInvalidDispute.Wrapf("appeal bond %s in state %s", d.AppealBond, d.State)
	case d.DueAt.IsZero() || d.OpenedAt.IsZero() || d.SubjectAt.IsZero():
		return ErrInvalidDispute.Wrap("due_at, opened_at and subject_at, want times")
	}
	return nil
}

// Validate checks what every stored juror is.
func (j Juror) Validate(addresses address.Codec) error {
	if err := checkParty(addresses, "juror", j.Address); err != nil {
		return err
	}
	for _, amount := range []math.Int{j.Bond, j.Weight} {
		if amount.IsNil() || amount.IsNegative() || amount.BigInt().BitLen() > limitFundsBits {
			return ErrInvalidAmount.Wrapf("bond or weight %s of juror %s, want 0 to 2^%d - 1", amount, j.Address, limitFundsBits)
		}
	}
	if j.JoinedAt.IsZero() {
		return ErrNotJuror.Wrapf("%s joined at no time", j.Address)
	}
	return nil
}

// Validate checks what every stored seat is.
func (s PanelSeat) Validate(addresses address.Codec) error {
	if err := checkParty(addresses, "juror", s.Juror); err != nil {
		return err
	}
	if s.Round == 0 || s.Round > Rounds {
		return ErrNoSeat.Wrapf("round %d, want 1 to %d", s.Round, Rounds)
	}
	if n := len(s.Commitment); n != 0 && n != sha256.Size {
		return ErrInvalidDigest.Wrapf("commitment has %d bytes, want %d", n, sha256.Size)
	}
	if s.Vote != VERDICT_UNSPECIFIED {
		if len(s.Commitment) == 0 {
			return ErrInvalidVote.Wrapf("%s without a commitment", s.Vote)
		}
		return s.Vote.Validate()
	}
	return nil
}

// InPanel tells whether the dispute has a panel that may still vote.
func (d Dispute) InPanel() bool {
	return d.State == DISPUTE_STATE_COMMIT || d.State == DISPUTE_STATE_REVEAL
}
