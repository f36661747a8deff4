package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// streamMsg streams an amount to alice from the next block on.
func streamMsg(amount int64, duration time.Duration) *types.MsgCreateStream {
	return &types.MsgCreateStream{
		Authority: addr(gov1), Title: "maintenance", Recipient: addr(alice), Amount: ugrafi(amount), Duration: duration,
	}
}

// paid is what alice has.
func (w *world) paid() int64 {
	return w.bank.GetBalance(w.ctx, alice, sdk.DefaultBondDenom).Amount.Int64()
}

func (w *world) withdraw(id uint64) error {
	return w.send(&types.MsgWithdrawStream{Sender: addr(bob), StreamId: id})
}

// TestStreamAtBoundarySeconds: 1,000 ugrafi over 7 s, from 10 s on. Each case
// withdraws once, at its time.
func TestStreamAtBoundarySeconds(t *testing.T) {
	begin := worldStart.Add(10 * time.Second)
	for name, tc := range map[string]struct {
		at   time.Duration // after the begin
		want int64
	}{
		"one second before":            {at: -time.Second},
		"the first second":             {at: 0},
		"half a second after":          {at: time.Second / 2},
		"one second after":             {at: time.Second, want: 142},       // ⌊1000/7⌋
		"just before the third second": {at: 3*time.Second - 1, want: 285}, // ⌊2000/7⌋
		"one second before the end":    {at: 6 * time.Second, want: 857},
		"just before the end":          {at: 7*time.Second - 1, want: 857},
		"the end":                      {at: 7 * time.Second, want: 1_000},
		"one second after the end":     {at: 8 * time.Second, want: 1_000},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.fund(treasury, ugrafi(1_000))
			msg := streamMsg(1_000, 7*time.Second)
			msg.StartsAt = &begin
			require.NoError(t, w.send(msg))
			w.at(begin.Add(tc.at))
			resp, err := w.query.Stream(w.ctx, &types.QueryStreamRequest{StreamId: 1})
			require.NoError(t, err)
			require.Equal(t, ugrafi(tc.want), resp.Withdrawable)

			err = w.withdraw(1)

			if tc.want == 0 {
				require.ErrorIs(t, err, types.ErrNothingDue)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, tc.want, w.paid())
			gs, _ := w.state()
			want := types.STREAM_STATE_OPEN
			if tc.want == 1_000 {
				want = types.STREAM_STATE_PAID
				require.ErrorIs(t, w.withdraw(1), types.ErrStreamClosed)
			} else {
				require.ErrorIs(t, w.withdraw(1), types.ErrNothingDue, "twice in a second")
			}
			require.Equal(t, want, gs.Streams[0].State)
			w.sound()
		})
	}
}

// TestStreamPaysTheSameHoweverOften: any times of withdrawal, and a cancel at any
// time, pay ⌊amount × seconds / duration⌋ in all, and every unit is somewhere.
func TestStreamPaysTheSameHoweverOften(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		amount := rapid.Int64Range(1, 1_000_000_000_000).Draw(rt, "amount")
		seconds := rapid.Int64Range(1, 100_000).Draw(rt, "seconds")
		w.fund(treasury, ugrafi(amount))
		require.NoError(t, w.send(streamMsg(amount, time.Duration(seconds)*time.Second)))
		elapsed := time.Duration(0)
		for range rapid.IntRange(0, 6).Draw(rt, "withdrawals") {
			elapsed += time.Duration(rapid.Int64Range(0, seconds/2+1).Draw(rt, "step")) * time.Second
			elapsed += time.Duration(rapid.Int64Range(0, 999_999_999).Draw(rt, "nanoseconds"))
			w.at(worldStart.Add(elapsed))
			if err := w.withdraw(1); err == nil {
				w.sound()
			}
		}
		earned := math.NewInt(amount).MulRaw(min(int64(elapsed/time.Second), seconds)).QuoRaw(seconds)
		if rapid.Bool().Draw(rt, "cancelled") {
			err := w.send(&types.MsgCancelStream{Authority: addr(gov1), StreamId: 1})
			if earned.Int64() == amount { // paid in full, there is nothing to cancel
				require.True(t, err == nil || types.ErrStreamClosed.Is(err))
			} else {
				require.NoError(t, err)
				require.Equal(t, amount-earned.Int64(), w.bank.GetBalance(w.ctx, treasury, sdk.DefaultBondDenom).Amount.Int64())
			}
			require.True(t, w.bank.GetAllBalances(w.ctx, daoAccount).IsZero())
		}
		require.LessOrEqual(t, w.paid(), earned.Int64())
		if elapsed == 0 {
			return
		}
		require.True(t, w.withdraw(1) != nil || w.paid() == earned.Int64())
		require.Equal(t, earned.Int64(), w.paid())
	})
}

