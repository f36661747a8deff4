package types

import (
	"time"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Vested is what the recipient has earned by the time t, withdrawn or not:
//
//	⌊amount × whole seconds since starts_at / whole seconds of the stream⌋
//
// 0 up to starts_at, and exactly the amount from ends_at on, so the remainder of
// the rounding is the recipient's at the last second.
//
// Source: protocol §7 "Treasury".
func (s Stream) Vested(t time.Time) math.Int {
	switch {
	case !t.After(s.StartsAt):
		return math.ZeroInt()
	case !t.Before(s.EndsAt):
		return s.Amount.Amount
	}
	elapsed := int64(t.Sub(s.StartsAt) / time.Second)
	return s.Amount.Amount.MulRaw(elapsed).QuoRaw(int64(s.EndsAt.Sub(s.StartsAt) / time.Second))
}

// Due is what the recipient can withdraw at the time t; 0 once the stream is closed.
func (s Stream) Due(t time.Time) sdk.Coin {
	if s.State != STREAM_STATE_OPEN {
		return sdk.NewCoin(s.Amount.Denom, math.ZeroInt())
	}
	return sdk.NewCoin(s.Amount.Denom, s.Vested(t).Sub(s.Withdrawn))
}

// Held is what the module account holds for the stream.
func (s Stream) Held() sdk.Coin {
	return sdk.NewCoin(s.Amount.Denom, s.Amount.Amount.Sub(s.Withdrawn).Sub(s.Returned))
}

// CheckStreamTime refuses a duration that is not of whole seconds or out of
// range, and a start in the past or too far ahead.
//
// Errors: ErrInvalidDuration, ErrInvalidStart.
func CheckStreamTime(now, start time.Time, duration time.Duration) error {
	if duration < time.Second || duration > MaxStreamDuration || duration%time.Second != 0 {
		return ErrInvalidDuration.Wrapf("%s, want whole seconds from 1s to %s", duration, MaxStreamDuration)
	}
	if start.Before(now) || start.After(now.Add(MaxStreamDuration)) {
		return ErrInvalidStart.Wrapf("%s, want %s to %s", start.UTC().Format(time.RFC3339Nano),
			now.UTC().Format(time.RFC3339Nano), now.Add(MaxStreamDuration).UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// CheckCoin refuses a coin that can't be committed.
//
// Errors: ErrInvalidAmount.
func CheckCoin(coin sdk.Coin) error { return checkAmount("amount", coin.Denom, coin.Amount) }

// Validate checks that the record can exist.
//
// Errors: ErrInvalidGenesis.
func (s Stream) Validate() error {
	wrap := func(format string, args ...any) error {
		return ErrInvalidGenesis.Wrapf("stream %d: "+format, append([]any{s.Id}, args...)...)
	}
	if err := CheckTitle(s.Title); err != nil {
		return wrap("%s", err)
	}
	if err := CheckCoin(s.Amount); err != nil {
		return wrap("%s", err)
	}
	if d := s.EndsAt.Sub(s.StartsAt); d < time.Second || d > MaxStreamDuration || d%time.Second != 0 {
		return wrap("%s from its start to its end, want whole seconds from 1s to %s", d, MaxStreamDuration)
	}
	if s.Withdrawn.IsNil() || s.Withdrawn.IsNegative() || s.Returned.IsNil() || s.Returned.IsNegative() {
		return wrap("withdrawn %s, returned %s, want 0 or more", s.Withdrawn, s.Returned)
	}
	moved := s.Withdrawn.Add(s.Returned)
	switch s.State {
	case STREAM_STATE_OPEN:
		if moved.GTE(s.Amount.Amount) || s.Returned.IsPositive() {
			return wrap("open, and of %s %s withdrawn and %s returned", s.Amount, s.Withdrawn, s.Returned)
		}
	case STREAM_STATE_PAID:
		if !s.Withdrawn.Equal(s.Amount.Amount) || s.Returned.IsPositive() {
			return wrap("paid, and of %s %s withdrawn and %s returned", s.Amount, s.Withdrawn, s.Returned)
		}
	case STREAM_STATE_CANCELLED:
		if !moved.Equal(s.Amount.Amount) {
			return wrap("cancelled, and of %s %s withdrawn and %s returned", s.Amount, s.Withdrawn, s.Returned)
		}
	default:
		return wrap("state %s", s.State)
	}
	return nil
}
