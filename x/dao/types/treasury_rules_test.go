package types_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	v1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/grafilab/grafi/x/dao/types"
)

var begin = time.Date(2026, 1, 1, 0, 0, 0, 500, time.UTC) // blocks begin between seconds

// TestVested: never less than before, never over the amount, whole at the end.
func TestVested(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seconds := rapid.Int64Range(1, int64(types.MaxStreamDuration/time.Second)).Draw(rt, "seconds")
		amount := math.NewIntFromUint64(rapid.Uint64Min(1).Draw(rt, "amount"))
		s := types.Stream{
			Amount: sdk.NewCoin("ugrafi", amount), StartsAt: begin, EndsAt: begin.Add(time.Duration(seconds) * time.Second),
		}
		second := rapid.Int64Range(0, seconds).Draw(rt, "second")
		at := begin.Add(time.Duration(second) * time.Second)

		vested := s.Vested(at)

		require.Equal(t, amount.MulRaw(second).QuoRaw(seconds).String(), vested.String())
		require.False(t, s.Vested(at.Add(-time.Second)).GT(vested))
		require.True(t, s.Vested(at.Add(time.Second-1)).Equal(vested) || second == seconds, "between two seconds nothing moves")
		require.True(t, s.Vested(begin.Add(-time.Hour)).IsZero())
		require.True(t, s.Vested(s.EndsAt).Equal(amount))
		require.True(t, s.Vested(s.EndsAt.AddDate(400, 0, 0)).Equal(amount), "over the longest duration that time can tell")
	})
}

// TestLargestStream: the largest amount over the longest time does not overflow.
func TestLargestStream(t *testing.T) {
	largest := math.NewIntFromUint64(1).Mul(math.NewIntWithDecimal(34, 37)) // 3.4 × 10^38 < 2^128
	coin := sdk.NewCoin("ugrafi", largest)
	require.NoError(t, types.CheckCoin(coin))
	s := types.Stream{Amount: coin, StartsAt: begin, EndsAt: begin.Add(types.MaxStreamDuration)}
	require.True(t, s.Vested(s.EndsAt.Add(-time.Second)).LT(largest))
}

// TestCountIsExact: what is voted is the sum of the powers, and the options add
// up to it but for the last digits.
func TestCountIsExact(t *testing.T) {
	c := types.NewCount()
	thirds := v1.WeightedVoteOptions{
		{Option: v1.OptionYes, Weight: "0.333333333333333333"}, {Option: v1.OptionNo, Weight: "0.666666666666666667"},
	}
	require.NoError(t, c.Add(math.LegacyNewDec(10), thirds))
	require.NoError(t, c.Add(math.LegacyNewDec(5), v1.NewNonSplitVoteOption(v1.OptionAbstain)))
	require.Equal(t, "15.000000000000000000", c.Voted.String())
	require.Equal(t, "3.333333333333333330", c.Results[v1.OptionYes].String())
	require.Equal(t, "6.666666666666666670", c.Results[v1.OptionNo].String())
	require.Equal(t, "5.000000000000000000", c.Results[v1.OptionAbstain].String())
	require.Equal(t, "0.000000000000000000", c.Results[v1.OptionNoWithVeto].String())
	err := c.Add(math.LegacyOneDec(), v1.WeightedVoteOptions{{Option: v1.OptionYes, Weight: "all"}})
	require.ErrorIs(t, err, types.ErrInvalidVote)
}

