package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// TestCourtLosesNothing plays random lives of a court. After each step the
// module's account is what the records say, the supply is untouched, a refused
// message changed nothing, and the state is a genesis. In the end all disputes
// close by themselves, all jurors can leave, and the account is empty.
func TestCourtLosesNothing(t *testing.T) {
	reached := map[string]int{}
	defer func() { t.Log(reached) }()
	rapid.Check(t, func(rt *rapid.T) {
		c := newCourt(rt, func(p *types.Params) {
			p.PanelSize = rapid.SampledFrom([]uint32{1, 3, 5, 9}).Draw(rt, "panel")
			p.UnrevealedSlashPpm = rapid.Uint64Range(0, types.PPM).Draw(rt, "lost")
			p.DisputeBond = math.NewInt(rapid.Int64Range(1, 1_000).Draw(rt, "bond"))
			p.JurorBond = math.NewInt(rapid.Int64Range(1, 1_000).Draw(rt, "juror bond"))
			p.DueBudget = rapid.Uint32Range(1, 4).Draw(rt, "budget")
			p.DisputeWindow = 30 * courtDay
		})
		c.stakes.atRisk[provider.String()] = rapid.Int64Range(0, 2_000).Draw(rt, "at risk")
		for i := range uint64(6) {
			rental, slash := courtRental(), courtSlash()
			rental.Id, slash.Id = 1+i, 1+i
			rental.Paid = math.NewInt(500)
			c.market[rental.Id], c.stakes.records[slash.Id] = rental, slash
		}
		people := []sdk.AccAddress{renter, provider, outsider}
		for i := range jurorsIn {
			people = append(people, juror(i))
		}
		supply := c.money()["supply"]
		anyone := rapid.SampledFrom(people)
		verdict := rapid.SampledFrom([]types.Verdict{yes, no})
		dispute := rapid.Uint64Range(1, 8)
		moment := func(rt *rapid.T) { // some of it passes, so that phases are hit in their middle
			steps := []time.Duration{time.Second, types.DrawDelay, 6 * time.Hour, courtDay, 4 * courtDay}
			c.at(c.now().Add(rapid.SampledFrom(steps).Draw(rt, "time")))
		}
		try := func(msg sdk.Msg) error {
			cached, write := c.ctx.CacheContext()
			outer := c.ctx
			c.ctx = cached
			err := c.send(msg)
			c.ctx = outer
			if err == nil {
				write()
			}
			return err
		}
		rt.Repeat(map[string]func(*rapid.T){
			"open": func(rt *rapid.T) {
				msg := overRental(rapid.Int64Range(1, 500).Draw(rt, "claim"))
				if rapid.Bool().Draw(rt, "slash") {
					msg = overSlash(rapid.Int64Range(1, 500).Draw(rt, "claim"))
				}
				msg.SubjectId = rapid.Uint64Range(1, 6).Draw(rt, "subject")
				_ = try(msg)
			},
			"jury": func(rt *rapid.T) {
				who := anyone.Draw(rt, "who")
				c.stakes.voting[who.String()] = rapid.Int64Range(900, 3_000).Draw(rt, "stake") * courtGrafi
				if rapid.Bool().Draw(rt, "leave") {
					_ = try(&types.MsgLeaveJury{Juror: who.String()})
				} else {
					_ = try(&types.MsgJoinJury{Juror: who.String()})
				}
			},
			// A panel votes in whatever phase it is, not always what it committed to.
			"panel": func(rt *rapid.T) {
				id := dispute.Draw(rt, "dispute")
				d, err := c.k.Dispute(c.ctx, id)
				if err != nil {
					return
				}
				for _, who := range c.panel(rt, id) {
					vote := rapid.SampledFrom([]types.Verdict{yes, no, silent}).Draw(rt, "vote")
					switch {
					case vote == silent:
					case d.State == types.DISPUTE_STATE_COMMIT:
						_ = try(&types.MsgCommitVote{Juror: who.String(), DisputeId: id, Commitment: c.commitment(rt, id, who, vote)})
					default:
						_ = try(reveal(id, who, vote))
					}
				}
			},
			// A whole trial, as far as it comes.
			"trial": func(rt *rapid.T) {
				id := dispute.Draw(rt, "dispute")
				votes := map[string]types.Verdict{}
				for range 3 {
					d, err := c.k.Dispute(c.ctx, id)
					if err != nil || d.Parked || d.Decided() {
						return
					}
					for _, who := range c.panel(rt, id) {
						switch d.State {
						case types.DISPUTE_STATE_COMMIT:
							vote := rapid.SampledFrom([]types.Verdict{yes, no, yes, no, silent}).Draw(rt, "vote")
							if vote != silent && try(&types.MsgCommitVote{Juror: who.String(), DisputeId: id, Commitment: c.commitment(rt, id, who, vote)}) == nil {
								votes[who.String()] = vote
							}
						case types.DISPUTE_STATE_REVEAL:
							_ = try(reveal(id, who, votes[who.String()]))
						}
					}
					if d.DueAt.After(c.now()) {
						c.end(rt, d.DueAt)
					}
				}
				if rapid.Bool().Draw(rt, "appealed") {
					for _, loser := range people {
						_ = try(&types.MsgAppeal{Appellant: loser.String(), DisputeId: id})
					}
				}
			},
			"appeal": func(rt *rapid.T) {
				_ = try(&types.MsgAppeal{Appellant: anyone.Draw(rt, "who").String(), DisputeId: dispute.Draw(rt, "dispute")})
			},
			"decide": func(rt *rapid.T) { _ = try(decide(dispute.Draw(rt, "dispute"), verdict.Draw(rt, "verdict"))) },
			"trouble": func(rt *rapid.T) {
				c.stakes.fails = nil
				if rapid.IntRange(0, 3).Draw(rt, "fails") == 0 {
					c.stakes.fails = types.ErrWrongState
				}
			},
			"resume": func(rt *rapid.T) {
				_ = try(&types.MsgResumeDispute{Sender: outsider.String(), DisputeId: dispute.Draw(rt, "dispute")})
			},
			"time": moment,
			"block": func(rt *rapid.T) {
				moment(rt)
				require.NoError(rt, c.k.EndBlock(c.ctx))
			},
			"": func(rt *rapid.T) {
				c.requireInvariants(rt)
				require.Equal(rt, supply, c.money()["supply"])
			},
		})

		c.stakes.fails = nil
		for i := range uint64(12) {
			_ = try(&types.MsgResumeDispute{Sender: outsider.String(), DisputeId: i})
		}
		for range 120 {
			c.end(rt, c.now().Add(8*courtDay))
		}
		require.Empty(rt, c.export(rt).Disputes)
		require.Empty(rt, c.export(rt).Seats)
		for _, j := range c.export(rt).Jurors {
			require.NoError(rt, c.send(&types.MsgLeaveJury{Juror: j.Address}))
		}
		require.Zero(rt, c.money()["dao"])
		require.Equal(rt, supply, c.money()["supply"])
		for event, n := range c.reached {
			reached[event] += n
		}
	})
	// The random lives are long enough to be worth something.
	for _, event := range []string{
		"PanelDrawn", "NoPanel", "PanelFailed", "VoteMissed", "VoteRevealed", "Verdict", "DisputeAppealed", "VerdictFinal",
		"DisputeClosed", "JurorLeaving", "JurorLeft",
	} {
		require.Positive(t, reached["grafi.dao.v1.Event"+event], "%s in %v", event, reached)
	}
}
