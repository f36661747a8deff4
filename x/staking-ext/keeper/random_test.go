package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// TestNothingIsLost plays random lives of three operators. After every step the
// invariants hold, what a slash took is what its parts add up to, an entry begun
// before the fault is untouched, and supply + everything burned is the supply at
// the start.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		gs := types.DefaultGenesis()
		gs.Params.UnbondingBudget = uint32(rapid.IntRange(1, 3).Draw(rt, "budget"))
		gs.Params.ReporterSharePpm = rapid.Uint64Range(0, types.PPM).Draw(rt, "reporter share")
		gs.Params.InsuranceSharePpm = rapid.Uint64Range(0, types.PPM-gs.Params.ReporterSharePpm).Draw(rt, "insurance share")
		gs.Params.EquivocationSlashPpm = rapid.Uint64Range(1, types.PPM).Draw(rt, "equivocation share")
		gs.Params.MinStakePerGpu = math.NewInt(100)
		f := newFixtureWith(rt, gs)
		supply, burned := f.look(rt).Money["supply"], int64(0)
		people := []sdk.AccAddress{alice, bob, carol}
		anyone := rapid.SampledFrom(people)
		for _, p := range people {
			f.register(rt, p, rapid.Int64Range(0, 5_000).Draw(rt, "first bond"))
		}
		// A refused step must change nothing, so each runs in a cached context.
		try := func(step func(ctx sdk.Context) error) {
			cached, write := f.ctx.CacheContext()
			if step(cached) == nil {
				write()
			}
		}
		slash := func(do func(ctx sdk.Context, req types.SlashRequest) (types.SlashResult, error)) {
			req := types.SlashRequest{
				Operator: anyone.Draw(rt, "operator"), Fault: types.FAULT_EQUIVOCATION,
				FractionPPM: rapid.Uint64Range(1, types.PPM).Draw(rt, "fraction"),
				CommittedAt: f.ctx.BlockTime().Add(-time.Duration(rapid.Int64Range(0, 40*24*3600).Draw(rt, "age")) * time.Second),
				VictimLoss:  math.NewInt(rapid.Int64Range(0, 3_000).Draw(rt, "loss")),
			}
			if rapid.Bool().Draw(rt, "victim?") {
				req.Victim = anyone.Draw(rt, "victim")
			}
			if rapid.Bool().Draw(rt, "reporter?") {
				req.Reporter = anyone.Draw(rt, "reporter")
			}
			before := unreached(f.export(rt).Unbonding, req)
			result, err := do(f.ctx, req)
			require.NoError(rt, err)
			require.Equal(rt, before, unreached(f.export(rt).Unbonding, req))
			require.Equal(rt, result.Taken().String(),
				result.Victim.Add(result.Reporter).Add(result.Insurance).Add(result.Burned).String())
			burned += result.Burned.Int64()
		}

		rt.Repeat(map[string]func(*rapid.T){
			"bond": func(rt *rapid.T) {
				amount := coin(rapid.Int64Range(-1, 5_000).Draw(rt, "amount"))
				try(func(ctx sdk.Context) error { return f.k.Bond(ctx, anyone.Draw(rt, "operator"), amount) })
			},
			"unbond": func(rt *rapid.T) {
				amount := coin(rapid.Int64Range(0, 2_000).Draw(rt, "amount"))
				try(func(ctx sdk.Context) error {
					_, err := f.k.Unbond(ctx, anyone.Draw(rt, "operator"), amount)
					return err
				})
			},
			"GPU": func(rt *rapid.T) {
				operator, ordinal := anyone.Draw(rt, "operator"), rapid.Uint32Range(0, 3).Draw(rt, "ordinal")
				try(func(ctx sdk.Context) error {
					switch rapid.IntRange(0, 2).Draw(rt, "change") {
					case 0:
						return f.k.SetGPU(ctx, operator, 1, ordinal, rapid.Uint64Range(0, 30*types.PPM).Draw(rt, "weight"))
					case 1:
						return f.k.SetListedPrice(ctx, operator, 1, ordinal, math.NewInt(rapid.Int64Range(-1, 50).Draw(rt, "price")))
					default:
						return f.k.RemoveGPU(ctx, operator, 1, ordinal)
					}
				})
			},
			"slash": func(*rapid.T) {
				slash(func(ctx sdk.Context, r types.SlashRequest) (types.SlashResult, error) { return f.k.Slash(ctx, r) })
			},
			"equivocation": func(*rapid.T) {
				slash(func(ctx sdk.Context, r types.SlashRequest) (types.SlashResult, error) {
					return f.k.SlashEquivocation(ctx, r)
				})
			},
			"unjail": func(rt *rapid.T) {
				try(func(ctx sdk.Context) error { return f.k.Unjail(ctx, anyone.Draw(rt, "operator")) })
			},
			"block": func(rt *rapid.T) {
				f.after(time.Duration(rapid.Int64Range(0, 10*24*3600).Draw(rt, "seconds")) * time.Second)
				require.NoError(rt, f.k.EndBlock(f.ctx))
			},
			"": func(rt *rapid.T) {
				f.requireInvariants(rt)
				require.Equal(rt, supply, f.look(rt).Money["supply"]+burned)
				gs := f.export(rt)
				require.NoError(rt, gs.Validate(f.k.AddressCodec()))
			},
		})

		// Whatever happened, time empties the queue.
		for range 30 {
			f.after(21 * day)
			require.NoError(rt, f.k.EndBlock(f.ctx))
		}
		require.Empty(rt, f.export(rt).Unbonding)
	})
}

// unreached are the operator's entries that a slash must not touch.
func unreached(entries []types.UnbondingEntry, req types.SlashRequest) (out []string) {
	for _, e := range entries {
		if e.Operator == req.Operator.String() && !e.CreatedAt.After(req.CommittedAt) {
			out = append(out, e.String())
		}
	}
	return out
}
