package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// finish lets a decided dispute run to its close, with no appeal.
func (c *court) finish(t *testing.T, id uint64) types.Dispute {
	t.Helper()
	d := c.dispute(t, id)
	for d.State != types.DISPUTE_STATE_CLOSED {
		d = c.next(t, id)
	}
	return d
}

// TestMoneyOfVerdicts plays each end of a dispute and compares who has more or
// less than before it, to the last unit: a claim of 250 GRAFI, bond 100.
func TestMoneyOfVerdicts(t *testing.T) {
	const lost = jurorBond / 10
	type ends struct {
		msg    *types.MsgOpenDispute
		votes  []types.Verdict
		atRisk int64 // of the provider; 0 for 1,000 GRAFI
		paid   int64
		moved  map[string]int64
		// each of the jurors that voted so; a silent one loses of its bond in the DAO's account
		yes, no int64
	}
	for name, e := range map[string]ends{
		"the renter wins, all agree": {msg: overRental(claim), votes: []types.Verdict{yes, yes, yes, yes, yes},
			paid: claim, moved: map[string]int64{"renter": claim, "stake": -claim - bond}, yes: bond / 5},
		"the renter wins, three of five": {msg: overRental(claim), votes: []types.Verdict{yes, yes, yes, no, no},
			paid: claim, moved: map[string]int64{"renter": claim, "stake": -claim - bond, "treasury": 1}, yes: bond / 3},
		"the renter loses": {msg: overRental(claim), votes: []types.Verdict{no, no, no, no, yes},
			moved: map[string]int64{"renter": -bond}, no: bond / 4},
		"a tie is a loss": {msg: overRental(claim), votes: []types.Verdict{yes, no, yes, no, silent},
			moved: map[string]int64{"renter": -bond, "treasury": lost}, no: bond / 2},
		"one voted": {msg: overRental(claim), votes: []types.Verdict{silent, silent, silent, silent, no},
			moved: map[string]int64{"renter": -bond, "treasury": 4 * lost}, no: bond},
		"the operator has the claim only": {msg: overRental(claim), votes: []types.Verdict{yes, yes, yes, yes, yes}, atRisk: claim,
			paid: claim, moved: map[string]int64{"renter": claim, "stake": -claim}},
		"the operator has less than the claim": {msg: overRental(claim), votes: []types.Verdict{yes, yes, yes, yes, yes}, atRisk: 7,
			paid: 7, moved: map[string]int64{"renter": 7, "stake": -7}},
		"the operator has nothing": {msg: overRental(claim), votes: []types.Verdict{yes, yes, yes, yes, yes}, atRisk: -1,
			moved: map[string]int64{}},
		"a slash was wrong": {msg: overSlash(60 * courtGrafi), votes: []types.Verdict{yes, yes, yes, no, no},
			paid: 60 * courtGrafi, moved: map[string]int64{"provider": 60 * courtGrafi, "insurance": -60*courtGrafi - bond/3*3}, yes: bond / 3},
		"a slash was right": {msg: overSlash(60 * courtGrafi), votes: []types.Verdict{no, no, no, no, no},
			moved: map[string]int64{"provider": -bond}, no: bond / 5},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCourt(t)
			switch {
			case e.atRisk < 0:
				c.stakes.atRisk[provider.String()] = 0
			case e.atRisk > 0:
				c.stakes.atRisk[provider.String()] = e.atRisk
			}
			money := c.money()
			id, panel := c.judge(t, e.msg, e.votes...)
			d := c.finish(t, id)
			require.Equal(t, e.paid, d.Paid.Int64())
			require.True(t, d.Funds().IsZero())
			for i, v := range e.votes {
				c.each(e.moved, panel[i:i+1], map[types.Verdict]int64{yes: e.yes, no: e.no}[v])
				if v == silent {
					e.moved["dao"] -= lost
				}
			}
			c.requireMoved(t, money, e.moved)
		})
	}
}

