package system

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/testutil/localnet"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

const (
	silentPort     = 27700
	neverPort      = 27800
	silentSlot     = 4 * time.Second
	neverStartedIn = 8 * time.Second
)

// TestSilentHost loses a host for good in the middle of a rental. The chain
// closes it alone, refunds from the start of the silence, and pays the service
// credit from the operator's stake.
func TestSilentHost(t *testing.T) {
	ctx := newContext(t, 3*time.Minute)
	m := newMarket(t, ctx, silentPort, localnet.Timing{Slot: silentSlot, StartTimeout: time.Minute})
	name := fmt.Sprintf("counter-silent-%d", time.Now().UnixNano())
	id := m.rent(t, ctx, counterManifest(t, m.Dir, counterImage(t, ctx), name), time.Hour)
	active := m.waitState(t, ctx, time.Minute, id, markettypes.RENTAL_STATE_ACTIVE)
	first := slotOf(*active.StartedAt) + 1 // the first whole slot of the rental
	eventually(t, ctx, time.Minute, "a slot with a sign of life", func() (bool, error) {
		return m.attested(ctx, first+1)
	})

	require.NoError(t, m.host.Agent.Kill())
	require.NoError(t, m.host.Executor.Kill())
	silentFrom := waitHeight(t, ctx, m.Nodes[0].RPC, 1) + 2 // what was under way has arrived
	waitHeight(t, ctx, m.Nodes[0].RPC, silentFrom)
	before := m.balance(t, ctx, "renter")

	closed := m.waitState(t, ctx, time.Minute, id, markettypes.RENTAL_STATE_CLOSED)
	require.Equal(t, markettypes.CLOSE_REASON_SILENT, closed.CloseReason)
	m.requireNobodySent(t, ctx, silentFrom+1)
	last := first
	for s := first; s < slotOf(*closed.ClosedAt); s++ {
		if up, err := m.attested(ctx, s); err == nil && up {
			last = s
		}
	}
	silence := time.Unix(int64(last+1)*int64(silentSlot/time.Second), 0)
	require.True(t, closed.PaidUntil.Equal(silence), "paid until %s, the silence began at %s", closed.PaidUntil, silence)
	served := int64(silence.Sub(*active.StartedAt) / time.Second)
	require.Equal(t, served*price/3600, closed.Paid.Int64())
	require.Equal(t, closed.Escrowed.Sub(closed.Paid), closed.Refunded)
	// Three of a few slots are far under every tier: the whole fee comes back too.
	require.Equal(t, before+closed.Refunded.Int64()+closed.Paid.Int64(), m.balance(t, ctx, "renter"))
	m.ledger(t, ctx, id) // adds up
	m.requireSound(t, ctx)

	// The workload is still there. A host that comes back hears that it isn't
	// rented any more.
	running, err := processes(name)
	require.NoError(t, err)
	require.Len(t, running, 1)
	require.NoError(t, m.host.Agent.Start())
	require.NoError(t, m.host.Executor.Start())
	eventually(t, ctx, 30*time.Second, "the end of the workload", func() (bool, error) {
		running, err := processes(name)
		return len(running) == 0, err
	})
}

// TestNeverStarted rents from a host that does nothing about it.
func TestNeverStarted(t *testing.T) {
	ctx := newContext(t, 2*time.Minute)
	m := newMarket(t, ctx, neverPort, localnet.Timing{Slot: silentSlot, StartTimeout: neverStartedIn})
	require.NoError(t, m.host.Agent.Kill())
	require.NoError(t, m.host.Executor.Kill())

	rented, err := m.Tx(ctx, "renter", "gpumarket", "rent", fmt.Sprint(m.listing), "1", "3600", fmt.Sprintf("%dugrafi", price), strings.Repeat("ab", 32))
	require.NoError(t, err)
	var id uint64
	_, err = fmt.Sscan(rented.Attribute("grafi.gpumarket.v1.EventRentalOpened", "rental_id"), &id)
	require.NoError(t, err)
	from := waitHeight(t, ctx, m.Nodes[0].RPC, 1)
	before := m.balance(t, ctx, "renter")
	pending, err := m.rental(ctx, id)
	require.NoError(t, err)
	require.Equal(t, markettypes.RENTAL_STATE_PENDING, pending.State)
	require.Equal(t, pending.CreatedAt.Add(neverStartedIn), pending.StartBy)

	closed := m.waitState(t, ctx, time.Minute, id, markettypes.RENTAL_STATE_CLOSED)
	require.Equal(t, markettypes.CLOSE_REASON_NOT_STARTED, closed.CloseReason)
	m.requireNobodySent(t, ctx, from+1)
	require.Equal(t, int64(price), closed.Escrowed.Int64())
	require.Equal(t, closed.Escrowed, closed.Refunded)
	require.True(t, closed.Paid.IsZero())
	require.Equal(t, before+price, m.balance(t, ctx, "renter"))
	free, err := m.query().Listing(ctx, &markettypes.QueryListingRequest{ListingId: m.listing})
	require.NoError(t, err)
	require.NotEmpty(t, free.FreeGpus, "the GPU can be rented again")
	m.requireSound(t, ctx)
}

func slotOf(at time.Time) uint64 { return uint64(at.Unix()) / uint64(silentSlot/time.Second) }

func (m *market) attested(ctx context.Context, slot uint64) (bool, error) {
	var hostID uint64
	if _, err := fmt.Sscan(m.host.ID, &hostID); err != nil {
		return false, err
	}
	resp, err := attestationtypes.NewQueryClient(m.client).HostSlot(ctx,
		&attestationtypes.QueryHostSlotRequest{HostId: hostID, Slot: slot})
	if err != nil {
		return false, err
	}
	return resp.Attested && len(resp.Up) > 0 && resp.Up[0], nil
}

// requireNobodySent sees that no block from this height on has a transaction.
func (m *market) requireNobodySent(t *testing.T, ctx context.Context, from int64) {
	t.Helper()
	last := waitHeight(t, ctx, m.Nodes[0].RPC, from)
	for h := from; h <= last; h++ {
		require.Empty(t, resultOf(t, ctx, m.Nodes[0].RPC, h).Txs, "block %d", h)
	}
}
