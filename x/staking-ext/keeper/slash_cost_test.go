package keeper_test

import (
	"context"
	"os"
	"testing"
	"time"

	"cosmossdk.io/core/store"
	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec/address"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/x/staking-ext/keeper"
	"github.com/grafilab/grafi/x/staking-ext/types"
)

// TestSlashCostsTheSameAtAnyNumberOfStakers counts the store operations of one
// slash that reaches the pool, what left it, and what moved on, at 20 and at
// 5,000 stakers (100,000 with GRAFI_LONG_TESTS).
func TestSlashCostsTheSameAtAnyNumberOfStakers(t *testing.T) {
	many := 5_000
	if os.Getenv("GRAFI_LONG_TESTS") != "" {
		many = 100_000
	}
	few, lots := slashCost(t, 20), slashCost(t, many)
	require.Equal(t, few, lots)
	require.Less(t, few, 40, "store operations")
	t.Logf("%d store operations at 20 and at %d stakers", few, many)
}

// slashCost gives alice n stakers with 10 each, of whom each took out 4 and
// moved 3 to bob at a second of its own, and slashes for a fault in the middle.
func slashCost(t *testing.T, n int) int {
	t.Helper()
	f := newFixtureWith(t, manyStakers(n))
	f.at(start.Add(time.Duration(n) * time.Second))
	counter := &countingStore{inner: f.store}
	k := keeper.NewKeeper(counter, f.cdc, address.NewBech32Codec(chaininfo.Bech32Prefix), authority, f.bank)

	result, err := k.Slash(f.ctx, types.SlashRequest{
		Operator: alice, Fault: types.FAULT_CLASS_MISMATCH, FaultID: "a", FractionPPM: 100_000,
		CommittedAt: start.Add(time.Duration(n/2)*time.Second - 1),
	})

	require.NoError(t, err)
	// Half of what left is reached: 7 × n/2, and all of the pool.
	require.Equal(t, int64(n), result.FromDelegated.Int64(), "10 % of 10 each")
	require.Equal(t, int64(7*n/2/10), result.Owed.Int64())
	return counter.ops
}

func manyStakers(n int) *types.GenesisState {
	gs := types.DefaultGenesis()
	from, to := newOperator(alice, 0, start), newOperator(bob, 0, start)
	from.DelegatedTokens, from.DelegationShares = math.NewInt(int64(10*n)), math.NewInt(int64(10*n))
	from.LeftTotal, from.LeavingUntil = math.NewInt(int64(7*n)), start.Add(22*day)
	to.DelegatedTokens, to.DelegationShares = math.NewInt(int64(3*n)), math.NewInt(int64(3*n))
	from.NextUnbondingId, to.NextUnbondingId = uint64(n+1), uint64(n+1)
	gs.Operators = []types.Operator{from, to}
	gs.Left = []types.LeftMark{{Operator: from.Address, At: time.Unix(0, 0).UTC(), Total: math.ZeroInt(), NextSlash: 1}}
	for i := range n {
		who := sdk.AccAddress{'s', byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i), 20: 0}[:20].String()
		at := start.Add(time.Duration(i) * time.Second)
		gs.Delegations = append(gs.Delegations,
			types.Delegation{Delegator: who, Operator: from.Address, Shares: math.NewInt(10)},
			types.Delegation{Delegator: who, Operator: to.Address, Shares: math.NewInt(3)})
		gs.Undelegations = append(gs.Undelegations, types.UnbondingDelegation{
			Delegator: who, Operator: from.Address, Id: uint64(i + 1), Amount: math.NewInt(4),
			CreatedAt: at, CompletesAt: at.Add(21 * day), NextSlash: 1,
		})
		gs.Redelegations = append(gs.Redelegations, types.Redelegation{
			Delegator: who, From: from.Address, To: to.Address, Id: uint64(i + 1), Shares: math.NewInt(3),
			CreatedAt: at, CompletesAt: at.Add(21 * day), NextSlash: 1,
		})
		gs.Left = append(gs.Left, types.LeftMark{Operator: from.Address, At: at, Total: math.NewInt(int64(7 * (i + 1))), NextSlash: 1})
	}
	return gs
}

// countingStore counts every operation on the module's store, each step of an
// iterator too.
type countingStore struct {
	inner store.KVStoreService
	ops   int
}

func (s *countingStore) OpenKVStore(ctx context.Context) store.KVStore {
	return &countingKV{KVStore: s.inner.OpenKVStore(ctx), ops: &s.ops}
}

type countingKV struct {
	store.KVStore
	ops *int
}

func (s *countingKV) Get(key []byte) ([]byte, error) { *s.ops++; return s.KVStore.Get(key) }
func (s *countingKV) Has(key []byte) (bool, error)   { *s.ops++; return s.KVStore.Has(key) }
func (s *countingKV) Set(key, value []byte) error    { *s.ops++; return s.KVStore.Set(key, value) }
func (s *countingKV) Delete(key []byte) error        { *s.ops++; return s.KVStore.Delete(key) }

func (s *countingKV) Iterator(start, end []byte) (store.Iterator, error) {
	*s.ops++
	it, err := s.KVStore.Iterator(start, end)
	return &countingIterator{Iterator: it, ops: s.ops}, err
}

func (s *countingKV) ReverseIterator(start, end []byte) (store.Iterator, error) {
	*s.ops++
	it, err := s.KVStore.ReverseIterator(start, end)
	return &countingIterator{Iterator: it, ops: s.ops}, err
}

type countingIterator struct {
	store.Iterator
	ops *int
}

func (i *countingIterator) Next() { *i.ops++; i.Iterator.Next() }
