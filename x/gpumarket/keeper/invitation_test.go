package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/gpumarket/keeper"
	"github.com/grafilab/grafi/x/gpumarket/types"
)

const week = 7 * 86_400

// selectiveMarket has listing 1 for nobody yet, and the general listing 2.
func selectiveMarket(t *testing.T) *fixture {
	f := newFixture(t)
	msg := createMsg()
	msg.Tier = types.TIER_SELECTIVE
	_, err := deliver(f, f.msg.CreateListing, msg)
	require.NoError(t, err)
	f.offer(21, 1_000_000)
	f.beginBlock(start)
	return f
}

func (f *fixture) invite() error {
	_, err := deliver(f, f.msg.InviteRenter, &types.MsgInviteRenter{Operator: str(operator), ListingId: 1, Account: str(renter)})
	return err
}

func (f *fixture) answer(sender sdk.AccAddress, accept bool) error {
	_, err := deliver(f, f.msg.AnswerInvitation,
		&types.MsgAnswerInvitation{Sender: str(sender), ListingId: 1, Account: str(renter), Accept: accept})
	return err
}

func (f *fixture) revoke() error {
	_, err := deliver(f, f.msg.RevokeAccess, &types.MsgRevokeAccess{Operator: str(operator), ListingId: 1, Account: str(renter)})
	return err
}

func TestInvitationAndRequest(t *testing.T) {
	for by, asks := range map[types.InvitationSide]func(*fixture) error{
		types.INVITATION_SIDE_OPERATOR: (*fixture).invite,
		types.INVITATION_SIDE_RENTER: func(f *fixture) error {
			_, err := deliver(f, f.msg.RequestAccess, &types.MsgRequestAccess{Account: str(renter), ListingId: 1})
			return err
		},
	} {
		t.Run(by.String(), func(t *testing.T) {
			f := selectiveMarket(t)
			want := f.state()
			answers := renter
			if by == types.INVITATION_SIDE_RENTER {
				answers = operator
			}
			requireRefused(t, f, types.ErrNotAllowed, func() error { _, err := deliver(f, f.msg.Rent, rentMsg(1)); return err })

			require.NoError(t, asks(f))
			want.Invitations = []types.Invitation{
				{ListingId: 1, Account: str(renter), By: by, CreatedAt: start, ExpiresAt: after(week)},
			}
			requireState(t, f, want)
			requireEvents(t, f, &types.EventInvitationMade{ListingId: 1, Account: str(renter), By: by, ExpiresAt: after(week)})
			f.checkInvariants()
			requireRefused(t, f, types.ErrInvitationExists, func() error { return asks(f) })

			f.beginBlock(after(week - 1)) // its last second
			for _, other := range []sdk.AccAddress{operator, renter, stranger} {
				if !other.Equals(answers) {
					requireRefused(t, f, types.ErrNotOwner, func() error { return f.answer(other, true) })
				}
			}
			require.NoError(t, f.answer(answers, true))
			want.Invitations = nil
			want.Listings[0].AllowList = []string{str(renter)}
			requireState(t, f, want)
			requireEvents(t, f, &types.EventInvitationAnswered{ListingId: 1, Account: str(renter), Accepted: true})
			f.checkInvariants()
			requireRefused(t, f, types.ErrInvalidAllowList, func() error { return asks(f) })

			id := f.rent(1, 1, 60)
			f.beginBlock(after(week - 1))
			want = f.state()
			require.NoError(t, f.revoke())
			want.Listings[0].AllowList = nil
			requireState(t, f, want)
			requireEvents(t, f, &types.EventAccessRevoked{ListingId: 1, Account: str(renter)})
			require.True(t, f.rental(id).Open(), "its rentals go on")
			requireRefused(t, f, types.ErrNotAllowed, func() error { _, err := deliver(f, f.msg.Rent, rentMsg(1)); return err })
			requireRefused(t, f, types.ErrInvitationNotFound, f.revoke)
		})
	}
}

