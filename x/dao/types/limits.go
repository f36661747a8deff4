package types

import (
	"strings"
	"time"
	"unicode/utf8"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Limits of what an authority message can say. With them the largest product of
// the module, amount × seconds, is under 2^161: no 256-bit overflow.
const (
	limitTitle      = 200   // bytes
	limitReason     = 1_000 // bytes
	limitTypeURLs   = 32    // of one message
	limitTypeURL    = 200   // bytes
	limitAmountBits = 128
	// MaxStreamDuration is the longest stream, and how far ahead one may begin.
	MaxStreamDuration = 10 * 366 * 24 * time.Hour
)

// checkText refuses a text that is empty, too long or not fit to be shown.
func checkText(kind *errorsmod.Error, name, text string, limit int) error {
	if strings.TrimSpace(text) == "" {
		return kind.Wrapf("%s is empty", name)
	}
	if len(text) > limit {
		return kind.Wrapf("%s of %d bytes, want at most %d", name, len(text), limit)
	}
	if !utf8.ValidString(text) {
		return kind.Wrapf("%s %q is not UTF-8", name, text)
	}
	return nil
}

// CheckTitle refuses an empty or too long title of a stream, grant or milestone.
//
// Errors: ErrInvalidTitle.
func CheckTitle(title string) error { return checkText(ErrInvalidTitle, "title", title, limitTitle) }

// CheckReason refuses an empty or too long reason of a pause.
//
// Errors: ErrInvalidReason.
func CheckReason(reason string) error {
	return checkText(ErrInvalidReason, "reason", reason, limitReason)
}

// checkAmount refuses an amount that can't be committed.
func checkAmount(name, denom string, amount math.Int) error {
	if err := sdk.ValidateDenom(denom); err != nil {
		return ErrInvalidAmount.Wrapf("%s: %s", name, err)
	}
	if amount.IsNil() || !amount.IsPositive() {
		return ErrInvalidAmount.Wrapf("%s %s%s, want more than 0", name, amount, denom)
	}
	if amount.BigInt().BitLen() > limitAmountBits {
		return ErrInvalidAmount.Wrapf("%s %s%s, want under 2^%d", name, amount, denom, limitAmountBits)
	}
	return nil
}
