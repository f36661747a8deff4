package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// insured is a rental of two GPUs of host 21 at 1 GRAFI an hour, with failover up
// to 2.5 GRAFI; host 22 costs 2 GRAFI, host 23 1.5.
func insured(t *testing.T) (*fixture, uint64) {
	f := newFixture(t)
	f.beginBlock(start)
	listing := f.offer(21, 1_000_000)
	f.offer(22, 2_000_000)
	f.offer(23, 1_500_000)
	msg := rentMsg(listing)
	msg.FailoverMaxPrice = ptr(coin(2_500_000))
	resp, err := deliver(f, f.msg.Rent, msg)
	require.NoError(t, err)
	require.Equal(t, int64(funds-5_000_000), f.balance(renter), "escrow of 2 and 3 in reserve")
	return f, resp.RentalId
}

func (f *fixture) hostDown(host uint64) {
	h := f.attestation.more[host]
	h.down = true
	f.attestation.more[host] = h
}

func TestFailoverOfARentalThatNeverStarts(t *testing.T) {
	f, id := insured(t)
	f.hostDown(23) // the cheaper one did not attest
	f.blocks(after(599), 60)
	require.True(t, f.rental(id).Open())
	f.beginBlock(after(600))
	f.endBlock()

	old, by := f.rental(id), f.rental(2<<types.RentalIDShift)
	require.Equal(t, types.CLOSE_REASON_NOT_STARTED, old.CloseReason)
	require.Equal(t, (&types.Failover{
		MaxPrice: coin(2_500_000), Reserve: math.ZeroInt(), ReplacedBy: by.Id, Moved: math.NewInt(2_000_000),
	}).String(), old.Failover.String())
	require.True(t, old.Refunded.IsZero())
	require.Equal(t, types.RENTAL_STATE_PENDING, by.State)
	require.Equal(t, uint64(22), by.HostId)
	require.Equal(t, []uint32{0, 1}, by.Gpus)
	require.Equal(t, uint64(3_600), by.DurationSeconds)
	require.Equal(t, math.NewInt(4_000_000), by.Escrow)
	require.Equal(t, id, by.Failover.Replaces)
	require.Equal(t, math.NewInt(1_000_000), by.Failover.Reserve)
	require.Equal(t, after(1_200), by.StartBy)
	require.Equal(t, int64(funds-5_000_000), f.balance(renter), "all of it is in use")
}

func TestFailoverOfTheUnservedTime(t *testing.T) {
	f, id := insured(t)
	f.confirm21(id)
	f.hostDown(21)
	f.blocks(judged(slotAt(start)+3).Add(-time.Second), 60)
	require.True(t, f.rental(id).Open())
	f.beginBlock(judged(slotAt(start) + 3))
	f.endBlock()

	old, by := f.rental(id), f.rental(3<<types.RentalIDShift)
	require.Equal(t, types.CLOSE_REASON_SILENT, old.CloseReason)
	require.Equal(t, math.NewInt(333_333), old.Paid, "600 s of 2 GPUs at 1,000,000 an hour")
	require.Equal(t, uint64(3_000), by.DurationSeconds)
	require.Equal(t, math.NewInt(2_500_000), by.Escrow, "3,000 s of 2 GPUs at 1,500,000 an hour")
	require.Equal(t, math.NewInt(1_666_666), by.Failover.Reserve, "the same at 2,500,000 is 4,166,666")
	require.Equal(t, math.NewInt(1_666_667), old.Failover.Moved, "all that was left of the escrow")
	require.True(t, old.Refunded.IsZero())
	held := old.Paid.Int64() + by.Held().Int64()
	require.Equal(t, int64(5_000_000-500_001), held)
	require.GreaterOrEqual(t, f.balance(renter), funds-held, "the rest of the reserve is back")

	// The replacement can die too, and is replaced again: by nobody, now.
	f.hostDown(22)
	f.blocks(by.StartBy, 60)
	second := f.rental(by.Id)
	require.Equal(t, types.CLOSE_REASON_NOT_STARTED, second.CloseReason)
	require.Zero(t, second.Failover.ReplacedBy)
	require.True(t, second.Failover.Reserve.IsZero())
	require.Equal(t, math.NewInt(2_500_000), second.Refunded)
}

func (f *fixture) confirm21(id uint64) {
	f.t.Helper()
	msg := confirmMsg(id)
	msg.AgentSignature = sign(types.DomainStart,
		&types.StartReport{ChainId: chainID, HostId: f.rental(id).HostId, RentalId: id, ManifestDigest: digest})
	_, err := deliver(f, f.msg.ConfirmStart, msg)
	require.NoError(f.t, err)
}

// Without a place to go the renter has its money back, and the close goes on.
func TestFailoverThatFails(t *testing.T) {
	f, id := insured(t)
	f.hostDown(22)
	f.hostDown(23)
	f.blocks(after(599), 60)
	f.beginBlock(after(600))
	f.endBlock()
	old := f.rental(id)
	require.Equal(t, types.CLOSE_REASON_NOT_STARTED, old.CloseReason)
	require.Equal(t, int64(funds), f.balance(renter))
	require.Len(t, f.state().Rentals, 1)
	var failed bool
	for _, e := range f.events() {
		failed = failed || e.Type == "grafi.gpumarket.v1.EventFailoverFailed"
	}
	require.True(t, failed)
}

func TestFailoverIsForFaultsOnly(t *testing.T) {
	f, id := insured(t)
	f.confirm21(id)
	f.beginBlock(after(60))
	_, err := deliver(f, f.msg.CloseRental, &types.MsgCloseRental{Sender: str(renter), RentalId: id})
	require.NoError(t, err)
	f.endBlock()
	require.Len(t, f.state().Rentals, 1)
	require.Equal(t, int64(funds)-f.rental(id).Paid.Int64(), f.balance(renter), "the reserve is back")
}

// An extension is covered by the reserve as well.
func TestExtendRaisesTheFailoverReserve(t *testing.T) {
	f, id := insured(t)
	f.confirm21(id)
	_, err := deliver(f, f.msg.ExtendRental, &types.MsgExtendRental{Renter: str(renter), RentalId: id, Seconds: 1_800})
	require.NoError(t, err)
	r := f.rental(id)
	require.Equal(t, math.NewInt(3_000_000), r.Escrow)
	require.Equal(t, math.NewInt(4_500_000), r.Failover.Reserve)
	require.Equal(t, int64(funds-7_500_000), f.balance(renter))
	f.checkInvariants()
}
