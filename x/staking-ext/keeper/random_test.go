package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// life is a random run, with a model that is eager where the module is lazy: at
// each slash it goes through everything that is leaving.
type life struct {
	*fixture
	people []sdk.AccAddress
	burned math.Int
	faults int
	// What each leaving entry has left, by its id: tokens, or shares of the new pool.
	undelegations, redelegations map[string]math.Int
	// What left each operator, in tokens, and when.
	gone map[string][]departure
}

type departure struct {
	at     time.Time
	amount math.Int
}

// TestNothingIsLost plays random lives of operators and public stakers. After
// every step the invariants hold, every slash conserves what it took, supply +
// everything burned is the supply at the start, the state is a valid genesis,
// and everything that is leaving is worth what the eager model says.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		gs := types.DefaultGenesis()
		gs.Params.UnbondingBudget = uint32(rapid.IntRange(1, 3).Draw(rt, "budget"))
		gs.Params.ReporterSharePpm = rapid.Uint64Range(0, types.PPM).Draw(rt, "reporter share")
		gs.Params.InsuranceSharePpm = rapid.Uint64Range(0, types.PPM-gs.Params.ReporterSharePpm).Draw(rt, "insurance share")
		gs.Params.EquivocationSlashPpm = rapid.Uint64Range(1, types.PPM).Draw(rt, "equivocation share")
		gs.Params.MinStakePerGpu = math.NewInt(100)
		gs.Params.MaxDelegationRatio = uint32(rapid.IntRange(0, 5).Draw(rt, "ratio"))
		l := &life{
			fixture: newFixtureWith(rt, gs), people: []sdk.AccAddress{alice, bob, carol, dave}, burned: math.ZeroInt(),
			undelegations: map[string]math.Int{}, redelegations: map[string]math.Int{}, gone: map[string][]departure{},
		}
		supply := l.look(rt).Money["supply"]
		for _, p := range l.people[:3] { // dave is only ever a staker
			l.register(rt, p, rapid.Int64Range(0, 2_000).Draw(rt, "first bond"))
		}
		rt.Repeat(map[string]func(*rapid.T){
			"bond":       l.bond,
			"unbond":     l.unbond,
			"delegate":   l.delegate,
			"undelegate": l.undelegate,
			"redelegate": l.redelegate,
			"GPU":        l.gpu,
			"lock":       l.lock,
			"slash":      l.slash,
			"unjail": func(rt *rapid.T) {
				_ = l.try(func(ctx sdk.Context) error { return l.k.Unjail(ctx, l.anyone(rt)) })
			},
			"block": func(rt *rapid.T) {
				l.after(time.Duration(rapid.Int64Range(0, 10*24*3600).Draw(rt, "seconds")) * time.Second)
				require.NoError(rt, l.k.EndBlock(l.ctx))
			},
			"": func(rt *rapid.T) {
				l.requireInvariants(rt)
				burned := l.burnedSoFar(rt)
				require.Equal(rt, supply, l.look(rt).Money["supply"]+burned)
				gs := l.export(rt)
				require.NoError(rt, gs.Validate(l.k.AddressCodec()))
				l.requireModel(rt, gs)
			},
		})

		// Whatever happened, time empties the queues.
		for range 40 {
			l.after(21 * day)
			require.NoError(rt, l.k.EndBlock(l.ctx))
			l.burnedSoFar(rt)
		}
		end := l.export(rt)
		require.Empty(rt, end.Unbonding)
		require.Empty(rt, end.Undelegations)
		require.Empty(rt, end.Redelegations)
		require.Empty(rt, end.Slashes)
		require.Empty(rt, end.Punished)
		l.requireInvariants(rt)
	})
}

func (l *life) anyone(rt *rapid.T) sdk.AccAddress { return rapid.SampledFrom(l.people).Draw(rt, "who") }

// try runs a step that may be refused: then it must change nothing, as in a transaction.
func (l *life) try(step func(ctx sdk.Context) error) error {
	cached, write := l.ctx.CacheContext()
	err := step(cached)
	if err == nil {
		write()
	}
	return err
}

