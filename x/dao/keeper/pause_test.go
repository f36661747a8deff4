package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	v1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/grafilab/grafi/x/dao/types"
)

const (
	urlSend     = "/cosmos.bank.v1beta1.MsgSend"
	urlDelegate = "/cosmos.staking.v1beta1.MsgDelegate"
	urlEdit     = "/cosmos.staking.v1beta1.MsgEditValidator"
)

func pauseMsg(sender sdk.AccAddress, duration time.Duration, urls ...string) *types.MsgPause {
	return &types.MsgPause{Sender: addr(sender), TypeUrls: urls, Duration: duration, Reason: "a bug"}
}

// TestPauseEndsByItself: stopped one second before its end, taken again at the
// very second, whether the record was tidied up or not.
func TestPauseEndsByItself(t *testing.T) {
	w := newWorld(t)
	w.fund(alice, ugrafi(1_000))
	send := &banktypes.MsgSend{FromAddress: addr(alice), ToAddress: addr(bob), Amount: sdk.NewCoins(ugrafi(1))}
	require.NoError(t, w.send(send))
	require.NoError(t, w.send(pauseMsg(gov1, time.Hour, urlSend)))
	until := worldStart.Add(time.Hour)

	for _, step := range []struct {
		at     time.Time
		paused bool
	}{
		{worldStart, true},
		{until.Add(-time.Second), true},
		{until.Add(-time.Nanosecond), true},
		{until, false},
		{until.Add(time.Second), false},
	} {
		w.at(step.at)
		err := w.send(send)
		pauses, queryErr := w.query.Pauses(w.ctx, &types.QueryPausesRequest{})
		require.NoError(t, queryErr)
		if step.paused {
			require.ErrorIs(t, err, types.ErrPaused)
			require.ErrorContains(t, err, urlSend+" until 2026-01-01T01:00:00Z: a bug")
			require.Len(t, pauses.Pauses, 1)
			require.NoError(t, w.k.EndBlock(w.ctx))
		} else {
			require.NoError(t, err)
			require.Empty(t, pauses.Pauses)
		}
	}
	require.Equal(t, int64(997), w.bank.GetBalance(w.ctx, alice, sdk.DefaultBondDenom).Amount.Int64())
	gs, _ := w.state()
	require.Len(t, gs.Pauses, 1, "not tidied up yet")
	w.sound()

	require.NoError(t, w.k.EndBlock(w.ctx))
	gs, _ = w.state()
	require.Empty(t, gs.Pauses)
	event, err := sdk.TypedEventToEvent(&types.EventPauseEnded{TypeUrl: urlSend})
	require.NoError(t, err)
	require.Contains(t, w.ctx.EventManager().Events(), event)
	w.sound()
}

// TestPauseReachesInnerMessages: inside MsgExec of x/authz and inside a proposal.
func TestPauseReachesInnerMessages(t *testing.T) {
	w := newWorld(t)
	w.stake.of[string(alice)] = 10
	w.fund(alice, ugrafi(1_000))
	w.fund(gov1, ugrafi(1_000))
	later := worldStart.Add(90 * 24 * time.Hour)
	grant, err := authz.NewMsgGrant(alice, bob, authz.NewGenericAuthorization(urlSend), &later)
	require.NoError(t, err)
	require.NoError(t, w.send(grant))
	inner := &banktypes.MsgSend{FromAddress: addr(alice), ToAddress: addr(carol), Amount: sdk.NewCoins(ugrafi(1))}
	exec := authz.NewMsgExec(bob, []sdk.Msg{inner})
	nested := authz.NewMsgExec(bob, []sdk.Msg{&exec})
	require.NoError(t, w.send(&exec))
	voted := w.submit("pay carol", false, v1.DefaultParams().MinDeposit[0].Amount.Int64(), &banktypes.MsgSend{
		FromAddress: addr(gov1), ToAddress: addr(carol), Amount: sdk.NewCoins(ugrafi(5)),
	})
	w.vote(voted, alice, v1.OptionYes)

	w.at(worldStart.Add(*v1.DefaultParams().VotingPeriod))
	require.NoError(t, w.send(pauseMsg(gov1, time.Hour, urlSend)))
	require.ErrorIs(t, w.send(&exec), types.ErrPaused)
	require.ErrorIs(t, w.send(&nested), types.ErrPaused)
	w.endGov()

	proposal, err := w.gov.Proposals.Get(w.ctx, voted)
	require.NoError(t, err)
	require.Equal(t, v1.StatusFailed, proposal.Status)
	require.Contains(t, proposal.FailedReason, "message is paused")
	require.Equal(t, int64(1), w.bank.GetBalance(w.ctx, carol, sdk.DefaultBondDenom).Amount.Int64())
	w.at(w.ctx.BlockTime().Add(time.Hour))
	require.NoError(t, w.send(&exec))
	require.NoError(t, w.send(&nested))
}

