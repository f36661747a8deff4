package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// TestPrefixSumsFollowASlash: of 400 that left in two halves a slash took half.
// The next one sees what is left of that which left since its own fault.
func TestPrefixSumsFollowASlash(t *testing.T) {
	for name, tc := range map[string]struct {
		committed time.Duration // after the first half left
		leaving   int64
	}{
		"a fault before both":       {-time.Second, 200},
		"a fault with the first":    {0, 100},
		"a fault between the two":   {time.Second, 100},
		"a fault with the second":   {time.Hour, 0},
		"a fault after the second":  {time.Hour + time.Second, 0},
		"a fault a moment too soon": {-1, 200},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.register(t, alice, 0)
			f.delegate(t, dave, alice, 1_000)
			f.after(time.Hour)
			first := f.ctx.BlockTime()
			for range 2 {
				_, err := f.k.Undelegate(f.ctx, dave, alice, coin(200))
				require.NoError(t, err)
				f.after(time.Hour)
			}
			f.slashAmount(t, alice, 500, start) // half of 600 + 400
			require.Equal(t, "200", f.operator(t, alice).LeftTotal.String())

			f.slashAmount(t, alice, 30, first.Add(tc.committed))

			record, err := f.k.SlashRecord(f.ctx, alice, 2)
			require.NoError(t, err)
			require.Equal(t, 300+tc.leaving, record.RateDen.Int64(), "300 in the pool")
			gs := f.export(t)
			require.NoError(t, gs.Validate(f.k.AddressCodec()))
		})
	}
}

// TestMarksArePruned when the next one is older than any evidence, two at a
// time, and what is left says the same.
func TestMarksArePruned(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 0)
	f.delegate(t, dave, alice, 1_000)
	leave := func() {
		_, err := f.k.Undelegate(f.ctx, dave, alice, coin(10))
		require.NoError(t, err)
		f.at(f.ctx.BlockTime())
	}
	marks := func() (days []int) {
		for _, m := range f.export(t).Left {
			days = append(days, int(m.At.Sub(start)/day))
		}
		return days
	}
	for _, at := range []int{1, 2, 3} {
		f.at(start.Add(time.Duration(at) * day))
		leave()
	}
	origin := int(time.Unix(0, 0).Sub(start) / day)
	require.Equal(t, []int{origin, 1, 2, 3}, marks())
	// On day 23 evidence reaches back to day 2: the mark of day 2 is still asked for.
	f.at(start.Add(23 * day))
	require.NoError(t, f.k.EndBlock(f.ctx))
	leave()
	require.Equal(t, []int{2, 3, 23}, marks())
	f.slashAmount(t, alice, 10, start.Add(2*day))
	record, err := f.k.SlashRecord(f.ctx, alice, 1)
	require.NoError(t, err)
	require.Equal(t, int64(960+20), record.RateDen.Int64(), "days 3 and 23 left since")

	// With a longer unbonding time a fault may be older than all marks: what the
	// first one counts has arrived.
	params := types.DefaultParams()
	params.UnbondingTime = 60 * day
	require.NoError(t, f.k.UpdateParams(f.ctx, authority.String(), params))
	f.slashAmount(t, alice, 10, start.Add(day))
	record, err = f.k.SlashRecord(f.ctx, alice, 2)
	require.NoError(t, err)
	require.Equal(t, int64(951+20), record.RateDen.Int64(), "less the 9 and 0 of the first slash")
	f.requireInvariants(t)
}

// TestASlashIsRememberedWhenItsRecordIsNot: half of the 200 that left was taken on day 2,
// and the record of that is forgotten. Of a fault long after it nothing has left since.
func TestASlashIsRememberedWhenItsRecordIsNot(t *testing.T) {
	f := newFixture(t)
	f.register(t, alice, 0)
	f.delegate(t, dave, alice, 1_000)
	f.at(start.Add(day))
	_, err := f.k.Undelegate(f.ctx, dave, alice, coin(200))
	require.NoError(t, err)
	f.at(start.Add(2 * day))
	f.slashAmount(t, alice, 500, start) // half of 800 + 200
	f.at(start.Add(60 * day))
	require.NoError(t, f.k.EndBlock(f.ctx))
	_, err = f.k.SlashRecord(f.ctx, alice, 1)
	require.ErrorIs(t, err, types.ErrSlashNotFound)
	fault := f.ctx.BlockTime()
	f.at(start.Add(61 * day))
	_, err = f.k.Undelegate(f.ctx, dave, alice, coin(50))
	require.NoError(t, err)
	require.NoError(t, f.export(t).Validate(f.k.AddressCodec()))

	f.slashAmount(t, alice, 100, fault)

	record, err := f.k.SlashRecord(f.ctx, alice, 2)
	require.NoError(t, err)
	require.Equal(t, "100", record.LeftBefore.String(), "200 less the half of it")
	require.Equal(t, int64(350+50), record.RateDen.Int64(), "in the pool, and what left since")
	f.requireInvariants(t)
}
