package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// undelegated returns dave's open entries, as they are stored.
func (f *fixture) undelegated(t testingT) []types.UndelegationView {
	t.Helper()
	resp, err := f.queries.Undelegations(f.ctx, &types.QueryUndelegationsRequest{Delegator: dave.String()})
	require.NoError(t, err)
	return resp.Undelegations
}

// TestSlashReachesWhatLeft: alice has nothing of her own. Dave delegated 1,000
// and takes 400 out. A slash for a fault before that reaches the entry, one for
// a fault at that moment or after it doesn't.
func TestSlashReachesWhatLeft(t *testing.T) {
	for name, tc := range map[string]struct {
		committed time.Duration // after the entry began
		pool      int64         // what 500 leave of 600
		owed      int64         // of the 400
	}{
		"fault a second before the entry":     {-time.Second, 300, 200},
		"fault a nanosecond before the entry": {-1, 300, 200},
		"fault at the moment of the entry":    {0, 100, 0},
		"fault a nanosecond after the entry":  {1, 100, 0},
		"fault a second after the entry":      {time.Second, 100, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.register(t, alice, 0)
			f.delegate(t, dave, alice, 1_000)
			f.after(time.Hour)
			entry, err := f.k.Undelegate(f.ctx, dave, alice, coin(400))
			require.NoError(t, err)
			f.after(time.Hour)

			result := f.slashAmount(t, alice, 500, entry.CreatedAt.Add(tc.committed))

			require.Equal(t, tc.pool, f.operator(t, alice).DelegatedTokens.Int64())
			require.Equal(t, 600-tc.pool, result.FromDelegated.Int64())
			require.Equal(t, tc.owed, result.Owed.Int64())
			views := f.undelegated(t)
			require.Len(t, views, 1)
			require.Equal(t, entry, views[0].Entry, "nothing was touched")
			require.Equal(t, tc.owed, views[0].Owed.Int64())

			// At its end the entry pays, and then it is paid.
			money := f.look(t).Money
			f.at(entry.CompletesAt)
			require.NoError(t, f.k.EndBlock(f.ctx))
			insurance := tc.owed / 5
			money["unbonding"] -= 400
			money["dave"] += 400 - tc.owed
			money["insurance"] += insurance
			money["supply"] -= tc.owed - insurance
			require.Equal(t, money, f.look(t).Money)
			completed := &types.EventUndelegationCompleted{
				Delegator: dave.String(), Operator: alice.String(), EntryId: 1, Amount: fmt.Sprint(400 - tc.owed),
			}
			if tc.owed == 0 {
				f.requireEvents(t, completed)
			} else {
				f.requireEvents(t, &types.EventDebtCollected{
					Delegator: dave.String(), Operator: alice.String(), EntryId: 1, Amount: "200", ToInsurance: "40", Burned: "160",
				}, completed)
			}
			f.requireInvariants(t)
		})
	}
}

// TestSlashFollowsARedelegation: dave moves 400 of his 1,000 from alice to bob,
// whose pool stands at half a token a share. A fault of alice before that costs
// the moved shares, and only them.
func TestSlashFollowsARedelegation(t *testing.T) {
	for name, tc := range map[string]struct {
		committed time.Duration // after the move
		owed      int64         // shares of bob's pool, of 800
	}{
		"fault a second before the move":     {-time.Second, 400},
		"fault a nanosecond before the move": {-1, 400},
		"fault at the moment of the move":    {0, 0},
		"fault a second after the move":      {time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.register(t, alice, 0)
			f.register(t, bob, 0)
			f.delegate(t, carol, bob, 200)
			f.slashPool(t, bob, 100)
			f.delegate(t, dave, alice, 1_000)
			f.after(time.Hour)
			entry, err := f.k.Redelegate(f.ctx, dave, alice, bob, coin(400))
			require.NoError(t, err)
			require.Equal(t, "800", entry.Shares.String())
			f.after(time.Hour)

			f.slashAmount(t, alice, 500, entry.CreatedAt.Add(tc.committed))

			require.Equal(t, "500", f.operator(t, bob).DelegatedTokens.String(), "bob's pool is not touched by the slash")
			resp, err := f.queries.Redelegations(f.ctx, &types.QueryRedelegationsRequest{Delegator: dave.String()})
			require.NoError(t, err)
			require.Len(t, resp.Redelegations, 1)
			require.Equal(t, entry, resp.Redelegations[0].Entry, "nothing was touched")
			require.Equal(t, tc.owed, resp.Redelegations[0].OwedShares.Int64())

			f.hooks.told()
			money := f.look(t).Money
			f.at(entry.CompletesAt)
			require.NoError(t, f.k.EndBlock(f.ctx))
			tokens := tc.owed / 2
			money["stake"] -= tokens
			money["insurance"] += tokens / 5
			money["supply"] -= tokens - tokens/5
			require.Equal(t, money, f.look(t).Money)
			shares, err := f.k.Delegation(f.ctx, dave, bob)
			require.NoError(t, err)
			require.Equal(t, 800-tc.owed, shares.Int64())
			require.Equal(t, 500-tokens, f.operator(t, bob).DelegatedTokens.Int64())
			carols, err := f.queries.Delegation(f.ctx, &types.QueryDelegationRequest{Delegator: carol.String(), Operator: bob.String()})
			require.NoError(t, err)
			require.Equal(t, "100", carols.Delegation.Tokens.String(), "nobody else pays")
			done := &types.EventRedelegationCompleted{Delegator: dave.String(), From: alice.String(), To: bob.String(), EntryId: 1}
			if tc.owed == 0 {
				f.requireEvents(t, done)
				require.Equal(t, []string{"bob had 0+500 of 0"}, f.hooks.told())
			} else {
				f.requireEvents(t, &types.EventDebtCollected{
					Delegator: dave.String(), Operator: alice.String(), RedelegatedTo: bob.String(), EntryId: 1,
					Amount: "200", ToInsurance: "40", Burned: "160",
				}, done)
				require.Equal(t, []string{"bob had 0+500 of 0", "dave had 800 of bob"}, f.hooks.told())
			}
			f.requireInvariants(t)
		})
	}
}

