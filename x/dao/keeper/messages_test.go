package keeper_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/dao/types"
)

// newBusyWorld has a stream, a grant, a pause of the guardian and money left.
func newBusyWorld(t testing.TB) *world {
	w := newWorld(t)
	w.fund(treasury, ugrafi(10_000), sdk.NewInt64Coin("uusdc", 50))
	require.NoError(t, w.send(streamMsg(1_000, 100*time.Second)))
	require.NoError(t, w.send(grantMsg(100, 200)))
	require.NoError(t, w.send(pauseMsg(warden, time.Hour, urlEdit)))
	w.at(worldStart.Add(10 * time.Second))
	return w
}

// TestMessages: a refused message leaves no trace; a taken one changes exactly
// what is written here, in the records and in the balances.
func TestMessages(t *testing.T) {
	now := worldStart.Add(10 * time.Second)
	stream := func(change func(*types.MsgCreateStream)) sdk.Msg {
		msg := streamMsg(500, 50*time.Second)
		change(msg)
		return msg
	}
	grant := func(change func(*types.MsgCreateGrant)) sdk.Msg {
		msg := grantMsg(10, 20)
		change(msg)
		return msg
	}
	params := func(change func(*types.Params)) sdk.Msg {
		p := types.DefaultParams()
		change(&p)
		return &types.MsgUpdateParams{Authority: addr(gov1), Params: p}
	}
	decided := func(kind types.DecisionKind, subject string, outcome types.DecisionOutcome, detail string) func(*types.GenesisState) {
		return func(gs *types.GenesisState) {
			gs.Decisions = append(gs.Decisions, types.Decision{
				Id: gs.NextDecisionId, Kind: kind, Subject: subject, Outcome: outcome, Detail: detail, Time: now, Height: 2,
			})
			gs.NextDecisionId++
		}
	}
	const treasuryLeft = "8700stake,50uusdc"
	long := strings.Repeat("x", 2_000)
	past, soon, never := now.Add(-time.Nanosecond), now.Add(time.Hour), now.Add(types.MaxStreamDuration+1)
	tests := map[string]struct {
		msg      sdk.Msg
		wantErr  error
		change   []func(*types.GenesisState)
		balances map[string]string // alice, treasury or dao
	}{
		"create a stream": {
			msg: stream(func(*types.MsgCreateStream) {}),
			change: []func(*types.GenesisState){func(gs *types.GenesisState) {
				gs.Streams = append(gs.Streams, types.Stream{
					Id: 2, Title: "maintenance", Recipient: addr(alice), Amount: ugrafi(500), StartsAt: now,
					EndsAt: now.Add(50 * time.Second), Withdrawn: math.ZeroInt(), Returned: math.ZeroInt(), State: types.STREAM_STATE_OPEN,
				})
				gs.NextStreamId = 3
			}, decided(types.DECISION_KIND_STREAM, "2", types.DECISION_OUTCOME_CREATED, "maintenance")},
			balances: map[string]string{"treasury": "8200stake,50uusdc", "dao": "1800stake"},
		},
		"create a stream of another denom that begins later": {
			msg: stream(func(m *types.MsgCreateStream) { m.Amount, m.StartsAt = sdk.NewInt64Coin("uusdc", 50), &soon }),
			change: []func(*types.GenesisState){func(gs *types.GenesisState) {
				gs.Streams = append(gs.Streams, types.Stream{
					Id: 2, Title: "maintenance", Recipient: addr(alice), Amount: sdk.NewInt64Coin("uusdc", 50), StartsAt: soon,
					EndsAt: soon.Add(50 * time.Second), Withdrawn: math.ZeroInt(), Returned: math.ZeroInt(), State: types.STREAM_STATE_OPEN,
				})
				gs.NextStreamId = 3
			}, decided(types.DECISION_KIND_STREAM, "2", types.DECISION_OUTCOME_CREATED, "maintenance")},
			balances: map[string]string{"treasury": "8700stake", "dao": "1300stake,50uusdc"},
		},
		"stream by somebody":              {msg: stream(func(m *types.MsgCreateStream) { m.Authority = addr(bob) }), wantErr: sdkerrors.ErrUnauthorized},
		"stream by no address":            {msg: stream(func(m *types.MsgCreateStream) { m.Authority = "gov" }), wantErr: sdkerrors.ErrUnauthorized},
		"stream to no address":            {msg: stream(func(m *types.MsgCreateStream) { m.Recipient = "alice" }), wantErr: sdkerrors.ErrInvalidAddress},
		"stream to an empty address":      {msg: stream(func(m *types.MsgCreateStream) { m.Recipient = "" }), wantErr: sdkerrors.ErrInvalidAddress},
		"stream to a module account":      {msg: stream(func(m *types.MsgCreateStream) { m.Recipient = addr(daoAccount) }), wantErr: types.ErrInvalidRecipient},
		"stream without a title":          {msg: stream(func(m *types.MsgCreateStream) { m.Title = " \n" }), wantErr: types.ErrInvalidTitle},
		"stream with a long title":        {msg: stream(func(m *types.MsgCreateStream) { m.Title = long }), wantErr: types.ErrInvalidTitle},
		"stream of nothing":               {msg: stream(func(m *types.MsgCreateStream) { m.Amount = ugrafi(0) }), wantErr: types.ErrInvalidAmount},
		"stream of less than nothing":     {msg: stream(func(m *types.MsgCreateStream) { m.Amount.Amount = math.NewInt(-1) }), wantErr: types.ErrInvalidAmount},
		"stream without an amount":        {msg: stream(func(m *types.MsgCreateStream) { m.Amount = sdk.Coin{} }), wantErr: types.ErrInvalidAmount},
		"stream of a nil amount":          {msg: stream(func(m *types.MsgCreateStream) { m.Amount = sdk.Coin{Denom: "stake"} }), wantErr: types.ErrInvalidAmount},
		"stream of too much for a number": {msg: stream(func(m *types.MsgCreateStream) { m.Amount.Amount = math.NewIntWithDecimal(1, 76) }), wantErr: types.ErrInvalidAmount},
		"stream of more than there is":    {msg: stream(func(m *types.MsgCreateStream) { m.Amount = ugrafi(8_701) }), wantErr: types.ErrTreasuryShort},
		"stream of an unknown denom":      {msg: stream(func(m *types.MsgCreateStream) { m.Amount = sdk.NewInt64Coin("other", 1) }), wantErr: types.ErrTreasuryShort},
		"stream of no time":               {msg: stream(func(m *types.MsgCreateStream) { m.Duration = 0 }), wantErr: types.ErrInvalidDuration},
		"stream of a negative time":       {msg: stream(func(m *types.MsgCreateStream) { m.Duration = -time.Second }), wantErr: types.ErrInvalidDuration},
		"stream of a broken second":       {msg: stream(func(m *types.MsgCreateStream) { m.Duration = 1_500 * time.Millisecond }), wantErr: types.ErrInvalidDuration},
		"stream for too long":             {msg: stream(func(m *types.MsgCreateStream) { m.Duration = types.MaxStreamDuration + time.Second }), wantErr: types.ErrInvalidDuration},
		"stream from the past on":         {msg: stream(func(m *types.MsgCreateStream) { m.StartsAt = &past }), wantErr: types.ErrInvalidStart},
		"stream from a far day on":        {msg: stream(func(m *types.MsgCreateStream) { m.StartsAt = &never }), wantErr: types.ErrInvalidStart},
		"withdraw": {
			msg:      &types.MsgWithdrawStream{Sender: addr(carol), StreamId: 1},
			change:   []func(*types.GenesisState){func(gs *types.GenesisState) { gs.Streams[0].Withdrawn = math.NewInt(100) }},
			balances: map[string]string{"alice": "100stake", "dao": "1200stake"},
		},
		"withdraw of an unknown stream": {msg: &types.MsgWithdrawStream{Sender: addr(carol), StreamId: 2}, wantErr: types.ErrStreamNotFound},
		"withdraw by no address":        {msg: &types.MsgWithdrawStream{Sender: "carol", StreamId: 1}, wantErr: sdkerrors.ErrInvalidAddress},
		"cancel a stream": {
			msg: &types.MsgCancelStream{Authority: addr(gov1), StreamId: 1},
			change: []func(*types.GenesisState){func(gs *types.GenesisState) {
				s := &gs.Streams[0]
				s.Withdrawn, s.Returned, s.State = math.NewInt(100), math.NewInt(900), types.STREAM_STATE_CANCELLED
			}, decided(types.DECISION_KIND_STREAM, "1", types.DECISION_OUTCOME_CANCELLED, "maintenance")},
			balances: map[string]string{"alice": "100stake", "treasury": "9600stake,50uusdc", "dao": "300stake"},
		},
		"cancel by its recipient":     {msg: &types.MsgCancelStream{Authority: addr(alice), StreamId: 1}, wantErr: sdkerrors.ErrUnauthorized},
		"cancel of an unknown stream": {msg: &types.MsgCancelStream{Authority: addr(gov1)}, wantErr: types.ErrStreamNotFound},
		"create a grant": {
			msg: grant(func(*types.MsgCreateGrant) {}),
			change: []func(*types.GenesisState){func(gs *types.GenesisState) {
				gs.Grants = append(gs.Grants, types.Grant{
					Id: 2, Title: "a compiler", Recipient: addr(alice), Denom: "stake", CreatedAt: now, State: types.GRANT_STATE_OPEN,
					Milestones: []types.Milestone{{Title: "milestone", Amount: math.NewInt(10)}, {Title: "milestone", Amount: math.NewInt(20)}},
				})
				gs.NextGrantId = 3
			}, decided(types.DECISION_KIND_GRANT, "2", types.DECISION_OUTCOME_CREATED, "a compiler")},
			balances: map[string]string{"treasury": "8670stake,50uusdc", "dao": "1330stake"},
		},
		"grant by somebody":           {msg: grant(func(m *types.MsgCreateGrant) { m.Authority = addr(warden) }), wantErr: sdkerrors.ErrUnauthorized},
		"grant to no address":         {msg: grant(func(m *types.MsgCreateGrant) { m.Recipient = "x" }), wantErr: sdkerrors.ErrInvalidAddress},
		"grant to a module account":   {msg: grant(func(m *types.MsgCreateGrant) { m.Recipient = addr(treasury) }), wantErr: types.ErrInvalidRecipient},
		"grant without a title":       {msg: grant(func(m *types.MsgCreateGrant) { m.Title = "" }), wantErr: types.ErrInvalidTitle},
		"grant without milestones":    {msg: grant(func(m *types.MsgCreateGrant) { m.Milestones = nil }), wantErr: types.ErrInvalidMilestones},
		"grant of too many":           {msg: grantMsg(make([]int64, 21)...), wantErr: types.ErrInvalidMilestones},
		"grant of nothing":            {msg: grant(func(m *types.MsgCreateGrant) { m.Milestones[1].Amount = math.ZeroInt() }), wantErr: types.ErrInvalidMilestones},
		"grant without an amount":     {msg: grant(func(m *types.MsgCreateGrant) { m.Milestones[1].Amount = math.Int{} }), wantErr: types.ErrInvalidMilestones},
		"grant of nameless work":      {msg: grant(func(m *types.MsgCreateGrant) { m.Milestones[1].Title = "" }), wantErr: types.ErrInvalidMilestones},
		"grant that is released":      {msg: grant(func(m *types.MsgCreateGrant) { m.Milestones[0].ReleasedAt = &past }), wantErr: types.ErrInvalidMilestones},
		"grant of no denom":           {msg: grant(func(m *types.MsgCreateGrant) { m.Denom = "" }), wantErr: types.ErrInvalidMilestones},
		"grant of more than there is": {msg: grantMsg(8_700, 1), wantErr: types.ErrTreasuryShort},
		"grant over the numbers": {msg: grant(func(m *types.MsgCreateGrant) {
			m.Milestones[0].Amount = math.NewIntWithDecimal(3, 38)
			m.Milestones[1].Amount = math.NewIntWithDecimal(3, 38)
		}), wantErr: types.ErrInvalidAmount},
		"release a milestone": {
			msg: &types.MsgReleaseMilestone{Authority: addr(gov1), GrantId: 1, Milestone: 1},
			change: []func(*types.GenesisState){func(gs *types.GenesisState) { gs.Grants[0].Milestones[1].ReleasedAt = &now },
				decided(types.DECISION_KIND_GRANT, "1", types.DECISION_OUTCOME_RELEASED, "milestone")},
			balances: map[string]string{"alice": "200stake", "dao": "1100stake"},
		},
		"release by its recipient":    {msg: &types.MsgReleaseMilestone{Authority: addr(alice), GrantId: 1}, wantErr: sdkerrors.ErrUnauthorized},
		"release of an unknown grant": {msg: &types.MsgReleaseMilestone{Authority: addr(gov1), GrantId: 9}, wantErr: types.ErrGrantNotFound},
		"release of no milestone":     {msg: &types.MsgReleaseMilestone{Authority: addr(gov1), GrantId: 1, Milestone: 2}, wantErr: types.ErrInvalidMilestones},
		"release of the last number":  {msg: &types.MsgReleaseMilestone{Authority: addr(gov1), GrantId: 1, Milestone: 1<<32 - 1}, wantErr: types.ErrInvalidMilestones},
		"cancel a grant": {
			msg: &types.MsgCancelGrant{Authority: addr(gov1), GrantId: 1},
			change: []func(*types.GenesisState){func(gs *types.GenesisState) { gs.Grants[0].State = types.GRANT_STATE_CANCELLED },
				decided(types.DECISION_KIND_GRANT, "1", types.DECISION_OUTCOME_CANCELLED, "a compiler")},
			balances: map[string]string{"treasury": "9000stake,50uusdc", "dao": "1000stake"},
		},
		"cancel of a grant by somebody": {msg: &types.MsgCancelGrant{Authority: addr(bob), GrantId: 1}, wantErr: sdkerrors.ErrUnauthorized},
		"cancel of an unknown grant":    {msg: &types.MsgCancelGrant{Authority: addr(gov1), GrantId: 2}, wantErr: types.ErrGrantNotFound},
		"pause": {
			msg: pauseMsg(gov1, time.Minute, urlSend),
			change: []func(*types.GenesisState){func(gs *types.GenesisState) {
				gs.Pauses = append([]types.Pause{{
					TypeUrl: urlSend, Since: now, Until: now.Add(time.Minute), Reason: "a bug", PausedBy: addr(gov1),
				}}, gs.Pauses...)
			}, decided(types.DECISION_KIND_PAUSE, urlSend, types.DECISION_OUTCOME_PAUSED, "a bug")},
		},
		"pause by no address":         {msg: &types.MsgPause{Sender: "gov", TypeUrls: []string{urlSend}, Duration: time.Hour, Reason: "x"}, wantErr: sdkerrors.ErrInvalidAddress},
		"pause of nothing":            {msg: pauseMsg(gov1, time.Hour), wantErr: types.ErrInvalidTypeURL},
		"pause of one twice":          {msg: pauseMsg(gov1, time.Hour, urlSend, urlSend), wantErr: types.ErrInvalidTypeURL},
		"pause of too many":           {msg: pauseMsg(gov1, time.Hour, make([]string, 33)...), wantErr: types.ErrInvalidTypeURL},
		"pause of a long name":        {msg: pauseMsg(gov1, time.Hour, "/"+long), wantErr: types.ErrInvalidTypeURL},
		"pause for no time":           {msg: pauseMsg(gov1, 0, urlSend), wantErr: types.ErrInvalidDuration},
		"pause for less than no time": {msg: pauseMsg(gov1, -time.Hour, urlSend), wantErr: types.ErrInvalidDuration},
		"pause without a reason":      {msg: &types.MsgPause{Sender: addr(gov1), TypeUrls: []string{urlSend}, Duration: time.Hour}, wantErr: types.ErrInvalidReason},
		"pause with a long story":     {msg: &types.MsgPause{Sender: addr(gov1), TypeUrls: []string{urlSend}, Duration: time.Hour, Reason: long}, wantErr: types.ErrInvalidReason},
		"pause with a broken reason":  {msg: &types.MsgPause{Sender: addr(gov1), TypeUrls: []string{urlSend}, Duration: time.Hour, Reason: "\xff"}, wantErr: types.ErrInvalidReason},
		"unpause": {
			msg: &types.MsgUnpause{Sender: addr(warden), TypeUrls: []string{urlEdit}},
			change: []func(*types.GenesisState){func(gs *types.GenesisState) { gs.Pauses = nil },
				decided(types.DECISION_KIND_PAUSE, urlEdit, types.DECISION_OUTCOME_UNPAUSED, "")},
		},
		"unpause of what is not paused": {msg: &types.MsgUnpause{Sender: addr(gov1), TypeUrls: []string{urlEdit, urlSend}}, wantErr: types.ErrNotPaused},
		"unpause of nothing":            {msg: &types.MsgUnpause{Sender: addr(gov1)}, wantErr: types.ErrInvalidTypeURL},
		"change the params": {
			msg: params(func(p *types.Params) { p.MaxMilestones = 3 }),
			change: []func(*types.GenesisState){func(gs *types.GenesisState) {
				gs.Params = types.DefaultParams()
				gs.Params.MaxMilestones = 3
			}, decided(types.DECISION_KIND_PARAMS, "dao", types.DECISION_OUTCOME_CHANGED, "")},
		},
		"params by somebody":      {msg: &types.MsgUpdateParams{Authority: addr(warden), Params: types.DefaultParams()}, wantErr: sdkerrors.ErrUnauthorized},
		"params without values":   {msg: &types.MsgUpdateParams{Authority: addr(gov1)}, wantErr: types.ErrInvalidParams},
		"params with no guardian": {msg: params(func(p *types.Params) { p.Guardian = "guardian" }), wantErr: types.ErrInvalidParams},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := newBusyWorld(t)
			want, money := w.state()
			require.Equal(t, treasuryLeft, money[string(treasury)])

			err := w.send(tc.msg)

			require.ErrorIs(t, err, tc.wantErr)
			for _, change := range tc.change {
				change(&want)
			}
			for name, balance := range tc.balances {
				money[map[string]string{"alice": string(alice), "treasury": string(treasury), "dao": string(daoAccount)}[name]] = balance
			}
			gs, balances := w.state()
			require.Equal(t, want, gs)
			require.Equal(t, money, balances)
			w.sound()
		})
	}
}

