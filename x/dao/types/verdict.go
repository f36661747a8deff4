package types

import "cosmossdk.io/math"

// Tally is what the revealed votes of a panel say.
type Tally struct{ Upheld, Dismissed uint32 }

// TallyVotes counts the revealed votes.
func TallyVotes(seats []PanelSeat) Tally {
	var t Tally
	for _, s := range seats {
		switch s.Vote {
		case VERDICT_UPHELD:
			t.Upheld++
		case VERDICT_DISMISSED:
			t.Dismissed++
		}
	}
	return t
}

// Verdict is the majority's. A tie dismisses the claim, because the claimant has
// to convince; without any revealed vote there is no verdict.
func (t Tally) Verdict() Verdict {
	switch {
	case t.Upheld+t.Dismissed == 0:
		return VERDICT_UNSPECIFIED
	case t.Upheld > t.Dismissed:
		return VERDICT_UPHELD
	default:
		return VERDICT_DISMISSED
	}
}

// For is how many voted like the verdict.
func (t Tally) For(v Verdict) uint32 {
	if v == VERDICT_UPHELD {
		return t.Upheld
	}
	return t.Dismissed
}

// ForfeitOf is what a juror who didn't reveal loses of its bond:
// ⌊bond × unrevealed_slash / PPM⌋. It goes to the treasury and not to the other
// jurors, so that nobody gains by another's silence.
func (p Params) ForfeitOf(bond math.Int) math.Int {
	return bond.Mul(math.NewIntFromUint64(p.UnrevealedSlashPpm)).QuoRaw(PPM)
}

// BondForAppeal is what an appeal locks: twice the claimant's bond.
func (d Dispute) BondForAppeal() math.Int { return d.Bond.MulRaw(2) }

// Fee is what the panel earns, whichever side loses: the size of the claimant's
// bond. A claimant who loses pays it with that bond, an operator with its stake,
// and the insurance account where a slash was wrong. As both sides pay the same,
// a juror has no reason to prefer one.
func (d Dispute) Fee() math.Int { return d.Bond }

// Settlement is where the coins of a dispute go when its verdict is final.
// All parts but Award come out of what the module account holds for it at that
// time, and they add up to bond + appeal_bond + held − Award.
type Settlement struct {
	// Claimant gets its bond back, Appellant its appeal bond, Operator what was
	// taken for a claim that has no ground, or for a panel that has no member.
	Claimant, Appellant, Operator math.Int
	// Jurors get this each.
	Juror math.Int
	// Treasury gets the bonds that were lost and that nobody earned, and the
	// remainder of the jurors' division.
	Treasury math.Int
	// Award stays held for the claimant until hold_until.
	Award math.Int
}

// Settle divides what a dispute holds under its final verdict among the parties
// and coherent jurors, who voted like that verdict. overturned tells that an
// appeal changed the panel's verdict.
//
//	upheld:    the bond returns; award = min(held, claim); the rest of what was
//	           held, at most the fee, is the panel's
//	dismissed: what was held returns to the operator; the bond is the panel's
//
// A fee is divided evenly and floored. Where no juror voted like the verdict, an
// operator's fee returns to it; a claimant's bond goes to the treasury if there
// was a panel that voted, and returns if there was none, as then nobody judged
// the claim. An appeal's bond returns when the appeal changed the verdict, and
// goes to the treasury when it didn't.
//
// The panel's fee of an upheld dispute about a slash is not in here: the
// insurance account pays it.
func (d Dispute) Settle(tally Tally, overturned bool) Settlement {
	s := Settlement{
		Claimant: math.ZeroInt(), Appellant: math.ZeroInt(), Operator: math.ZeroInt(),
		Juror: math.ZeroInt(), Treasury: math.ZeroInt(), Award: math.ZeroInt(),
	}
	if overturned {
		s.Appellant = d.AppealBond
	} else {
		s.Treasury = d.AppealBond
	}
	coherent := tally.For(d.Verdict)

	if d.Verdict == VERDICT_UPHELD {
		s.Claimant = d.Bond
		s.Award = math.MinInt(d.Held, d.Claim)
		if fee := d.Held.Sub(s.Award); coherent == 0 {
			s.Operator = fee
		} else {
			s.share(fee, coherent)
		}
		return s
	}
	s.Operator = d.Held
	switch {
	case coherent > 0:
		s.share(d.Bond, coherent)
	case tally.Upheld > 0:
		s.Treasury = s.Treasury.Add(d.Bond)
	default:
		s.Claimant = d.Bond
	}
	return s
}

// share gives each of n jurors ⌊fee / n⌋ and the remainder to the treasury.
func (s *Settlement) share(fee math.Int, n uint32) {
	s.Juror = fee.QuoRaw(int64(n))
	s.Treasury = s.Treasury.Add(fee.Sub(s.Juror.MulRaw(int64(n))))
}
