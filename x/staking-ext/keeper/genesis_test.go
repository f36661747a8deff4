package keeper_test

import (
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/staking-ext/types"
)

// fullGenesis sets every field to something else than its default.
func fullGenesis() *types.GenesisState {
	below := start.Add(-time.Hour)
	return &types.GenesisState{
		Params: types.Params{
			StakeDenom: denom, MinStakePerGpu: math.NewInt(11), RequirementHours: 12,
			TopUpGrace: 13 * time.Hour, UnbondingTime: 14 * time.Hour, MaxUnbondingEntries: 15,
			ReporterSharePpm: 16, InsuranceSharePpm: 17, EquivocationSlashPpm: 18,
			EquivocationJail: 19 * time.Hour, UnbondingBudget: 20, MaxDelegationRatio: 2, MaxDelegations: 25,
			MaxRequirementChangePpm: 26, MaxCommissionChangePpm: 27,
		},
		Operators: []types.Operator{
			{
				Address: alice.String(), Moniker: "Alice", Website: "http://a.example:8080/x?y#z",
				Kind: types.OPERATOR_KIND_DATACENTER, CommissionPpm: 21,
				OwnStake: math.NewInt(22), Requirement: math.NewInt(123), BelowSince: &below,
				Jailed: true, JailedUntil: start.Add(time.Hour), Tombstoned: true,
				RegisteredAt: start.Add(-2 * time.Hour), NextUnbondingId: 9,
				FaultCounts:     []types.FaultCount{{Fault: types.FAULT_EQUIVOCATION, Count: 2}, {Fault: types.FAULT_DISPUTE, Count: 1}},
				DelegatedTokens: math.NewInt(50), DelegationShares: math.NewInt(100), BondedFor: math.NewInt(5),
				CountedStake: math.NewInt(66), CommissionChangedAt: start.Add(-time.Hour),
				NextSlashId: 4, LeftTotal: math.NewInt(35), LeavingUntil: start.Add(13 * time.Hour),
			},
			{
				Address: bob.String(), Moniker: "Bob", Kind: types.OPERATOR_KIND_CONTRIBUTOR,
				OwnStake: math.NewInt(40), Requirement: math.ZeroInt(),
				RegisteredAt: start.Add(-time.Hour), NextUnbondingId: 3,
				DelegatedTokens: math.NewInt(30), DelegationShares: math.NewInt(30), BondedFor: math.ZeroInt(),
				CountedStake: math.NewInt(70), CommissionChangedAt: start.Add(-time.Hour),
				NextSlashId: 1, LeftTotal: math.ZeroInt(),
			},
		},
		Requirements: []types.GpuRequirement{
			{Operator: alice.String(), HostId: 1, Ordinal: 0, WeightPpm: 5, PricePerHour: math.NewInt(3), Amount: math.NewInt(120), Target: math.NewInt(36), SteppedAt: start.Add(-time.Hour)},
			{Operator: alice.String(), HostId: 1, Ordinal: 3, WeightPpm: 6, PricePerHour: math.ZeroInt(), Amount: math.NewInt(3), Target: math.NewInt(3), SteppedAt: start.Add(-2 * time.Hour)},
		},
		Unbonding: []types.UnbondingEntry{
			{Operator: alice.String(), Id: 2, Amount: math.NewInt(50), CreatedAt: start.Add(-time.Hour), CompletesAt: start.Add(-time.Minute)},
			{Operator: alice.String(), Id: 8, Amount: math.NewInt(60), CreatedAt: start.Add(-time.Second), CompletesAt: start.Add(time.Hour)},
		},
		Delegations: []types.Delegation{
			{Delegator: bob.String(), Operator: alice.String(), Shares: math.NewInt(60)},
			{Delegator: carol.String(), Operator: alice.String(), Shares: math.NewInt(40)},
			{Delegator: carol.String(), Operator: bob.String(), Shares: math.NewInt(30)},
		},
		Undelegations: []types.UnbondingDelegation{{
			Delegator: carol.String(), Operator: alice.String(), Id: 7, Amount: math.NewInt(40), NextSlash: 2,
			CreatedAt: start.Add(-time.Hour), CompletesAt: start.Add(13 * time.Hour),
		}},
		Redelegations: []types.Redelegation{{
			Delegator: carol.String(), From: alice.String(), To: bob.String(), Id: 2, Shares: math.NewInt(30), NextSlash: 4,
			CreatedAt: start.Add(-time.Minute), CompletesAt: start.Add(14*time.Hour - time.Minute),
		}},
		Slashes: []types.SlashRecord{{
			Operator: alice.String(), Id: 3, Fault: types.FAULT_DISPUTE, FaultId: "dispute/9",
			CommittedAt: start.Add(-2 * time.Hour), ExecutedAt: start.Add(-time.Hour), KeptUntil: start.Add(30 * day),
			RateNum: math.NewInt(30), RateDen: math.NewInt(40), LeftBefore: math.NewInt(20), Owed: math.NewInt(1),
			FromRewards: math.NewInt(2), FromOwnStake: math.NewInt(3), FromUnbonding: math.NewInt(4), FromDelegated: math.NewInt(5),
			ToVictim: math.NewInt(1), ToReporter: math.NewInt(2), ToInsurance: math.NewInt(3), Burned: math.NewInt(4),
			Held: math.NewInt(4), HeldIn: held,
		}},
		// 60 had left before the slash: 20 until the fault, 40 after it, which pay 3/4.
		Left: []types.LeftMark{
			{Operator: alice.String(), At: start.Add(-3 * time.Hour), Total: math.NewInt(20), NextSlash: 2},
			{Operator: alice.String(), At: start.Add(-time.Hour), Total: math.NewInt(60), NextSlash: 2},
			{Operator: alice.String(), At: start.Add(-time.Minute), Total: math.NewInt(35), NextSlash: 4},
		},
		Punished: []types.PunishedFault{
			{Id: "dispute/9", CommittedAt: start.Add(-2 * time.Hour)},
			{Id: "equivocation/1/2", CommittedAt: start.Add(-3 * time.Hour)},
		},
		ForgottenUntil: start.Add(-4 * time.Hour),
	}
}