// TestEventsOfMessages: exactly these, in this order, besides those of the bank.
func TestEventsOfMessages(t *testing.T) {
	w := newBusyWorld(t)
	now := worldStart.Add(10 * time.Second)
	_, err := w.msg.CancelStream(w.ctx, &types.MsgCancelStream{Authority: addr(gov1), StreamId: 1})
	require.NoError(t, err)
	_, err = w.msg.ReleaseMilestone(w.ctx, &types.MsgReleaseMilestone{Authority: addr(gov1), GrantId: 1, Milestone: 0})
	require.NoError(t, err)
	_, err = w.msg.CancelGrant(w.ctx, &types.MsgCancelGrant{Authority: addr(gov1), GrantId: 1})
	require.NoError(t, err)
	_, err = w.msg.CreateStream(w.ctx, streamMsg(5, 10*time.Second))
	require.NoError(t, err)
	_, err = w.msg.CreateGrant(w.ctx, grantMsg(7))
	require.NoError(t, err)
	_, err = w.msg.Pause(w.ctx, pauseMsg(gov1, time.Hour, urlSend))
	require.NoError(t, err)
	_, err = w.msg.Unpause(w.ctx, &types.MsgUnpause{Sender: addr(gov1), TypeUrls: []string{urlSend}})
	require.NoError(t, err)
	_, err = w.msg.UpdateParams(w.ctx, &types.MsgUpdateParams{Authority: addr(gov1), Params: types.DefaultParams()})
	require.NoError(t, err)

	decision := func(id uint64, kind types.DecisionKind, subject string, outcome types.DecisionOutcome) *types.EventDecision {
		return &types.EventDecision{DecisionId: id, Kind: kind, Subject: subject, Outcome: outcome}
	}
	requireEvents(t, w.ctx,
		&types.EventStreamWithdrawn{StreamId: 1, Recipient: addr(alice), Amount: ugrafi(100)},
		decision(4, types.DECISION_KIND_STREAM, "1", types.DECISION_OUTCOME_CANCELLED),
		&types.EventStreamCancelled{StreamId: 1, Paid: ugrafi(100), Returned: ugrafi(900)},
		decision(5, types.DECISION_KIND_GRANT, "1", types.DECISION_OUTCOME_RELEASED),
		&types.EventMilestoneReleased{GrantId: 1, Milestone: 0, Amount: ugrafi(100)},
		decision(6, types.DECISION_KIND_GRANT, "1", types.DECISION_OUTCOME_CANCELLED),
		&types.EventGrantCancelled{GrantId: 1, Returned: ugrafi(200)},
		decision(7, types.DECISION_KIND_STREAM, "2", types.DECISION_OUTCOME_CREATED),
		&types.EventStreamCreated{StreamId: 2, Recipient: addr(alice), Amount: ugrafi(5), StartsAt: now, EndsAt: now.Add(10 * time.Second)},
		decision(8, types.DECISION_KIND_GRANT, "2", types.DECISION_OUTCOME_CREATED),
		&types.EventGrantCreated{GrantId: 2, Recipient: addr(alice), Amount: ugrafi(7)},
		decision(9, types.DECISION_KIND_PAUSE, urlSend, types.DECISION_OUTCOME_PAUSED),
		&types.EventPaused{TypeUrl: urlSend, Until: now.Add(time.Hour), PausedBy: addr(gov1), Reason: "a bug"},
		&types.EventPauseEnded{TypeUrl: urlSend},
		decision(10, types.DECISION_KIND_PAUSE, urlSend, types.DECISION_OUTCOME_UNPAUSED),
		decision(11, types.DECISION_KIND_PARAMS, "dao", types.DECISION_OUTCOME_CHANGED),
		&types.EventParamsUpdated{Params: types.DefaultParams()},
	)
}

func requireEvents(t testing.TB, ctx sdk.Context, want ...proto.Message) {
	t.Helper()
	var events sdk.Events
	for _, e := range want {
		event, err := sdk.TypedEventToEvent(e)
		require.NoError(t, err)
		events = append(events, event)
	}
	var got sdk.Events
	for _, e := range ctx.EventManager().Events() {
		if strings.HasPrefix(e.Type, "grafi.") {
			got = append(got, e)
		}
	}
	require.Equal(t, events, got)
}
