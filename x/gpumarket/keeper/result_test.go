package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

func TestReportResult(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 3_600)
	f.beginBlock(after(30))
	want := f.state()
	msg := resultMsg(id)

	_, err := deliver(f, f.msg.ReportResult, msg)

	require.NoError(t, err)
	want.Rentals[0].Result = &msg.Result
	requireState(t, f, want, "the rental goes on")
	requireEvents(t, f, &types.EventResultReported{RentalId: id, Result: msg.Result})
	f.checkInvariants()
}

func (f *fixture) activeUntilExit() uint64 {
	f.t.Helper()
	f.list()
	rent := rentMsg(1)
	rent.CloseOnExit = true
	resp, err := deliver(f, f.msg.Rent, rent)
	require.NoError(f.t, err)
	f.confirm(resp.RentalId)
	return resp.RentalId
}

func TestReportResultClosesOnExit(t *testing.T) {
	for second, charged := range map[int64]int64{30: 60, 90: 90} {
		f := newFixture(t)
		id := f.activeUntilExit()
		f.beginBlock(after(second))
		want := f.state()
		msg := resultMsg(id)

		_, err := deliver(f, f.msg.ReportResult, msg)

		require.NoError(t, err)
		want.Rentals[0] = closed(want.Rentals[0], types.CLOSE_REASON_WORKLOAD_EXITED, second, 2_000*charged)
		want.Rentals[0].PaidUntil, want.Rentals[0].Result = ptr(after(charged)), &msg.Result
		requireState(t, f, want)
		require.Len(t, f.events(), 3, "reported, settled, closed")
		f.checkInvariants()
	}
}

func TestReportResultAfterTheClose(t *testing.T) {
	f := newFixture(t)
	id := f.active(1, 60)
	f.blocks(after(61), 1)
	_, err := deliver(f, f.msg.ReportResult, resultMsg(id))
	require.NoError(t, err)
	require.NotNil(t, f.rental(id).Result)
	require.Equal(t, math.NewInt(60_000), f.rental(id).Paid)
	f.checkInvariants()
}

func TestReportResultRefuses(t *testing.T) {
	resign := func(m *types.MsgReportResult) {
		m.AgentSignature = sign(types.DomainResult,
			&types.ResultReport{ChainId: chainID, HostId: hostID, RentalId: m.RentalId, Result: m.Result})
	}
	tests := map[string]struct {
		pending bool
		given   func(*fixture)
		msg     func(*types.MsgReportResult)
		want    error
	}{
		"unknown rental": {msg: func(m *types.MsgReportResult) { m.RentalId++ }, want: types.ErrRentalNotFound},
		"bad address":    {msg: func(m *types.MsgReportResult) { m.Sender = "" }, want: sdkerrors.ErrInvalidAddress},
		"bad signature":  {msg: func(m *types.MsgReportResult) { m.AgentSignature[5]++ }, want: errBadSignature},
		"changed result": {msg: func(m *types.MsgReportResult) { m.Result.ExitCode = 0 }, want: errBadSignature},
		"not started":    {pending: true, want: types.ErrNotActive},
		"short digest": {msg: func(m *types.MsgReportResult) { m.Result.OutputDigest = []byte{1}; resign(m) },
			want: types.ErrInvalidDigest},
		"code without knowledge": {msg: func(m *types.MsgReportResult) { m.Result.ExitKnown = false; resign(m) },
			want: types.ErrInvalidResult},
		"replayed": {given: func(f *fixture) {
			_, err := deliver(f, f.msg.ReportResult, resultMsg(firstRental))
			require.NoError(f.t, err)
		}, want: types.ErrResultReported},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			id := f.rent(f.list(), 1, 3_600)
			if !tc.pending {
				f.confirm(id)
			}
			msg := resultMsg(id)
			if tc.given != nil {
				tc.given(f)
			}
			if tc.msg != nil {
				tc.msg(msg)
			}
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.ReportResult, msg); return err })
		})
	}
}
