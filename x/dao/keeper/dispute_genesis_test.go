package keeper_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/dao/types"
)

// fullCourt has a dispute in every state, one parked, a juror that is leaving,
// and votes.
func fullCourt(t *testing.T) *court {
	t.Helper()
	c := newCourt(t)
	for i := range uint64(8) {
		rental := courtRental()
		rental.Id = 1 + i
		c.market[rental.Id] = rental
	}
	over := func(i uint64) *types.MsgOpenDispute {
		msg := overRental(claim)
		msg.SubjectId = i
		return msg
	}
	closed, _ := c.judge(t, over(1), no, no, no, no, silent)
	require.Equal(t, types.DISPUTE_STATE_CLOSED, c.next(t, closed).State)
	c.at(courtStart.Add(time.Hour)) // a new court for the others, in the window
	c.judge(t, over(2), yes, yes, yes, no, no)
	c.next(t, 2) // held
	c.at(courtStart.Add(2 * time.Hour))
	c.judge(t, over(3), yes, yes, yes, no, no) // decided
	c.at(courtStart.Add(3 * time.Hour))
	c.judge(t, over(4), yes, yes, yes, no, no)
	c.appeal(t, 4, provider)
	c.at(courtStart.Add(4 * time.Hour))
	reveals := c.open(t, over(5))
	c.next(t, reveals)
	panel := c.panel(t, reveals)
	c.commit(t, reveals, panel[0], yes)
	c.commit(t, reveals, panel[1], no)
	c.next(t, reveals)
	require.NoError(t, c.send(reveal(reveals, panel[0], yes)))
	require.NoError(t, c.send(&types.MsgLeaveJury{Juror: panel[2].String()}))
	c.at(courtStart.Add(5 * time.Hour))
	commits := c.open(t, over(6))
	c.next(t, commits)
	c.commit(t, commits, c.panel(t, commits)[0], no)
	parked := c.open(t, over(7))
	height := c.ctx.BlockHeight()
	c.at(c.dispute(t, parked).DueAt)
	c.ctx = c.ctx.WithBlockHeight(height)
	require.NoError(t, c.k.EndBlock(c.ctx))
	c.open(t, over(8))
	c.requireInvariants(t)

	states := map[types.DisputeState]bool{}
	for _, d := range c.export(t).Disputes {
		states[d.State] = true
	}
	require.Len(t, states, len(types.DisputeState_name)-1, "a dispute in every state")
	require.True(t, c.dispute(t, parked).Parked)
	return c
}

func TestDisputesSurviveAnExport(t *testing.T) {
	c := fullCourt(t)
	gs := c.export(t)
	require.NoError(t, gs.Validate(nil))

	emptied := newEmptyCourt(t, c.money()["dao"])
	require.NoError(t, emptied.k.InitGenesis(emptied.ctx, gs))
	require.Equal(t, c.text(t, gs), c.text(t, emptied.export(t)))
	emptied.at(c.now())
	emptied.requireInvariants(t)

	// Both go on alike.
	emptied.ctx = emptied.ctx.WithBlockHeight(c.ctx.BlockHeight())
	emptied.market, emptied.stakes.voting = c.market, c.stakes.voting
	emptied.stakes.atRisk = maps.Clone(c.stakes.atRisk)
	for _, at := range []time.Duration{time.Hour, 3 * courtDay, 4 * courtDay, 12 * courtDay} {
		when := c.now().Add(at)
		c.end(t, when)
		emptied.end(t, when)
		require.Equal(t, c.text(t, c.export(t)), emptied.text(t, emptied.export(t)))
	}
}

// newEmptyCourt has no jurors, and money in the DAO's account for a genesis.
func newEmptyCourt(t *testing.T, funds int64) *court {
	t.Helper()
	c := newCourt(t)
	for _, j := range c.export(t).Jurors {
		require.NoError(t, c.send(&types.MsgLeaveJury{Juror: j.Address}))
	}
	c.fund(t, c.names["dao"], funds)
	return c
}