// TestParamsRanges names each param that is out of its range.
func TestParamsRanges(t *testing.T) {
	require.NoError(t, types.DefaultParams().Validate())
	for want, change := range map[string]func(*types.Params){
		"max_pause 0s, want 1s to 720h":                      func(p *types.Params) { p.MaxPause = 0 },
		"max_pause 721h":                                     func(p *types.Params) { p.MaxPause = 721 * time.Hour },
		"max_guardian_pause 337h0m0s, want 1s to 168h":       func(p *types.Params) { p.MaxGuardianPause = 337 * time.Hour },
		"max_guardian_pause 2h0m0s, want 1s to 1h0m0s":       func(p *types.Params) { p.MaxPause, p.MaxGuardianPause = time.Hour, 2*time.Hour },
		"guardian_interval 71h0m0s, want 72h0m0s":            func(p *types.Params) { p.GuardianInterval = 71 * time.Hour },
		"dispute_window 0s":                                  func(p *types.Params) { p.DisputeWindow = 0 },
		"commit_period 9s, want 10s":                         func(p *types.Params) { p.CommitPeriod = 9 * time.Second },
		"reveal_period 721h":                                 func(p *types.Params) { p.RevealPeriod = 721 * time.Hour },
		"hold_period -1ns":                                   func(p *types.Params) { p.HoldPeriod = -1 },
		"appeal_window 721h0m0s, want 10s to 720h":           func(p *types.Params) { p.AppealWindow = 721 * time.Hour },
		"appeal_period 0s":                                   func(p *types.Params) { p.AppealPeriod = 0 },
		"max_milestones 0, want 1 to 100":                    func(p *types.Params) { p.MaxMilestones = 0 },
		"max_milestones 101":                                 func(p *types.Params) { p.MaxMilestones = 101 },
		"max_jurors 4, want 5 to":                            func(p *types.Params) { p.MaxJurors = 4 },
		"panel_size 0":                                       func(p *types.Params) { p.PanelSize = 0 },
		"panel_size 4, want an odd number":                   func(p *types.Params) { p.PanelSize = 4 },
		"panel_size 23":                                      func(p *types.Params) { p.PanelSize = 23 },
		"unrevealed_slash_ppm 1000001, want 0 to 1000000":    func(p *types.Params) { p.UnrevealedSlashPpm = 1_000_001 },
		"due_budget 0, want 1":                               func(p *types.Params) { p.DueBudget = 0 },
		"dispute_bond 0":                                     func(p *types.Params) { p.DisputeBond = math.ZeroInt() },
		"juror_bond -1":                                      func(p *types.Params) { p.JurorBond = math.NewInt(-1) },
		"juror_bond <nil>":                                   func(p *types.Params) { p.JurorBond = math.Int{} },
		"min_juror_stake 2000000000000000000000000000000000": func(p *types.Params) { p.MinJurorStake = math.NewIntWithDecimal(2, 33) },
	} {
		p := types.DefaultParams()
		change(&p)
		err := p.Validate()
		require.ErrorIs(t, err, types.ErrInvalidParams, want)
		require.ErrorContains(t, err, want)
	}
}

// validGenesis has one record of each kind of this file's concern.
func validGenesis() types.GenesisState {
	gs := *types.DefaultGenesis()
	account := sdk.AccAddress("recipient___________").String()
	gs.Streams = []types.Stream{{
		Id: 1, Title: "s", Recipient: account, Amount: sdk.NewInt64Coin("ugrafi", 10), StartsAt: begin, EndsAt: begin.Add(time.Minute),
		Withdrawn: math.NewInt(3), Returned: math.ZeroInt(), State: types.STREAM_STATE_OPEN,
	}}
	gs.Grants = []types.Grant{{
		Id: 1, Title: "g", Recipient: account, Denom: "ugrafi", CreatedAt: begin, State: types.GRANT_STATE_OPEN,
		Milestones: []types.Milestone{{Title: "m", Amount: math.NewInt(1)}},
	}}
	gs.Pauses = []types.Pause{{TypeUrl: "/a.b.MsgC", Since: begin, Until: begin.Add(time.Hour), Reason: "r", PausedBy: account}}
	gs.GuardianPauses = []types.GuardianPause{{TypeUrl: "/a.b.MsgC", Since: begin}}
	gs.Decisions = []types.Decision{{
		Id: 1, Kind: types.DECISION_KIND_GRANT, Subject: "1", Outcome: types.DECISION_OUTCOME_CREATED, Time: begin, Height: 1,
	}}
	gs.NextStreamId, gs.NextGrantId, gs.NextDecisionId = 2, 2, 2
	return gs
}