func (l *life) bond(rt *rapid.T) {
	amount := coin(rapid.Int64Range(-1, 2_000).Draw(rt, "amount"))
	_ = l.try(func(ctx sdk.Context) error { return l.k.Bond(ctx, l.anyone(rt), amount) })
}

func (l *life) unbond(rt *rapid.T) {
	amount := coin(rapid.Int64Range(0, 2_000).Draw(rt, "amount"))
	_ = l.try(func(ctx sdk.Context) error {
		_, err := l.k.Unbond(ctx, l.anyone(rt), amount)
		return err
	})
}

func (l *life) delegate(rt *rapid.T) {
	amount := coin(rapid.Int64Range(0, 5_000).Draw(rt, "amount"))
	_ = l.try(func(ctx sdk.Context) error {
		_, err := l.k.Delegate(ctx, l.anyone(rt), l.anyone(rt), amount)
		return err
	})
}

func (l *life) undelegate(rt *rapid.T) {
	who, operator := l.anyone(rt), l.anyone(rt)
	amount := coin(rapid.Int64Range(0, 2_000).Draw(rt, "amount"))
	var entry types.UnbondingDelegation
	if err := l.try(func(ctx sdk.Context) (err error) {
		entry, err = l.k.Undelegate(ctx, who, operator, amount)
		return err
	}); err == nil && entry.Id > 0 {
		l.undelegations[fmt.Sprint(entry.Operator, entry.Id)] = entry.Amount
		l.gone[entry.Operator] = append(l.gone[entry.Operator], departure{entry.CreatedAt, entry.Amount})
	}
}

func (l *life) redelegate(rt *rapid.T) {
	who, from, to := l.anyone(rt), l.anyone(rt), l.anyone(rt)
	amount := coin(rapid.Int64Range(0, 2_000).Draw(rt, "amount"))
	before, err := l.k.TotalStake(l.ctx)
	require.NoError(rt, err)
	source := l.pool(rt, from)
	var entry types.Redelegation
	if err := l.try(func(ctx sdk.Context) (err error) {
		entry, err = l.k.Redelegate(ctx, who, from, to, amount)
		return err
	}); err == nil {
		l.redelegations[fmt.Sprint(entry.To, entry.Id)] = entry.Shares
		moved := source.Sub(l.pool(rt, from)) // with what was collected on the way
		after, err := l.k.TotalStake(l.ctx)
		require.NoError(rt, err)
		require.True(rt, after.LTE(before), "a redelegation makes no stake")
		require.True(rt, moved.IsPositive())
		// The collected part of source is not what left; the exact amount is in the event.
		l.gone[entry.From] = append(l.gone[entry.From], departure{entry.CreatedAt, l.redelegated(rt)})
	}
}

// redelegated is the amount of the last redelegation's event.
func (l *life) redelegated(rt *rapid.T) math.Int {
	events := l.ctx.EventManager().Events()
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Type != "grafi.stakingext.v1.EventRedelegated" {
			continue
		}
		parsed, err := sdk.ParseTypedEvent(sdkEvent(events[i]))
		require.NoError(rt, err)
		amount, ok := math.NewIntFromString(parsed.(*types.EventRedelegated).Amount)
		require.True(rt, ok)
		return amount
	}
	rt.Fatal("no event of the redelegation")
	return math.Int{}
}

func (l *life) pool(rt *rapid.T, operator sdk.AccAddress) math.Int {
	if known, err := l.k.HasOperator(l.ctx, operator); err != nil || !known {
		return math.ZeroInt()
	}
	return l.operator(rt, operator).DelegatedTokens
}

