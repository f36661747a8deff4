package keeper

import (
	"bytes"
	"context"
	"errors"
	"time"

	"cosmossdk.io/collections"

	"github.com/cosmos/cosmos-sdk/baseapp"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

var _ baseapp.CircuitBreaker = (*Keeper)(nil)

// IsAllowed implements baseapp.CircuitBreaker. The message router asks it for
// every message it hands on, also for those inside MsgExec of x/authz and inside
// proposals. A pause has no effect from the second `until` on.
//
// Errors: ErrPaused, which names the message and the end of the pause.
func (k *Keeper) IsAllowed(ctx context.Context, typeURL string) (bool, error) {
	p, err := k.pauses.Get(ctx, types.NormalizeTypeURL(typeURL))
	if errors.Is(err, collections.ErrNotFound) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	if p.Stops(now(ctx)) {
		return false, types.ErrPaused.Wrapf("%s until %s: %s", p.TypeUrl, p.Until.UTC().Format(time.RFC3339), p.Reason)
	}
	return true, nil
}

// Pause stops the named messages for a while, all or none of them. The authority
// may replace a pause; the guardian may not, nor come back to a message within
// guardian_interval, nor stop an exit.
func (k *Keeper) Pause(ctx context.Context, sender sdk.AccAddress, typeURLs []string, duration time.Duration, reason string) (time.Time, error) {
	params, guardian, err := k.pauseRole(ctx, sender)
	if err != nil {
		return time.Time{}, err
	}
	longest := params.MaxPause
	if guardian {
		longest = params.MaxGuardianPause
	}
	if duration < time.Second || duration > longest {
		return time.Time{}, types.ErrInvalidDuration.Wrapf("%s, want 1s to %s", duration, longest)
	}
	if err := types.CheckReason(reason); err != nil {
		return time.Time{}, err
	}
	if err := types.CheckTypeURLs(typeURLs); err != nil {
		return time.Time{}, err
	}
	for _, url := range typeURLs {
		if err := k.checkPause(ctx, params, guardian, url); err != nil {
			return time.Time{}, err
		}
	}
	by, err := k.addressCodec.BytesToString(sender)
	if err != nil {
		return time.Time{}, err
	}
	until := now(ctx).Add(duration)
	for _, url := range typeURLs {
		p := types.Pause{TypeUrl: url, Since: now(ctx), Until: until, Reason: reason, PausedBy: by}
		if err := k.setPause(ctx, p, guardian); err != nil {
			return time.Time{}, err
		}
	}
	return until, nil
}

func (k *Keeper) setPause(ctx context.Context, p types.Pause, guardian bool) error {
	if err := k.pauses.Set(ctx, p.TypeUrl, p); err != nil {
		return err
	}
	if guardian {
		if err := k.guardianPauses.Set(ctx, p.TypeUrl, types.GuardianPause{TypeUrl: p.TypeUrl, Since: p.Since}); err != nil {
			return err
		}
	}
	if err := k.record(ctx, types.DECISION_KIND_PAUSE, p.TypeUrl, types.DECISION_OUTCOME_PAUSED, p.Reason); err != nil {
		return err
	}
	return emit(ctx, &types.EventPaused{TypeUrl: p.TypeUrl, Until: p.Until, PausedBy: p.PausedBy, Reason: p.Reason})
}

// pauseRole tells whether the sender is the guardian, and refuses everybody else
// but the authority.
func (k *Keeper) pauseRole(ctx context.Context, sender sdk.AccAddress) (params types.Params, guardian bool, err error) {
	if params, err = k.params.Get(ctx); err != nil {
		return params, false, err
	}
	if k.isAuthority(sender) {
		return params, false, nil
	}
	if params.Guardian != "" {
		account, err := k.parse("guardian", params.Guardian)
		if err != nil {
			return params, false, err
		}
		if bytes.Equal(account, sender) {
			return params, true, nil
		}
	}
	return params, false, types.ErrNotAllowed.Wrapf("%s is neither the authority nor the guardian (%q)", sender, params.Guardian)
}

func (k *Keeper) checkPause(ctx context.Context, params types.Params, guardian bool, url string) error {
	if err := types.CheckPausable(url, guardian); err != nil {
		return err
	}
	if err := k.messages.check(url); err != nil {
		return err
	}
	if !guardian {
		return nil
	}
	if p, err := k.activePause(ctx, url); err == nil {
		return types.ErrAlreadyPaused.Wrapf("%s until %s", url, p.Until.UTC().Format(time.RFC3339))
	} else if !errors.Is(err, types.ErrNotPaused) {
		return err
	}
	last, err := k.guardianPauses.Get(ctx, url)
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if next := last.Since.Add(params.GuardianInterval); now(ctx).Before(next) {
		return types.ErrGuardianTooSoon.Wrapf("%s, again from %s on", url, next.UTC().Format(time.RFC3339))
	}
	return nil
}

// Unpause ends pauses before their time, all or none of them. The guardian can
// lift its own only.
func (k *Keeper) Unpause(ctx context.Context, sender sdk.AccAddress, typeURLs []string) error {
	_, guardian, err := k.pauseRole(ctx, sender)
	if err != nil {
		return err
	}
	if err := types.CheckTypeURLs(typeURLs); err != nil {
		return err
	}
	by, err := k.addressCodec.BytesToString(sender)
	if err != nil {
		return err
	}
	for _, url := range typeURLs {
		p, err := k.activePause(ctx, url)
		if err != nil {
			return err
		}
		if guardian && p.PausedBy != by {
			return types.ErrNotAllowed.Wrapf("%s was paused by %s, not by the guardian %s", url, p.PausedBy, by)
		}
	}
	for _, url := range typeURLs {
		if err := k.endPause(ctx, url); err != nil {
			return err
		}
		if err := k.record(ctx, types.DECISION_KIND_PAUSE, url, types.DECISION_OUTCOME_UNPAUSED, ""); err != nil {
			return err
		}
	}
	return nil
}

// activePause returns the pause that stops the message now, or ErrNotPaused.
func (k *Keeper) activePause(ctx context.Context, url string) (types.Pause, error) {
	p, err := k.pauses.Get(ctx, url)
	if errors.Is(err, collections.ErrNotFound) || err == nil && !p.Stops(now(ctx)) {
		return p, types.ErrNotPaused.Wrapf("%q", url)
	}
	return p, err
}

func (k *Keeper) endPause(ctx context.Context, url string) error {
	if err := k.pauses.Remove(ctx, url); err != nil {
		return err
	}
	return emit(ctx, &types.EventPauseEnded{TypeUrl: url})
}

// endPauses removes the records of pauses that are over, at most budget of them.
// It only tidies: IsAllowed reads the time itself.
func (k *Keeper) endPauses(ctx context.Context, budget uint32) error {
	iter, err := k.pauses.Indexes.end.Iterate(ctx, collections.NewPrefixUntilPairRange[time.Time, string](now(ctx)))
	if err != nil {
		return err
	}
	defer iter.Close()
	var urls []string
	for ; iter.Valid() && len(urls) < int(budget); iter.Next() {
		url, err := iter.PrimaryKey()
		if err != nil {
			return err
		}
		urls = append(urls, url)
	}
	for _, url := range urls {
		if err := k.endPause(ctx, url); err != nil {
			return err
		}
	}
	return nil
}
