package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/attestation/keeper"
	"github.com/grafilab/grafi/x/attestation/types"
)

func TestQueries(t *testing.T) {
	f := fullState(t)
	q, gs := keeper.NewQueryServer(f.k), f.state()

	params, err := q.Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, gs.Params, params.Params)
	class, err := q.Class(f.ctx, &types.QueryClassRequest{Key: "sim"})
	require.NoError(t, err)
	require.Equal(t, types.SimClass(), class.Class)
	pending, err := q.PendingClasses(f.ctx, &types.QueryPendingClassesRequest{})
	require.NoError(t, err)
	require.Equal(t, gs.PendingClasses, pending.Classes)
	host, err := q.Host(f.ctx, &types.QueryHostRequest{HostId: 1})
	require.NoError(t, err)
	require.Equal(t, gs.Hosts[0], host.Host)
	require.Equal(t, gs.Gpus[:2], host.Gpus)
	for n, want := range map[uint64]uint64{1: 1, 50: 1, 3: 3} { // the old key of host 1 is still live
		byKey, err := q.HostByAgentKey(f.ctx, &types.QueryHostByAgentKeyRequest{AgentKey: public(agentKey(n))})
		require.NoError(t, err)
		require.Equal(t, want, byKey.Host.Id)
	}
	anchor, err := q.Anchor(f.ctx, &types.QueryAnchorRequest{Slot: startSlot})
	require.NoError(t, err)
	require.Equal(t, gs.Anchors[1], anchor.Anchor)
	slot, err := q.HostSlot(f.ctx, &types.QueryHostSlotRequest{HostId: 3, Slot: startSlot})
	require.NoError(t, err)
	require.Equal(t, &types.QueryHostSlotResponse{Attested: true, Up: []bool{true}}, slot)
	day, err := q.HostDay(f.ctx, &types.QueryHostDayRequest{HostId: 1, Day: startSlot / 144})
	require.NoError(t, err)
	require.Equal(t, &types.QueryHostDayResponse{SlotsUp: []uint32{1, 1}, SlotsPerDay: 144}, day)
	bits, err := q.Slot(f.ctx, &types.QuerySlotRequest{Slot: startSlot})
	require.NoError(t, err)
	require.Equal(t, gs.Up, bits.Up)
	sound, err := q.Invariants(f.ctx, &types.QueryInvariantsRequest{})
	require.NoError(t, err)
	require.Empty(t, sound.Broken)
}

func TestQueryErrors(t *testing.T) {
	f := fullState(t)
	q := keeper.NewQueryServer(f.k)
	for name, tc := range map[string]struct {
		run  func() error
		want codes.Code
	}{
		"unknown class": {func() error { _, err := q.Class(f.ctx, &types.QueryClassRequest{Key: "x"}); return err }, codes.NotFound},
		"unknown host":  {func() error { _, err := q.Host(f.ctx, &types.QueryHostRequest{HostId: 9}); return err }, codes.NotFound},
		"revoked key": {func() error {
			_, err := q.HostByAgentKey(f.ctx, &types.QueryHostByAgentKeyRequest{AgentKey: public(agentKey(2))})
			return err
		}, codes.NotFound},
		"no key":           {func() error { _, err := q.HostByAgentKey(f.ctx, &types.QueryHostByAgentKeyRequest{}); return err }, codes.NotFound},
		"open slot":        {func() error { _, err := q.Anchor(f.ctx, &types.QueryAnchorRequest{Slot: startSlot + 9}); return err }, codes.NotFound},
		"before the chain": {func() error { _, err := q.Slot(f.ctx, &types.QuerySlotRequest{Slot: 1}); return err }, codes.NotFound},
		"bad operator": {func() error {
			_, err := q.HostsByOperator(f.ctx, &types.QueryHostsByOperatorRequest{Operator: "x"})
			return err
		}, codes.InvalidArgument},
		"no request": {func() error { _, err := q.Hosts(f.ctx, nil); return err }, codes.InvalidArgument},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.want, status.Code(tc.run())) })
	}
}

func TestPages(t *testing.T) {
	f := fullState(t)
	q, gs := keeper.NewQueryServer(f.k), f.state()
	page := &query.PageRequest{Limit: 2}
	var all, own []types.Host
	for {
		resp, err := q.Hosts(f.ctx, &types.QueryHostsRequest{Pagination: page})
		require.NoError(t, err)
		require.LessOrEqual(t, len(resp.Hosts), 2)
		all = append(all, resp.Hosts...)
		if page = (&query.PageRequest{Limit: 2, Key: resp.Pagination.NextKey}); len(page.Key) == 0 {
			break
		}
	}
	require.Equal(t, gs.Hosts, all)
	page = &query.PageRequest{Limit: 2}
	for {
		resp, err := q.HostsByOperator(f.ctx, &types.QueryHostsByOperatorRequest{Operator: text(operator), Pagination: page})
		require.NoError(t, err)
		own = append(own, resp.Hosts...)
		if page = (&query.PageRequest{Limit: 2, Key: resp.Pagination.NextKey}); len(page.Key) == 0 {
			break
		}
	}
	require.Equal(t, gs.Hosts, own)
	none, err := q.HostsByOperator(f.ctx, &types.QueryHostsByOperatorRequest{Operator: text(other)})
	require.NoError(t, err)
	require.Empty(t, none.Hosts)
	classes, err := q.Classes(f.ctx, &types.QueryClassesRequest{Pagination: &query.PageRequest{Limit: 3}})
	require.NoError(t, err)
	require.Equal(t, gs.Classes[:3], classes.Classes)
}

func TestClock(t *testing.T) {
	f := newFixture(t)
	q := keeper.NewQueryServer(f.k)
	clock := func() *types.QueryClockResponse {
		resp, err := q.Clock(f.ctx, &types.QueryClockRequest{})
		require.NoError(t, err)
		return resp
	}
	require.Equal(t, &types.QueryClockResponse{
		Time: start, Slot: startSlot, Day: startSlot / 144, LastClosedSlot: startSlot - 1, OldestAcceptedSlot: startSlot,
	}, clock(), "nothing can be attested yet")
	f.slot(startSlot + 1)
	require.EqualValues(t, startSlot, clock().OldestAcceptedSlot)
	f.slot(startSlot + 2) // exactly the end of the window of the slot before
	require.EqualValues(t, startSlot, clock().OldestAcceptedSlot)
	f.at(f.ctx.BlockTime().Add(time.Second))
	require.EqualValues(t, startSlot+1, clock().OldestAcceptedSlot)
	f.slot(startSlot + 500) // a halt
	require.EqualValues(t, startSlot+2, clock().OldestAcceptedSlot, "all the slots of the halt")
	f.at(f.ctx.BlockTime().Add(601 * time.Second))
	require.EqualValues(t, startSlot+500, clock().OldestAcceptedSlot)
	require.EqualValues(t, startSlot+500, clock().LastClosedSlot)
}
