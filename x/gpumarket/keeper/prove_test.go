package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

func proveMsg() *types.MsgProveRental {
	return &types.MsgProveRental{Renter: str(renter), RentalId: firstRental}
}

func TestProveRental(t *testing.T) {
	f := newFixture(t)
	id := f.active(2, 7_200)
	f.beginBlock(after(60))
	want := f.state()

	_, err := deliver(f, f.msg.ProveRental, proveMsg())

	require.NoError(t, err)
	want.Rentals[0].ProofAskedAt = ptr(after(60))
	requireState(t, f, want)
	requireEvents(t, f, &types.EventProofAsked{RentalId: id, HostId: hostID, Ordinals: want.Rentals[0].Gpus})
	asked := []challenge{{hostID, want.Rentals[0].Gpus, str(renter)}}
	require.Equal(t, asked, f.attestation.challenges)

	f.beginBlock(after(60 + 3_599))
	requireRefused(t, f, types.ErrProofTooSoon, func() error { _, err := deliver(f, f.msg.ProveRental, proveMsg()); return err })
	f.beginBlock(after(60 + 3_600))
	_, err = deliver(f, f.msg.ProveRental, proveMsg())
	require.NoError(t, err)
	require.Len(t, f.attestation.challenges, 2)
	f.checkInvariants()
}

func TestProveRentalRefuses(t *testing.T) {
	tests := map[string]struct {
		given func(*fixture)
		msg   func(*types.MsgProveRental)
		want  error
	}{
		"unknown rental": {msg: func(m *types.MsgProveRental) { m.RentalId++ }, want: types.ErrRentalNotFound},
		"bad address":    {msg: func(m *types.MsgProveRental) { m.Renter = "x" }, want: sdkerrors.ErrInvalidAddress},
		"operator":       {msg: func(m *types.MsgProveRental) { m.Renter = str(operator) }, want: types.ErrNotOwner},
		"closed":         {given: func(f *fixture) { f.close(renter, firstRental) }, want: types.ErrNotActive},
		"over":           {given: func(f *fixture) { f.beginBlock(after(600)) }, want: types.ErrNotActive},
		"challenge open": {given: func(f *fixture) { f.attestation.busy = attestationtypes.ErrChallengeOpen }, want: attestationtypes.ErrChallengeOpen},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.active(1, 600)
			msg := proveMsg()
			if tc.given != nil {
				tc.given(f)
			}
			if tc.msg != nil {
				tc.msg(msg)
			}
			requireRefused(t, f, tc.want, func() error { _, err := deliver(f, f.msg.ProveRental, msg); return err })
		})
	}
}

// TestRentedGPUsAreExcused: those in a rental now, or in one that begins before an
// answer would be due.
func TestRentedGPUsAreExcused(t *testing.T) {
	f := newFixture(t)
	f.active(1, 600) // GPU 0
	excused := func(at time.Time) []uint32 {
		got, err := f.k.Hooks().BeforeChallenge(f.ctx.WithBlockTime(at), hostID, []uint32{0, 1, 2})
		require.NoError(t, err)
		return got
	}
	require.Equal(t, []uint32{0}, excused(after(0)))
	require.Equal(t, []uint32{0}, excused(after(599)))
	require.Empty(t, excused(after(600)))
	require.Equal(t, []uint32{0}, excused(after(-599)))
	require.Empty(t, excused(after(0).Add(-attestationtypes.LongestAnswer)))
}
