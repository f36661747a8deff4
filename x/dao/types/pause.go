package types

import (
	"slices"
	"strings"
	"time"
)

// neverPausable are what a pause must not stop: to vote it away, to lift it, and
// to mend the chain by an upgrade.
var neverPausable = []string{
	"/cosmos.gov.",
	"/cosmos.upgrade.",
	"/grafi.dao.",
	// Its inner messages are looked at one by one, each under its own name.
	"/cosmos.authz.v1beta1.MsgExec",
}

// exits take an owner's coins out of the protocol, or end what it pays for. The
// guardian can't stop them, only a vote can.
var exits = []string{
	"/cosmos.authz.v1beta1.MsgRevoke",
	"/cosmos.bank.v1beta1.MsgMultiSend",
	"/cosmos.bank.v1beta1.MsgSend",
	"/cosmos.distribution.v1beta1.MsgWithdrawDelegatorReward",
	"/cosmos.distribution.v1beta1.MsgWithdrawValidatorCommission",
	"/cosmos.feegrant.v1beta1.MsgRevokeAllowance",
	"/cosmos.staking.v1beta1.MsgUndelegate",
	"/grafi.gpumarket.v1.MsgCancelSubscription",
	"/grafi.gpumarket.v1.MsgCloseRental",
	"/grafi.gpumarket.v1.MsgSettle",
	"/grafi.rewards.v1.MsgClaimMining",
	"/grafi.rewards.v1.MsgClaimStakingRewards",
	"/grafi.rewards.v1.MsgWithdrawReleased",
	"/grafi.stakingext.v1.MsgUnbond",
	"/grafi.stakingext.v1.MsgUndelegate",
}

// Exits returns the type URLs of the messages that only the authority can pause.
func Exits() []string { return slices.Clone(exits) }

// NormalizeTypeURL gives a message's name the slash that a type URL begins with:
// the SDK asks for the one and for the other form.
func NormalizeTypeURL(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return "/" + name
}

// CheckPausable refuses the type URL of a message that may never be paused, and,
// for the guardian, of an exit.
//
// Errors: ErrInvalidTypeURL, ErrNotPausable.
//
// Source: protocol §7 "Emergency pause".
func CheckPausable(typeURL string, guardian bool) error {
	if !strings.HasPrefix(typeURL, "/") || len(typeURL) > limitTypeURL {
		return ErrInvalidTypeURL.Wrapf("%q, want one such as /grafi.gpumarket.v1.MsgRent of at most %d bytes", typeURL, limitTypeURL)
	}
	for _, prefix := range neverPausable {
		if strings.HasPrefix(typeURL, prefix) {
			return ErrNotPausable.Wrapf("%s: never", typeURL)
		}
	}
	if guardian && slices.Contains(exits, typeURL) {
		return ErrNotPausable.Wrapf("%s: an exit, by the authority only", typeURL)
	}
	return nil
}

// CheckTypeURLs refuses an empty list, a long one and one that names a message twice.
//
// Errors: ErrInvalidTypeURL.
func CheckTypeURLs(typeURLs []string) error {
	if len(typeURLs) == 0 || len(typeURLs) > limitTypeURLs {
		return ErrInvalidTypeURL.Wrapf("%d names of messages, want 1 to %d", len(typeURLs), limitTypeURLs)
	}
	for i, url := range typeURLs {
		if slices.Contains(typeURLs[:i], url) {
			return ErrInvalidTypeURL.Wrapf("%s is named twice", url)
		}
	}
	return nil
}

// Stops tells whether the message is paused at the time t.
func (p Pause) Stops(t time.Time) bool { return t.Before(p.Until) }

// Validate checks that the record can exist.
//
// Errors: ErrInvalidGenesis.
func (p Pause) Validate() error {
	if err := CheckPausable(p.TypeUrl, false); err != nil {
		return ErrInvalidGenesis.Wrapf("pause of %q: %s", p.TypeUrl, err)
	}
	if err := CheckReason(p.Reason); err != nil {
		return ErrInvalidGenesis.Wrapf("pause of %s: %s", p.TypeUrl, err)
	}
	if d := p.Until.Sub(p.Since); d <= 0 || d > limitPause {
		return ErrInvalidGenesis.Wrapf("pause of %s for %s, want up to %s", p.TypeUrl, d, limitPause)
	}
	return nil
}
