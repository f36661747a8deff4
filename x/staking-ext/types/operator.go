package types

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"cosmossdk.io/math"
)

// Limits of an operator's description.
const (
	MinMonikerLength = 3  // characters
	MaxMonikerLength = 70 // characters
	MaxWebsiteLength = 140
)

// ValidateDescription checks what an operator tells about itself.
//
// The moniker has 3 to 70 visible characters and no space at its ends. The
// website is empty or an http(s) URL of at most 140 bytes. The commission is at
// most PPM.
//
// Errors: ErrInvalidOperator.
func ValidateDescription(moniker, website string, commissionPPM uint64) error {
	if err := validateMoniker(moniker); err != nil {
		return err
	}
	if website != "" && (len(website) > MaxWebsiteLength || !isWebURL(website)) {
		return ErrInvalidOperator.Wrapf("website %q, want an http:// or https:// URL of at most %d bytes",
			truncate(website), MaxWebsiteLength)
	}
	if commissionPPM > PPM {
		return ErrInvalidOperator.Wrapf("commission_ppm %d, want 0 to %d", commissionPPM, PPM)
	}
	return nil
}

// ValidateKind checks that the kind is one that the fee split knows.
func ValidateKind(kind OperatorKind) error {
	switch kind {
	case OPERATOR_KIND_CONTRIBUTOR, OPERATOR_KIND_DATACENTER:
		return nil
	default:
		return ErrInvalidOperator.Wrapf("kind %s, want %s or %s",
			kind, OPERATOR_KIND_CONTRIBUTOR, OPERATOR_KIND_DATACENTER)
	}
}

func validateMoniker(moniker string) error {
	if !utf8.ValidString(moniker) {
		return ErrInvalidOperator.Wrap("moniker is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(moniker); n < MinMonikerLength || n > MaxMonikerLength {
		return ErrInvalidOperator.Wrapf("moniker %q has %d characters, want %d to %d",
			truncate(moniker), n, MinMonikerLength, MaxMonikerLength)
	}
	if moniker[0] == ' ' || moniker[len(moniker)-1] == ' ' {
		return ErrInvalidOperator.Wrapf("moniker %q begins or ends with a space", moniker)
	}
	for _, r := range moniker {
		if isInvisible(r) {
			return ErrInvalidOperator.Wrapf("moniker %q has the invisible character %U", moniker, r)
		}
	}
	return nil
}

// isInvisible names the characters with which one moniker can look like
// another: controls, zero-width characters, direction marks, line separators.
// The list is written out because the tables of package unicode change between
// Go releases, and two nodes must never disagree.
func isInvisible(r rune) bool {
	switch {
	case r < 0x20, 0x7f <= r && r <= 0xa0, r == 0xad:
		return true
	case 0x200b <= r && r <= 0x200f, 0x2028 <= r && r <= 0x202e, 0x2060 <= r && r <= 0x206f:
		return true
	case r == 0xfeff, r == 0xfffd:
		return true
	default:
		return false
	}
}

// isWebURL accepts http(s)://host[:port] with an optional path, query and
// fragment in printable ASCII. net/url isn't used, because what it accepts
// changes between Go releases too. User names are
// refused, they are how a link lies about its host.
func isWebURL(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "http://"); !ok {
			return false
		}
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return false
		}
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	host, port, hasPort := strings.Cut(authority, ":")
	return isHostname(host) && (!hasPort || isPort(port))
}

func isHostname(host string) bool {
	if host == "" {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-') {
				return false
			}
		}
	}
	return true
}

func isPort(port string) bool {
	if port == "" || len(port) > 5 {
		return false
	}
	n := 0
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' {
			return false
		}
		n = n*10 + int(port[i]-'0')
	}
	return n >= 1 && n <= 65_535
}

// truncate keeps an error message short whatever was sent.
func truncate(s string) string {
	if len(s) <= MaxWebsiteLength {
		return s
	}
	return s[:MaxWebsiteLength] + "..."
}

