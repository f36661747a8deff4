package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/dao/types"
	gpumarket "github.com/grafilab/grafi/x/gpumarket/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// send delivers a message of disputes.
func (c *court) send(msg sdk.Msg) error {
	var err error
	switch m := msg.(type) {
	case *types.MsgOpenDispute:
		_, err = c.msgs.OpenDispute(c.ctx, m)
	case *types.MsgJoinJury:
		_, err = c.msgs.JoinJury(c.ctx, m)
	case *types.MsgLeaveJury:
		_, err = c.msgs.LeaveJury(c.ctx, m)
	case *types.MsgCommitVote:
		_, err = c.msgs.CommitVote(c.ctx, m)
	case *types.MsgRevealVote:
		_, err = c.msgs.RevealVote(c.ctx, m)
	case *types.MsgAppeal:
		_, err = c.msgs.Appeal(c.ctx, m)
	case *types.MsgDecideAppeal:
		_, err = c.msgs.DecideAppeal(c.ctx, m)
	case *types.MsgResumeDispute:
		_, err = c.msgs.ResumeDispute(c.ctx, m)
	}
	return err
}

// refusal is a message that must fail, with what the error must name.
type refusal struct {
	msg   sdk.Msg
	err   error
	names string
}

func (c *court) requireRefused(t *testing.T, r refusal) {
	t.Helper()
	c.at(c.now())
	before := c.look(t)
	err := c.send(r.msg)
	require.ErrorIs(t, err, r.err)
	require.ErrorContains(t, err, r.names)
	require.Equal(t, before, c.look(t), "a failed message leaves no trace")
	c.requireEvents(t)
}

