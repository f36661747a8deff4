package types

import (
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

// IsCovered tells whether the own stake reaches the requirement.
func (o Operator) IsCovered() bool { return o.OwnStake.GTE(o.Requirement) }

// FreeStake is the part of the own stake that may leave: what lies above the
// requirement, or all of it when the operator is tombstoned and serves nobody
// any more.
func (o Operator) FreeStake() math.Int {
	if o.Tombstoned {
		return o.OwnStake
	}
	return math.MaxInt(o.OwnStake.Sub(o.Requirement), math.ZeroInt())
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
		return ErrBelowRequirement.Wrapf("operator %s: own stake %s, want %s; the grace ended at %s",
			o.Address, o.OwnStake, o.Requirement, o.BelowSince.Add(grace).Format(time.RFC3339))
	default:
		return nil
	}
}