func TestBadDisputesInGenesis(t *testing.T) {
	c := fullCourt(t)
	for name, spoil := range map[string]func(gs *types.GenesisState){
		"no next id":                      func(gs *types.GenesisState) { gs.NextDisputeId = 0 },
		"an id that comes again":          func(gs *types.GenesisState) { gs.NextDisputeId = 8 },
		"a dispute twice":                 func(gs *types.GenesisState) { gs.Disputes = append(gs.Disputes, gs.Disputes[7]) },
		"two about one thing":             func(gs *types.GenesisState) { gs.Disputes[1].SubjectId = gs.Disputes[0].SubjectId },
		"no claimant":                     func(gs *types.GenesisState) { gs.Disputes[0].Claimant = "x" },
		"no operator":                     func(gs *types.GenesisState) { gs.Disputes[0].Operator = "" },
		"an operator that rents":          func(gs *types.GenesisState) { gs.Disputes[0].Operator = gs.Disputes[0].Claimant },
		"no claim":                        func(gs *types.GenesisState) { gs.Disputes[0].Claim = math.ZeroInt() },
		"a bond below nothing":            func(gs *types.GenesisState) { gs.Disputes[0].Bond = math.NewInt(-1) },
		"an unset bond":                   func(gs *types.GenesisState) { gs.Disputes[0].Bond = math.Int{} },
		"held beyond bounds":              func(gs *types.GenesisState) { gs.Disputes[1].Held = math.NewIntWithDecimal(1, 40) },
		"closed with a bond":              func(gs *types.GenesisState) { gs.Disputes[0].Bond = math.OneInt() },
		"closed at no time":               func(gs *types.GenesisState) { gs.Disputes[0].ClosedAt = nil },
		"held until no time":              func(gs *types.GenesisState) { gs.Disputes[1].HoldUntil = nil },
		"decided without a verdict":       func(gs *types.GenesisState) { gs.Disputes[2].Verdict = silent },
		"a verdict before the votes":      func(gs *types.GenesisState) { gs.Disputes[5].Verdict = yes },
		"an unknown state":                func(gs *types.GenesisState) { gs.Disputes[5].State = 40 },
		"no state":                        func(gs *types.GenesisState) { gs.Disputes[5].State = 0 },
		"a third round":                   func(gs *types.GenesisState) { gs.Disputes[5].Round = 3 },
		"an appeal by nobody":             func(gs *types.GenesisState) { gs.Disputes[3].Appellant = "" },
		"an appeal without a bond":        func(gs *types.GenesisState) { gs.Disputes[3].AppealBond = math.ZeroInt() },
		"an appellant that is no account": func(gs *types.GenesisState) { gs.Disputes[3].Appellant = "x" },
		"due at no time":                  func(gs *types.GenesisState) { gs.Disputes[3].DueAt = time.Time{} },
		"a juror twice":                   func(gs *types.GenesisState) { gs.Jurors = append(gs.Jurors, gs.Jurors[0]) },
		"a juror that is no account":      func(gs *types.GenesisState) { gs.Jurors[0].Address = "x" },
		"a juror's unset bond":            func(gs *types.GenesisState) { gs.Jurors[0].Bond = math.Int{} },
		"a juror's weight below nothing":  func(gs *types.GenesisState) { gs.Jurors[0].Weight = math.NewInt(-1) },
		"a juror of no time":              func(gs *types.GenesisState) { gs.Jurors[0].JoinedAt = time.Time{} },
		"a seat twice":                    func(gs *types.GenesisState) { gs.Seats = append(gs.Seats, gs.Seats[0]) },
		"a seat in no dispute":            func(gs *types.GenesisState) { gs.Seats[0].DisputeId = 77 },
		"a seat of no account":            func(gs *types.GenesisState) { gs.Seats[0].Juror = "x" },
		"a seat in no round":              func(gs *types.GenesisState) { gs.Seats[0].Round = 0 },
		"a short commitment":              func(gs *types.GenesisState) { gs.Seats[0].Commitment = []byte{1} },
		"a vote without a commitment":     func(gs *types.GenesisState) { gs.Seats[0].Commitment = nil },
		"an unknown vote":                 func(gs *types.GenesisState) { gs.Seats[0].Vote = 9 },
		"more money than there is":        func(gs *types.GenesisState) { gs.Jurors[0].Bond = gs.Jurors[0].Bond.AddRaw(1) },
	} {
		t.Run(name, func(t *testing.T) {
			gs := c.export(t)
			spoil(&gs)
			to := newEmptyCourt(t, c.money()["dao"])
			require.ErrorIs(t, to.k.InitGenesis(to.ctx, gs), types.ErrInvalidGenesis)
		})
	}
}