func TestRefusedDisputes(t *testing.T) {
	rental := func(change func(*types.MsgOpenDispute)) sdk.Msg {
		msg := overRental(claim)
		change(msg)
		return msg
	}
	slash := func(change func(*types.MsgOpenDispute)) sdk.Msg {
		msg := overSlash(60 * courtGrafi)
		change(msg)
		return msg
	}
	active, foreign, byDispute := uint64(51), uint64(52), uint64(9)
	for name, r := range map[string]refusal{
		"a bad address":          {rental(func(m *types.MsgOpenDispute) { m.Claimant = "grafi1nobody" }), sdkerrors.ErrInvalidAddress, "grafi1nobody"},
		"no kind":                {rental(func(m *types.MsgOpenDispute) { m.Kind = 0 }), types.ErrInvalidDispute, "DISPUTE_KIND_UNSPECIFIED"},
		"an unknown kind":        {rental(func(m *types.MsgOpenDispute) { m.Kind = -7 }), types.ErrInvalidDispute, "-7"},
		"no subject":             {rental(func(m *types.MsgOpenDispute) { m.SubjectId = 0 }), types.ErrInvalidDispute, "subject_id 0"},
		"an unknown rental":      {rental(func(m *types.MsgOpenDispute) { m.SubjectId = 99 }), gpumarket.ErrRentalNotFound, "99"},
		"another's rental":       {rental(func(m *types.MsgOpenDispute) { m.Claimant = outsider.String() }), types.ErrNotAllowed, renter.String()},
		"one's own as operator":  {rental(func(m *types.MsgOpenDispute) { m.Claimant = provider.String() }), types.ErrNotAllowed, renter.String()},
		"a running rental":       {rental(func(m *types.MsgOpenDispute) { m.SubjectId = active }), types.ErrInvalidDispute, "RENTAL_STATE_ACTIVE"},
		"a rental in atoms":      {rental(func(m *types.MsgOpenDispute) { m.SubjectId = foreign }), types.ErrInvalidDispute, "uatom"},
		"no claim":               {rental(func(m *types.MsgOpenDispute) { m.Claim = math.Int{} }), types.ErrInvalidClaim, "<nil>"},
		"a claim of nothing":     {rental(func(m *types.MsgOpenDispute) { m.Claim = math.ZeroInt() }), types.ErrInvalidClaim, "0, want 1"},
		"a claim below nothing":  {rental(func(m *types.MsgOpenDispute) { m.Claim = math.NewInt(-1) }), types.ErrInvalidClaim, "-1"},
		"more than was paid":     {rental(func(m *types.MsgOpenDispute) { m.Claim = math.NewInt(claim + 1) }), types.ErrInvalidClaim, "250000001, want 1 to 250000000"},
		"a claim out of bounds":  {rental(func(m *types.MsgOpenDispute) { m.Claim = types.MaxDisputeAmount.AddRaw(1) }), types.ErrInvalidClaim, "1000000000000000000000001"},
		"no digest":              {rental(func(m *types.MsgOpenDispute) { m.StatementDigest = nil }), types.ErrInvalidDigest, "0 bytes, want 32"},
		"a long digest":          {rental(func(m *types.MsgOpenDispute) { m.StatementDigest = make([]byte, 33) }), types.ErrInvalidDigest, "33 bytes, want 32"},
		"an unknown slash":       {slash(func(m *types.MsgOpenDispute) { m.SubjectId = 99 }), stakingext.ErrSlashNotFound, ""},
		"another's slash":        {slash(func(m *types.MsgOpenDispute) { m.Claimant = renter.String() }), stakingext.ErrSlashNotFound, ""},
		"what stakers lost":      {slash(func(m *types.MsgOpenDispute) { m.Claim = math.NewInt(60*courtGrafi + 1) }), types.ErrInvalidClaim, "want 1 to 60000000"},
		"the slash of a dispute": {slash(func(m *types.MsgOpenDispute) { m.SubjectId = byDispute }), types.ErrInvalidDispute, "slash 9"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCourt(t)
			a, f, s := courtRental(), courtRental(), courtSlash()
			a.State, a.ClosedAt = gpumarket.RENTAL_STATE_ACTIVE, nil
			f.Price = sdk.NewInt64Coin("uatom", 1)
			s.Id, s.Fault = byDispute, stakingext.FAULT_DISPUTE
			c.market[active], c.market[foreign], c.stakes.records[byDispute] = a, f, s
			c.requireRefused(t, r)
		})
	}

	t.Run("a second one about it", func(t *testing.T) {
		c := newCourt(t)
		c.open(t, overRental(1))
		c.requireRefused(t, refusal{overRental(2), types.ErrDisputeExists, "dispute 1"})
		c.open(t, overSlash(1)) // about another thing
	})
	t.Run("without the bond", func(t *testing.T) {
		c := newCourt(t)
		rest := sdk.NewCoins(sdk.NewInt64Coin(courtDenom, courtFunds-bond+1))
		require.NoError(t, c.bank.SendCoins(c.ctx, renter, outsider, rest))
		c.requireRefused(t, refusal{overRental(claim), sdkerrors.ErrInsufficientFunds, "bond of a dispute of 100000000ugrafi"})
	})
}

func TestRefusedJurors(t *testing.T) {
	c := newCourt(t)
	c.stakes.voting[outsider.String()] = 1_000*courtGrafi - 1
	for _, r := range []refusal{
		{&types.MsgJoinJury{Juror: "x"}, sdkerrors.ErrInvalidAddress, `"x"`},
		{&types.MsgJoinJury{Juror: outsider.String()}, types.ErrStakeTooLow, "has 999999999, want at least 1000000000"},
		{&types.MsgLeaveJury{Juror: "x"}, sdkerrors.ErrInvalidAddress, `"x"`},
		{&types.MsgLeaveJury{Juror: outsider.String()}, types.ErrNotJuror, outsider.String()},
	} {
		c.requireRefused(t, r)
	}

	c.stakes.voting[juror(0).String()] = 0
	c.requireRefused(t, refusal{&types.MsgJoinJury{Juror: juror(0).String()}, types.ErrStakeTooLow, "has 0"})

	poor := sdk.AccAddress("poor________________")
	c.stakes.voting[poor.String()] = 1_000 * courtGrafi
	c.requireRefused(t, refusal{&types.MsgJoinJury{Juror: poor.String()}, sdkerrors.ErrInsufficientFunds, "bond of a juror of 500000000ugrafi"})

	full := newCourt(t, func(p *types.Params) { p.MaxJurors = jurorsIn })
	full.stakes.voting[outsider.String()] = 1_000 * courtGrafi
	full.requireRefused(t, refusal{&types.MsgJoinJury{Juror: outsider.String()}, types.ErrJuryFull, "9 jurors"})
	full.join(t, juror(3)) // one of them may still renew
}