// TestInsuranceIsShort: the operator first, then the panel in equal parts, and
// a remainder stays.
func TestInsuranceIsShort(t *testing.T) {
	for name, tc := range map[string]struct{ has, paid, each int64 }{
		"for the operator":   {40 * courtGrafi, 40 * courtGrafi, 0},
		"for the panel":      {60*courtGrafi + 14, 60 * courtGrafi, 2},
		"by one for anybody": {60*courtGrafi + 4, 60 * courtGrafi, 0},
		"nothing":            {0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCourt(t)
			require.NoError(t, c.bank.SendCoinsFromModuleToAccount(c.ctx, stakingext.InsuranceAccount, outsider,
				sdk.NewCoins(sdk.NewInt64Coin(courtDenom, 5_000*courtGrafi-tc.has))))
			money := c.money()
			id, panel := c.judge(t, overSlash(60*courtGrafi), yes, yes, yes, yes, yes)
			d := c.finish(t, id)
			require.Equal(t, tc.paid, d.Paid.Int64())
			c.requireMoved(t, money, c.each(map[string]int64{"provider": tc.paid, "insurance": -tc.paid - 5*tc.each}, panel, tc.each))
		})
	}
}

// TestSlashOfAVerdict is what the verdict asks of x/staking-ext: the claim and
// the panel's fee, for the time of the close, into the DAO's account.
func TestSlashOfAVerdict(t *testing.T) {
	c := newCourt(t)
	id, _ := c.judge(t, overRental(claim), yes, yes, yes, yes, yes)
	require.Equal(t, []stakingext.SlashRequest{{
		Operator: provider, Fault: stakingext.FAULT_DISPUTE, FaultID: "dispute/1", Amount: math.NewInt(claim + bond),
		CommittedAt: courtStart, HoldIn: types.ModuleName,
	}}, c.stakes.slashes)
	d := c.dispute(t, id)
	require.Equal(t, claim+bond, d.Held.Int64())
	require.Equal(t, d.DecidedAt.Add(30*courtDay), *d.HoldUntil)
	decisions := c.export(t).Decisions
	require.Equal(t, []types.Decision{{
		Id: 1, Kind: types.DECISION_KIND_DISPUTE, Subject: "1", Outcome: types.DECISION_OUTCOME_UPHELD,
		Detail: "panel 1: 5 for the claim, 0 against", Time: *d.DecidedAt, Height: c.ctx.BlockHeight(),
	}}, decisions)
}

// TestPanelSleeps: nobody commits, or nobody reveals. Another panel without those
// jurors is drawn; when that sleeps too, the claim is dismissed, the bond returns,
// and both panels have lost a tenth of their bonds.
func TestPanelSleeps(t *testing.T) {
	const lost = jurorBond / 10
	for name, commits := range map[string]bool{"nobody commits": false, "nobody reveals": true} {
		t.Run(name, func(t *testing.T) {
			c := newCourt(t)
			money := c.money()
			id := c.open(t, overRental(claim))
			c.next(t, id)
			first := c.panel(t, id)
			if commits {
				c.commit(t, id, first[0], yes)
				require.Equal(t, types.DISPUTE_STATE_REVEAL, c.next(t, id).State)
			}
			d := c.next(t, id)
			require.Equal(t, types.DISPUTE_STATE_OPEN, d.State)
			require.Equal(t, c.now().Add(types.DrawDelay), d.DueAt)
			c.requireMoved(t, money, map[string]int64{"renter": -bond, "dao": bond - 5*lost, "treasury": 5 * lost})
			for _, who := range first {
				c.join(t, who) // fills its bond up, and still isn't drawn again
			}

			c.next(t, id)
			second := c.panel(t, id)
			require.Len(t, second, 3, "four jurors are left")
			require.NotSubset(t, first, second)
			for _, who := range second {
				require.NotContains(t, first, who)
			}
			if commits {
				c.commit(t, id, second[0], yes)
				c.next(t, id)
			}
			d = c.next(t, id)
			require.Equal(t, types.DISPUTE_STATE_DECIDED, d.State)
			require.Equal(t, no, d.Verdict)
			c.finish(t, id)
			c.requireMoved(t, money, c.each(map[string]int64{"dao": -3 * lost, "treasury": 8 * lost}, first, -lost))
		})
	}
}