// TestGenesisIsChecked: each wrong record is named.
func TestGenesisIsChecked(t *testing.T) {
	require.NoError(t, validGenesis().Validate(nil))
	for want, change := range map[string]func(*types.GenesisState){
		"stream 1 after 0, want ascending ids below the next one, 1": func(gs *types.GenesisState) { gs.NextStreamId = 1 },
		"stream 0 after 0":    func(gs *types.GenesisState) { gs.Streams[0].Id = 0 },
		"title is empty":      func(gs *types.GenesisState) { gs.Streams[0].Title = "" },
		"want more than 0":    func(gs *types.GenesisState) { gs.Streams[0].Amount.Amount = math.ZeroInt() },
		"from its start":      func(gs *types.GenesisState) { gs.Streams[0].EndsAt = begin },
		"withdrawn -1":        func(gs *types.GenesisState) { gs.Streams[0].Withdrawn = math.NewInt(-1) },
		"returned <nil>":      func(gs *types.GenesisState) { gs.Streams[0].Returned = math.Int{} },
		"open, and of":        func(gs *types.GenesisState) { gs.Streams[0].Withdrawn = math.NewInt(10) },
		"paid, and of":        func(gs *types.GenesisState) { gs.Streams[0].State = types.STREAM_STATE_PAID },
		"cancelled, and of":   func(gs *types.GenesisState) { gs.Streams[0].State = types.STREAM_STATE_CANCELLED },
		"stream 1: state":     func(gs *types.GenesisState) { gs.Streams[0].State = 9 },
		"grant 1 after 0":     func(gs *types.GenesisState) { gs.NextGrantId = 0 },
		"grant 1: title":      func(gs *types.GenesisState) { gs.Grants[0].Title = strings.Repeat("x", 201) },
		"0 milestones":        func(gs *types.GenesisState) { gs.Grants[0].Milestones = nil },
		"every milestone is":  func(gs *types.GenesisState) { gs.Grants[0].Milestones[0].ReleasedAt = &begin },
		"is not released":     func(gs *types.GenesisState) { gs.Grants[0].State = types.GRANT_STATE_PAID },
		"grant 1: state":      func(gs *types.GenesisState) { gs.Grants[0].State = 0 },
		"want each message":   func(gs *types.GenesisState) { gs.Pauses = append(gs.Pauses, gs.Pauses[0]) },
		"never":               func(gs *types.GenesisState) { gs.Pauses[0].TypeUrl = "/cosmos.gov.v1.MsgVote" },
		"reason is empty":     func(gs *types.GenesisState) { gs.Pauses[0].Reason = "" },
		"for 0s":              func(gs *types.GenesisState) { gs.Pauses[0].Until = begin },
		"guardian's pause of": func(gs *types.GenesisState) { gs.GuardianPauses = append(gs.GuardianPauses, gs.GuardianPauses[0]) },
		"an exit":             func(gs *types.GenesisState) { gs.GuardianPauses[0].TypeUrl = "/cosmos.bank.v1beta1.MsgSend" },
		"decision 1 after 0":  func(gs *types.GenesisState) { gs.NextDecisionId = 1 },
		"decision 1: kind":    func(gs *types.GenesisState) { gs.Decisions[0].Kind = 77 },
		"outcome DECISION":    func(gs *types.GenesisState) { gs.Decisions[0].Outcome = 0 },
		"subject \"\"":        func(gs *types.GenesisState) { gs.Decisions[0].Subject = "" },
	} {
		gs := validGenesis()
		change(&gs)
		err := gs.Validate(nil)
		require.ErrorIs(t, err, types.ErrInvalidGenesis, want)
		require.ErrorContains(t, err, want)
	}
}