func TestRefusedVotes(t *testing.T) {
	c := newCourt(t)
	id := c.open(t, overRental(claim))
	c.next(t, id)
	panel := c.panel(t, id)
	sits, stays := panel[0], panel[1]
	var stands sdk.AccAddress // a juror without a seat
	for i := range jurorsIn {
		if _, err := c.msgs.CommitVote(c.ctx, &types.MsgCommitVote{Juror: juror(i).String(), DisputeId: id, Commitment: digest[:]}); err != nil {
			stands = juror(i)
		}
	}
	commit := func(who string, dispute uint64, bz []byte) sdk.Msg {
		return &types.MsgCommitVote{Juror: who, DisputeId: dispute, Commitment: bz}
	}
	for _, r := range []refusal{
		{commit("x", id, digest[:]), sdkerrors.ErrInvalidAddress, `"x"`},
		{commit(sits.String(), 2, digest[:]), types.ErrDisputeNotFound, "id 2"},
		{commit(sits.String(), id, nil), types.ErrInvalidDigest, "0 bytes, want 32"},
		{commit(sits.String(), id, make([]byte, 64)), types.ErrInvalidDigest, "64 bytes, want 32"},
		{commit(stands.String(), id, digest[:]), types.ErrNoSeat, "panel 1 of dispute 1"},
		{commit(renter.String(), id, digest[:]), types.ErrNoSeat, "dispute 1"},
		{reveal(id, sits, yes), types.ErrWrongState, "DISPUTE_STATE_COMMIT, want DISPUTE_STATE_REVEAL"},
		{&types.MsgAppeal{Appellant: provider.String(), DisputeId: id}, types.ErrWrongState, "want DISPUTE_STATE_DECIDED"},
		{decide(id, yes), types.ErrWrongState, "want DISPUTE_STATE_APPEALED"},
		{&types.MsgResumeDispute{Sender: "x", DisputeId: id}, sdkerrors.ErrInvalidAddress, `"x"`},
		{&types.MsgResumeDispute{Sender: outsider.String(), DisputeId: id}, types.ErrWrongState, "not parked"},
		{&types.MsgResumeDispute{Sender: outsider.String(), DisputeId: 7}, types.ErrDisputeNotFound, "id 7"},
	} {
		c.requireRefused(t, r)
	}

	c.commit(t, id, sits, yes)
	c.commit(t, id, stays, no)
	c.next(t, id)
	require.NoError(t, c.send(reveal(id, stays, no)))
	change := func(f func(*types.MsgRevealVote)) sdk.Msg {
		msg := reveal(id, sits, yes)
		f(msg)
		return msg
	}
	for _, r := range []refusal{
		{commit(sits.String(), id, digest[:]), types.ErrWrongState, "DISPUTE_STATE_REVEAL, want DISPUTE_STATE_COMMIT"},
		{change(func(m *types.MsgRevealVote) { m.Juror = "x" }), sdkerrors.ErrInvalidAddress, `"x"`},
		{change(func(m *types.MsgRevealVote) { m.DisputeId = 3 }), types.ErrDisputeNotFound, "id 3"},
		{change(func(m *types.MsgRevealVote) { m.Vote = silent }), types.ErrInvalidVote, "VERDICT_UNSPECIFIED"},
		{change(func(m *types.MsgRevealVote) { m.Vote = 3 }), types.ErrInvalidVote, "3, want"},
		{change(func(m *types.MsgRevealVote) { m.Salt = m.Salt[:31] }), types.ErrInvalidVote, "31 bytes, want 32"},
		{change(func(m *types.MsgRevealVote) { m.Vote = no }), types.ErrCommitmentMismatch, ""},
		{change(func(m *types.MsgRevealVote) { m.Salt = salt(stays) }), types.ErrCommitmentMismatch, ""},
		{reveal(id, stands, yes), types.ErrNoSeat, "dispute 1"},
		{reveal(id, panel[2], yes), types.ErrCommitmentMismatch, ""},
		{reveal(id, stays, no), types.ErrAlreadyRevealed, stays.String()},
	} {
		c.requireRefused(t, r)
	}
}