// TestPauseByVote: a proposal pauses and another one lifts it, while everything
// of x/gov goes on.
func TestPauseByVote(t *testing.T) {
	w := newWorld(t)
	w.stake.of[string(alice)] = 10
	deposit, period := v1.DefaultParams().MinDeposit[0].Amount.Int64(), *v1.DefaultParams().VotingPeriod
	w.vote(w.submit("pause", false, deposit, pauseMsg(gov1, 14*24*time.Hour, urlSend, urlDelegate)), alice, v1.OptionYes)
	w.at(worldStart.Add(period))
	w.endGov()
	allowed, err := w.k.IsAllowed(w.ctx, urlSend)
	require.ErrorIs(t, err, types.ErrPaused)
	require.False(t, allowed)

	w.vote(w.submit("lift", false, deposit, &types.MsgUnpause{Sender: addr(gov1), TypeUrls: []string{urlSend}}), alice, v1.OptionYes)
	w.at(worldStart.Add(2 * period))
	w.endGov()

	allowed, err = w.k.IsAllowed(w.ctx, urlSend)
	require.NoError(t, err)
	require.True(t, allowed)
	_, err = w.k.IsAllowed(w.ctx, urlDelegate)
	require.ErrorIs(t, err, types.ErrPaused)
	_, err = w.k.IsAllowed(w.ctx, urlDelegate[1:])
	require.ErrorIs(t, err, types.ErrPaused, "the router asks without the slash too")
	w.sound()
}

// TestWhatIsNeverPaused: votes, pauses and upgrades; messages of governance;
// MsgExec, whose inner messages are looked at; and what doesn't exist.
func TestWhatIsNeverPaused(t *testing.T) {
	w := newWorld(t)
	for url, want := range map[string]error{
		"/cosmos.gov.v1.MsgVote":                          types.ErrNotPausable,
		"/cosmos.gov.v1.MsgSubmitProposal":                types.ErrNotPausable,
		"/cosmos.gov.v1beta1.MsgVote":                     types.ErrNotPausable,
		"/grafi.dao.v1.MsgUnpause":                        types.ErrNotPausable,
		"/grafi.dao.v1.MsgOpenDispute":                    types.ErrNotPausable,
		"/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade":      types.ErrNotPausable,
		"/cosmos.authz.v1beta1.MsgExec":                   types.ErrNotPausable,
		"/cosmos.staking.v1beta1.MsgUpdateParams":         types.ErrNotPausable, // signed by an authority
		"/cosmos.bank.v1beta1.MsgSetSendEnabled":          types.ErrNotPausable,
		"/cosmos.bank.v1beta1.MsgSendd":                   types.ErrInvalidTypeURL,
		"cosmos.bank.v1beta1.MsgSend":                     types.ErrInvalidTypeURL,
		"/cosmos.bank.v1beta1.SendAuthorization":          types.ErrInvalidTypeURL, // exists, and is no message
		"":                                                types.ErrInvalidTypeURL,
		"/cosmos.vesting.v1beta1.MsgCreateVestingAccount": nil,
		urlSend: nil,
	} {
		before, _ := w.state()
		err := w.send(pauseMsg(gov1, time.Hour, urlDelegate, url))
		require.ErrorIs(t, err, want, url)
		if want != nil {
			after, _ := w.state()
			require.Equal(t, before, after, "all or none: %s", url)
		}
	}
}