// IsCovered tells whether the counted stake reaches the requirement.
func (o Operator) IsCovered() bool { return o.CountedStake.GTE(o.Requirement) }

// Count returns own stake + min(delegated, max_delegation_ratio × own stake).
//
// Source: protocol §1 "Delegated stake counts up to 3 × own stake".
func (p Params) Count(own, delegated math.Int) math.Int {
	return own.Add(math.MinInt(delegated, own.MulRaw(int64(p.MaxDelegationRatio))))
}

// LeastOwnStake is the least own stake with which Count(own, delegated) reaches
// the requirement: max(requirement − delegated, ⌈requirement / (1 + ratio)⌉).
func (p Params) LeastOwnStake(requirement, delegated math.Int) math.Int {
	parts := int64(p.MaxDelegationRatio) + 1
	byRatio := requirement.AddRaw(parts - 1).QuoRaw(parts)
	return math.MaxInt(requirement.Sub(delegated), byRatio)
}

// FreeStake is the part of the own stake that may leave, or be locked by one
// more bond: what lies above that which the requirement needs and the bonds
// lock. A tombstoned operator serves nobody any more and needs no cover.
func (p Params) FreeStake(o Operator) math.Int {
	free := o.OwnStake.Sub(o.BondedFor)
	if !o.Tombstoned {
		free = free.Sub(p.LeastOwnStake(o.Requirement, o.DelegatedTokens))
	}
	return math.MaxInt(free, math.ZeroInt())
}

// CheckCommission allows one change of at most max_commission_change a day.
// From commission_changed_at + 1 day on the next one is allowed.
//
// Errors: ErrCommissionChange.
func (p Params) CheckCommission(o Operator, to uint64, now time.Time) error {
	from := o.CommissionPpm
	if to == from {
		return nil
	}
	if allowed := o.CommissionChangedAt.Add(Day); now.Before(allowed) {
		return ErrCommissionChange.Wrapf("operator %s changed it at %s, want a change from %s on",
			o.Address, o.CommissionChangedAt.Format(time.RFC3339), allowed.Format(time.RFC3339))
	}
	if max(from, to)-min(from, to) > p.MaxCommissionChangePpm {
		return ErrCommissionChange.Wrapf("operator %s: from %d to %d PPM, want a change of at most %d",
			o.Address, from, to, p.MaxCommissionChangePpm)
	}
	return nil
}

// FaultCount returns how often the operator was slashed for the fault.
func (o Operator) FaultCount(fault Fault) uint32 {
	for _, c := range o.FaultCounts {
		if c.Fault == fault {
			return c.Count
		}
	}
	return 0
}

// CountFault adds one to the count of the fault; counts stay in the order of
// the faults.
func (o *Operator) CountFault(fault Fault) {
	at, found := slices.BinarySearchFunc(o.FaultCounts, fault, func(c FaultCount, f Fault) int { return int(c.Fault) - int(f) })
	if !found {
		o.FaultCounts = slices.Insert(o.FaultCounts, at, FaultCount{Fault: fault})
	}
	o.FaultCounts[at].Count++
}

// EnsureRentable returns nil when the operator's GPUs may be rented at now: it
// is not jailed and, if its stake is under its requirement, the grace isn't
// over. The last moment of the grace, below_since + grace, still counts.
//
// Errors: ErrTombstoned, ErrJailed, ErrBelowRequirement.
func (o Operator) EnsureRentable(now time.Time, grace time.Duration) error {
	switch {
	case o.Tombstoned:
		return ErrTombstoned.Wrapf("operator %s", o.Address)
	case o.Jailed:
		return ErrJailed.Wrapf("operator %s, may unjail from %s", o.Address, o.JailedUntil.Format(time.RFC3339))
	case o.BelowSince != nil && now.After(o.BelowSince.Add(grace)):
		return ErrBelowRequirement.Wrapf("operator %s: counted stake %s, want %s; the grace ended at %s",
			o.Address, o.CountedStake, o.Requirement, o.BelowSince.Add(grace).Format(time.RFC3339))
	default:
		return nil
	}
}