func (l *life) gpu(rt *rapid.T) {
	operator, ordinal := l.anyone(rt), rapid.Uint32Range(0, 3).Draw(rt, "ordinal")
	_ = l.try(func(ctx sdk.Context) error {
		switch rapid.IntRange(0, 2).Draw(rt, "change") {
		case 0:
			return l.k.SetGPU(ctx, operator, 1, ordinal, rapid.Uint64Range(0, 30*types.PPM).Draw(rt, "weight"))
		case 1:
			return l.k.SetListedPrice(ctx, operator, 1, ordinal, math.NewInt(rapid.Int64Range(-1, 50).Draw(rt, "price")))
		default:
			return l.k.RemoveGPU(ctx, operator, 1, ordinal)
		}
	})
}

func (l *life) lock(rt *rapid.T) {
	amount := math.NewInt(rapid.Int64Range(0, 500).Draw(rt, "amount"))
	_ = l.try(func(ctx sdk.Context) error {
		if rapid.Bool().Draw(rt, "release?") {
			return l.k.ReleaseBond(ctx, l.anyone(rt), amount)
		}
		return l.k.LockBond(ctx, l.anyone(rt), amount)
	})
}

func (l *life) slash(rt *rapid.T) {
	l.faults++
	req := types.SlashRequest{
		Operator: rapid.SampledFrom(l.people[:3]).Draw(rt, "operator"),
		Fault:    types.FAULT_SLA_CREDIT, FaultID: fmt.Sprintf("random/%d", l.faults),
		CommittedAt: l.ctx.BlockTime().Add(-time.Duration(rapid.Int64Range(0, 22*24*3600).Draw(rt, "age")) * time.Second),
		VictimLoss:  math.NewInt(rapid.Int64Range(0, 3_000).Draw(rt, "loss")),
	}
	if rapid.Bool().Draw(rt, "victim?") {
		req.Victim = l.anyone(rt)
	}
	if rapid.Bool().Draw(rt, "reporter?") {
		req.Reporter = l.anyone(rt)
	}
	if rapid.IntRange(0, 3).Draw(rt, "hold?") == 0 {
		req.HoldIn = held
	}
	l.mustGive(rt, rapid.Int64Range(0, 300).Draw(rt, "escrow"))
	do := l.k.Slash
	switch rapid.IntRange(0, 2).Draw(rt, "how") {
	case 0:
		req.FractionPPM, req.AllEscrow = rapid.Uint64Range(1, types.PPM).Draw(rt, "fraction"), rapid.Bool().Draw(rt, "all escrow?")
	case 1:
		req.Amount = math.NewInt(rapid.Int64Range(1, 6_000).Draw(rt, "amount"))
	default:
		do = l.k.SlashEquivocation
	}
	unreachedBefore := unreached(l.export(rt).Unbonding, req)
	poolBefore := l.operator(rt, req.Operator).DelegatedTokens
	var result types.SlashResult
	err := l.try(func(ctx sdk.Context) (err error) {
		result, err = do(ctx, req)
		return err
	})
	if l.ctx.BlockTime().Sub(req.CommittedAt) > 21*day {
		require.ErrorIs(rt, err, types.ErrEvidenceTooOld)
		return
	}
	require.NoError(rt, err)
	require.Equal(rt, unreachedBefore, unreached(l.export(rt).Unbonding, req))
	require.Equal(rt, result.Taken().String(),
		result.Victim.Add(result.Reporter).Add(result.Insurance).Add(result.Burned).Add(result.Held).String())
	again := l.try(func(ctx sdk.Context) error {
		_, err := do(ctx, req)
		return err
	})
	require.ErrorIs(rt, again, types.ErrAlreadySlashed)
	l.slashModel(rt, req, result, poolBefore)
}

func (l *life) mustGive(rt *rapid.T, escrow int64) {
	// Out of alice's pocket, so that the supply stays what it was.
	if err := l.bank.SendCoinsFromAccountToModule(l.ctx, alice, rewards, coins(escrow)); err != nil || escrow == 0 {
		return
	}
	if l.hooks.escrow.IsNil() {
		l.hooks.escrow = math.ZeroInt()
	}
	l.hooks.escrow = l.bank.GetBalance(l.ctx, l.accounts.GetModuleAddress(rewards), denom).Amount
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