// TestEachSlashOnce: an entry answers for each slash once, for what the ones
// before left, whether it is touched in between or not.
func TestEachSlashOnce(t *testing.T) {
	for _, touched := range []bool{false, true} {
		t.Run(fmt.Sprintf("touched %t", touched), func(t *testing.T) {
			f := newFixture(t)
			f.register(t, alice, 0)
			f.delegate(t, dave, alice, 1_000)
			f.after(time.Hour)
			entry, err := f.k.Undelegate(f.ctx, dave, alice, coin(401))
			require.NoError(t, err)
			touch := func() {
				if touched {
					f.delegate(t, dave, alice, 1)
				}
			}
			before := entry.CreatedAt.Add(-time.Minute)
			f.after(time.Hour)
			f.slashAmount(t, alice, 500, before) // half of 599 + 401
			require.Equal(t, "200", f.undelegated(t)[0].Owed.String())
			touch()
			if touched {
				require.Equal(t, "201", f.undelegated(t)[0].Entry.Amount.String())
				require.Equal(t, "0", f.undelegated(t)[0].Owed.String())
			}
			// Half of what is left, and all that left since the fault is 201 (the prefix
			// sum says 201 too): asked 250 of 300 + 201, or of 301 + 201.
			tier := f.operator(t, alice).DelegatedTokens.Int64() + 201
			f.slashAmount(t, alice, 250, before)
			record, err := f.k.SlashRecord(f.ctx, alice, 2)
			require.NoError(t, err)
			require.Equal(t, tier, record.RateDen.Int64())
			touch()
			// A fault after the entry began doesn't count.
			f.slashAmount(t, alice, 10, entry.CreatedAt)
			touch()

			left := 201 - 201*250/tier
			f.at(entry.CompletesAt)
			require.NoError(t, f.k.EndBlock(f.ctx))
			events := f.ctx.EventManager().Events()
			want, err := sdk.TypedEventToEvent(&types.EventUndelegationCompleted{
				Delegator: dave.String(), Operator: alice.String(), EntryId: 1, Amount: fmt.Sprint(left),
			})
			require.NoError(t, err)
			require.Contains(t, events, want)
			require.Empty(t, f.undelegated(t))
			f.requireInvariants(t)
		})
	}
}

// TestAnEntryThatOwesEverything is gone when it is collected, and pays nobody.
func TestAnEntryThatOwesEverything(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 0)
	f.register(t, bob, 0)
	f.delegate(t, dave, alice, 1_000)
	f.after(time.Hour)
	entry, err := f.k.Undelegate(f.ctx, dave, alice, coin(400))
	require.NoError(t, err)
	_, err = f.k.Redelegate(f.ctx, dave, alice, bob, coin(300))
	require.NoError(t, err)
	f.slashAmount(t, alice, 1_000, start)
	require.True(t, f.operator(t, alice).DelegatedTokens.IsZero())
	money := f.look(t).Money

	f.at(entry.CompletesAt)
	require.NoError(t, f.k.EndBlock(f.ctx))

	money["unbonding"] -= 400
	money["stake"] -= 300
	money["insurance"] += 140
	money["supply"] -= 560
	require.Equal(t, money, f.look(t).Money)
	gs := f.export(t)
	require.Empty(t, gs.Undelegations)
	require.Empty(t, gs.Redelegations)
	require.True(t, f.operator(t, bob).DelegationShares.IsZero())
	f.requireInvariants(t)
}

// TestSlashBeforeTheEntryIsNotOwed: what was slashed in the pool isn't slashed
// again on its way out, even by a slash of the same block.
func TestSlashBeforeTheEntryIsNotOwed(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 0)
	f.delegate(t, dave, alice, 1_000)
	f.after(time.Hour)
	f.slashAmount(t, alice, 500, start)
	_, err := f.k.Undelegate(f.ctx, dave, alice, coin(100))
	require.NoError(t, err)
	require.Equal(t, "0", f.undelegated(t)[0].Owed.String())
	// The next one, in the same block for a fault before it, is.
	f.slashAmount(t, alice, 250, start.Add(time.Second))
	require.Equal(t, "50", f.undelegated(t)[0].Owed.String())
}