func TestInvitationEndsInItsSecond(t *testing.T) {
	f := selectiveMarket(t)
	require.NoError(t, f.invite())
	f.beginBlock(after(week)) // before the block's end removes it
	requireRefused(t, f, types.ErrInvitationNotFound, func() error { return f.answer(renter, true) })
	requireRefused(t, f, types.ErrInvitationNotFound, f.revoke)
	q := keeper.NewQueryServer(f.k)
	resp, err := q.Invitations(f.ctx, &types.QueryInvitationsRequest{ListingId: 1})
	require.NoError(t, err)
	require.Empty(t, resp.Invitations)

	require.NoError(t, f.invite(), "anew, over the one that is over")
	f.endBlock()
	require.Equal(t, after(2*week), f.state().Invitations[0].ExpiresAt)
	resp, err = q.Invitations(f.ctx, &types.QueryInvitationsRequest{Account: str(renter)})
	require.NoError(t, err)
	require.Len(t, resp.Invitations, 1)
	f.beginBlock(after(2*week - 1))
	f.endBlock()
	require.Len(t, f.state().Invitations, 1)
	f.beginBlock(after(2 * week))
	f.endBlock()
	require.Empty(t, f.state().Invitations)
}

// One block removes no more than its budget.
func TestInvitationsExpireInBoundedSteps(t *testing.T) {
	f := selectiveMarket(t)
	f.setParams(func(p *types.Params) { p.DeadlineBudget, p.InvitationLifetime = 2, time.Minute })
	for i := range byte(5) {
		msg := &types.MsgInviteRenter{Operator: str(operator), ListingId: 1, Account: str(sdk.AccAddress{19: i})}
		_, err := deliver(f, f.msg.InviteRenter, msg)
		require.NoError(t, err)
	}
	for _, left := range []int{3, 1, 0} {
		f.beginBlock(f.ctx.BlockTime().Add(time.Minute))
		f.endBlock()
		require.Len(t, f.state().Invitations, left)
	}
}

func TestInvitationDeclinedOrTakenBack(t *testing.T) {
	for name, end := range map[string]func(*fixture) error{
		"declined":   func(f *fixture) error { return f.answer(renter, false) },
		"taken back": (*fixture).revoke,
	} {
		f := selectiveMarket(t)
		want := f.state()
		require.NoError(t, f.invite())
		require.NoError(t, end(f), name)
		requireState(t, f, want, name)
		f.checkInvariants()
	}
}