// TestInvariantsSeeSeats: what a genesis can't know by itself.
func TestInvariantsSeeSeats(t *testing.T) {
	c := fullCourt(t)
	for name, spoil := range map[string]func(gs *types.GenesisState){
		"a juror with a seat too many": func(gs *types.GenesisState) { gs.Jurors[0].OpenSeats++ },
		"leaving without an open seat": func(gs *types.GenesisState) { gs.Jurors[0].OpenSeats, gs.Jurors[0].Leaving = 0, true },
		"a party in its own panel":     func(gs *types.GenesisState) { gs.Seats[0].Juror = renter.String() },
		"an open seat without a juror": func(gs *types.GenesisState) { gs.Seats[len(gs.Seats)-1].Juror = outsider.String() },
	} {
		t.Run(name, func(t *testing.T) {
			gs := c.export(t)
			spoil(&gs)
			to := newEmptyCourt(t, c.money()["dao"])
			require.NoError(t, to.k.InitGenesis(to.ctx, gs))
			broken, err := to.k.CheckInvariants(to.ctx)
			require.NoError(t, err)
			require.NotEmpty(t, broken)
		})
	}
}

func TestDisputeQueries(t *testing.T) {
	c := fullCourt(t)
	mine, err := c.queries.Disputes(c.ctx, &types.QueryDisputesRequest{
		Claimant: renter.String(), Pagination: &query.PageRequest{Limit: 3},
	})
	require.NoError(t, err)
	require.Len(t, mine.Disputes, 3)
	rest, err := c.queries.Disputes(c.ctx, &types.QueryDisputesRequest{
		Claimant: renter.String(), Pagination: &query.PageRequest{Key: mine.Pagination.NextKey},
	})
	require.NoError(t, err)
	require.Len(t, rest.Disputes, 5)
	none, err := c.queries.Disputes(c.ctx, &types.QueryDisputesRequest{Claimant: outsider.String()})
	require.NoError(t, err)
	require.Empty(t, none.Disputes)
	all, err := c.queries.Disputes(c.ctx, &types.QueryDisputesRequest{})
	require.NoError(t, err)
	require.Equal(t, c.export(t).Disputes, all.Disputes)
	jurors, err := c.queries.Jurors(c.ctx, &types.QueryJurorsRequest{Pagination: &query.PageRequest{Limit: 2}})
	require.NoError(t, err)
	require.Equal(t, c.export(t).Jurors[:2], jurors.Jurors)
	one, err := c.queries.Dispute(c.ctx, &types.QueryDisputeRequest{DisputeId: 3})
	require.NoError(t, err)
	require.Len(t, one.Seats, 5)

	for _, bad := range []func() error{
		func() error { _, err := c.queries.Dispute(c.ctx, nil); return err },
		func() error {
			_, err := c.queries.Dispute(c.ctx, &types.QueryDisputeRequest{DisputeId: 99})
			return err
		},
		func() error { _, err := c.queries.Disputes(c.ctx, nil); return err },
		func() error {
			_, err := c.queries.Disputes(c.ctx, &types.QueryDisputesRequest{Claimant: "x"})
			return err
		},
		func() error { _, err := c.queries.Juror(c.ctx, nil); return err },
		func() error { _, err := c.queries.Juror(c.ctx, &types.QueryJurorRequest{Juror: "x"}); return err },
		func() error {
			_, err := c.queries.Juror(c.ctx, &types.QueryJurorRequest{Juror: outsider.String()})
			return err
		},
		func() error { _, err := c.queries.Jurors(c.ctx, nil); return err },
	} {
		require.Error(t, bad())
	}
}