func TestGenesisRoundTrip(t *testing.T) {
	want := fullGenesis()
	f := newFixtureWith(t, want)
	require.Equal(t, f.text(t, *want), f.text(t, f.export(t)))
	f.requireInvariants(t)

	// The queue lives on: the entry that is due is paid.
	require.NoError(t, f.k.EndBlock(f.ctx))
	f.requireEvents(t, &types.EventUnbondingCompleted{Operator: alice.String(), EntryId: 2, Amount: "50"})

	again := f.export(t)
	g := newFixtureWith(t, &again)
	require.Equal(t, f.text(t, again), f.text(t, g.export(t)))
}

func TestGenesisMustMatchTheAccount(t *testing.T) {
	f := newFixture(t)
	gs := fullGenesis() // its coins were never minted
	err := f.k.InitGenesis(f.ctx, *gs)
	require.ErrorIs(t, err, types.ErrInvalidGenesis)
	require.ErrorContains(t, err, "stake account holds 0, but own stake 62 + delegated 80 = 142")
}

// TestInvariantsSeeAMistake breaks the account and a record behind the module's back.
func TestInvariantsSeeAMistake(t *testing.T) {
	f := newFixtureWith(t, fullGenesis())
	require.NoError(t, f.bank.SendCoinsFromAccountToModule(f.ctx, bob, types.ModuleName, coins(1)))
	resp, err := f.queries.Invariants(f.ctx, &types.QueryInvariantsRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"stake account holds 143, but own stake 62 + delegated 80 = 142"}, resp.Broken)
}

func TestQueries(t *testing.T) {
	f := newFixtureWith(t, fullGenesis())
	gs := fullGenesis()

	params, err := f.queries.Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, gs.Params, params.Params)

	operator, err := f.queries.Operator(f.ctx, &types.QueryOperatorRequest{Operator: bob.String()})
	require.NoError(t, err)
	require.True(t, operator.Rentable)
	require.Empty(t, operator.Reason)
	operator, err = f.queries.Operator(f.ctx, &types.QueryOperatorRequest{Operator: alice.String()})
	require.NoError(t, err)
	require.False(t, operator.Rentable)
	require.Contains(t, operator.Reason, "tombstoned")

	// One per page, by key.
	page := &query.PageRequest{Limit: 1}
	operators, err := f.queries.Operators(f.ctx, &types.QueryOperatorsRequest{Pagination: page})
	require.NoError(t, err)
	require.Equal(t, []string{alice.String()}, addresses(operators.Operators))
	operators, err = f.queries.Operators(f.ctx, &types.QueryOperatorsRequest{
		Pagination: &query.PageRequest{Key: operators.Pagination.NextKey},
	})
	require.NoError(t, err)
	require.Equal(t, []string{bob.String()}, addresses(operators.Operators))
	require.Empty(t, operators.Pagination.NextKey)

	requirements, err := f.queries.Requirements(f.ctx, &types.QueryRequirementsRequest{Operator: alice.String(), Pagination: page})
	require.NoError(t, err)
	require.Len(t, requirements.Requirements, 1)
	requirements, err = f.queries.Requirements(f.ctx, &types.QueryRequirementsRequest{
		Operator: alice.String(), Pagination: &query.PageRequest{Key: requirements.Pagination.NextKey},
	})
	require.NoError(t, err)
	require.Len(t, requirements.Requirements, 1)
	require.Equal(t, uint32(3), requirements.Requirements[0].Ordinal)
	require.Empty(t, requirements.Pagination.NextKey)

	entries, err := f.queries.Unbonding(f.ctx, &types.QueryUnbondingRequest{Operator: alice.String()})
	require.NoError(t, err)
	require.Len(t, entries.Entries, 2)
	entries, err = f.queries.Unbonding(f.ctx, &types.QueryUnbondingRequest{Operator: bob.String()})
	require.NoError(t, err)
	require.Empty(t, entries.Entries)
}

func TestQueriesRefuse(t *testing.T) {
	f := newFixture(t)
	_, err := f.queries.Operator(f.ctx, &types.QueryOperatorRequest{Operator: alice.String()})
	require.ErrorContains(t, err, "NotFound")
	_, err = f.queries.Operator(f.ctx, nil)
	require.ErrorContains(t, err, "InvalidArgument")
	_, err = f.queries.Requirements(f.ctx, &types.QueryRequirementsRequest{Operator: "x"})
	require.ErrorContains(t, err, "InvalidArgument")
	_, err = f.queries.Unbonding(f.ctx, nil)
	require.ErrorContains(t, err, "InvalidArgument")
	_, err = f.queries.Operators(f.ctx, nil)
	require.NoError(t, err)
}

func addresses(operators []types.Operator) []string {
	out := make([]string, len(operators))
	for i, o := range operators {
		out[i] = o.Address
	}
	return out
}