func TestInvitationRefuses(t *testing.T) {
	invite := func(change func(*types.MsgInviteRenter)) func(*fixture) error {
		msg := &types.MsgInviteRenter{Operator: str(operator), ListingId: 1, Account: str(renter)}
		change(msg)
		return func(f *fixture) error { _, err := deliver(f, f.msg.InviteRenter, msg); return err }
	}
	ask := func(change func(*types.MsgRequestAccess)) func(*fixture) error {
		msg := &types.MsgRequestAccess{Account: str(renter), ListingId: 1}
		change(msg)
		return func(f *fixture) error { _, err := deliver(f, f.msg.RequestAccess, msg); return err }
	}
	full := func(f *fixture) {
		f.setParams(func(p *types.Params) { p.MaxInvitations = 1 })
		_, err := deliver(f, f.msg.RequestAccess, &types.MsgRequestAccess{Account: str(stranger), ListingId: 1})
		require.NoError(f.t, err)
	}
	withdrawn := func(f *fixture) { f.mustStatus(types.LISTING_STATUS_WITHDRAWN) }
	asked := func(f *fixture) {
		require.NoError(f.t, ask(func(*types.MsgRequestAccess) {})(f))
	}
	tests := map[string]struct {
		given func(*fixture)
		send  func(*fixture) error
		want  error
	}{
		"invite: bad operator":    {nil, invite(func(m *types.MsgInviteRenter) { m.Operator = "x" }), sdkerrors.ErrInvalidAddress},
		"invite: bad account":     {nil, invite(func(m *types.MsgInviteRenter) { m.Account = "" }), sdkerrors.ErrInvalidAddress},
		"invite: foreign listing": {nil, invite(func(m *types.MsgInviteRenter) { m.Operator = str(stranger) }), types.ErrNotOwner},
		"invite: unknown listing": {nil, invite(func(m *types.MsgInviteRenter) { m.ListingId = 9 }), types.ErrListingNotFound},
		"invite: general listing": {nil, invite(func(m *types.MsgInviteRenter) { m.ListingId = 2 }), types.ErrInvalidTier},
		"invite: oneself":         {nil, invite(func(m *types.MsgInviteRenter) { m.Account = str(operator) }), types.ErrOwnListing},
		"invite: module account":  {nil, invite(func(m *types.MsgInviteRenter) { m.Account = moduleAccount() }), types.ErrInvalidRenter},
		"invite: too many":        {full, invite(func(*types.MsgInviteRenter) {}), types.ErrTooManyInvitations},
		"invite: withdrawn":       {withdrawn, invite(func(*types.MsgInviteRenter) {}), types.ErrListingNotOpen},
		"ask: bad account":        {nil, ask(func(m *types.MsgRequestAccess) { m.Account = "" }), sdkerrors.ErrInvalidAddress},
		"ask: unknown listing":    {nil, ask(func(m *types.MsgRequestAccess) { m.ListingId = 9 }), types.ErrListingNotFound},
		"ask: own listing":        {nil, ask(func(m *types.MsgRequestAccess) { m.Account = str(operator) }), types.ErrOwnListing},
		"ask: general listing":    {nil, ask(func(m *types.MsgRequestAccess) { m.ListingId = 2 }), types.ErrInvalidTier},
		"ask: withdrawn":          {withdrawn, ask(func(*types.MsgRequestAccess) {}), types.ErrListingNotOpen},
		"ask: too many":           {full, ask(func(*types.MsgRequestAccess) {}), types.ErrTooManyInvitations},
		"answer: none":            {nil, func(f *fixture) error { return f.answer(renter, true) }, types.ErrInvitationNotFound},
		"answer: withdrawn": {func(f *fixture) { asked(f); withdrawn(f) },
			func(f *fixture) error { return f.answer(operator, true) }, types.ErrListingNotOpen},
		"answer: the list is full": {func(f *fixture) {
			asked(f)
			f.setParams(func(p *types.Params) { p.MaxAllowList = 1 })
			_, err := deliver(f, f.msg.InviteRenter, &types.MsgInviteRenter{Operator: str(operator), ListingId: 1, Account: str(stranger)})
			require.NoError(f.t, err)
			_, err = deliver(f, f.msg.AnswerInvitation,
				&types.MsgAnswerInvitation{Sender: str(stranger), ListingId: 1, Account: str(stranger), Accept: true})
			require.NoError(f.t, err)
		}, func(f *fixture) error { return f.answer(operator, true) }, types.ErrInvalidAllowList},
		"answer: bad sender": {asked, func(f *fixture) error {
			_, err := deliver(f, f.msg.AnswerInvitation, &types.MsgAnswerInvitation{ListingId: 1, Account: str(renter)})
			return err
		}, sdkerrors.ErrInvalidAddress},
		"revoke: what was asked for": {asked, (*fixture).revoke, types.ErrNotOwner},
		"revoke: nothing":            {nil, (*fixture).revoke, types.ErrInvitationNotFound},
		"revoke: foreign listing": {asked, func(f *fixture) error {
			_, err := deliver(f, f.msg.RevokeAccess, &types.MsgRevokeAccess{Operator: str(stranger), ListingId: 1, Account: str(renter)})
			return err
		}, types.ErrNotOwner},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := selectiveMarket(t)
			if tc.given != nil {
				tc.given(f)
			}
			requireRefused(t, f, tc.want, func() error { return tc.send(f) })
		})
	}
}
