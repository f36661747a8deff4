package keeper_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// Steps of a dispute that tests begin from.

const (
	yes    = types.VERDICT_UPHELD
	no     = types.VERDICT_DISMISSED
	silent = types.VERDICT_UNSPECIFIED
)

func overRental(claim int64) *types.MsgOpenDispute {
	return &types.MsgOpenDispute{
		Claimant: renter.String(), Kind: types.DISPUTE_KIND_RENTAL, SubjectId: rentalID,
		Claim: math.NewInt(claim), StatementDigest: digest[:],
	}
}

func overSlash(claim int64) *types.MsgOpenDispute {
	return &types.MsgOpenDispute{
		Claimant: provider.String(), Kind: types.DISPUTE_KIND_SLASH, SubjectId: slashID,
		Claim: math.NewInt(claim), StatementDigest: digest[:],
	}
}

func (c *court) open(t courtT, msg *types.MsgOpenDispute) uint64 {
	t.Helper()
	resp, err := c.msgs.OpenDispute(c.ctx, msg)
	require.NoError(t, err)
	return resp.DisputeId
}

// next lets the dispute's state end, in a block at its due time.
func (c *court) next(t courtT, id uint64) types.Dispute {
	t.Helper()
	c.end(t, c.dispute(t, id).DueAt)
	return c.dispute(t, id)
}

// panel returns the jurors of the dispute's last round, in the order of their addresses.
func (c *court) panel(t courtT, id uint64) []sdk.AccAddress {
	t.Helper()
	resp, err := c.queries.Dispute(c.ctx, &types.QueryDisputeRequest{DisputeId: id})
	require.NoError(t, err)
	var panel []sdk.AccAddress
	for _, s := range resp.Seats {
		if s.Round == resp.Dispute.Round {
			panel = append(panel, sdk.MustAccAddressFromBech32(s.Juror))
		}
	}
	return panel
}

func salt(who sdk.AccAddress) []byte {
	s := sha256.Sum256(append([]byte("salt of "), who...))
	return s[:]
}

func (c *court) commitment(t courtT, id uint64, who sdk.AccAddress, vote types.Verdict) []byte {
	t.Helper()
	h := types.Commitment(courtChain, id, c.dispute(t, id).Round, who, vote, salt(who))
	return h[:]
}

func (c *court) commit(t courtT, id uint64, who sdk.AccAddress, vote types.Verdict) {
	t.Helper()
	_, err := c.msgs.CommitVote(c.ctx, &types.MsgCommitVote{
		Juror: who.String(), DisputeId: id, Commitment: c.commitment(t, id, who, vote),
	})
	require.NoError(t, err)
}

func reveal(id uint64, who sdk.AccAddress, vote types.Verdict) *types.MsgRevealVote {
	return &types.MsgRevealVote{Juror: who.String(), DisputeId: id, Vote: vote, Salt: salt(who)}
}

// vote lets the panel of a dispute in COMMIT vote, a silent one not at all, and
// ends its time. It returns the panel.
func (c *court) vote(t courtT, id uint64, votes ...types.Verdict) []sdk.AccAddress {
	t.Helper()
	panel := c.panel(t, id)
	require.Len(t, panel, len(votes))
	for i, v := range votes {
		if v != silent {
			c.commit(t, id, panel[i], v)
		}
	}
	if c.next(t, id).State == types.DISPUTE_STATE_REVEAL {
		for i, v := range votes {
			if v != silent {
				_, err := c.msgs.RevealVote(c.ctx, reveal(id, panel[i], v))
				require.NoError(t, err)
			}
		}
		c.next(t, id)
	}
	return panel
}

// judge opens a dispute and lets a panel vote.
func (c *court) judge(t courtT, msg *types.MsgOpenDispute, votes ...types.Verdict) (uint64, []sdk.AccAddress) {
	t.Helper()
	id := c.open(t, msg)
	require.Equal(t, types.DISPUTE_STATE_COMMIT, c.next(t, id).State)
	panel := c.vote(t, id, votes...)
	require.Equal(t, types.DISPUTE_STATE_DECIDED, c.dispute(t, id).State)
	return id, panel
}

func (c *court) appeal(t courtT, id uint64, who sdk.AccAddress) {
	t.Helper()
	_, err := c.msgs.Appeal(c.ctx, &types.MsgAppeal{Appellant: who.String(), DisputeId: id})
	require.NoError(t, err)
}

func decide(id uint64, verdict types.Verdict) *types.MsgDecideAppeal {
	return &types.MsgDecideAppeal{Authority: governance.String(), DisputeId: id, Verdict: verdict}
}

// nameOf is the name of an account in money().
func (c *court) nameOf(who sdk.AccAddress) string {
	for name, account := range c.names {
		if account.Equals(who) {
			return name
		}
	}
	return fmt.Sprintf("nobody %s", who)
}

// each adds the amount for each of the accounts to what moved.
func (c *court) each(moved map[string]int64, who []sdk.AccAddress, amount int64) map[string]int64 {
	for _, w := range who {
		moved[c.nameOf(w)] += amount
	}
	return moved
}

func addressesOf(who []sdk.AccAddress) []string {
	out := make([]string, len(who))
	for i, w := range who {
		out[i] = w.String()
	}
	return out
}

// jurorOf changes one juror of a state.
func jurorOf(gs *types.GenesisState, who sdk.AccAddress) *types.Juror {
	i := slices.IndexFunc(gs.Jurors, func(j types.Juror) bool { return j.Address == who.String() })
	return &gs.Jurors[i]
}

func seatOf(gs *types.GenesisState, who sdk.AccAddress) *types.PanelSeat {
	i := slices.IndexFunc(gs.Seats, func(s types.PanelSeat) bool { return s.Juror == who.String() })
	return &gs.Seats[i]
}

func ptr(t time.Time) *time.Time { return &t }
