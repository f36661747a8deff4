package keeper_test

import (
	"fmt"

	"cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// slashModel lets everything that the slash reaches pay at once.
func (l *life) slashModel(rt *rapid.T, req types.SlashRequest, result types.SlashResult, poolBefore math.Int) {
	record, err := l.k.SlashRecord(l.ctx, req.Operator, result.RecordID)
	require.NoError(rt, err)
	operator := req.Operator.String()

	// What left since the fault, against the prefix sums that the rate came from.
	leaving, entries := math.ZeroInt(), int64(0)
	for i, d := range l.gone[operator] {
		if d.at.After(req.CommittedAt) {
			leaving = leaving.Add(d.amount)
			entries++
			l.gone[operator][i].amount = d.amount.Sub(d.amount.Mul(record.RateNum).Quo(record.RateDen))
		}
	}
	if record.RateNum.IsPositive() {
		off := record.RateDen.Sub(poolBefore).Sub(leaving).Abs()
		require.True(rt, off.LTE(math.NewInt(entries*int64(l.faults))), "prefix sums say %s, entries are %s",
			record.RateDen.Sub(poolBefore), leaving)
		require.Equal(rt, poolBefore.Mul(record.RateNum).Quo(record.RateDen).String(), result.FromDelegated.String())
	}
	gs := l.export(rt)
	for _, e := range gs.Undelegations {
		if e.Operator == operator && e.CreatedAt.After(req.CommittedAt) {
			pay(l.undelegations, fmt.Sprint(e.Operator, e.Id), record)
		}
	}
	for _, e := range gs.Redelegations {
		if e.From == operator && e.CreatedAt.After(req.CommittedAt) {
			pay(l.redelegations, fmt.Sprint(e.To, e.Id), record)
		}
	}
}

func pay(model map[string]math.Int, id string, r types.SlashRecord) {
	left := model[id]
	model[id] = left.Sub(left.Mul(r.RateNum).Quo(r.RateDen))
}

// requireModel compares what is leaving with the eager model.
func (l *life) requireModel(rt *rapid.T, gs types.GenesisState) {
	for _, who := range l.people {
		u, err := l.queries.Undelegations(l.ctx, &types.QueryUndelegationsRequest{Delegator: who.String()})
		require.NoError(rt, err)
		for _, v := range u.Undelegations {
			require.Equal(rt, l.undelegations[fmt.Sprint(v.Entry.Operator, v.Entry.Id)].String(), v.Entry.Amount.Sub(v.Owed).String())
		}
		r, err := l.queries.Redelegations(l.ctx, &types.QueryRedelegationsRequest{Delegator: who.String()})
		require.NoError(rt, err)
		for _, v := range r.Redelegations {
			require.Equal(rt, l.redelegations[fmt.Sprint(v.Entry.To, v.Entry.Id)].String(), v.Entry.Shares.Sub(v.OwedShares).String())
		}
	}
	// Votes are never more than there is.
	votes := math.ZeroInt()
	for _, who := range l.people {
		v, err := l.k.VotingStake(l.ctx, who)
		require.NoError(rt, err)
		votes = votes.Add(v)
	}
	total, err := l.k.TotalStake(l.ctx)
	require.NoError(rt, err)
	require.True(rt, votes.LTE(total) && total.Sub(votes).LTE(math.NewInt(int64(len(gs.Delegations)))), "%s votes of %s", votes, total)
}

// burnedSoFar adds up what the events since the last time say was burned, and
// checks that what was paid at the end is what the model says.
func (l *life) burnedSoFar(rt *rapid.T) int64 {
	for _, e := range l.ctx.EventManager().Events() {
		parsed, err := sdk.ParseTypedEvent(sdkEvent(e))
		if err != nil {
			continue // of x/bank
		}
		amount := "0"
		switch event := parsed.(type) {
		case *types.EventSlashed:
			amount = event.Burned
		case *types.EventDebtCollected:
			amount = event.Burned
		case *types.EventUndelegationCompleted:
			id := fmt.Sprint(event.Operator, event.EntryId)
			require.Equal(rt, l.undelegations[id].String(), event.Amount)
			delete(l.undelegations, id)
		}
		burned, ok := math.NewIntFromString(amount)
		require.True(rt, ok)
		l.burned = l.burned.Add(burned)
	}
	l.at(l.ctx.BlockTime())
	return l.burned.Int64()
}

func sdkEvent(e sdk.Event) abci.Event { return abci.Event(e) }