// TestAppeals plays the ends of an appeal: bond 100, appeal bond 200, claim 250.
func TestAppeals(t *testing.T) {
	all := []types.Verdict{yes, yes, yes, yes, yes}
	none := []types.Verdict{no, no, no, no, no}
	split := []types.Verdict{yes, yes, no, no, no}
	type appealEnd struct {
		msg       *types.MsgOpenDispute
		votes     []types.Verdict
		appellant sdk.AccAddress
		verdict   types.Verdict // of the authority; silent for none in time
		paid      int64
		moved     map[string]int64
		yes, no   int64
	}
	for name, e := range map[string]appealEnd{
		"the operator loses again": {overRental(claim), all, provider, yes, claim,
			map[string]int64{"renter": claim, "provider": -2 * bond, "treasury": 2 * bond, "stake": -claim - bond}, bond / 5, 0},
		"the authority says nothing": {overRental(claim), all, provider, silent, claim,
			map[string]int64{"renter": claim, "provider": -2 * bond, "treasury": 2 * bond, "stake": -claim - bond}, bond / 5, 0},
		"the operator wins": {overRental(claim), all, provider, no, 0,
			map[string]int64{"renter": -bond, "provider": claim + bond, "stake": -claim - bond, "treasury": bond}, 0, 0},
		"the renter loses again": {overRental(claim), none, renter, no, 0,
			map[string]int64{"renter": -3 * bond, "treasury": 2 * bond}, 0, bond / 5},
		"the renter wins against all": {overRental(claim), none, renter, yes, claim,
			map[string]int64{"renter": claim, "stake": -claim}, 0, 0},
		"the renter wins with two": {overRental(claim), split, renter, yes, claim,
			map[string]int64{"renter": claim, "stake": -claim - bond}, bond / 2, 0},
		"a slash was wrong after all": {overSlash(60 * courtGrafi), none, provider, yes, 60 * courtGrafi,
			map[string]int64{"provider": 60 * courtGrafi, "insurance": -60 * courtGrafi}, 0, 0},
		"a slash was right after all": {overSlash(60 * courtGrafi), all, outsider, no, 0,
			map[string]int64{"provider": -bond, "treasury": bond}, 0, 0},
		"a slash stays wrong": {overSlash(60 * courtGrafi), all, outsider, yes, 60 * courtGrafi,
			map[string]int64{"provider": 60 * courtGrafi, "insurance": -60*courtGrafi - bond, "outsider": -2 * bond, "treasury": 2 * bond}, bond / 5, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCourt(t)
			money := c.money()
			id, panel := c.judge(t, e.msg, e.votes...)
			decidedAt := c.now()
			c.at(c.now().Add(7*courtDay - time.Second))
			c.appeal(t, id, e.appellant)
			if e.verdict == silent {
				c.next(t, id)
			} else {
				c.at(c.now().Add(21*courtDay - time.Second))
				require.NoError(t, c.send(decide(id, e.verdict)))
			}
			c.requireInvariants(t)
			if d := c.dispute(t, id); e.paid > 0 && d.Kind == types.DISPUTE_KIND_RENTAL {
				require.Equal(t, types.DISPUTE_STATE_HELD, d.State, "an award is never paid before the hold is over")
				require.Equal(t, decidedAt.Add(30*courtDay), d.DueAt)
			}
			d := c.finish(t, id)
			require.Equal(t, e.paid, d.Paid.Int64())
			for i, v := range e.votes {
				c.each(e.moved, panel[i:i+1], map[types.Verdict]int64{yes: e.yes, no: e.no}[v])
			}
			c.requireMoved(t, money, e.moved)
			for _, s := range c.stakes.slashes {
				age := c.now().Sub(s.CommittedAt)
				require.Positive(t, age)
			}
		})
	}
}

// TestLateAppealStillReachesTheStake: when an appeal ends after the unbonding
// time, the slash is asked for the oldest fault that x/staking-ext still takes.
func TestLateAppealStillReachesTheStake(t *testing.T) {
	c := newCourt(t)
	id, _ := c.judge(t, overRental(claim), no, no, no, no, no)
	c.appeal(t, id, renter)
	c.at(courtStart.Add(24 * courtDay))
	require.NoError(t, c.send(decide(id, yes)))
	require.Equal(t, courtStart.Add(3*courtDay+time.Nanosecond), c.stakes.slashes[0].CommittedAt)
	require.Equal(t, claim, c.dispute(t, id).Held.Int64())
	c.requireInvariants(t)
}

// TestHoldIsOverBeforeTheAppeal: an award is paid at once when the appeal ends
// after the hold.
func TestHoldIsOverBeforeTheAppeal(t *testing.T) {
	c := newCourt(t, func(p *types.Params) { p.HoldPeriod = 8 * courtDay })
	id, _ := c.judge(t, overRental(claim), yes, yes, yes, yes, yes)
	c.appeal(t, id, provider)
	require.Equal(t, types.DISPUTE_STATE_CLOSED, c.next(t, id).State)
	require.Equal(t, claim, c.dispute(t, id).Paid.Int64())
	c.requireInvariants(t)
}