func TestRefusedAppeals(t *testing.T) {
	c := newCourt(t)
	id, _ := c.judge(t, overRental(claim), yes, yes, yes, yes, yes)
	other, _ := c.judge(t, overSlash(courtGrafi), yes, yes, yes, yes, yes)
	appeal := func(who string, id uint64) sdk.Msg { return &types.MsgAppeal{Appellant: who, DisputeId: id} }
	for _, r := range []refusal{
		{appeal("x", id), sdkerrors.ErrInvalidAddress, `"x"`},
		{appeal(renter.String(), id), types.ErrNotLoser, renter.String()},
		{appeal(outsider.String(), id), types.ErrNotLoser, outsider.String()},
		{appeal(provider.String(), other), types.ErrNotLoser, provider.String()},
		{appeal(provider.String(), 9), types.ErrDisputeNotFound, "id 9"},
		{decide(id, no), types.ErrWrongState, "DISPUTE_STATE_DECIDED, want DISPUTE_STATE_APPEALED"},
	} {
		c.requireRefused(t, r)
	}
	short := sdk.NewCoins(sdk.NewInt64Coin(courtDenom, c.money()["provider"]-2*bond+1))
	require.NoError(t, c.bank.SendCoins(c.ctx, provider, outsider, short))
	c.requireRefused(t, refusal{appeal(provider.String(), id), sdkerrors.ErrInsufficientFunds, "bond of an appeal of 200000000ugrafi"})
	require.NoError(t, c.bank.SendCoins(c.ctx, outsider, provider, short))

	c.appeal(t, id, provider)
	c.appeal(t, other, outsider) // for the insurance account
	byProvider := decide(id, no)
	byProvider.Authority = provider.String()
	for _, r := range []refusal{
		{appeal(provider.String(), id), types.ErrWrongState, "DISPUTE_STATE_APPEALED, want DISPUTE_STATE_DECIDED"},
		{byProvider, sdkerrors.ErrUnauthorized, provider.String()},
		{decide(id, silent), types.ErrInvalidVote, "VERDICT_UNSPECIFIED"},
		{decide(id, 17), types.ErrInvalidVote, "17"},
		{decide(5, no), types.ErrDisputeNotFound, "id 5"},
	} {
		c.requireRefused(t, r)
	}
	require.NoError(t, c.send(decide(id, no)))
	c.requireRefused(t, refusal{decide(id, yes), types.ErrWrongState, "DISPUTE_STATE_CLOSED"})
}

// TestDisputedForEver: the subject stays taken after the dispute is closed, and
// when the record is removed its window is long over.
func TestDisputedForEver(t *testing.T) {
	c := newCourt(t)
	id, _ := c.judge(t, overRental(claim), no, no, no, no, no)
	require.Equal(t, types.DISPUTE_STATE_CLOSED, c.next(t, id).State)
	c.at(courtStart.Add(time.Hour)) // as if the window were still open
	c.requireRefused(t, refusal{overRental(claim), types.ErrDisputeExists, "dispute 1"})

	c.end(t, c.dispute(t, id).DueAt.Add(-time.Second))
	require.Len(t, c.export(t).Seats, 5)
	c.end(t, c.dispute(t, id).DueAt)
	require.Empty(t, c.export(t).Disputes)
	require.Empty(t, c.export(t).Seats)
	c.requireInvariants(t)
	c.requireRefused(t, refusal{overRental(claim), types.ErrDisputeWindow, "window ended at 2026-03-08T00:00:00Z"})
}