// TestGuardian: shorter, never an exit, one message at most once a week, and only
// its own pauses are its to lift.
func TestGuardian(t *testing.T) {
	w := newWorld(t)
	hours := func(n int) time.Duration { return time.Duration(n) * time.Hour }
	require.ErrorIs(t, w.send(pauseMsg(warden, hours(72)+1, urlDelegate)), types.ErrInvalidDuration)
	require.ErrorIs(t, w.send(pauseMsg(gov1, 14*hours(24)+1, urlDelegate)), types.ErrInvalidDuration)
	require.ErrorIs(t, w.send(pauseMsg(bob, hours(1), urlDelegate)), types.ErrNotAllowed)
	for _, exit := range []string{urlSend, "/cosmos.staking.v1beta1.MsgUndelegate"} {
		require.ErrorIs(t, w.send(pauseMsg(warden, hours(1), urlDelegate, exit)), types.ErrNotPausable)
	}
	require.NoError(t, w.send(pauseMsg(gov1, hours(1), urlEdit)))
	require.ErrorIs(t, w.send(pauseMsg(warden, hours(2), urlEdit)), types.ErrAlreadyPaused)
	require.ErrorIs(t, w.send(&types.MsgUnpause{Sender: addr(warden), TypeUrls: []string{urlEdit}}), types.ErrNotAllowed)

	require.NoError(t, w.send(pauseMsg(warden, hours(72), urlDelegate)))
	require.ErrorIs(t, w.send(pauseMsg(warden, hours(72), urlDelegate)), types.ErrAlreadyPaused)
	require.ErrorIs(t, w.send(&types.MsgUnpause{Sender: addr(bob), TypeUrls: []string{urlDelegate}}), types.ErrNotAllowed)
	require.NoError(t, w.send(&types.MsgUnpause{Sender: addr(warden), TypeUrls: []string{urlDelegate}}))
	require.ErrorIs(t, w.send(&types.MsgUnpause{Sender: addr(warden), TypeUrls: []string{urlDelegate}}), types.ErrNotPaused)
	require.ErrorIs(t, w.send(pauseMsg(warden, hours(1), urlDelegate)), types.ErrGuardianTooSoon, "a lifted pause counts too")

	w.at(worldStart.Add(7*hours(24) - time.Second))
	require.ErrorIs(t, w.send(pauseMsg(warden, hours(1), urlDelegate)), types.ErrGuardianTooSoon)
	require.NoError(t, w.send(pauseMsg(warden, hours(1), urlEdit)), "the authority's pause was not the guardian's")
	w.at(worldStart.Add(7 * hours(24)))
	require.NoError(t, w.send(pauseMsg(warden, hours(1), urlDelegate)))
	require.NoError(t, w.send(pauseMsg(gov1, hours(100), urlDelegate)), "the authority may replace it")
	require.ErrorIs(t, w.send(&types.MsgUnpause{Sender: addr(warden), TypeUrls: []string{urlDelegate}}), types.ErrNotAllowed)

	params := types.DefaultParams() // nobody is the guardian
	require.NoError(t, w.send(&types.MsgUpdateParams{Authority: addr(gov1), Params: params}))
	require.ErrorIs(t, w.send(pauseMsg(warden, hours(1), stakingURL)), types.ErrNotAllowed)
	w.sound()
}

var stakingURL = sdk.MsgTypeURL(&stakingtypes.MsgCreateValidator{})

// TestEndsOfPausesCarryOver: a budget of two a block, oldest first, and what
// waits stops nothing.
func TestEndsOfPausesCarryOver(t *testing.T) {
	w := newWorld(t)
	params := types.DefaultParams()
	params.DueBudget = 2
	require.NoError(t, w.k.UpdateParams(w.ctx, params))
	urls := []string{urlSend, urlDelegate, urlEdit, stakingURL, "/cosmos.staking.v1beta1.MsgUndelegate"}
	for i, url := range urls {
		require.NoError(t, w.send(pauseMsg(gov1, time.Duration(10-i)*time.Second, url)))
	}
	w.at(worldStart.Add(9 * time.Second)) // all but the first are over
	for _, left := range []int{3, 1, 1} {
		require.NoError(t, w.k.EndBlock(w.ctx))
		gs, _ := w.state()
		require.Len(t, gs.Pauses, left)
	}
	_, err := w.k.IsAllowed(w.ctx, urlSend)
	require.ErrorIs(t, err, types.ErrPaused)
	w.sound()
}