// TestCancelReturnsTheRest: at the second of the cancel, and after a withdrawal.
func TestCancelReturnsTheRest(t *testing.T) {
	w := newWorld(t)
	w.fund(treasury, ugrafi(1_500))
	require.NoError(t, w.send(streamMsg(1_000, 10*time.Second)))
	require.Equal(t, "500stake", w.bank.GetAllBalances(w.ctx, treasury).String())
	w.at(worldStart.Add(2 * time.Second))
	require.NoError(t, w.withdraw(1))
	w.at(worldStart.Add(5 * time.Second))

	require.NoError(t, w.send(&types.MsgCancelStream{Authority: addr(gov1), StreamId: 1}))

	require.Equal(t, int64(500), w.paid())
	require.Equal(t, "1000stake", w.bank.GetAllBalances(w.ctx, treasury).String())
	gs, _ := w.state()
	require.Equal(t, []types.Stream{{
		Id: 1, Title: "maintenance", Recipient: addr(alice), Amount: ugrafi(1_000), StartsAt: worldStart,
		EndsAt: worldStart.Add(10 * time.Second), Withdrawn: math.NewInt(500), Returned: math.NewInt(500),
		State: types.STREAM_STATE_CANCELLED,
	}}, gs.Streams)
	w.at(worldStart.Add(20 * time.Second))
	require.ErrorIs(t, w.withdraw(1), types.ErrStreamClosed)
	require.ErrorIs(t, w.send(&types.MsgCancelStream{Authority: addr(gov1), StreamId: 1}), types.ErrStreamClosed)
	w.sound()
}

// TestGrantByMilestones: in any order, each once, and the last one closes it.
func TestGrantByMilestones(t *testing.T) {
	w := newWorld(t)
	w.fund(treasury, ugrafi(600))
	require.NoError(t, w.send(grantMsg(100, 200, 300)))
	require.True(t, w.bank.GetAllBalances(w.ctx, treasury).IsZero(), "what is promised has left the treasury")
	release := func(i uint32) error {
		return w.send(&types.MsgReleaseMilestone{Authority: addr(gov1), GrantId: 1, Milestone: i})
	}

	require.NoError(t, release(2))
	require.Equal(t, int64(300), w.paid())
	require.ErrorIs(t, release(2), types.ErrMilestoneReleased)
	require.ErrorIs(t, release(3), types.ErrInvalidMilestones)
	w.sound()
	require.NoError(t, release(0))
	w.at(worldStart.Add(time.Hour))
	require.NoError(t, release(1))

	require.Equal(t, int64(600), w.paid())
	later := worldStart.Add(time.Hour)
	gs, _ := w.state()
	require.Equal(t, []types.Grant{{
		Id: 1, Title: "a compiler", Recipient: addr(alice), Denom: sdk.DefaultBondDenom, State: types.GRANT_STATE_PAID,
		CreatedAt: worldStart, Milestones: []types.Milestone{
			{Title: "milestone", Amount: math.NewInt(100), ReleasedAt: &worldStart},
			{Title: "milestone", Amount: math.NewInt(200), ReleasedAt: &later},
			{Title: "milestone", Amount: math.NewInt(300), ReleasedAt: &worldStart},
		},
	}}, gs.Grants)
	require.ErrorIs(t, release(1), types.ErrGrantClosed)
	require.ErrorIs(t, w.send(&types.MsgCancelGrant{Authority: addr(gov1), GrantId: 1}), types.ErrGrantClosed)
	w.sound()
}

// TestCancelGrantReturnsWhatIsNotReleased to the treasury.
func TestCancelGrantReturnsWhatIsNotReleased(t *testing.T) {
	w := newWorld(t)
	w.fund(treasury, ugrafi(600))
	require.NoError(t, w.send(grantMsg(100, 200, 300)))
	require.NoError(t, w.send(&types.MsgReleaseMilestone{Authority: addr(gov1), GrantId: 1, Milestone: 1}))

	require.NoError(t, w.send(&types.MsgCancelGrant{Authority: addr(gov1), GrantId: 1}))

	require.Equal(t, int64(200), w.paid())
	require.Equal(t, "400stake", w.bank.GetAllBalances(w.ctx, treasury).String())
	gs, _ := w.state()
	require.Equal(t, types.GRANT_STATE_CANCELLED, gs.Grants[0].State)
	require.ErrorIs(t, w.send(&types.MsgReleaseMilestone{Authority: addr(gov1), GrantId: 1}), types.ErrGrantClosed)
	w.sound()
}

// grantMsg promises alice a milestone for each amount.
func grantMsg(amounts ...int64) *types.MsgCreateGrant {
	msg := &types.MsgCreateGrant{
		Authority: addr(gov1), Title: "a compiler", Recipient: addr(alice), Denom: sdk.DefaultBondDenom,
	}
	for _, amount := range amounts {
		msg.Milestones = append(msg.Milestones, types.Milestone{Title: "milestone", Amount: math.NewInt(amount)})
	}
	return msg
}
